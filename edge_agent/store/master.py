"""Master data from files until the feed brings it: the storeroom's items and the pieces of its opening, from CSV.

UTF-8, the first line names the columns. Every row is checked before anything is used; all faults are told together.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Set
from datetime import date
from pathlib import Path
from typing import TypeVar

from edge_agent.core.kanban import BINS_MAX, Bin
from edge_agent.core.opening import Piece
from edge_agent.errors import BadConfig
from edge_agent.store.feed import Row
from protocols.codes.gtin import gtin14
from protocols.errors import BadValue
from protocols.readers.card import CardFrame
from protocols.values.ids import HOSPITAL_OWNED, ActorId, OwnerId, actor_id, epc, item_id, lot_no

ROWS_MAX = 50_000
FAULTS_TOLD_MAX = 10

KEY_MIN, KEY_MAX = 16, 64
"""Bytes of the key that hides patients: what a keyed BLAKE2b takes, and enough that nobody guesses it."""

ITEM_COLUMNS = ("item",)
CARD_COLUMNS = ("uid", "staff")
BIN_COLUMNS = ("card", "item", "qty")
OPENING_COLUMNS = ("item", "gtin", "lot", "expiry", "serial", "epc", "position", "owner")

ITEM_WORDS = ("name_zh", "name_en", "consume_on", "storage", "criticality")
"""Columns of the list of items that are taken as they stand."""

Fields = dict[str, str]
T = TypeVar("T")


def read_patient_key(path: Path) -> bytes:
    """Return the hospital's key that hides patients: 16 to 64 bytes, a last line end left out. Raises `BadConfig`."""
    try:
        key = path.read_bytes().removesuffix(b"\n").removesuffix(b"\r")
    except OSError as error:
        raise BadConfig(f"{path}: expected the hospital's key for patients; {error.strerror}") from error
    if not KEY_MIN <= len(key) <= KEY_MAX:
        raise BadConfig(f"{path}: expected a key of {KEY_MIN}..{KEY_MAX} bytes, got {len(key)}")
    return key


def item_rows(path: Path) -> list[Row]:
    """Return the items as rows of master data: names, pack, and the product code where there is one."""
    return _read(path, ITEM_COLUMNS, _item_row)


def read_opening(path: Path, items: Set[str] | None) -> list[Piece]:
    """Return the pieces of an opening; each item must be one of `items` if they are known. Raises `BadConfig`."""
    pieces = _read(path, OPENING_COLUMNS, _piece)
    faults = [f"{path}: item {item} is not in the list of items" for item in _unknown(pieces, items)]
    faults += [f"{path}: the tag {twice} stands on two lines; a tag is on one piece" for twice in _doubles(pieces)]
    _raise_all(faults)
    return pieces


def read_cards(path: Path) -> dict[str, ActorId]:
    """Return the staff number of each card by its UID, upper-case hex. Raises `BadConfig`."""
    cards = _read(path, CARD_COLUMNS, lambda fields: (CardFrame(fields["uid"].upper()).uid, actor_id(fields["staff"])))
    twice = [uid for uid, count in Counter(uid for uid, _ in cards).items() if count > 1]
    _raise_all([f"{path}: the card {uid} stands on two lines; a card is one person's" for uid in twice])
    return dict(cards)


def read_bins(path: Path) -> list[Bin]:
    """Return the bins of a storeroom that are filled by card; a card that is an EPC is one. Raises `BadConfig`."""
    bins = _read(path, BIN_COLUMNS, _bin)
    twice = [card for card, count in Counter(each.card for each in bins).items() if count > 1]
    _raise_all([f"{path}: the card {card} stands on two lines; a card is one bin's" for card in twice])
    if len(bins) > BINS_MAX:
        raise BadConfig(f"{path}: expected at most {BINS_MAX} bins, got {len(bins)}")
    return bins


def _bin(fields: Fields) -> Bin:
    qty = fields["qty"]
    if not qty.isascii() or not qty.isdecimal():
        raise BadValue(f"qty: expected a whole number of base units, got {qty!r:.40}")
    return Bin(fields["card"], item_id(fields["item"]), int(qty), fields.get("position", ""))


def _unknown(pieces: list[Piece], items: Set[str] | None) -> list[str]:
    return [] if items is None else sorted({piece.item for piece in pieces} - items)


def _doubles(pieces: list[Piece]) -> list[str]:
    return [tag for tag, count in Counter(piece.epc for piece in pieces).items() if count > 1]


def _read(path: Path, columns: tuple[str, ...], make: Callable[[Fields], T]) -> list[T]:
    faults: list[str] = []
    made: list[T] = []
    for number, fields in _rows(path, columns):
        if number > ROWS_MAX + 1:
            raise BadConfig(f"{path}: expected at most {ROWS_MAX} rows, got more; split the storeroom")
        try:
            made.append(make(fields))
        except BadValue as error:
            faults.append(f"{path} line {number}: {error}")
    _raise_all(faults)
    return made


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, Fields]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, restval="", strict=True)
            missing = [column for column in columns if column not in (rows.fieldnames or ())]
            if missing:
                raise BadConfig(f"{path}: expected the columns {', '.join(columns)}, {', '.join(missing)} is missing")
            for fields in rows:
                yield rows.line_num, {name: value for name, value in fields.items() if isinstance(value, str)}
    except OSError as error:
        raise BadConfig(f"{path}: expected a CSV file, {error.strerror}; look at [master]") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadConfig(f"{path}: expected a CSV file in UTF-8; {error}") from error


def _raise_all(faults: list[str]) -> None:
    if faults:
        more = [f"… and {len(faults) - FAULTS_TOLD_MAX} more"] if len(faults) > FAULTS_TOLD_MAX else []
        raise BadConfig("\n".join(faults[:FAULTS_TOLD_MAX] + more))


def _item_row(fields: Fields) -> Row:
    body: dict[str, object] = {name: fields[name] for name in ITEM_WORDS if fields.get(name)}
    pack = fields.get("pack", "")
    if pack:
        if not pack.isdecimal():
            raise BadValue(f"pack: expected a whole number of base units, got {pack!r:.40}")
        body["pack"] = int(pack)
    if fields.get("gtin"):
        body["products"] = [{"code": gtin14(fields["gtin"]), "factor": 1}]
    return Row("item", item_id(fields["item"]), body)


def _piece(fields: Fields) -> Piece:
    return Piece(
        item=item_id(fields["item"]),
        gtin=gtin14(fields["gtin"]),
        lot=lot_no(fields["lot"]),
        expiry=_day(fields["expiry"]),
        serial=fields["serial"],
        epc=epc(fields["epc"]),
        position=fields["position"],
        owner=OwnerId(fields["owner"]) if fields["owner"] else HOSPITAL_OWNED,
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadValue(f"expiry: expected a date such as 2027-01-31 or nothing, got {text!r:.40}") from error
