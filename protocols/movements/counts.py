"""What somebody counted: lines of a sheet that is opened, filled and closed.

A count is an observation and posts nothing; the adjustment that cites it does. The rule that must not be broken: a
count is of the book at its cut, never at a time of a clock.
"""

import msgspec

from protocols.errors import BadValue
from protocols.values.ids import item_id, lot_no, unit_id
from protocols.values.quantity import LINE_QTY_MAX


class CountLine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """One line as somebody counted it; an empty lot is "lot unknown"."""

    item: str
    qty: int
    lot: str = ""
    owner: str = "hospital"
    unit: str = ""
    position: str = ""
    expiry: str = ""

    def __post_init__(self) -> None:
        item_id(self.item)
        lot_no(self.lot)
        unit_id(self.unit)
        if not 0 <= self.qty <= LINE_QTY_MAX:
            raise BadValue(f"count line: expected 0..{LINE_QTY_MAX} base units, got {self.qty}")


class CountBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `count_daily` and `count_monthly`: a sheet is opened, gets lines, is closed.

    `cut` is the hex event id of the last entry the counting device had written: the count is of the book at that
    entry, never at a time of a clock. `blind` says that nobody was shown what the book expects.
    """

    sheet: str
    phase: str
    place: str = ""
    cut: str = ""
    blind: bool = False
    lines: tuple[CountLine, ...] = ()
