"""Whose key signed a message: the enrolment table as the ingest sees it, read in the transaction of the message.

A key is looked at again after a few seconds, so that what was revoked elsewhere is not heard for longer than that. The
rule that must not be broken: a key that is not in the table, or is revoked there, proves nothing.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from ssl import SSLContext

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection

from central.clock import Clock
from central.core.enrolment import why_not
from central.services.enrolment import standing
from central.store.queries_enrolment import device_keys, devices_of, standing_key
from protocols.errors import PeerBroke
from protocols.sync.codec import Envelope, Signing, unseal
from protocols.sync.frames import Hello
from protocols.values.ids import DeviceId, HospitalId

SEEN_S = 2.0
"""Link seconds for which a key that was found is not looked up again."""
SEEN_MAX = 10_000
"""Keys remembered; beyond it all are forgotten, which costs one look-up each."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """A greeting whose signature proves nothing; `offered` is the key it names, empty for an unsigned one."""

    envelope: Envelope
    hello: Hello
    offered: str


def greeting_in(data: bytes) -> Greeting | None:
    """Return the greeting in bytes that were not believed, None for any other message; only to refuse it by name."""
    offered = [""]

    def note(_whose: DeviceId, key_id: str, _data: bytes, _signature: bytes) -> bool:
        offered.append(key_id)
        return True

    try:
        envelope, message = unseal(data, Signing(unsigned=True, verify=note))
    except PeerBroke:
        return None
    return Greeting(envelope, message, offered[-1]) if isinstance(message, Hello) else None


@dataclass(slots=True)
class DeviceKeys:
    """The keys of one hospital's devices."""

    hospital: HospitalId
    clock: Clock
    _seen: dict[tuple[DeviceId, str], tuple[float, Ed25519PublicKey]] = field(default_factory=dict)

    def signing(self, connection: Connection, own: Signing) -> Signing:
        """Return how to check what comes within this transaction, and to sign as before."""
        return replace(own, verify=partial(self._verify, connection))

    def why_not(self, connection: Connection, device: DeviceId, offered: str) -> str:
        """Return why a greeting under a key is not believed, and what to do."""
        key = devices_of(device_keys(connection, self.hospital, device)).get(device)
        return why_not(device, None if key is None else standing(key), offered)

    def _verify(self, connection: Connection, whose: DeviceId, key_id: str, data: bytes, signature: bytes) -> bool:
        key = self._key_of(connection, whose, key_id)
        if key is None:
            return False
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _key_of(self, connection: Connection, device: DeviceId, key_id: str) -> Ed25519PublicKey | None:
        now = self.clock.link_s()
        at, key = self._seen.get((device, key_id), (-SEEN_S, None))
        if key is not None and now - at < SEEN_S:
            return key
        self._seen.pop((device, key_id), None)
        public = standing_key(connection, self.hospital, device, key_id)
        if public is None:
            return None
        if len(self._seen) >= SEEN_MAX:
            self._seen.clear()
        key = Ed25519PublicKey.from_public_bytes(public)
        self._seen[device, key_id] = (now, key)
        return key


@dataclass(frozen=True, slots=True)
class Gate:
    """Whom central believes where messages are signed: the enrolled devices, and brokers by their certificates."""

    keys: DeviceKeys
    tls: SSLContext
