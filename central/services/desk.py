"""What a request is answered from: one store, one hospital, one clock, and the door people come through.

It holds no rule; it exists so that the API, the pages and the jobs are handed the same things.
"""

from collections.abc import Callable
from dataclasses import dataclass

from central.services.accounts import Accounts
from central.services.agreements import Agreements
from central.services.amendments import Amendments
from central.services.catalogue import Catalogue
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
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant


@dataclass(frozen=True, slots=True)
class Desk:
    """The store, the hospital whose rows may be seen, the story's time, and who may see them."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    entrance: Entrance
    accounts: Accounts
    looks: Looks
    purchasing: Purchasing
    amendments: Amendments
    invoices: Invoices
    requisitions: Requisitions
    returns: Returns
    agreements: Agreements
    permits: Permits
    recalls: Recalls
    suppliers: SupplierDesk
    catalogue: Catalogue
    devices: Devices
    his: His
    hands: Hands
    master: Master
