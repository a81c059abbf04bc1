"""A row of another system's charges, by a mapping of its columns, as a charge of ours, or as what does not fit. Pure.

The same reading for a view and for a file. The rule that must not be broken: a row that does not fit is told with what
was expected and what came, and is never mended.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation

from central.errors import BadInput
from protocols.errors import BadValue
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, from_iso

COLUMNS = ("charge", "refunds", "at", "ward", "code", "label", "qty", "patient", "reason")
"""What is asked of a row, by our words: the number of the charge line, the charge it refunds, when, the ward, the code,
the label or EPC that was scanned, how many, the patient's token, why."""
NEEDED = ("charge", "at", "ward", "qty", "patient")
CELL_MAX = 512
QTY_MAX = 1_000_000
CHINA = timezone(timedelta(hours=8))
"""A time without a zone is the hospital's."""


@dataclass(frozen=True, slots=True)
class ChargeSaid:
    """A charge in the other system's words, where they are in order; `qty` is below zero for a refund."""

    charge: str
    refunds: str
    at: Instant
    place: PlaceId
    code: str
    label: str
    qty: int
    patient: str
    reason: str


def read_row(cells: Mapping[str, object], wards: Mapping[str, str]) -> ChargeSaid:
    """Read a row whose cells are named by our words; `wards` says which storeroom a ward of theirs is.

    Raises `BadInput` for the first cell that does not fit.
    """
    text = {name: _text(name, cells.get(name)) for name in COLUMNS}
    for name in NEEDED:
        if not text[name]:
            raise BadInput(f"{name}: expected something, got nothing")
    if not text["code"] and not text["label"] and not text["refunds"]:
        raise BadInput("code, label: expected one of them, got neither")
    ward = text["ward"]
    place = wards.get(ward, "" if wards else ward)
    if not place:
        raise BadInput(f"ward: expected one of those mapped in [his] wards, got {ward!r:.40}")
    qty = _qty(text["qty"])
    if (qty < 0) != bool(text["refunds"]):
        raise BadInput(f"qty: expected a number below zero with the charge it refunds, and only then, got {qty}")
    return ChargeSaid(
        text["charge"], text["refunds"], _instant(cells.get("at"), text["at"]), PlaceId(place), text["code"],
        text["label"], qty, text["patient"], text["reason"],
    )  # fmt: skip


def _text(name: str, cell: object) -> str:
    said = "" if cell is None else str(cell).strip()
    if len(said) > CELL_MAX:
        raise BadInput(f"{name}: expected at most {CELL_MAX} characters, got {len(said)}")
    return said


def _qty(text: str) -> int:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise BadInput(f"qty: expected a whole number, got {text!r:.40}") from error
    if not number.is_finite() or number != number.to_integral_value() or not 1 <= abs(number) <= QTY_MAX:
        raise BadInput(f"qty: expected a whole number of 1 to {QTY_MAX}, below zero for a refund, got {text!r:.40}")
    return int(number)


def _instant(cell: object, text: str) -> Instant:
    try:
        read = cell if isinstance(cell, datetime) else datetime.fromisoformat(text.replace("/", "-"))
        return from_iso((read if read.tzinfo else read.replace(tzinfo=CHINA)).isoformat())
    except (ValueError, BadValue) as error:
        raise BadInput(f"at: expected a time such as 2026-03-02 16:00:00, got {text!r:.40}") from error
