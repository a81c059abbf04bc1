"""What goes wrong between a device and its wire, as data: a kind, when, and for how long. Drawn from a seed, or said.

It does nothing itself: `line` plays it. The rule that must not be broken: the same seed gives the same faults, and all
kinds come equally often, for a fault that seldom comes is a fault that is not tested.
"""

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from hardware_sim.errors import WrongUse

DAY_S = 86_400.0


class Kind(StrEnum):
    """What can happen to a line."""

    DROP = "drop"
    """The connection is closed; a serial port comes back at once under its name."""
    STALL = "stall"
    """The device stands still, the link stays open; then it goes on where it was."""
    HALF_OPEN = "half-open"
    """The device has forgotten its client and says nothing; the client is not told."""
    GARBAGE = "garbage"
    """Noise between frames and within them."""
    TRUNCATE = "truncate"
    """The rest of one frame is lost, and the next follows."""
    BYTEWISE = "bytewise"
    """Every byte comes alone."""
    REBOOT = "reboot"
    """Power is lost: nobody answers, then the device is back without its programme."""
    LYING = "lying"
    """One frame claims another length than it has."""
    SLOW = "slow"
    """The line carries as little as one of 9,600 baud."""
    UNPLUG = "unplug"
    """The cable is out: the port is gone without a word, and comes back under its name."""
    BURST = "burst"
    """A thousand reads a second of tags nobody knows, beside those on the shelves."""


LASTS_S: Mapping[Kind, float] = MappingProxyType(
    {
        Kind.DROP: 0.0,
        Kind.STALL: 6.0,
        Kind.HALF_OPEN: 6.0,
        Kind.GARBAGE: 2.0,
        Kind.TRUNCATE: 5.0,
        Kind.BYTEWISE: 3.0,
        Kind.REBOOT: 2.0,
        Kind.LYING: 5.0,
        Kind.SLOW: 3.0,
        Kind.UNPLUG: 3.0,
        Kind.BURST: 2.0,
    }
)
"""Link seconds a fault lasts unless said. `truncate` and `lying` end with the frame they struck; this is how long they
wait for one."""

NEEDS_ANTENNAS = frozenset({Kind.BURST})

_SAID = re.compile(r"(?P<kind>[a-z-]+)@(?P<at>[0-9.]+)(?:\+(?P<lasts>[0-9.]+))?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: it begins `at_s` link seconds after its line did, or as soon after as a client is there for it."""

    kind: Kind
    at_s: float
    lasts_s: float

    def __post_init__(self) -> None:
        if not (0 <= self.at_s <= DAY_S and 0 <= self.lasts_s <= DAY_S):
            raise WrongUse(f"fault {self.kind}: expected seconds of 0..{DAY_S:g}, got {self.at_s:g}, {self.lasts_s:g}")


def say_fault(text: str) -> Fault:
    """Return the fault that a person wrote as KIND@SECONDS or KIND@SECONDS+LASTS. Raises `WrongUse`."""
    said = _SAID.fullmatch(text)
    try:
        if said is None:
            raise ValueError(text)
        kind = Kind(said["kind"])
        return Fault(kind, float(said["at"]), LASTS_S[kind] if said["lasts"] is None else float(said["lasts"]))
    except ValueError as error:
        kinds = ", ".join(Kind)
        raise WrongUse(
            f"--fault: expected KIND@SECONDS or KIND@SECONDS+LASTS with a kind of {kinds}, got {text:.40}"
        ) from error


def in_order(faults: Iterable[Fault]) -> list[Fault]:
    """Return said faults by when they begin."""
    return sorted(faults, key=lambda each: each.at_s)


def draw_faults(seed: int | str, *, every_s: float, kinds: Sequence[Kind] = tuple(Kind)) -> Iterator[Fault]:
    """Return faults without end, one about every so many seconds; each kind once before any comes again."""
    if not 0 < every_s <= DAY_S or not kinds:
        raise WrongUse(f"--every: expected above 0 and at most {DAY_S:g} seconds, got {every_s:g}")
    return _drawn(random.Random(f"{seed} faults"), every_s, list(kinds))


def _drawn(rng: random.Random, every_s: float, kinds: list[Kind]) -> Iterator[Fault]:
    turn = 0
    while (turn + 1) * every_s < DAY_S:
        for kind in rng.sample(kinds, len(kinds)):
            turn += 1
            at_s = min(DAY_S, (turn + rng.uniform(-0.3, 0.3)) * every_s)
            yield Fault(kind, at_s, LASTS_S[kind] * rng.uniform(0.5, 1.0))
