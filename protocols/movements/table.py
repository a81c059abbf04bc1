"""The one table of movements: what each kind of entry does to the book, to custody, and what EPCIS calls it.

Kinds without an effect (`visit`, `observe`, counts) post nothing. The table is data; `posting` holds entries to it. Not
here: who is asking, what the book says, whether stock suffices.

EPCIS words: EPCIS 2.0 / CBV 2.0 business steps and dispositions (GS1). `issued@WARD` is in a person's hand, taken but
not yet used; `patient@WARD` is used.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from protocols.errors import BadValue


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


def movement_of(kind: str) -> Movement:
    """Look a kind up. Raises `BadValue` naming the kind."""
    row = MOVEMENTS.get(kind)
    if row is None:
        raise BadValue(f"movement: expected one of the {len(MOVEMENTS)} kinds of the table, got {kind!r:.40}")
    return row
