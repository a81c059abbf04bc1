"""What goes wrong, and when: the faults of one run as a list of values, drawn from the seed before the run begins.

A fault names a time, a kind, whom it hits and a size in 0..1 that its kind reads as it likes. Because the list is
data, a failing run is made shorter by leaving faults out. The rule that must not be broken: what a fault does is
decided by its own fields, so that leaving another out does not change it.
"""

import random
from collections.abc import Sequence
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


RARE = frozenset({Kind.EDGE_ROLLED_BACK, Kind.EDGE_REPLACED, Kind.CLONE, Kind.HUB_RESTORED, Kind.EDGE_LIES})
"""Faults after which a ledger goes on in a new chain; there are fewer of them, as in life."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: `size` in 0..1."""

    at_s: float
    kind: Kind
    target: str
    size: float

    def __str__(self) -> str:
        return f"{self.at_s:10.3f}s {self.kind} {self.target} {self.size:.4f}"


def plan(seed: str, hours: float, devices: Sequence[str], every_s: float) -> list[Fault]:
    """Draw the faults of a run: one every `every_s` seconds in the mean, now and then several close together."""
    chance = random.Random(f"{seed}/faults")
    faults: list[Fault] = []
    at = QUIET_S
    kinds = [kind for kind in Kind for _ in range(1 if kind in RARE else 4)]
    while True:
        close = chance.random() < 0.3
        at += chance.expovariate(1 / (every_s / 8 if close else every_s * 1.35))
        if at >= hours * 3600:
            return faults
        kind = chance.choice(kinds)
        target = HUB if kind.name.startswith("HUB") or kind is Kind.BROKER_FORGETS else chance.choice(list(devices))
        faults.append(Fault(round(at, 3), kind, target, round(chance.random(), 6)))
