"""I5: how many scans each task costs, nothing typed. These numbers are a promise to whoever stands at the shelf."""

import pytest

from edge_agent.store.feed import Row
from protocols.readers.scanner import Beep
from tests.edge_agent.desk import (
    GAUZE,
    GAUZE_GTIN,
    KEEPER,
    NURSE,
    PATIENT,
    STENT,
    SYRINGE,
    SYRINGE_BOX,
    SYRINGE_GTIN,
    Desk,
    card,
    epc_of,
    loose,
    note,
    place,
    stent,
)


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.stock_stents(*range(1, 9))
    desk.stock_loose(SYRINGE, "A1", 200)
    desk.stock_loose(GAUZE, "G1", 100)
    return desk


def ok(desk: Desk, *texts: str) -> None:
    assert desk.scan(*texts) == [Beep.OK] * len(texts), desk.last.message
    desk.check()


@pytest.mark.parametrize("pieces", [1, 3, 8])
def test_i5_taking_n_items_is_n_plus_one_scans(desk: Desk, pieces: int) -> None:
    ok(desk, NURSE, *map(stent, range(1, pieces + 1)))
    assert desk.scans == pieces + 1
    assert desk.qty("issued@ward-01", STENT) == pieces


def test_i5_taking_n_items_for_a_patient_is_n_plus_two_scans_in_either_order(desk: Desk) -> None:
    ok(desk, NURSE, stent(1), stent(2), PATIENT)
    ok(desk, NURSE, PATIENT, stent(3), stent(4))
    assert desk.scans == 8
    assert (desk.qty("patient@ward-01", STENT), desk.qty("issued@ward-01", STENT)) == (4, 0)


def test_i5_a_number_of_loose_pieces_is_three_scans(desk: Desk) -> None:
    ok(desk, NURSE, card("X5"), loose(SYRINGE_GTIN))
    assert (desk.scans, desk.qty("issued@ward-01", SYRINGE)) == (3, 5)
    ok(desk, card("X10"), card("X5"), loose(SYRINGE_GTIN), card("PACK"), loose(SYRINGE_GTIN), loose(SYRINGE_BOX))
    assert desk.qty("issued@ward-01", SYRINGE) == 5 + 15 + 50 + 50


def test_i5_an_opened_quota_pack_is_two_scans_and_used(desk: Desk) -> None:
    ok(desk, NURSE, loose(GAUZE_GTIN, "G1"))
    assert (desk.scans, desk.qty("patient@ward-01", GAUZE), desk.qty("ward-01", GAUZE)) == (2, 10, 90)
    assert desk.kinds()[-1] == "pack_open"


def test_i5_a_ward_receipt_is_badge_and_note(desk: Desk) -> None:
    lines = [
        {"item": SYRINGE, "lot": "B2", "qty": 100, "source": "transit@ward-01", "target": "ward-01"},
        {"item": STENT, "lot": "S2", "qty": 1, "unit": epc_of(50), "source": "transit@ward-01", "target": "ward-01"},
    ]
    bound = {"epc": epc_of(50), "item": STENT, "gtin": "06999990101016", "lot": "S2", "serial": "0050"}
    desk.feed(Row("document", "DN1", {"sort": "delivery", "lines": lines, "bindings": [bound]}))
    ok(desk, NURSE, note("DN1"))
    assert (desk.scans, desk.qty("ward-01", SYRINGE, "B2"), desk.state(50)) == (2, 100, "in_stock")
    assert desk.scan(note("DN1")) == [Beep.LOOK]
    assert desk.qty("ward-01", SYRINGE, "B2") == 100
    ok(desk, stent(50, "S2"))


def test_i5_a_receipt_with_exceptions_scans_what_is_there_and_done_tells_the_rest(desk: Desk) -> None:
    lines = [
        {"item": SYRINGE, "lot": "B2", "qty": 10, "source": "transit@ward-01", "target": "ward-01"},
        {"item": GAUZE, "lot": "G2", "qty": 10, "source": "transit@ward-01", "target": "ward-01"},
    ]
    desk.feed(Row("document", "DN2", {"lines": lines}))
    ok(desk, NURSE, card("RECEIVE"), note("DN2"), card("X5"), loose(SYRINGE_GTIN, "B2"), loose(GAUZE_GTIN, "G2"))
    ok(desk, card("DONE"))
    assert desk.scans == 7
    assert (desk.qty("ward-01", SYRINGE, "B2"), desk.qty("ward-01", GAUZE, "G2")) == (5, 10)
    (short,) = desk.bodies("discrepancy")
    assert (short["sort"], short["item"]) == ("not_delivered", SYRINGE)


def test_i5_return_and_scrap_are_n_plus_two_scans(desk: Desk) -> None:
    ok(desk, NURSE, stent(1), stent(2), card("X5"), loose(SYRINGE_GTIN))
    before = desk.scans
    ok(desk, NURSE, card("RETURN"), stent(1), loose(SYRINGE_GTIN))
    assert desk.scans - before == 4
    assert (desk.state(1), desk.qty("issued@ward-01", SYRINGE)) == ("in_stock", 4)
    ok(desk, KEEPER, card("SCRAP"), stent(3))
    assert desk.state(3) == "gone"


def test_i5_a_transfer_is_n_plus_three_scans_here_and_n_plus_two_there(desk: Desk) -> None:
    ok(desk, NURSE, card("TRANSFER"), place("WARD02"), stent(1), stent(2))
    assert (desk.scans, desk.state(1), desk.qty("transit@ward-02", STENT)) == (5, "in_transit", 2)
    ok(desk, NURSE, card("TRANSFER"), stent(1))
    assert desk.state(1) == "in_stock"


def test_what_is_picked_by_the_paper_of_an_order_goes_where_it_says_and_names_the_order(desk: Desk) -> None:
    line = {"item": STENT, "qty": 2, "source": "ward-01", "target": "transit@ward-02"}
    desk.feed(Row("document", "IR1", {"sort": "pick", "order": "IR-1", "to": "ward-02", "lines": [line]}))
    ok(desk, NURSE, card("TRANSFER"), note("IR1"), stent(1), stent(2))
    assert (desk.scans, desk.state(1), desk.qty("transit@ward-02", STENT)) == (5, "in_transit", 2)
    assert [body["refs"] for body in desk.bodies("transfer_out")] == [["IR-1", "IR1"]] * 2
    assert desk.scan(NURSE, note("IR1")) == [Beep.OK, Beep.LOOK]  # a list of what to pick brings nothing in
    assert desk.scan(card("TRANSFER"), note("NOSUCH"), stent(3)) == [Beep.OK, Beep.NO, Beep.NO]


def test_what_a_note_brings_for_an_order_names_the_order_and_lies_where_its_like_lie(desk: Desk) -> None:
    lines = [
        {"item": STENT, "lot": "S2", "qty": 1, "unit": epc_of(50), "source": "transit@ward-01", "target": "ward-01"},
        {"item": SYRINGE, "lot": "B2", "qty": 10, "source": "transit@ward-01", "target": "ward-01"},
    ]
    desk.feed(Row("document", "IR2", {"sort": "delivery", "order": "IR-2", "lines": lines}))
    before = desk.bodies("opening")[0]["lines"][0]["target_position"]
    ok(desk, NURSE, note("IR2"))
    (body,) = desk.bodies("ward_receipt")
    assert body["refs"] == ["IR-2", "IR2"]
    assert body["lines"][0]["target_position"] == before


def test_a_piece_checked_against_a_note_names_its_order_too(desk: Desk) -> None:
    lines = [{"item": SYRINGE, "lot": "B2", "qty": 5, "source": "transit@ward-01", "target": "ward-01"}]
    desk.feed(Row("document", "IR3", {"sort": "delivery", "order": "IR-3", "lines": lines}))
    ok(desk, NURSE, card("RECEIVE"), note("IR3"), card("X5"), loose(SYRINGE_GTIN, "B2"), card("DONE"))
    (body,) = desk.bodies("ward_receipt")
    assert body["refs"] == ["IR-3", "IR3"]


def test_i5_undo_is_one_scan_and_undoes_a_whole_act_at_a_time(desk: Desk) -> None:
    ok(desk, NURSE, stent(1), PATIENT, stent(2))
    ok(desk, card("UNDO"))
    assert (desk.state(2), desk.state(1)) == ("in_stock", "used")
    ok(desk, card("UNDO"), card("UNDO"))
    assert desk.state(1) == "in_stock"
    assert desk.scan(card("UNDO")) == [Beep.NO]
    named = {body["reverses"] for body in desk.bodies("reversal")}
    assert len(named) == len(desk.bodies("reversal")) == 4
    assert desk.discrepancies() == []


def test_i5_a_claim_is_badge_and_patient(desk: Desk) -> None:
    for serial, after_s in ((1, 0), (2, 30), (3, 4000)):
        since = desk.now + after_s * 1_000_000
        desk.write("observe", {"epc": epc_of(serial), "p": 0.01, "model": "window-1", "since": since})
    desk.scribe.now = type(desk.now)(desk.now + 9_000_000_000)
    before = desk.scans
    ok(desk, NURSE, PATIENT)
    assert desk.scans - before == 2
    assert [desk.state(serial) for serial in (1, 2, 3)] == ["used", "used", "in_stock"]
    issued = desk.bodies("issue")[0]
    assert issued["flags"] == ["claimed"]
    assert issued["occurred_at"] < desk.now - 8_000_000_000
    ok(desk, NURSE, card("CLAIM"))
    assert (desk.state(3), desk.scan(card("CLAIM"))) == ("issued", [Beep.NO])


def test_i5_what_left_during_a_visit_is_confirmed_by_one_scan(desk: Desk) -> None:
    desk.write("observe", {"epc": epc_of(8), "p": 0.01, "model": "window-1", "since": desk.now})
    desk.scribe.now = type(desk.now)(desk.now + 9_000_000_000)
    ok(desk, NURSE)
    for serial in (4, 5):
        desk.write("observe", {"epc": epc_of(serial), "p": 0.01, "model": "window-1", "since": desk.now})
    ok(desk, card("CLAIM"))
    assert [desk.state(serial) for serial in (4, 5, 8)] == ["issued", "issued", "in_stock"]


def test_i5_the_weekly_reconcile_is_badge_and_card(desk: Desk) -> None:
    ok(desk, KEEPER, card("RECONCILE"))
    assert desk.scans == 2
    (signed,) = desk.bodies("duty")
    assert (signed["duty"], signed["state"]) == ("weekly_reconcile", "signed")
