"""Writes the sample as the CSV files that `wardstock-central import` takes: resolved dates, resolved wards.

It writes into an empty or new folder only. The rule that must not be broken: nothing is drawn, so the same number of
wards and the same day give the same bytes.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path

from hardware_sim.errors import WrongUse
from hardware_sim.sample.catalogue import MAIN_STORE, Profile, Sample, profile_of, read_sample, rows_of
from protocols.values.ids import PlaceId, place_id

WARDS_MAX = 32
"""Wards of one machine: each is a process and some sockets."""

AS_SHIPPED = ("items.csv", "suppliers.csv", "item_suppliers.csv")

OFFICE = (
    *("agreements.csv", "agreement_prices.csv", "vbp_groups.csv", "vbp_products.csv", "purchases.csv"),
    *("supplier_profiles.csv", "supplier_scores.csv", "certificates.csv", "places.csv", "suppliers.csv"),
    *("items.csv", "item_suppliers.csv", "stock.csv", "use.csv", "open_orders.csv"),
)
"""What a purchasing office has: a batch and a framework with their past purchases, suppliers as they were graded, what
is on order, a central store that runs low of what no story touches; and a clinic that works by phone."""

OFFICE_DAYS = frozenset({"first", "last", "valid_from", "valid_to", "day", "ordered", "promised"})
"""Columns that are shipped as days from the story's first."""
OFFICE_QUARTERS = frozenset({"quarter"})
"""Columns that are shipped as quarters from the story's."""


def ward_name(ward_no: int) -> PlaceId:
    """Return the id of the first, second ... ward (from 1); it is also its device's."""
    return place_id(f"ward-{ward_no:02d}")


def write_sample(folder: Path, *, wards: int, until: date) -> None:
    """Write the seven files; `until` is the day the story starts, use ends the day before. Raises `WrongUse`."""
    if not 1 <= wards <= WARDS_MAX:
        raise WrongUse(f"wards: expected 1..{WARDS_MAX}, got {wards}")
    make_empty(folder)
    sample = read_sample()
    for name in AS_SHIPPED:
        rows = list(rows_of(name))
        write_rows(folder / name, list(rows[0]), (row.values() for row in rows))
    lots = (
        (lot.item, lot.lot, until + timedelta(lot.made_day), until + timedelta(lot.expiry_day))
        for lot in sample.lots.values()
    )
    write_rows(folder / "lots.csv", ("item", "lot", "made", "expiry"), lots)
    write_rows(folder / "stock.csv", ("place", "item", "lot", "qty"), _stock(sample))
    write_rows(
        folder / "places.csv", ("place", "level", "name_zh", "name_en", "parent", "device"), _places(sample, wards)
    )
    write_rows(folder / "use.csv", ("place", "item", "day", "qty"), _use(sample, wards, until))


def write_office(folder: Path, *, until: date) -> None:
    """Write the files of the purchasing office; `until` is the day the story starts. Raises `WrongUse`."""
    make_empty(folder)
    for name in OFFICE:
        rows = list(rows_of(f"office/{name}"))
        write_rows(
            folder / name, list(rows[0]), ([_dated(column, row[column], until) for column in row] for row in rows)
        )


def _dated(column: str, text: str, until: date) -> str:
    if column in OFFICE_QUARTERS:
        year, quarter = divmod(until.year * 4 + (until.month - 1) // 3 + int(text), 4)
        return f"{year}Q{quarter + 1}"
    return (until + timedelta(int(text))).isoformat() if column in OFFICE_DAYS and text else text


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write one CSV file in UTF-8 with plain line ends."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def make_empty(folder: Path) -> None:
    """Make a folder, or take one that is empty. Raises `WrongUse` for any other."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WrongUse(f"{folder}: expected a new or empty folder; name another one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUse(f"{folder}: expected a folder that can be made; {error.strerror}") from error


def _stock(sample: Sample) -> Iterable[Iterable[object]]:
    return ((MAIN_STORE, row.item, row.lot, row.qty) for row in sample.main_stock)


def _places(sample: Sample, wards: int) -> Iterable[Iterable[object]]:
    yield MAIN_STORE, 1, "中心耗材库", "Central consumables store", "", ""
    for number in range(1, wards + 1):
        name = _named(profile_of(sample, number), 1 + (number - 1) // len(sample.profiles))
        yield ward_name(number), 2, *name, MAIN_STORE, ward_name(number)


def _named(profile: Profile, turn: int) -> tuple[str, str]:
    return (
        (profile.name_zh, profile.name_en) if turn == 1 else (f"{profile.name_zh}{turn}区", f"{profile.name_en} {turn}")
    )


def _use(sample: Sample, wards: int, until: date) -> Iterable[Iterable[object]]:
    owners = {MAIN_STORE: MAIN_STORE} | {
        ward_name(number): profile_of(sample, number).profile for number in range(1, wards + 1)
    }
    for place, owner in owners.items():
        for row in sample.use:
            if row.owner == owner:
                yield place, row.item, until + timedelta(row.day), row.qty
