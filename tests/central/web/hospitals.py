"""Hospitals as values, for the tests of the pages: one with every sort of trouble, one calm, one with nothing in it."""

from dataclasses import replace
from datetime import date
from fractions import Fraction

from central.core.discrepancies import Kind
from central.core.match import Match
from central.core.orders import Progress
from central.services.overview import (
    BookSide,
    Discrepancy,
    Item,
    Name,
    Order,
    OrderLine,
    Overview,
    PassedOver,
    Place,
    Proposal,
    Ward,
    Why,
)
from protocols.values.instant import from_iso, plus
from protocols.values.money import yuan

NOW = from_iso("2026-03-02T19:42:00+08:00")
START = from_iso("2026-03-02T16:00:00+08:00")
MINUTE_S = 60.0

ICU = Place("ward-01", Name("重症医学科", "Intensive care"))
SURGERY = Place("ward-02", Name("普外科", "General surgery"))
CARDIOLOGY = Place("ward-03", Name("心血管内科", "Cardiology"))
EMERGENCY = Place("ward-04", Name("急诊科", "Emergency"))
MAIN_STORE = Name("一级库", "Central store")
SUPPLIER = Name("示例·启明心血管器械有限公司", "Qiming Cardiovascular (fictional)")

SET = Name("套", "set")
PIECE = Name("根", "piece")
STENT = Item("HC1017", Name("药物洗脱冠脉支架", "Drug-eluting coronary stent"), "3.0×24 mm", SET, vital=True)
BALLOON = Item("HC1019", Name("冠脉球囊扩张导管", "Coronary dilatation balloon"), "2.5×15 mm", PIECE, vital=True)
CATHETER = Item(
    "HC1003",
    Name("经外周置入中心静脉导管(PICC)", "Peripherally inserted central catheter"),
    "4Fr×60cm",
    SET,
    vital=True,
)
TUBE = Item("HC1008", Name("气管插管(带囊)", "Cuffed tracheal tube"), "7.0 mm", PIECE, vital=False)

EPC = "3034257BF7194E4000001A85"


def wards() -> tuple[Ward, ...]:
    """Return four wards: one heard and calm, one with proposals, one with a missing piece, one cut off."""
    return (
        Ward(ICU, "ward-01", plus(NOW, -20), False, False, 0, 0, Match(61, 61, 248, 0), 0, 2),
        Ward(SURGERY, "ward-02", plus(NOW, -58 * MINUTE_S), True, False, 12, 0, Match(58, 58, 231, 0), 0, 0),
        Ward(CARDIOLOGY, "ward-03", plus(NOW, -95), False, False, 0, 0, Match(47, 45, 163, 2), 2, 1),
        Ward(EMERGENCY, "ward-04", plus(NOW, -40), False, False, 0, 0, Match(52, 52, 190, 0), 0, 0),
    )


def discrepancies() -> tuple[Discrepancy, ...]:
    """Return a stent that is gone and a balloon that is there unbooked."""
    gone = plus(START, 95 * MINUTE_S)
    return (
        Discrepancy(
            "d1",
            Kind.MISSING,
            CARDIOLOGY,
            STENT,
            "250918K2",
            date(2027, 9, 17),
            EPC,
            "6789",
            gone,
            plus(gone, 11 * MINUTE_S),
            plus(gone, 11 * MINUTE_S),
            0.012,
            BookSide("opening", CARDIOLOGY, "S3", START),
        ),
        Discrepancy(
            "d2",
            Kind.UNEXPECTED,
            CARDIOLOGY,
            BALLOON,
            "",
            None,
            "3034257BF7194E4000001A99",
            "",
            plus(START, 60 * MINUTE_S),
            plus(START, 82 * MINUTE_S),
            plus(START, 82 * MINUTE_S),
            0.985,
            BookSide("issue", CARDIOLOGY, "", plus(START, 41 * MINUTE_S)),
        ),
    )


def proposals() -> tuple[Proposal, ...]:
    """Return one proposal to a supplier, one to the central store, one for a line with nothing left."""
    bought = Why("3x", 0.2889, 90, 3.0, 6, 2, 0, 2.6, 5, 1, 1, "order_up_to", 0.9874, (PassedOver(MAIN_STORE, 0, 2),))
    moved = Why("3x", 1.4222, 90, 3.0, 1, 5, 2, 5.689, 16, 10, 1, "pack", 0.9991, ())
    empty = Why("3x", 0.6111, 90, 3.0, 4, 0, 0, 4.278, 9, 1, 12, "moq", 0.9612, (PassedOver(MAIN_STORE, 4, 7),))
    return (
        Proposal("a1b2c3d4e5f60718", "va", CARDIOLOGY, STENT, 3, SUPPLIER, False, yuan("8200.00"), bought, NOW),
        Proposal("b1b2c3d4e5f60718", "vb", ICU, TUBE, 20, MAIN_STORE, True, None, moved, NOW),
        Proposal("c1b2c3d4e5f60718", "vc", ICU, CATHETER, 12, SUPPLIER, False, yuan("1280.00"), empty, NOW),
    )


def orders() -> tuple[Order, ...]:
    """Return one order to a supplier and one requisition that has been received."""
    return (
        Order(
            "PO-20260302-9F3A11C0",
            CARDIOLOGY,
            SUPPLIER,
            False,
            (OrderLine(BALLOON, 12),),
            yuan("15480.00"),
            Progress.APPROVED,
            "demo-buyer",
            plus(START, 130 * MINUTE_S),
        ),
        Order(
            "IR-20260302-77AB02D1",
            ICU,
            MAIN_STORE,
            True,
            (OrderLine(TUBE, 20),),
            None,
            Progress.RECEIVED,
            "page",
            plus(START, 70 * MINUTE_S),
        ),
    )


def troubled() -> Overview:
    """Return a hospital with a ward cut off, a missing stent, proposals to decide and orders made."""
    return Overview(
        Name("示例市第一医院", "Sample City First Hospital"),
        NOW,
        Fraction(98, 100),
        wards(),
        discrepancies(),
        2,
        proposals(),
        3,
        orders(),
    )


def half_connected() -> Overview:
    """Return the troubled hospital with its last ward not yet connected: only its book is known."""
    overview = troubled()
    never = replace(overview.wards[3], last_contact=None, offline=True)
    return replace(overview, wards=(*overview.wards[:3], never))


def calm() -> Overview:
    """Return the same hospital when nothing waits for anybody."""
    quiet = tuple(replace(ward, discrepancies=0, proposals=0) for ward in wards() if not ward.offline)
    return replace(
        troubled(),
        wards=tuple(replace(ward, match=Match(50, 50, 200, 0)) for ward in quiet),
        discrepancies=(),
        discrepancies_all=0,
        proposals=(),
        proposals_all=0,
    )


def empty() -> Overview:
    """Return a hospital into which nothing was imported yet."""
    return replace(calm(), wards=(), orders=())
