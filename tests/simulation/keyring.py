"""Every key of a simulated hospital, drawn from its seed: each device's, central's sync key, the root's.

Everybody signs as in production; only where the keys come from differs.
"""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from central.links import keys as central_keys
from edge_agent.links import keys as edge_keys
from protocols.sync.codec import Signing
from protocols.values.ids import DeviceId

SYNC_KEY = "sync-1"
DEVICE_KEY = "device"


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of one seed."""

    seed: str

    def _key(self, whose: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"{self.seed}/{whose}".encode()).digest())

    def central(self) -> Signing:
        """How central signs; it knows every device's key."""

        def key_of(device: DeviceId, key_id: str) -> Ed25519PublicKey | None:
            return self._key(device).public_key() if key_id == DEVICE_KEY else None

        return central_keys.signing_with(SYNC_KEY, self._key(SYNC_KEY), key_of)

    def edge(self, device: str) -> Signing:
        """How a device signs; it knows central's key by the root."""
        root = self._key("root")
        certified = central_keys.certify(root, SYNC_KEY, self._key(SYNC_KEY).public_key())
        believed = edge_keys.believed(root.public_key(), [certified])
        return edge_keys.signing_with(DeviceId(device), edge_keys.EdgeKeys(DEVICE_KEY, self._key(device), believed))
