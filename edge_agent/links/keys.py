"""The edge's keys: it signs what it says with the device's own, and believes central by a root given at enrolment.

Central's sync keys change; each comes with the root's signature over its name and its bytes, and two may stand at a
time; one whose last instant has passed is not believed once the next is here. Ed25519 (RFC 8032) by `cryptography`. Not
here: how a key reaches the disk. The rule that must not be broken: a key is never asked for by a message; only what the
root has signed before is believed.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from edge_agent.errors import BadConfig, LinkFault
from protocols.sync.certified import CertifiedKey, KeyKind
from protocols.sync.codec import Signing
from protocols.values.ids import DeviceId

SYNC_KEYS_MAX = 2
"""The one in use and the one that follows."""
KEY_DIGITS = 16

Over = Callable[[str], bool]
"""(key id) -> it may not be used any more."""


@dataclass(frozen=True, slots=True)
class EdgeKeys:
    """One device's private key with its name, and the public keys of central that it believes, by name."""

    key_id: str
    own: Ed25519PrivateKey
    central: Mapping[str, Ed25519PublicKey]


def key_id_of(public: Ed25519PublicKey) -> str:
    """Return a public key's id as central knows it: the first digits of the SHA-256 of its raw bytes."""
    return hashlib.sha256(public.public_bytes_raw()).hexdigest()[:KEY_DIGITS]


def believed(
    root: Ed25519PublicKey, certified: Iterable[CertifiedKey], kind: KeyKind = KeyKind.SYNC
) -> dict[str, Ed25519PublicKey]:
    """Return central's keys of one kind by name.

    Raises `BadConfig` for one the root has not signed, one of another kind, or for too many.
    """
    keys: dict[str, Ed25519PublicKey] = {}
    for each in certified:
        if each.kind is not kind:
            raise BadConfig(f"{kind} key {each.key_id!r}: expected one that signs {kind}, got one for {each.kind}")
        try:
            root.verify(each.signature, each.signed)
        except InvalidSignature as error:
            raise BadConfig(f"{kind} key {each.key_id!r}: expected the root's signature, got another") from error
        keys[each.key_id] = Ed25519PublicKey.from_public_bytes(each.public)
    if not 1 <= len(keys) <= SYNC_KEYS_MAX:
        raise BadConfig(f"{kind} keys: expected 1..{SYNC_KEYS_MAX} of central, got {len(keys)}")
    return keys


def sync_keys(root: bytes, keys: Iterable[CertifiedKey]) -> dict[str, Ed25519PublicKey]:
    """Return central's keys that sign what comes down, by name. Raises `LinkFault` for one the root has not signed."""
    try:
        return believed(Ed25519PublicKey.from_public_bytes(root), [key for key in keys if key.kind is KeyKind.SYNC])
    except BadConfig as error:
        raise LinkFault(f"central's keys: {error}") from error


def policy_keys(root: bytes, keys: Iterable[CertifiedKey]) -> dict[str, Ed25519PublicKey]:
    """Return central's keys that sign policies, by name. Raises `LinkFault` for one the root has not signed."""
    of_kind = [key for key in keys if key.kind is KeyKind.POLICY]
    try:
        return believed(Ed25519PublicKey.from_public_bytes(root), of_kind, KeyKind.POLICY)
    except BadConfig as error:
        raise LinkFault(f"central's keys: {error}") from error


def proving_with(
    policy: Mapping[str, Ed25519PublicKey], over: Over = lambda _key_id: False
) -> Callable[[str, bytes, bytes], bool]:
    """Return what tells whether a policy key signed some bytes: (key id, bytes, signature) -> it did."""

    def proves(key_id: str, data: bytes, signature: bytes) -> bool:
        key = policy.get(key_id)
        if key is None or over(key_id):
            return False
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return proves


def signing_with(device: DeviceId, keys: EdgeKeys, over: Over = lambda _key_id: False) -> Signing:
    """Return how this edge signs and checks: own messages by the device's key, central's by a believed one.

    `over` tells of a key of central that its last instant has passed.
    """

    def verify(whose: DeviceId, key_id: str, data: bytes, signature: bytes) -> bool:
        key = keys.central.get(key_id)
        if key is None or whose != device or over(key_id):
            return False
        try:
            key.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return Signing(key_id=keys.key_id, sign=keys.own.sign, verify=verify)
