"""What stock cost, lot by lot: every ledger line takes its value from the purchase its goods came from. Pure.

A pool is one lot of one item in one place; it holds layers, each so many base units at the price of one purchase. What
leaves a pool takes its oldest layer first and carries it along, so value is neither made nor lost on the way. Only
pieces of the same lot bought at two prices are told apart by age; all else is identified by its lot. A supplier's goods
have no value until they are used. The rules that must not be broken: the value of each line is a whole number of 1e-4
yuan and the lines of a pool sum to it; what was taken before it came is valued at the lot's last price, and the
difference to what came then is a line of its own.

Sources: 政府会计准则第1号——存货 (individual identification is one admitted method); lot-cost valuation by receipts.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from central.errors import BadInput
from protocols.values.ids import HOSPITAL_OWNED
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money

TRANSIT = "transit"
"""What is on its way is one pool for the hospital: a sender names the receiver's transit, or its own."""
REVALUED = "revaluation"
"""The other end of a line that changes value and moves nothing."""

Origin = tuple[str, str]
"""The purchase a layer comes from: its document and its supplier; both empty where none is known."""
UNKNOWN_ORIGIN: Origin = ("", "")
OPENED: Origin = ("opening", "")
CONSIGNED = "consigned"
"""The document of what was bought by using it."""


class Change(StrEnum):
    """Kinds of value lines that no movement makes."""

    PRICE = "price_change"
    DIFFERENCE = "cost_difference"


@dataclass(frozen=True, slots=True)
class Layer:
    """Base units at one price of one purchase; a quantity below 0 is owed to the pool."""

    price: Money
    qty: int
    origin: Origin = UNKNOWN_ORIGIN

    @property
    def value(self) -> Money:
        """What it is worth."""
        return Money(self.price * self.qty)


@dataclass(frozen=True, slots=True)
class Moved:
    """One ledger line to be valued; `order` parts entries of one instant as their devices wrote them.

    `names` is the order that a storeroom's receipt names, empty where none is.
    """

    event: str
    line_no: int
    at: Instant
    order: tuple[str, int]
    kind: str
    item: str
    lot: str
    owner: str
    qty: int
    source: str
    target: str
    names: str = ""


@dataclass(frozen=True, slots=True)
class Repriced:
    """Stock of an item, of one lot where it is named, is worth another price from an instant on."""

    change: str
    at: Instant
    item: str
    lot: str
    price: Money


@dataclass(frozen=True, slots=True)
class Part:
    """One layer of one ledger line with its value: the rows that every figure in money is summed from."""

    event: str
    line_no: int
    part: int
    at: Instant
    kind: str
    item: str
    lot: str
    owner: str
    qty: int
    source: str
    target: str
    price: Money
    value: Money
    origin: Origin
    late_from: str = ""


Pool = tuple[str, str, str]
"""Place, item and lot of the hospital's own goods."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What documents say of prices.

    `bought` are the layers of each line that came from a supplier, by entry and line; `consigned` the price agreed for
    a supplier's goods on a day; `lots` and `items` what a lot and an item cost last, where nothing else is known.
    """

    bought: Mapping[tuple[str, int], Sequence[Layer]] = field(default_factory=dict)
    consigned: Callable[[str, str, date], Money] = lambda _item, _supplier, _day: Money(0)
    lots: Mapping[tuple[str, str], tuple[Money, Origin]] = field(default_factory=dict)
    items: Mapping[str, Money] = field(default_factory=dict)


def pool_place(place: str) -> str:
    """Return the place whose pool a place's goods are in: all that is on its way is one."""
    return TRANSIT if place.partition("@")[0] == TRANSIT else place


def holds_stock(place: str) -> bool:
    """Tell whether what lies in a place is the hospital's stock: a storeroom, on its way, or in somebody's hand."""
    role, parted, _ = place.partition("@")
    return (not parted and place not in {REVALUED, ""}) or role in {TRANSIT, "issued"}


def shared(value: Money, qty: int, origin: Origin) -> list[Layer]:
    """Return a value as layers of so many base units, exactly: a rest of r is one 1e-4 yuan on r of them."""
    if qty < 1:
        raise BadInput(f"layers: expected 1 base unit or more, got {qty}")
    price, rest = divmod(value, qty)
    parts = [Layer(Money(price), qty - rest, origin), Layer(Money(price + 1), rest, origin)]
    return [one for one in parts if one.qty]


class Valuer:
    """Values ledger lines one entry after another, from the layers a period opened with."""

    def __init__(self, costs: Costs, pools: Mapping[Pool, Iterable[Layer]] | None = None) -> None:
        self._costs = costs
        self._pools: dict[Pool, deque[Layer]] = {key: deque(layers) for key, layers in (pools or {}).items()}
        self.lots: dict[tuple[str, str], tuple[Money, Origin]] = dict(costs.lots)

    def pools(self) -> dict[Pool, tuple[Layer, ...]]:
        """Return what each pool holds now; empty ones are left out."""
        return {key: tuple(layers) for key, layers in sorted(self._pools.items()) if layers}

    def post(self, lines: Sequence[Moved]) -> list[Part]:
        """Value the lines of one entry, in their order."""
        parts: list[Part] = []
        kit = Money(0)
        for said in lines:
            line = self._of_purchase(said)
            source, target = pool_place(line.source), pool_place(line.target)
            if source == target:
                continue
            layers = self._taken(line, lines, kit)
            parts += _parts_of(line, source, target, layers)
            kit = Money(kit + _into_kit(line) * sum(one.value for one in layers))
            if line.owner == HOSPITAL_OWNED and holds_stock(target):
                parts += self._put(line, (target, line.item, line.lot), layers, len(layers))
        return parts

    def reprice(self, change: Repriced) -> list[Part]:
        """Give stock its new price; one line of value for each layer that changes."""
        parts: list[Part] = []
        for (place, item, lot), layers in sorted(self._pools.items()):
            if item != change.item or (change.lot and lot != change.lot):
                continue
            for number, one in enumerate(layers):
                value = Money((change.price - one.price) * one.qty)
                if value:
                    parts.append(
                        Part(
                            change.change, len(parts), 0, change.at, Change.PRICE, item, lot, HOSPITAL_OWNED, 0,
                            REVALUED, place, change.price, value, one.origin,
                        )
                    )  # fmt: skip
                layers[number] = replace(one, price=change.price)
        for item, lot in [key for key in self.lots if key[0] == change.item]:
            if change.lot in {"", lot}:
                self.lots[item, lot] = (change.price, self.lots[item, lot][1])
        return parts

    def _of_purchase(self, line: Moved) -> Moved:
        """Return a line as its documents have it: what a supplier's order brought did not come out of stock."""
        if (line.event, line.line_no) in self._costs.bought and line.source.startswith(f"{TRANSIT}@"):
            return replace(line, source=f"supplier@{line.source.partition('@')[2]}")
        return line

    def _taken(self, line: Moved, entry: Sequence[Moved], kit: Money) -> list[Layer]:
        """Return the layers a line carries: off its pool, or at the price its documents name."""
        role, parted, _ = line.source.partition("@")
        if line.owner != HOSPITAL_OWNED:
            return [Layer(Money(0), line.qty, (CONSIGNED, line.owner))]
        if "owner" in {role, line.target.partition("@")[0]}:
            return [self._consigned(line, entry)]
        if holds_stock(line.source):
            return self._off(line)
        if role == "supplier" and parted:
            bought = self._costs.bought.get((line.event, line.line_no))
            return self._remembered(line, list(bought) if bought else [self._last(line)])
        if role == "opening":
            return self._remembered(line, [replace(self._last(line), origin=OPENED)])
        if role == "kit" and kit:
            return shared(_share(kit, line, entry), line.qty, UNKNOWN_ORIGIN)
        return [self._last(line)]

    def _off(self, line: Moved) -> list[Layer]:
        """Take a quantity off a pool, the oldest first; what is lacking is owed at the lot's last price."""
        pool = self._pools.setdefault((pool_place(line.source), line.item, line.lot), deque())
        taken: list[Layer] = []
        lacking = line.qty
        while lacking and pool and pool[0].qty > 0:
            first = pool.popleft()
            part = min(first.qty, lacking)
            taken.append(replace(first, qty=part))
            lacking -= part
            if first.qty > part:
                pool.appendleft(replace(first, qty=first.qty - part))
        if lacking:
            owed = replace(self._last(line), qty=lacking)
            taken.append(owed)
            pool.append(replace(owed, qty=-lacking))
        return taken

    def _put(self, line: Moved, key: Pool, layers: Sequence[Layer], first_part: int) -> list[Part]:
        """Lay layers into a pool; what it was owed at another price makes a line of the difference."""
        pool = self._pools.setdefault(key, deque())
        parts: list[Part] = []
        for one in layers:
            rest = one.qty
            while rest and pool and pool[0].qty < 0:
                owed = pool.popleft()
                part = min(rest, -owed.qty)
                rest -= part
                if owed.qty + part:
                    pool.appendleft(replace(owed, qty=owed.qty + part))
                value = Money(part * (owed.price - one.price))
                if value:
                    parts.append(
                        Part(
                            line.event, line.line_no, first_part + len(parts), line.at, Change.DIFFERENCE, key[1],
                            key[2], HOSPITAL_OWNED, 0, REVALUED, key[0], one.price, value, one.origin,
                        )
                    )  # fmt: skip
            if rest:
                pool.append(replace(one, qty=rest))
        return parts

    def _consigned(self, line: Moved, entry: Sequence[Moved]) -> Layer:
        """Return what a supplier's goods cost when they change hands: its line stands in the same entry."""
        owner = next(
            (
                one.owner
                for one in entry
                if one.owner != HOSPITAL_OWNED and (one.item, one.lot) == (line.item, line.lot)
            ),
            "",
        )
        price = self._costs.consigned(line.item, owner, business_day(line.at))
        return Layer(price, line.qty, (CONSIGNED, owner))

    def _last(self, line: Moved) -> Layer:
        price, origin = self.lots.get(
            (line.item, line.lot), (self._costs.items.get(line.item, Money(0)), UNKNOWN_ORIGIN)
        )
        return Layer(price, line.qty, origin)

    def _remembered(self, line: Moved, layers: list[Layer]) -> list[Layer]:
        self.lots[line.item, line.lot] = (layers[-1].price, layers[-1].origin)
        return layers


def _into_kit(line: Moved) -> int:
    return int(line.target.partition("@")[0] == "kit")


def _share(kit: Money, line: Moved, entry: Sequence[Moved]) -> Money:
    """Return what of the value that went into `kit@` comes out with a line: by pieces, the last takes the rest."""
    out = [one for one in entry if one.source.partition("@")[0] == "kit"]
    total, shares = sum(one.qty for one in out), dict[int, int]()
    for one in out:
        shares[one.line_no] = kit * one.qty // total
    shares[out[-1].line_no] += kit - sum(shares.values())
    return Money(shares[line.line_no])


def _parts_of(line: Moved, source: str, target: str, layers: Sequence[Layer]) -> list[Part]:
    return [
        Part(
            line.event, line.line_no, number, line.at, line.kind, line.item, line.lot, line.owner, one.qty, source,
            target, one.price, one.value, one.origin,
        )
        for number, one in enumerate(layers)
    ]  # fmt: skip


def valued(valuer: Valuer, lines: Iterable[Moved], changes: Iterable[Repriced] = ()) -> list[Part]:
    """Value all lines of a period with its price changes, in the order in which they happened."""
    entries: dict[str, list[Moved]] = {}
    for line in sorted(lines, key=lambda one: (one.at, one.order, one.line_no)):
        entries.setdefault(line.event, []).append(line)
    happened: list[tuple[Instant, int, tuple[str, int], Sequence[Moved] | Repriced]] = [
        (several[0].at, 0, several[0].order, several) for several in entries.values()
    ]
    happened += [(one.at, 1, (one.change, 0), one) for one in changes]
    parts: list[Part] = []
    for _, _, _, one in sorted(happened, key=lambda each: each[:3]):
        parts += valuer.reprice(one) if isinstance(one, Repriced) else valuer.post(one)
    return parts
