"""Import a folder of files: catalogue, suppliers, storerooms, use before the ledger, and the opening of loose stock.

The files' forms are in `core.forms`. Stock enters the book only through central's own chain, as an `opening` entry. The
rules that must not be broken: one fault anywhere and nothing of the folder is imported; importing the same folder again
changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Connection, Table, select

from central.clock import Clock
from central.core.forms import FORMS, Fault, Form, Row, Sheet, faulty, read_form, unknown_references
from central.errors import BadFile, BadInput
from central.services.master import note_import
from central.services.open_orders import draft_new, new_items, take_over
from central.services.own_chain import Draft, append_within
from central.services.supplier_scores import carry_over
from central.store.chains import OWN_DEVICE, enrol
from central.store.engine import Store
from central.store.merge import merge
from central.store.queries_book import lines_opened
from central.store.queries_find import keep_sounds
from central.store.tables.agreements import (
    AGREEMENT,
    AGREEMENT_PRICE,
    PLATFORM_ITEM,
    PURCHASE_DAY,
    VBP_GROUP,
    VBP_PRODUCT,
)
from central.store.tables.catalogue import CATALOGUE_ITEM, SUBSTITUTE
from central.store.tables.charges import CHARGE_ITEM
from central.store.tables.master import CALENDAR_DAY, ITEM, ITEM_SUPPLIER, LOT, PLACE, SUPPLIER, USE_DAY
from central.store.tables.suppliers import CERTIFICATE, DELIVERY_RELATION, SUPPLIER_PROFILE
from protocols.movements.bodies import write_body
from protocols.movements.posting import LINES_MAX, MovementBody, PostingLine
from protocols.values.ids import DeviceId, HospitalId, PlaceId, virtual_place

FAULTS_SHOWN = 40
"""Faults listed at once; the rest are counted."""

FILE_BYTES_MAX = 256 * 1024 * 1024

TABLES: Mapping[str, Table] = {
    "items.csv": ITEM,
    "charge_items.csv": CHARGE_ITEM,
    "suppliers.csv": SUPPLIER,
    "item_suppliers.csv": ITEM_SUPPLIER,
    "lots.csv": LOT,
    "places.csv": PLACE,
    "use.csv": USE_DAY,
    "agreements.csv": AGREEMENT,
    "agreement_prices.csv": AGREEMENT_PRICE,
    "vbp_groups.csv": VBP_GROUP,
    "vbp_products.csv": VBP_PRODUCT,
    "platform_items.csv": PLATFORM_ITEM,
    "purchases.csv": PURCHASE_DAY,
    "certificates.csv": CERTIFICATE,
    "supplier_profiles.csv": SUPPLIER_PROFILE,
    "delivery_relations.csv": DELIVERY_RELATION,
    "catalogue.csv": CATALOGUE_ITEM,
    "substitutes.csv": SUBSTITUTE,
    "calendar.csv": CALENDAR_DAY,
}
"""Where the rows of each file go; stock.csv goes through the ledger."""

STOCK, OPEN_ORDERS, ITEMS, SCORES = "stock.csv", "open_orders.csv", "items.csv", "supplier_scores.csv"
NAMED: Mapping[str, Column[str]] = {
    "items.csv": ITEM.c.item,
    "suppliers.csv": SUPPLIER.c.supplier,
    "places.csv": PLACE.c.place,
    "agreements.csv": AGREEMENT.c.agreement,
}


@dataclass(frozen=True, slots=True)
class Imported:
    """Rows read of each file, and lines of stock newly opened."""

    rows: Mapping[str, int]
    opened: int


def import_folder(
    store: Store, hospital: HospitalId, folder: Path, clock: Clock, tell: Callable[[str, int], None] | None = None
) -> Imported:
    """Import every file of a folder in one transaction; `tell` hears each file and its rows.

    Raises `BadInput` for a folder without files to import, `BadFile` with every fault by file, row and column.
    """
    sheets = _read_folder(folder)
    with store.write() as connection:
        faults = [str(fault) for fault in every_fault(connection, hospital, sheets)]
        if faults:
            raise BadFile(
                f"{folder}: expected files without a fault, got {len(faults)}; nothing was imported", _shown(faults)
            )
        opened = 0
        for sheet in sheets:
            opened += write_sheet(connection, hospital, sheet, clock)
            if tell is not None:
                tell(sheet.form.file, len(sheet.rows))
    return Imported({sheet.form.file: len(sheet.rows) for sheet in sheets}, opened)


def _shown(faults: list[str]) -> tuple[str, ...]:
    rest = len(faults) - FAULTS_SHOWN
    return (*faults[:FAULTS_SHOWN], *([f"and {rest} more"] if rest > 0 else []))


def _read_folder(folder: Path) -> list[Sheet]:
    if not folder.is_dir():
        raise BadInput(f"import: expected a folder with files such as items.csv, got {folder}")
    sheets = [_read_file(folder / name, form) for name, form in FORMS.items() if (folder / name).is_file()]
    if not sheets:
        raise BadInput(f"import: expected at least one of {', '.join(FORMS)} in {folder}, got none")
    return sheets


def _read_file(path: Path, form: Form) -> Sheet:
    if path.stat().st_size > FILE_BYTES_MAX:
        return faulty(form, f"expected at most {FILE_BYTES_MAX} bytes, got {path.stat().st_size}")
    try:
        return read_form(form, path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        return faulty(form, f"expected UTF-8, got other bytes at {error.start}; save it as CSV UTF-8")


def every_fault(connection: Connection, hospital: HospitalId, sheets: Iterable[Sheet]) -> list[Fault]:
    """Return what is wrong in all files together, file by file: cells, then names that nothing has, then stock."""
    given = {sheet.form.file: sheet for sheet in sheets}
    known: dict[str, frozenset[str]] = {}
    for file, column in NAMED.items():
        names = given[file].names if file in given else frozenset()
        if names is not None:
            stored = connection.scalars(select(column).where(column.table.c.hospital == hospital))
            known[file] = frozenset(stored) | names
    faults = [fault for sheet in given.values() for fault in (*sheet.found, *unknown_references(sheet, known))]
    return faults + _stock_faults(connection, hospital, given.get(STOCK))


def _stock_faults(connection: Connection, hospital: HospitalId, sheet: Sheet | None) -> list[Fault]:
    """Return a fault for each line opened with another quantity: the book is corrected by an entry, not by a file."""
    faults = []
    for number, row, opened in _opened_before(connection, hospital, sheet):
        if opened not in {None, row["qty"]}:
            meant = f"{opened}, with which this line was opened"
            faults.append(Fault(STOCK, number, "qty", meant, f"{row['qty']}; correct the book by an adjustment"))
    return faults


def _opened_before(
    connection: Connection, hospital: HospitalId, sheet: Sheet | None
) -> list[tuple[int, Row, int | None]]:
    if sheet is None:
        return []
    places = {row["place"] for _, row in sheet.rows}
    opened = {place: lines_opened(connection, hospital, place) for place in places}
    return [(number, row, opened[row["place"]].get((row["item"], row["lot"]))) for number, row in sheet.rows]


def write_sheet(connection: Connection, hospital: HospitalId, sheet: Sheet, clock: Clock) -> int:
    """Write a file's rows, in the caller's transaction; returns the lines of stock newly opened."""
    if sheet.form.file == STOCK:
        return _open_stock(connection, hospital, sheet, clock)
    if sheet.form.file == OPEN_ORDERS:
        take_over(connection, hospital, [row for _, row in sheet.rows])
        return 0
    if sheet.form.file == SCORES:
        carry_over(connection, hospital, [row for _, row in sheet.rows], clock.now())
        return 0
    fresh = (
        new_items(connection, hospital, [row["item"] for _, row in sheet.rows], clock.now())
        if sheet.form.file == ITEMS
        else []
    )
    note_import(connection, hospital, sheet.form.file, [row for _, row in sheet.rows], clock.now())
    merge(connection, TABLES[sheet.form.file], [{"hospital": hospital, **row} for _, row in sheet.rows])
    if sheet.form.file == ITEMS:
        keep_sounds(connection, hospital, {row["item"]: row["name_zh"] for _, row in sheet.rows})
    draft_new(connection, hospital, fresh, clock.now())
    if sheet.form.file == "places.csv":
        for _, row in sheet.rows:
            if row["device"] not in {"", OWN_DEVICE}:
                enrol(connection, hospital, DeviceId(row["device"]), PlaceId(row["place"]))
    return 0


def _open_stock(connection: Connection, hospital: HospitalId, sheet: Sheet, clock: Clock) -> int:
    lines = [
        PostingLine(
            item=row["item"],
            qty=row["qty"],
            source=virtual_place("opening", PlaceId(row["place"])),
            target=row["place"],
            lot=row["lot"],
        )
        for _, row, opened in _opened_before(connection, hospital, sheet)
        if opened is None and row["qty"]
    ]
    drafts = [
        Draft("opening", write_body(MovementBody(lines=tuple(lines[start : start + LINES_MAX]))))
        for start in range(0, len(lines), LINES_MAX)
    ]
    if drafts:
        append_within(connection, hospital, drafts, clock)
    return len(lines)
