"""Counting scan by scan: resumed after a break, by several people, in the first count with what the book lacks."""

import pytest

from edge_agent.core.work.scene import Mode
from edge_agent.core.work.words import Word
from edge_agent.store.counts import open_lines
from protocols.readers.scanner import Beep
from protocols.values.ids import PlaceId
from tests.edge_agent.desk import (
    KEEPER,
    NURSE,
    OTHER,
    STENT,
    SYRINGE,
    SYRINGE_BOX,
    SYRINGE_GTIN,
    Desk,
    card,
    loose,
    place,
    stent,
)

OK, LOOK = Beep.OK, Beep.LOOK
WARD = PlaceId("ward-01")


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.stock_stents(1, 2, 3)
    desk.stock_loose(SYRINGE, "A1", 70)
    return desk


def differing(desk: Desk) -> dict[str, tuple[int, int, bool]]:
    _, found = open_lines(desk.ledger.connection, WARD)
    return {line.key.unit[-4:] or line.key.lot: (line.counted, line.book, line.recount) for line in found}


def test_day_one_a_count_is_resumed_by_somebody_else_and_closed_by_the_card(desk: Desk) -> None:
    assert (
        desk.scan(KEEPER, card("COUNT"), place("S2"), loose(SYRINGE_BOX), card("X10"), loose(SYRINGE_GTIN)) == [OK] * 6
    )
    assert desk.scan(card("DONE"), NURSE, card("COUNT"), stent(1), stent(2)) == [OK] * 5
    assert differing(desk) == {
        "A1": (60, 70, False),
        "0001": (1, 1, False),
        "0002": (1, 1, False),
        "0003": (0, 1, False),
    }
    sheets = {body["sheet"] for body in desk.bodies("count_monthly")}
    assert len(sheets) == 1
    assert desk.scan(card("COUNT")) == [OK]
    assert open_lines(desk.ledger.connection, WARD) == ("", [])
    assert desk.scan(card("COUNT")) == [OK]
    assert len({body["sheet"] for body in desk.bodies("count_monthly")}) == 2
    desk.check()


def test_a_piece_counted_twice_is_one_and_says_so(desk: Desk) -> None:
    assert desk.scan(KEEPER, card("COUNT"), stent(1), stent(1)) == [OK, OK, OK, LOOK]
    assert desk.last.word is Word.COUNTED_BEFORE
    assert differing(desk)["0001"] == (1, 1, False)


def test_nothing_is_frozen_and_what_moves_is_counted_again(desk: Desk) -> None:
    assert desk.scan(KEEPER, card("COUNT"), card("X10"), loose(SYRINGE_GTIN), card("DONE")) == [OK] * 5
    assert desk.scan(OTHER, card("X5"), loose(SYRINGE_GTIN), card("DONE")) == [OK] * 4
    assert differing(desk)["A1"] == (10, 70, True)
    assert desk.scan(KEEPER, card("COUNT"), card("COUNT")) == [OK, OK, LOOK]
    assert desk.last.about["recount"] == 1


def test_every_scan_of_a_count_names_its_cut(desk: Desk) -> None:
    desk.scan(KEEPER)
    for text in (card("COUNT"), stent(1), stent(2)):
        rows = desk.ledger.connection.query("SELECT hex(event_id) FROM ledger ORDER BY seq DESC LIMIT 1")
        assert desk.scan(text) == [OK]
        assert desk.bodies("count_monthly")[-1]["cut"] == rows[0][0].lower()


def test_a_count_moves_no_stock(desk: Desk) -> None:
    before = desk.ledger.connection.query("SELECT * FROM balance")
    desk.scan(KEEPER, card("COUNT"), stent(1), card("X5"), loose(SYRINGE_GTIN, "NEW"))
    assert desk.ledger.connection.query("SELECT * FROM balance") == before


def test_day_one_the_first_count_opens_what_is_there_with_and_without_a_lot_and_no_piece_twice() -> None:
    desk = Desk(Mode.FIRST_COUNT)
    assert desk.scan(KEEPER, card("COUNT"), place("S7"), stent(1), card("X5"), f"]d201{SYRINGE_GTIN}") == [OK] * 6
    assert desk.scan(card("DONE"), NURSE, card("COUNT"), stent(2), stent(1)) == [OK, OK, OK, OK, LOOK]
    assert (desk.qty("ward-01", STENT), desk.qty("ward-01", SYRINGE)) == (2, 5)
    assert desk.kinds().count("opening") == 3
    positions = desk.ledger.connection.query(
        "SELECT position FROM balance WHERE place = 'ward-01' AND item = ?", (SYRINGE,)
    )
    assert positions == [("S7",)]
    assert desk.scan(card("COUNT"), stent(1)) == [OK, OK]
    assert all(not recount for _, _, recount in differing(desk).values())
    desk.check()


def test_a_closed_count_is_adjusted_once_by_who_may_and_cites_it(desk: Desk) -> None:
    desk.stock_loose(SYRINGE, "B2", 10, "S9")
    assert desk.scan(KEEPER, card("COUNT"), *map(stent, (1, 2, 3)), loose(SYRINGE_BOX)) == [OK] * 6
    assert desk.scan(card("X10"), card("X5"), loose(SYRINGE_GTIN, "B2"), card("COUNT")) == [OK] * 4
    closing = desk.ledger.connection.query("SELECT hex(event_id) FROM ledger ORDER BY seq DESC LIMIT 1")[0][0].lower()
    assert desk.scan(OTHER, card("ADJUST"), KEEPER, card("ADJUST")) == [OK, Beep.NO, OK, OK]
    assert (desk.qty("ward-01", SYRINGE, "A1"), desk.qty("ward-01", SYRINGE, "B2")) == (50, 15)
    (adjusted,) = desk.bodies("adjust")
    assert adjusted["refs"] == [closing]
    assert [(line["qty"], line["source"]) for line in adjusted["lines"]] == [(20, "ward-01"), (5, "unknown@ward-01")]
    assert desk.scan(card("ADJUST")) == [Beep.NO]
    desk.check()


def test_an_adjustment_leaves_what_moved_and_what_nobody_counted(desk: Desk) -> None:
    assert desk.scan(KEEPER, card("COUNT"), stent(1), card("X10"), loose(SYRINGE_GTIN), card("COUNT")) == [OK] * 6
    assert desk.scan(NURSE, loose(SYRINGE_GTIN), KEEPER, card("ADJUST")) == [OK, OK, OK, LOOK]
    assert (desk.last.about["recount"], desk.last.about["uncounted"]) == (1, 2)
    assert desk.bodies("adjust") == []
    assert {body["sort"] for body in desk.bodies("discrepancy")} == {"not_counted"}
    assert desk.qty("ward-01", SYRINGE) == 69
