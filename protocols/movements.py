"""The one table of movements: what each kind of entry does to the book, to custody, and what EPCIS calls it.

A movement's body is `MovementBody`: posting lines, each between two places, so that the sum over places is zero for
every (item, lot, owner, unit). Kinds without an effect (`visit`, `observe`, counts) post nothing. The table is data;
`lines_of` is its only reading. Not here: who is asking, what the book says, whether stock suffices.

EPCIS words: EPCIS 2.0 / CBV 2.0 business steps and dispositions (GS1). `issued@WARD` is in a person's hand, taken but
not yet used; `patient@WARD` is used.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

import msgspec

from protocols.entry import decode_body
from protocols.errors import BadValue, PeerBroke
from protocols.values.ids import NAMES_REMEMBERED, is_virtual, item_id, lot_no, place_id, unit_id

T = TypeVar("T")

LINE_QTY_MAX = 1_000_000_000
"""Base units of one posting line: more than a hospital ever holds of anything, and ten million entries of such lines
still sum within 64 bits."""
LINES_MAX = 400
"""Posting lines of one entry: one lot's units on one delivery; the body's byte limit stands behind it."""


class Where(StrEnum):
    """The sort of place a line may leave or enter; the words of virtual places are their roles."""

    STORE = "store"
    SUPPLIER = "supplier"
    TRANSIT = "transit"
    ISSUED = "issued"
    PATIENT = "patient"
    SCRAP = "scrap"
    RECYCLER = "recycler"
    UNKNOWN = "unknown"
    OPENING = "opening"
    KIT = "kit"
    OWNER = "owner"
    SUSPENSE = "suspense"
    ANY = "any"


class Custody(StrEnum):
    """Where one unit stands in its life; `returned` went to its supplier, `missing` is what a count did not find."""

    NONE = "none"
    TRANSIT = "in_transit"
    INSPECTING = "inspecting"
    IN_STOCK = "in_stock"
    ISSUED = "issued"
    USED = "used"
    HELD = "held"
    PACKED = "packed"
    RETURNED = "returned"
    MISSING = "missing"
    GONE = "gone"
    SAME = "same"


class Who(StrEnum):
    """Who may record a kind."""

    NURSE = "nurse"
    KEEPER = "keeper"
    STOREKEEPER = "storekeeper"
    BUYER = "buyer"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class Movement:
    """One row: `leaves` and `enters` are the sorts of place of each line, empty when the kind posts nothing."""

    kind: str
    leaves: tuple[Where, ...]
    enters: tuple[Where, ...]
    custody: Custody
    biz_step: str
    disposition: str
    who: tuple[Who, ...]

    @property
    def posts(self) -> bool:
        """Tell whether entries of this kind carry posting lines."""
        return bool(self.leaves)


_W, _C = Where, Custody
_WARD = (Who.NURSE, Who.KEEPER)
_KEEPER = (Who.KEEPER, Who.STOREKEEPER)
_S, _ANY = (_W.STORE,), (_W.ANY,)
_OWN_S, _USED = (_W.STORE, _W.OWNER), (_W.PATIENT, _W.OWNER)
"""A use of consigned goods goes through `owner@`: the supplier's leave the shelf, the hospital's are used."""

_ROWS = (
    Movement("opening", (_W.OPENING,), _S, _C.IN_STOCK, "stock_taking", "in_progress", (*_KEEPER, Who.DEVICE)),
    Movement("receive", (_W.SUPPLIER,), _S, _C.INSPECTING, "receiving", "in_progress", _KEEPER),
    Movement("ward_receipt", (_W.TRANSIT, _W.SUPPLIER), _S, _C.IN_STOCK, "receiving", "in_progress", _WARD),
    Movement("inspect_ok", (), (), _C.IN_STOCK, "inspecting", "conformant", _KEEPER),
    Movement("inspect_fail", (), (), _C.HELD, "inspecting", "non_conformant", _KEEPER),
    Movement("bind_tag", (), (), _C.SAME, "commissioning", "active", (*_KEEPER, Who.DEVICE)),
    Movement("put_away", _S, _S, _C.IN_STOCK, "storing", "sellable_not_accessible", _KEEPER),
    Movement("pick", _S, _S, _C.IN_STOCK, "picking", "in_progress", _KEEPER),
    Movement("pack_make", (_W.STORE, _W.KIT), (_W.KIT, _W.STORE), _C.IN_STOCK, "packing", "in_progress", _KEEPER),
    Movement(
        "pack_open",
        (_W.STORE, _W.KIT, _W.OWNER),
        (_W.KIT, _W.STORE, _W.PATIENT, _W.OWNER),
        _C.USED,
        "unpacking",
        "completeness_verified",
        _WARD,
    ),
    Movement("set_brought", (_W.SUPPLIER,), _S, _C.IN_STOCK, "receiving", "in_progress", _WARD),
    Movement("set_used", _OWN_S, _USED, _C.USED, "dispensing", "dispensed", _WARD),
    Movement("set_returned", _S, (_W.SUPPLIER,), _C.RETURNED, "shipping", "returned", _WARD),
    Movement("transfer_out", _S, (_W.TRANSIT,), _C.TRANSIT, "departing", "in_transit", (*_WARD, Who.STOREKEEPER)),
    Movement("transfer_in", (_W.TRANSIT,), _S, _C.IN_STOCK, "arriving", "in_progress", (*_WARD, Who.STOREKEEPER)),
    Movement("stock", _S, _S, _C.IN_STOCK, "stocking", "sellable_accessible", _WARD),
    Movement("issue", _S, (_W.ISSUED,), _C.ISSUED, "picking", "reserved", _WARD),
    Movement("use", (_W.ISSUED, *_OWN_S), _USED, _C.USED, "dispensing", "dispensed", _WARD),
    Movement("return_to_store", (_W.ISSUED,), _S, _C.IN_STOCK, "receiving", "returned", _WARD),
    Movement("return_to_supplier", _S, (_W.SUPPLIER,), _C.RETURNED, "shipping", "returned", _KEEPER),
    Movement("hold_near_expiry", (), (), _C.HELD, "holding", "non_sellable_other", (*_KEEPER, Who.DEVICE)),
    Movement("hold_expired", (), (), _C.HELD, "holding", "expired", (*_KEEPER, Who.DEVICE)),
    Movement("hold_recall", (), (), _C.HELD, "holding", "recalled", (*_KEEPER, Who.DEVICE)),
    Movement("scrap", (_W.STORE, _W.ISSUED), (_W.SCRAP,), _C.GONE, "destroying", "destroyed", _KEEPER),
    Movement("recycle", (_W.STORE, _W.SCRAP), (_W.RECYCLER,), _C.GONE, "collecting", "disposed", _KEEPER),
    Movement("count_daily", (), (), _C.SAME, "cycle_counting", "", (*_WARD, Who.DEVICE)),
    Movement("count_monthly", (), (), _C.SAME, "stock_taking", "", _KEEPER),
    Movement("adjust", (_W.STORE, _W.UNKNOWN), (_W.UNKNOWN, _W.STORE), _C.SAME, "stock_taking", "", _KEEPER),
    Movement("tag_replaced", (), (), _C.SAME, "decommissioning", "inactive", _KEEPER),
    Movement("tag_killed", (), (), _C.SAME, "killing", "inactive", _KEEPER),
    Movement("owner_change", (_W.STORE, _W.OWNER), (_W.OWNER, _W.STORE), _C.SAME, "accepting", "in_progress", _KEEPER),
    Movement("reversal", _ANY, _ANY, _C.SAME, "", "", (*_WARD, Who.STOREKEEPER)),
    Movement("visit", (), (), _C.SAME, "", "", (Who.NURSE, Who.KEEPER, Who.DEVICE)),
    Movement("observe", (), (), _C.SAME, "cycle_counting", "", (Who.DEVICE,)),
    Movement("discrepancy", (), (), _C.SAME, "", "", (*_KEEPER, Who.DEVICE)),
    Movement("need", (), (), _C.SAME, "", "", (*_WARD, Who.DEVICE)),
    Movement("duty", (), (), _C.SAME, "", "", (*_KEEPER, Who.DEVICE)),
    Movement("daily_heads", (), (), _C.SAME, "", "", (Who.DEVICE,)),
    Movement("unknown_label", (), (), _C.SAME, "", "", (*_WARD, Who.STOREKEEPER)),
    Movement("clock_step", (), (), _C.SAME, "", "", (Who.DEVICE,)),
    Movement("gap", _ANY, _ANY, _C.SAME, "", "", (Who.DEVICE,)),
    Movement("suspense", _ANY, _ANY, _C.SAME, "", "", (Who.DEVICE,)),
)

MOVEMENTS = MappingProxyType({row.kind: row for row in _ROWS})
"""Every kind of entry this version knows, by name."""


class PostingLine(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """`qty` base units of one item and lot going from place to place; `unit` names the piece when it has a name."""

    item: str
    qty: int
    source: str
    target: str
    lot: str = ""
    owner: str = "hospital"
    unit: str = ""
    source_position: str = ""
    target_position: str = ""

    def __post_init__(self) -> None:
        item_id(self.item)
        lot_no(self.lot)
        unit_id(self.unit)
        place_id(self.source)
        place_id(self.target)
        if not 1 <= self.qty <= LINE_QTY_MAX:
            raise BadValue(f"posting line: expected 1..{LINE_QTY_MAX} base units, got {self.qty}")
        if self.unit and self.qty != 1:
            raise BadValue(f"posting line: expected quantity 1 for the single unit {self.unit:.40}, got {self.qty}")
        if (self.source, self.source_position) == (self.target, self.target_position):
            raise BadValue(f"posting line: expected two different places, got {self.source} twice")


class MovementBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of a kind that posts: its lines, when it happened if not now (µs UTC), what it names.

    `reverses` is the hex event id of the entry a `reversal` undoes; `refs` are hex event ids or document numbers.
    `flags` say what was unusual (`Flag`), `reason` why in the card's word, `proposed` the lot that should have gone
    first, `patient` a keyed hash and never the id, `policy` the version of the policy that the device knew.
    """

    lines: tuple[PostingLine, ...]
    occurred_at: int | None = None
    reverses: str = ""
    refs: tuple[str, ...] = ()
    visit: str = ""
    label: str = ""
    flags: tuple[str, ...] = ()
    reason: str = ""
    proposed: str = ""
    patient: str = ""
    policy: str = ""


class Flag(StrEnum):
    """What was unusual about an act that was recorded all the same."""

    EMERGENCY = "emergency"
    EXPIRED = "expired"
    HELD = "held"
    NOT_FIRST = "not_first_to_expire"
    SUSPENDED = "suspended"
    CLAIMED = "claimed"
    IMPLIED = "implied"
    SHADOW = "shadow"
    UNKNOWN_LOT = "unknown_lot"
    CONTRADICTED = "contradicted"


class Binding(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """One tag bound to one unit: EPC hex <-> GTIN, lot, serial; `expiry` an ISO date.

    `unit` names the unit where the tag is not its first: a replaced tag leaves the unit its name.
    """

    epc: str
    item: str
    gtin: str = ""
    lot: str = ""
    serial: str = ""
    expiry: str = ""
    unit: str = ""

    @property
    def names(self) -> str:
        """Return the unit that the tag names."""
        return self.unit or self.epc


class BindBody(msgspec.Struct, frozen=True):
    """The body of `bind_tag`."""

    bindings: tuple[Binding, ...]


class ObserveBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """The body of `observe`: the belief that a tag is here, `p` in 0..1, held by `model` since an instant (µs UTC).

    `dead`, beside `p`: that the piece is here and only its tag is dead; left out where a model does not tell. `door` is
    when a reader at the door heard it shortly before, 0 where none did.
    """

    epc: str
    p: float
    model: str
    since: int
    dead: float = 0.0
    door: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.p <= 1.0 or not 0.0 <= self.dead <= 1.0:
            raise BadValue(f"observe: expected a probability from 0 to 1, got {self.p} and {self.dead}")


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


class VisitBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `visit`: `begin`, `end`, or `doing` when a card said what is done from now on.

    The actor is the entry's, empty for an emergency without a badge.
    """

    phase: str
    flags: tuple[str, ...] = ()
    doing: str = ""


class TagBody(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """The body of `tag_replaced` (old and new EPC hex of one unit) and `tag_killed` (old alone)."""

    old: str
    new: str = ""


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
    a daily check: the thousandths of the time since the one before it in which each antenna (`reader:number`) listened.
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


@lru_cache(NAMES_REMEMBERED)
def place_sort(place: str) -> Where:
    """Return the sort of place a place is."""
    return Where(place.split("@", 1)[0]) if is_virtual(place_id(place)) else Where.STORE


def movement_of(kind: str) -> Movement:
    """Look a kind up. Raises `BadValue` naming the kind."""
    row = MOVEMENTS.get(kind)
    if row is None:
        raise BadValue(f"movement: expected one of the {len(MOVEMENTS)} kinds of the table, got {kind!r:.40}")
    return row


def lines_of(kind: str, raw_body: bytes) -> tuple[PostingLine, ...]:
    """Return the checked posting lines of an entry's body; empty for a kind that posts nothing.

    Raises `BadValue` for an unknown kind or a line the table does not admit, `PeerBroke` for a body in no such form.
    """
    return posting_of(kind, raw_body).lines if movement_of(kind).posts else ()


def posting_of(kind: str, raw_body: bytes) -> MovementBody:
    """Return the checked body of a kind that posts. Raises as `lines_of` does."""
    movement_of(kind)
    body = read_body(raw_body, MovementBody)
    if not 1 <= len(body.lines) <= LINES_MAX:
        raise BadValue(f"{kind}: expected 1..{LINES_MAX} posting lines, got {len(body.lines)}")
    for line in body.lines:
        fault = _ends_fault(kind, line.source, line.target)
        if fault:
            raise BadValue(fault)
    return body


@lru_cache(NAMES_REMEMBERED)
def _ends_fault(kind: str, source: str, target: str) -> str:
    """Return why a line of a kind may not go from one place to another, empty when it may."""
    row = movement_of(kind)
    for name, place, admitted in (("from", source, row.leaves), ("to", target, row.enters)):
        if Where.ANY not in admitted and place_sort(place) not in admitted:
            return f"{kind}: expected to go {name} {' or '.join(admitted)}, got {place}"
    return ""


def read_body(raw_body: bytes, form: type[T]) -> T:
    """Parse body bytes into one of the forms above; unknown keys are skipped. Raises `PeerBroke` or `BadValue`."""
    try:
        return msgspec.convert(decode_body(raw_body), form)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, BadValue):
            raise BadValue(str(error.__cause__)) from error
        raise PeerBroke(f"entry body: expected the form {form.__name__}; {error}") from error


def write_body(form: msgspec.Struct) -> dict[str, object]:
    """Return one of the forms above as the map that `encode_body` takes."""
    built = msgspec.to_builtins(form)
    assert isinstance(built, dict)
    return built
