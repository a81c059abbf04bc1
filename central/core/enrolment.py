"""The rules of enrolment: how long a token is good, when a certificate is renewed, and why a device is not heard.

Pure; instants are real time. The rule that must not be broken: a reason tells a person what to do about it.
"""

import zlib
from dataclasses import dataclass
from enum import StrEnum

from protocols.values.ids import DeviceId
from protocols.values.instant import Instant, plus, to_iso

TOKEN_MINUTES = 30
TOKEN_MINUTES_MAX = 24 * 60
RENEW_GRACE_S = 90 * 86_400.0
"""A device that slept longer than so after its certificate ended is carried through enrolment again."""
SHARDS = 256
REASON_MAX = 200


class Enrolment(StrEnum):
    """How a device stands."""

    WITHOUT = "without-key"
    ENROLLED = "enrolled"
    ENDED = "ended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """What is kept of a device's newest key."""

    key_id: str
    until: Instant
    revoked_at: Instant | None
    reason: str


def standing_of(key: KeyStanding | None, now: Instant) -> Enrolment:
    """Return how a device stands."""
    if key is None:
        return Enrolment.WITHOUT
    if key.revoked_at is not None:
        return Enrolment.REVOKED
    return Enrolment.ENROLLED if now <= key.until else Enrolment.ENDED


def may_renew(key: KeyStanding, now: Instant) -> bool:
    """Tell whether a standing key gets a new certificate."""
    return key.revoked_at is None and now <= plus(key.until, RENEW_GRACE_S)


def shard_of(device: DeviceId) -> int:
    """Return a device's shard, spread evenly over the names."""
    return zlib.crc32(device.encode()) % SHARDS


def why_not(device: DeviceId, key: KeyStanding | None, offered: str) -> str:
    """Return why a device's greeting under a key is refused, and what to do; `offered` is empty for an unsigned one."""
    renew = f"make a token with `wardstock-central enrol {device}` and enrol it"
    if key is None:
        return f"{device} is not enrolled: {renew}"
    if key.revoked_at is not None:
        why = f" ({key.reason})" if key.reason else ""
        return f"{device} was revoked on {to_iso(key.revoked_at)}{why}: if that is over, {renew} again"
    if not offered:
        return f"{device} does not sign what it says: remove `unsigned = true` from its edge.toml"
    return f"{device} signs with key {offered:.64}, not with the one it was enrolled with: {renew} again"
