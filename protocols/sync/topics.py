"""The topics of the broker: `ws/1/{hospital}/{shard}/{device}/up`, `down` and `hint`; each device has its three.

`hint` is kept by the broker (retained) and says only which versions there are; it wakes and is never believed.
"""

from collections.abc import Collection
from dataclasses import dataclass

from protocols.errors import BadValue, PeerBroke
from protocols.values.ids import DeviceId, HospitalId, device_id, hospital_id

ROOT = "ws/1"
SHARD_MAX = 255
EVERY_SHARD = range(SHARD_MAX + 1)


@dataclass(frozen=True, slots=True)
class Topics:
    """Where one device speaks and listens."""

    hospital: HospitalId
    shard: int
    device: DeviceId

    def __post_init__(self) -> None:
        if not 0 <= self.shard <= SHARD_MAX:
            raise BadValue(f"shard: expected 0..{SHARD_MAX}, got {self.shard}")

    @property
    def up(self) -> str:
        """The topic the device speaks on."""
        return f"{ROOT}/{self.hospital}/{self.shard}/{self.device}/up"

    @property
    def down(self) -> str:
        """The topic the device listens on."""
        return f"{ROOT}/{self.hospital}/{self.shard}/{self.device}/down"

    @property
    def hint(self) -> str:
        """The topic on which the broker keeps what the device can have."""
        return f"{ROOT}/{self.hospital}/{self.shard}/{self.device}/hint"


def every_up(hospital: HospitalId) -> str:
    """Return the filter that takes what any device of a hospital says."""
    return f"{ROOT}/{hospital}/+/+/up"


def up_of(hospital: HospitalId, shards: Collection[int]) -> list[str]:
    """Return the filters that take what devices of some shards say; of all of them it is one."""
    if len(set(shards)) == SHARD_MAX + 1:
        return [every_up(hospital)]
    return [f"{ROOT}/{hospital}/{shard}/+/up" for shard in sorted(set(shards))]


def shards_of(text: str) -> frozenset[int]:
    """Return the shards that a text such as `0-127` or `0-3,200` names. Raises `BadValue`."""
    found: set[int] = set()
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        last = last if dash else first
        if not (first.isdecimal() and last.isdecimal() and int(first[:4]) <= int(last[:4]) <= SHARD_MAX):
            raise BadValue(f"shards: expected ranges of 0..{SHARD_MAX} such as 0-127 or 0-3,200, got {text!r:.60}")
        found.update(range(int(first), int(last) + 1))
    return frozenset(found)


def parse_up(topic: str) -> Topics:
    """Return whose `up` topic this is. Raises `PeerBroke`."""
    levels = topic.split("/")
    if len(levels) != 6 or "/".join(levels[:2]) != ROOT or levels[5] != "up" or not levels[3].isdecimal():
        raise PeerBroke(f"topic: expected {ROOT}/HOSPITAL/SHARD/DEVICE/up, got {topic!r:.120}")
    try:
        return Topics(hospital_id(levels[2]), int(levels[3][:4]), device_id(levels[4]))
    except BadValue as error:
        raise PeerBroke(f"topic: {error}") from error
