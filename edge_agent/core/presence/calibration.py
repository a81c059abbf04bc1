"""What the filter's P(here) is worth: its log-odds, read off a curve learned on simulated wards (isotonic regression).

The model leaves things out (slow fading, what a box hides, that one shield hides many), so that its own probability may
be too bold or too shy, and differently so for a piece that the book has here, next door, or in neither room: a piece
that was just scanned away is not the riddle that a silent one is. The rules that must not be broken: the curves are
learned on wards that nothing is scored on, and only ever rise; nothing is said with more than `CLAIM_MAX`.
"""

from dataclasses import dataclass

from edge_agent.core.presence.numbers import N, Ops
from protocols.errors import BadValue

CLAIM_MAX = 0.995
"""The model is not righter than this of a piece, here or away, or of a line, whatever the reads say (PRESENCE.md)."""


@dataclass(frozen=True, slots=True)
class Curve:
    """True log-odds (`true`) at log-odds of the model (`model`), both rising; straight between, level beyond."""

    model: tuple[float, ...]
    true: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = all(one < two for one, two in zip(self.model, self.model[1:], strict=False))
        level = all(one <= two for one, two in zip(self.true, self.true[1:], strict=False))
        if not self.model or len(self.model) != len(self.true) or not rising or not level:
            raise BadValue(f"calibration: expected rising points, as many as values, got {self.model} and {self.true}")


@dataclass(frozen=True, slots=True)
class Table:
    """The curves of a piece that the book has here, next door, and in neither room."""

    here: Curve
    next: Curve
    out: Curve


IDENTITY = Table(*(Curve((-30.0, 30.0), (-30.0, 30.0)) for _ in range(3)))
"""What the model itself says."""

LEARNED = Table(
    here=Curve(
        (-9.0, -8.79, -7.36, -4.98, -4.37, -3.29, -2.31, -1.48, -0.79, -0.04, 0.83, 2.22, 4.99, 6.38, 7.74, 9.0),
        (-9.0, -5.32, -5.32, -2.56, -2.38, -1.58, -0.39, 0.22, 0.77, 1.31, 2.12, 2.69, 4.02, 4.3, 7.19, 9.0),
    ),
    next=Curve((-9.0, -8.5, -6.6, -2.64, 4.54, 9.0), (-9.0, -8.39, -4.0, -1.11, 2.2, 9.0)),
    out=Curve((-9.0, -7.6, -2.78, -1.33, 0.77, 3.7, 9.0), (-9.0, -9.0, -4.76, -0.99, 2.34, 4.4, 9.0)),
)


def calibrated(here: N, away: N, book: tuple[N, N], table: Table, ops: Ops[N]) -> N:
    """Return the calibrated P(here), from the model's chances of here and away; both are above nothing.

    `book` is whether the book has the piece here, and whether next door (1 or 0).
    """
    odds = ops.log(here) - ops.log(away)
    in_room, beside = book
    true = in_room * ops.along(odds, table.here.model, table.here.true)
    true = true + beside * ops.along(odds, table.next.model, table.next.true)
    true = true + (1.0 - in_room - beside) * ops.along(odds, table.out.model, table.out.true)
    return 1.0 / (1.0 + ops.exp(-true))


def claimed(p: float) -> float:
    """Return what may be said of a probability. What is weighed on, such as a line of many pieces, is not cut."""
    return min(CLAIM_MAX, max(1.0 - CLAIM_MAX, p))
