"""Central's keys: it signs everything down with its sync key, and checks each device's messages with that device's.

The sync key is certified by a root that stays offline and that edges were given at enrolment; so are the keys that sign
policy and daily heads. Ed25519 (RFC 8032) by `cryptography`. Not here: how a key reaches the disk, see `key_files`. The
rule that must not be broken: a private key comes from a service file; it is never in the database.
"""

import hashlib
from collections.abc import Callable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from protocols.sync.certified import FOREVER, CertifiedKey, KeyKind, signed_part
from protocols.sync.codec import Signing
from protocols.values.ids import DeviceId
from protocols.values.instant import Instant

KEY_DIGITS = 16

KeyOf = Callable[[DeviceId, str], Ed25519PublicKey | None]
"""(device, key id) -> its public key; None for a device without it or one that is denied."""


def key_id_of(public: Ed25519PublicKey) -> str:
    """Return a public key's id: the first digits of the SHA-256 of its raw bytes."""
    return hashlib.sha256(public.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:KEY_DIGITS]


def certify(
    root: Ed25519PrivateKey,
    key_id: str,
    public: Ed25519PublicKey,
    *,
    kind: KeyKind = KeyKind.SYNC,
    until: Instant = FOREVER,
) -> CertifiedKey:
    """Return a key with the root's signature over what it may sign and until when."""
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return CertifiedKey(key_id, raw, root.sign(signed_part(key_id, raw, kind, until)), kind, until)


def is_certified(root: Ed25519PublicKey, key: CertifiedKey) -> bool:
    """Tell whether the root signed this key as it stands."""
    try:
        root.verify(key.signature, key.signed)
    except InvalidSignature:
        return False
    return True


def signing_with(key_id: str, own: Ed25519PrivateKey, key_of: KeyOf) -> Signing:
    """Return how central signs and checks: own messages by the sync key, a device's by the key it was enrolled with."""

    def verify(whose: DeviceId, device_key_id: str, data: bytes, signature: bytes) -> bool:
        key = key_of(whose, device_key_id)
        if key is None:
            return False
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return Signing(key_id=key_id, sign=own.sign, verify=verify)
