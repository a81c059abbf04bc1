"""A hospital that enrols devices, for tests: keys in a folder, a store in memory, time that moves when told."""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from central.services.enrolment import Devices, Reach
from central.services.key_making import Where, make_keys
from central.store.chains import enrol
from central.store.engine import Store
from protocols.sync.enrolment import Asking, Enrolled
from protocols.values.ids import ActorId, DeviceId, HospitalId, PlaceId
from protocols.values.instant import Instant
from tests.central.stores import migrated_store

MAIN, WARD, OTHER = HospitalId("main"), DeviceId("ward-01"), DeviceId("ward-02")
ADMIN = ActorId("N1")


class Fleet:
    """The devices' service, its clock, and the folder of keys."""

    def __init__(self, folder: Path, now: Instant, store: Store | None = None, keys: Path | None = None) -> None:
        self.now = now
        self.keys = keys or folder / "keys"
        if keys is None:
            make_keys(Where(MAIN, folder / "medium", self.keys, folder / "statement.key"), now)
        self.store = store or migrated_store()
        self._drawn = 0
        if store is None:
            with self.store.write() as connection:
                for device in (WARD, OTHER):
                    enrol(connection, MAIN, device, PlaceId(device))
        reach = Reach("central.lan", 8443, ("mqtts://broker.lan:8883",))
        self.devices = Devices(self.store, MAIN, lambda: self.now, self.draw, self.keys, reach)

    def draw(self) -> bytes:
        self._drawn += 1
        return self._drawn.to_bytes(16, "big")

    def let_in(self, key: Ed25519PrivateKey, device: DeviceId = WARD) -> Enrolled:
        ticket = self.devices.ticket(ADMIN, device, 30)
        return self.devices.enrol(Asking(ticket.token, device, request(key)))


def request(key: Ed25519PrivateKey, name: str = "whatever it says") -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, None)
    return made.public_bytes(Encoding.PEM).decode()
