"""Facts about one item at one place, and what a policy answers: forms only, checked when made.

The rule that must not be broken: quantities are whole base units and money is `Money`; floats are probabilities,
moments and days, and no quantity is made from them without rounding up to whole packs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from central.core.demand import Demand
from central.core.reorder.expiry import Lots
from central.core.reorder.leads import Leads
from central.core.reorder.moments import Sums
from central.core.reorder.season import Index, checked
from central.errors import BadInput
from protocols.values.money import Money

FILL_TARGET = 0.98
"""Share of demand to serve from the shelf where no rule says another."""

SHELF_DAYS = 365
"""Days a delivery keeps where nothing is known of its expiry."""

FREE = Money(0)
"""What the hospital's own stores take from each other."""


@dataclass(frozen=True, slots=True)
class Position:
    """What can be counted on: the low quantile of the shelf, what is on order, what is promised away (base units).

    `late` is the part of `on_order` that is later than its source's orders ever are.
    """

    physical: int
    on_order: int = 0
    reserved: int = 0
    late: int = 0

    @property
    def total(self) -> int:
        """Physical + on order - reserved."""
        return self.physical + self.on_order - self.reserved


@dataclass(frozen=True, slots=True)
class Source:
    """One rung of the ladder: `available` base units (None = as many as wanted), and its terms; price a base unit.

    `leads` are the lead times seen; None: its word, `lead_days`. `on_time` is its share of lines that came in time. A
    `rationed` source gives what it has (its `available` is this line's part) where the whole cannot be had.
    `price_cap` is a winning price; above it the source is blocked. `lots` are those it would give first and that expire
    within a shelf life.
    """

    name: str
    internal: bool
    lead_days: int
    pack: int
    moq: int
    available: int | None = None
    price: Money = FREE
    leads: Leads | None = None
    on_time: Fraction | None = None
    rationed: bool = False
    price_cap: Money | None = None
    lots: Lots = ()

    def __post_init__(self) -> None:
        if self.lead_days < 0 or self.pack < 1 or self.moq < 0:
            raise BadInput(f"source {self.name}: expected lead days and minimum from 0 and packs from 1, got {self}")


@dataclass(frozen=True, slots=True)
class Past:
    """What the engine knows beyond 90 days: sums of its window here and at the item's other places, and its targets.

    `price` is what a unit on the shelf costs, `worth` what a served request is worth (system mode), `weight` how much
    this item's requests matter. `season` is the index of the item's months; None where there is none to reckon with.
    `lately` is the chance of a request a day by now (see `scope`); None where nobody reckoned it.
    """

    own: Sums
    kin: Sums
    fill: float = FILL_TARGET
    worth: float | None = None
    price: Money = FREE
    weight: float = 1.0
    shelf_days: int = SHELF_DAYS
    season: Index | None = None
    lately: float | None = None

    def __post_init__(self) -> None:
        if self.season is not None:
            checked(self.season)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a person set for a line, in base units; None where nobody did. `forced` stocks what would be on request."""

    floor: int | None = None
    ceiling: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    on_request: bool = False
    forced: bool = False

    def __post_init__(self) -> None:
        low, high = (self.floor, self.minimum), (self.ceiling, self.maximum)
        if any(level is not None and level < 0 for level in (*low, *high)):
            raise BadInput(f"stock limits: expected levels from 0, got {self}")
        if any(one is not None and other is not None and one > other for one, other in zip(low, high, strict=True)):
            raise BadInput(f"stock limits: expected the lower at or below the upper, got {self}")


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Facts:
    """All a policy may know of one item at one place; `ladder` is in order of preference.

    `joins`: its supplier's order is open, and the line joins it at its can-order level. `granted`: units that the
    run's `budget` leaves it from suppliers. `bins` are units that empty bins ask for (None: kept in none).
    `lots` are those of its shelf that are near expiry, the expired ones too.
    """

    place: str
    item: str
    demand: Demand
    position: Position
    ladder: tuple[Source, ...]
    safety_days: Fraction
    cover_days: Fraction
    past: Past | None = None
    limits: Limits = NO_LIMITS
    joins: bool = False
    granted: int | None = None
    bins: int | None = None
    lots: Lots = ()
    budget: Money | None = None


@dataclass(frozen=True, slots=True)
class Levels:
    """A policy's levels for one source: order when what it counts on, `counted`, is below `trigger`, up to a level.

    `because` are the values it used, as data. `expiring` are units of the shelf not counted on, as they expire first.
    """

    trigger: Fraction
    order_up_to: int
    fill: float
    counted: int
    because: Mapping[str, object]
    expiring: int = 0


Policy = Callable[[Facts, Source], Levels]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one source would mean: order `qty` when the position is below `trigger`, up to `order_up_to`."""

    source: Source
    trigger: Fraction
    order_up_to: int
    qty: int
    fill: float


@dataclass(frozen=True, slots=True)
class Decision:
    """A policy's answer: the plan chosen (None when nothing can supply), whether it is due, and the reason as data."""

    plan: Plan | None
    due: bool
    reason: Mapping[str, object]
