"""The overview: all that a buyer must see of one hospital at one moment, as plain values in both languages.

It chooses no words and decides nothing about stock: numbers, names and instants only. The rule that must not be
broken: everything comes from one read transaction, so that a ward's count of discrepancies and the list of them agree.
"""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from central.core.discrepancies import Kind
from central.core.match import Match
from central.core.orders import Progress
from protocols.values.instant import Instant
from protocols.values.money import Money, times


@dataclass(frozen=True, slots=True)
class Name:
    """What people call a thing, in Chinese and in English; either may be empty."""

    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Place:
    """A storeroom."""

    code: str
    name: Name


@dataclass(frozen=True, slots=True)
class Item:
    """A catalogue line; `unit` is what its quantities are counted in, `vital` that a life may hang on it."""

    code: str
    name: Name
    spec: str
    unit: Name
    vital: bool


@dataclass(frozen=True, slots=True)
class Ward:
    """One ward's storeroom: is it heard, and how far do book and shelf agree.

    `last_contact` is None when it was never heard; `disputed` when a second ledger was offered in its name; `pending`
    counts entries it said it holds and central has not; `match` is None before the first comparison; the last
    was made at `compared_at`.
    """

    place: Place
    device: str
    last_contact: Instant | None
    offline: bool
    disputed: bool
    pending: int
    quarantined: int
    match: Match | None
    discrepancies: int
    proposals: int
    compared_at: Instant | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """How far a storeroom that is no ward's agreed when it was last compared."""

    place: Place
    match: Match
    at: Instant


@dataclass(frozen=True, slots=True)
class BookSide:
    """The movement that left a unit where the book has it; `kind` is a name of `protocols.movements`."""

    kind: str
    place: Place
    position: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """An open difference of one unit; `p` is the probability that it is on the shelf, held since `since`.

    The device found it at `found_at`; central opened it at `opened_at`, later when the device was cut off.
    """

    id: str
    kind: Kind
    place: Place
    item: Item
    lot: str
    expiry: date | None
    unit: str
    serial: str
    since: Instant
    found_at: Instant
    opened_at: Instant
    p: float
    book: BookSide | None


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A nearer source that could not give the whole quantity, in base units.

    `wanted` is what it would have had to give: its own lead time makes another level, so it may differ from the order.
    """

    name: Name
    available: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Why:
    """The numbers behind a proposal: base units and days; `fill` is the share of demand it will serve at once."""

    policy: str
    daily_use: float
    use_days: int
    safety_days: float
    lead_days: int
    position: int
    on_order: int
    trigger: float
    order_up_to: int
    pack: int
    moq: int
    bound_by: str
    fill: float
    passed_over: tuple[PassedOver, ...]
    proposed: int | None = None
    """What was proposed, where a person changed the quantity since."""

    @property
    def gap(self) -> int:
        """What would reach the upper level exactly, before packs and the minimum."""
        return self.order_up_to - self.position


@dataclass(frozen=True, slots=True)
class Proposal:
    """An open proposal; `unit_price` is a base unit's, None between the hospital's own storerooms.

    `version` names what is approved: source, quantity and price.
    """

    id: str
    version: str
    place: Place
    item: Item
    qty: int
    source: Name
    internal: bool
    unit_price: Money | None
    why: Why
    made_at: Instant

    @property
    def price(self) -> Money | None:
        """The price of the whole quantity."""
        return None if self.unit_price is None else times(self.unit_price, self.qty)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One item of an order, in base units."""

    item: Item
    qty: int


@dataclass(frozen=True, slots=True)
class Order:
    """An approved order, and how far it has come."""

    number: str
    place: Place
    source: Name
    internal: bool
    lines: tuple[OrderLine, ...]
    price: Money | None
    progress: Progress
    approved_by: str
    approved_at: Instant


@dataclass(frozen=True, slots=True)
class Overview:
    """One hospital at one moment. Lists are bounded; `discrepancies_all` and `proposals_all` count all that are open.

    `line_gate` is the line match a storeroom must reach; `stores` are the storerooms above the wards.
    """

    hospital: Name
    now: Instant
    line_gate: Fraction
    wards: tuple[Ward, ...]
    discrepancies: tuple[Discrepancy, ...]
    discrepancies_all: int
    proposals: tuple[Proposal, ...]
    proposals_all: int
    orders: tuple[Order, ...]
    stores: tuple[Compared, ...] = ()
