"""The sample hospital as shipped: items, suppliers, lots, ward profiles, their stock and 90 days of use.

It reads the CSV files beside it, checks that they hold together, and says nothing of the calendar: dates are day
offsets from the day the story starts. All makers, suppliers and numbers are invented, the GS1 prefixes 69999901..06
included. The rule that must not be broken: what is shipped is data; nothing here draws a number.
"""

import csv
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import TypeVar

from hardware_sim.errors import BadSample
from protocols.codes.gtin import Gtin14, gtin14
from protocols.errors import ProtocolsError
from protocols.values.ids import ItemId, LotNo, PlaceId, Position, SupplierId, item_id, lot_no, supplier_id

Row = TypeVar("Row")

COMPANY_PREFIX_LENGTH = 8
"""Digits of every GS1 company prefix in the sample."""

MAIN_STORE = PlaceId("main-store")
DAYS_OF_USE = 90


@dataclass(frozen=True, slots=True)
class Item:
    """One consumable: what a story has to know of it. `pack` in base units."""

    item: ItemId
    name_zh: str
    name_en: str
    spec: str
    gtin: Gtin14
    pack: int


@dataclass(frozen=True, slots=True)
class Source:
    """A supplier's terms for one item; rank 1 comes first. `pack` and `moq` in base units, `lead_days` in days."""

    item: ItemId
    supplier: SupplierId
    rank: int
    pack: int
    moq: int
    lead_days: int


@dataclass(frozen=True, slots=True)
class Lot:
    """One lot of an item; days are offsets from the story's first day."""

    item: ItemId
    lot: LotNo
    made_day: int
    expiry_day: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A sort of ward, e.g. intensive care."""

    profile: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Stock:
    """So many pieces of one lot at a ward of a profile (on a shelf) or at the main store (position empty)."""

    owner: str
    item: ItemId
    lot: LotNo
    qty: int
    position: Position


@dataclass(frozen=True, slots=True)
class Use:
    """So many pieces asked for on one day (-90..-1) by a ward of a profile, or by all wards of the main store."""

    owner: str
    item: ItemId
    day: int
    qty: int


@dataclass(frozen=True)
class Sample:
    """The whole sample, checked: every item that is named exists, every profile has stock."""

    items: Mapping[ItemId, Item]
    sources: tuple[Source, ...]
    lots: Mapping[tuple[ItemId, LotNo], Lot]
    profiles: tuple[Profile, ...]
    ward_stock: tuple[Stock, ...]
    main_stock: tuple[Stock, ...]
    use: tuple[Use, ...]

    def __post_init__(self) -> None:
        for row in (*self.ward_stock, *self.main_stock):
            if (row.item, row.lot) not in self.lots or row.qty < 1:
                raise BadSample(f"sample stock: expected a lot in lots.csv and a quantity, got {row}")
        for use in self.use:
            if use.item not in self.items or not -DAYS_OF_USE <= use.day <= -1:
                raise BadSample(f"sample use: expected a known item and a day -{DAYS_OF_USE}..-1, got {use}")

    @cached_property
    def main_source(self) -> Mapping[ItemId, Source]:
        """Return the rank 1 supplier of each item."""
        return {source.item: source for source in self.sources if source.rank == 1}

    @cached_property
    def direct_items(self) -> frozenset[ItemId]:
        """Return the items that the main store does not keep: a ward's need of them becomes a supplier's order."""
        return frozenset(self.items) - {row.item for row in self.main_stock}

    def stock_of(self, profile: str) -> tuple[Stock, ...]:
        """Return what a ward of a profile holds."""
        return tuple(row for row in self.ward_stock if row.owner == profile)

    def use90(self, owner: str) -> Mapping[ItemId, int]:
        """Return the pieces asked for in 90 days, by item."""
        return self._use90.get(owner, {})

    @cached_property
    def _use90(self) -> Mapping[str, Mapping[ItemId, int]]:
        total: dict[str, dict[ItemId, int]] = {}
        for row in self.use:
            items = total.setdefault(row.owner, {})
            items[row.item] = items.get(row.item, 0) + row.qty
        return total


def profile_of(sample: Sample, ward_no: int) -> Profile:
    """Return the profile of the first, second ... ward (from 1): they take turns."""
    return sample.profiles[(ward_no - 1) % len(sample.profiles)]


def rows_of(name: str) -> Iterator[dict[str, str]]:
    """Read one of the shipped CSV files, row by row."""
    text = (resources.files("hardware_sim.sample") / name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def read_sample() -> Sample:
    """Read and check the shipped sample. Raises `BadSample` naming the file."""
    return Sample(
        items={row.item: row for row in _table("items.csv", _item)},
        sources=tuple(_table("item_suppliers.csv", _source)),
        lots={(row.item, row.lot): row for row in _table("lots.csv", _lot)},
        profiles=tuple(_table("profiles.csv", lambda row: Profile(row["profile"], row["name_zh"], row["name_en"]))),
        ward_stock=tuple(_table("ward_stock.csv", _ward_stock)),
        main_stock=tuple(_table("main_stock.csv", _main_stock)),
        use=tuple(_table("use.csv", _use)),
    )


def _table(name: str, form: Callable[[dict[str, str]], Row]) -> list[Row]:
    rows = []
    for number, row in enumerate(rows_of(name), start=2):
        try:
            rows.append(form(row))
        except (ProtocolsError, KeyError, ValueError, TypeError) as error:
            raise BadSample(f"sample {name} line {number}: {error}") from error
    return rows


def _item(row: dict[str, str]) -> Item:
    return Item(
        item_id(row["item"]), row["name_zh"], row["name_en"], row["spec"], gtin14(row["gtin"]), int(row["pack"])
    )


def _source(row: dict[str, str]) -> Source:
    numbers = [int(row[name]) for name in ("rank", "pack", "moq", "lead_days")]
    return Source(item_id(row["item"]), supplier_id(row["supplier"]), *numbers)


def _lot(row: dict[str, str]) -> Lot:
    return Lot(item_id(row["item"]), lot_no(row["lot"]), int(row["made_day"]), int(row["expiry_day"]))


def _ward_stock(row: dict[str, str]) -> Stock:
    lot, shelf = lot_no(row["lot"]), Position(row["position"])
    return Stock(row["profile"], item_id(row["item"]), lot, int(row["units"]), shelf)


def _main_stock(row: dict[str, str]) -> Stock:
    return Stock(MAIN_STORE, item_id(row["item"]), lot_no(row["lot"]), int(row["qty"]), Position(""))


def _use(row: dict[str, str]) -> Use:
    return Use(row["profile"], item_id(row["item"]), int(row["day"]), int(row["qty"]))
