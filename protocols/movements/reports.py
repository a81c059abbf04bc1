"""What a storeroom says beside its goods: who was in, what is empty, on hold, different, due, and a clock that moved.

None of it posts; what is said of tags and what was counted stand in modules of their own. The rule that must not be
broken: a report names what it is about by event ids, units or lots, never by words alone.
"""

import msgspec

from protocols.errors import BadValue
from protocols.values.ids import item_id
from protocols.values.quantity import LINE_QTY_MAX


class VisitBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `visit`: `begin`, `end`, or `doing` when a card said what is done from now on.

    The actor is the entry's, empty for an emergency without a badge.
    """

    phase: str
    flags: tuple[str, ...] = ()
    doing: str = ""


class NeedBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `need`: a bin is empty, its card was shown; `qty` base units fill it again."""

    item: str
    qty: int
    card: str
    position: str = ""

    def __post_init__(self) -> None:
        item_id(self.item)
        if not 1 <= self.qty <= LINE_QTY_MAX:
            raise BadValue(f"need: expected 1..{LINE_QTY_MAX} base units, got {self.qty}")


class LotName(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """Loose stock of one lot, wherever it lies in the storeroom."""

    item: str
    lot: str = ""


class StandingBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `inspect_ok`, `inspect_fail` and the holds: what may, or may not, be taken from now on."""

    units: tuple[str, ...] = ()
    lots: tuple[LotName, ...] = ()
    reason: str = ""
    refs: tuple[str, ...] = ()


class DiscrepancyBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `discrepancy`: a difference somebody must look at, or the closing of one.

    `sort` is a word such as `unclaimed`; `of` the hex event id that showed it; `closes` the id of the one that is done.
    """

    sort: str
    item: str = ""
    lot: str = ""
    unit: str = ""
    of: str = ""
    said: str = ""
    closes: str = ""


class DutyBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `duty`: which duty, when it was due (µs UTC), and `done`, `late` or `missed`; `refs` its evidence.

    A person's signature under a duty is `signed`, due at no time (0), and says in `said` what was signed. `heard` is of
    a day's end: the thousandths of the time since the one before it in which each antenna (`reader:number`) listened.
    """

    duty: str
    due: int
    state: str
    refs: tuple[str, ...] = ()
    said: str = ""
    heard: dict[str, int] = {}


class ClockStepBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `clock_step`: the wall clock moved by so many microseconds, or is so far off central's.

    `cause` is `jump` or `offset`; positive is ahead.
    """

    cause: str
    by_us: int


class UnknownBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `unknown_label`: a scanned text as it came, what was being done with it, and how many."""

    text: str
    doing: str
    qty: int = 1
    flags: tuple[str, ...] = ()
