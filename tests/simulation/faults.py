"""What goes wrong, and when: the faults of one run as a list of values, drawn from the seed before the run begins.

A fault names a time, a kind, whom it hits and a size in 0..1 that its kind reads as it likes. Because the list is
data, a failing run is made shorter by leaving faults out. The rule that must not be broken: what a fault does is
decided by its own fields, so that leaving another out does not change it.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

HUB = "central"
QUIET_S = 120.0
"""No fault comes before everybody has started."""


class Kind(StrEnum):
    """Sorts of faults."""

    CUT = "cut"
    ONE_WAY = "one_way"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    TRUNCATE = "truncate"
    CORRUPT = "corrupt"
    BROKER_FORGETS = "broker_forgets"
    EDGE_POWER = "edge_power"
    EDGE_POWER_AT_CALL = "edge_power_at_call"
    EDGE_KILL = "edge_kill"
    EDGE_EIO = "edge_eio"
    EDGE_FULL = "edge_full"
    EDGE_CLOCK = "edge_clock"
    HUB_POWER = "hub_power"
    HUB_POWER_AT_CALL = "hub_power_at_call"
    HUB_KILL = "hub_kill"
    HUB_EIO = "hub_eio"
    HUB_CLOCK = "hub_clock"
    POISON = "poison"
    TWICE = "twice"
    STALE = "stale"
    FORGED = "forged"
    EDGE_LIES = "edge_lies"
    EDGE_ROLLED_BACK = "edge_rolled_back"
    EDGE_REPLACED = "edge_replaced"
    CLONE = "clone"
    HUB_RESTORED = "hub_restored"
    HUB_FULL = "hub_full"
    SWIZZLE = "swizzle"
    BOTH_RESTORED = "both_restored"
    PROOF_LOST = "proof_lost"


ROUGH_ONLY = frozenset({Kind.EDGE_LIES, Kind.BOTH_RESTORED, Kind.PROOF_LOST})
"""Faults that take what people were told is safe: they happen only where a run may lose something."""
RARE = frozenset({Kind.EDGE_ROLLED_BACK, Kind.EDGE_REPLACED, Kind.CLONE, Kind.HUB_RESTORED, *ROUGH_ONLY})
"""Faults after which a ledger goes on in a new chain."""
OF_HUB = frozenset(
    {kind for kind in Kind if kind.name.startswith("HUB")} | {Kind.BROKER_FORGETS, Kind.SWIZZLE, Kind.PROOF_LOST}
)
DRAWN = tuple(kind for kind in Kind if kind is not Kind.PROOF_LOST)
"""What chance draws; a lost proof has days of its own, for after it copies put back may hold half of what was lost."""
BEFORE_S = {Kind.BOTH_RESTORED: 12.0, Kind.PROOF_LOST: 912.0}
"""How long before such a fault the copy is taken that it puts back."""
VOUCHED_S = 900.0
"""How long before a `proof_lost` central vouches for a younger copy, which is then gone."""

_OFF_S = (5.0, 180.0)
LASTS_S: dict[Kind, tuple[float, float]] = {
    Kind.CUT: (5.0, 900.0),
    Kind.ONE_WAY: (5.0, 900.0),
    Kind.BROKER_FORGETS: (5.0, 95.0),
    Kind.SWIZZLE: (30.0, 300.0),
    Kind.EDGE_POWER: _OFF_S,
    Kind.EDGE_KILL: _OFF_S,
    Kind.EDGE_FULL: (30.0, 900.0),
    Kind.EDGE_LIES: (5.0, 60.0),
    Kind.EDGE_ROLLED_BACK: _OFF_S,
    Kind.EDGE_REPLACED: _OFF_S,
    Kind.BOTH_RESTORED: _OFF_S,
    Kind.PROOF_LOST: _OFF_S,
    Kind.CLONE: (600.0, 5400.0),
    Kind.HUB_POWER: _OFF_S,
    Kind.HUB_KILL: _OFF_S,
    Kind.HUB_RESTORED: _OFF_S,
    Kind.HUB_FULL: (30.0, 300.0),
}
"""How long a fault lasts from its smallest size to its largest; the others are over at once."""
PAIR_S = (0.5, 20.0)
"""How long after the first of a pair the second strikes: it is still recovered from."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `size` in 0..1."""

    at_s: float
    kind: Kind
    target: str
    size: float

    @property
    def lasts_s(self) -> float:
        """How long it lasts before anything can recover from it."""
        least, most = LASTS_S.get(self.kind, (0.0, 0.0))
        return least + (most - least) * self.size

    def __str__(self) -> str:
        return f"{self.at_s:10.3f}s {self.kind} {self.target} {self.size:.4f}"


def plan(
    seed: str, hours: float, devices: Sequence[str], every_s: float, *, part: int = 0, gentle: bool = True
) -> list[Fault]:
    """Draw the faults of a run, one every `every_s` seconds in the mean.

    They come in twos, the second while the first is recovered from. Runs of following `part`s share the pairs of kinds
    among them, so that together they have each.
    """
    chance = random.Random(f"{seed}/faults")
    twos, faults = _pairs(part, gentle=gentle), list[Fault]()
    at = QUIET_S
    while True:
        at += chance.expovariate(1 / (every_s * 2))
        then = at + chance.uniform(*PAIR_S)
        if then >= hours * 3600:
            return faults
        device = chance.choice(list(devices))
        for when, kind in zip((at, then), next(twos), strict=True):
            target = HUB if kind in OF_HUB else device
            faults.append(Fault(round(when, 3), kind, target, round(chance.random(), 6)))
        at = then


PART_PAIRS = 300
"""About as many pairs of kinds as one run of a campaign plays."""


TRIES = 8
TRY_EVERY_S = 900.0


def plan_pairs(pairs: Sequence[tuple[str, str]], devices: Sequence[str]) -> list[Fault]:
    """Return faults that bring each of these pairs about, several times with other sizes and distances."""
    chance = random.Random("closing")
    faults: list[Fault] = []
    at = TRY_EVERY_S * 2
    for first, second in [pair for pair in pairs for _ in range(TRIES)]:
        device = chance.choice(list(devices))
        when = at
        for kind in (Kind(first), Kind(second)):
            target = HUB if kind in OF_HUB else device
            faults.append(Fault(round(when, 3), kind, target, round(chance.random(), 6)))
            when += chance.uniform(*PAIR_S)
            if Kind(second) in BEFORE_S:  # its copy is of machines that stand again
                when += faults[-1].lasts_s + BEFORE_S[Kind(second)]
        at += TRY_EVERY_S
    return faults


def _pairs(part: int, *, gentle: bool) -> Iterator[tuple[Kind, Kind]]:
    """Return ordered pairs of kinds for ever, in an order of their own, from where a part begins."""
    kinds = [kind for kind in DRAWN if not (gentle and kind in ROUGH_ONLY)]
    pairs = [(first, second) for first in kinds for second in kinds]
    random.Random("pairs").shuffle(pairs)
    at = part * PART_PAIRS
    while True:
        yield pairs[at % len(pairs)]
        at += 1
