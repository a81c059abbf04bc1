"""Who asks in tests: a desk where everyone is one person, and one where people must sign in."""

from itertools import count
from pathlib import Path

from central.clock import Clock, new_token
from central.services.accounts import Accounts
from central.services.agreements import Agreements
from central.services.amendments import Amendments
from central.services.catalogue import Catalogue
from central.services.desk import Desk
from central.services.documents import Documents
from central.services.enrolment import Devices
from central.services.entrance import Entrance
from central.services.hand import Hands
from central.services.his import His
from central.services.invoices import Invoices
from central.services.looks import Looks
from central.services.master import Master
from central.services.permits import Permits
from central.services.purchasing import Purchasing
from central.services.recalls import Recalls
from central.services.requisitions import Requisitions
from central.services.returns import Returns
from central.services.suppliers import SupplierDesk
from central.store.engine import Store
from protocols.values.instant import Instant
from tests.central.hospital import HOSPITAL, frozen_clock

SETUP_CODE = "set-up-code!"
PATIENT_KEY = b"a key that hides patients"


class Watch:
    """Real time that only moves when told to, and secrets that are drawn in order."""

    def __init__(self, now: Instant) -> None:
        self.now = now
        self._drawn = count()

    def read(self) -> Instant:
        return self.now

    def draw(self) -> str:
        return f"secret-{next(self._drawn):036d}"


def desk(store: Store, watch: Watch, everyone_is: str = "", clock: Clock | None = None) -> Desk:
    documents = Documents(store, HOSPITAL, clock or frozen_clock(watch.now))
    return Desk(
        store,
        HOSPITAL,
        watch.read,
        Entrance(store, HOSPITAL, watch.read, watch.draw, everyone_is, SETUP_CODE),
        Accounts(store, HOSPITAL, watch.read, watch.draw),
        Looks(store, HOSPITAL, watch.read),
        Purchasing(documents),
        Amendments(documents),
        Invoices(documents),
        Requisitions(documents),
        Returns(documents),
        Agreements(documents),
        Permits(documents),
        Recalls(documents),
        SupplierDesk(documents),
        Catalogue(documents),
        Devices(store, HOSPITAL, watch.read, new_token, Path("keys"), None),
        His(documents, PATIENT_KEY),
        Hands(documents, His(documents, PATIENT_KEY)),
        Master(documents),
    )


def open_desk(store: Store, now: Instant) -> Desk:
    return desk(store, Watch(now), "demo-buyer")
