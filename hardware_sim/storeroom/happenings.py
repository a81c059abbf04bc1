"""What can happen in a storeroom, as rows: visits, changes of the truth, recorded facts, passages, shields.

It is only the form, with the one place that turns instants into bins. Instants are seconds since the trace began.
The rule that must not be broken: `Change` is the truth, `Fact` what somebody recorded; neither is made of the other.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from hardware_sim.storeroom.stock import Where

BIN_S, ROUND_S = 60, 2
DAY_S = 86_400.0
BINS_A_DAY = int(DAY_S) // BIN_S
ROUNDS_A_BIN = BIN_S // ROUND_S


def bin_of(at_s: float) -> int:
    """Return the bin in which an instant lies."""
    return int(at_s // BIN_S)


class Block(IntEnum):
    """How a tag is shielded."""

    CLEAR = 0
    LEAKY = 1
    TOTAL = 2


class Visit(NamedTuple):
    """Somebody is in the room, standing before one shelf."""

    since_s: float
    until_s: float
    actor: str
    shelf: int


class Change(NamedTuple):
    """From this instant a piece is there."""

    at_s: float
    tag: int
    where: Where
    shelf: int


class Fact(NamedTuple):
    """Somebody recorded that a piece went, or was seen to be, somewhere. Bins: when it became known, when it was."""

    known: int
    at: int
    tag: int
    kind: str
    to: Where


class Passage(NamedTuple):
    """A piece is carried through the door. `crowd` pieces were carried before it in the same hands."""

    at_s: float
    tag: int
    outward: bool
    crowd: int


class Shield(NamedTuple):
    """From this instant a piece is shielded so."""

    at_s: float
    tag: int
    block: Block


class Death(NamedTuple):
    """From this instant a tag never answers again."""

    at_s: float
    tag: int


@dataclass(slots=True)
class Life:
    """All that happened in one storeroom."""

    visits: list[Visit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    shields: list[Shield] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
