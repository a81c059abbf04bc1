"""D9: consigned goods change their owner once, when they are used. D11: used and returned are what was brought."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.store.feed import Row
from protocols.readers.scanner import Beep
from tests.edge_agent.desk import (
    NURSE,
    PATIENT,
    STENT,
    STENT_GTIN,
    SYRINGE,
    SYRINGE_GTIN,
    Desk,
    card,
    epc_of,
    loose,
    note,
    stent,
)

OK = Beep.OK
PACK, PACK_GTIN = "QP5001", "06999990101108"


def owners(desk: Desk, place: str) -> dict[str, int]:
    rows = desk.ledger.connection.query("SELECT owner, sum(qty) FROM balance WHERE place = ? GROUP BY owner", (place,))
    return {owner: qty for owner, qty in rows if qty}


def test_d9_the_owner_flips_once_at_use_and_back_with_its_reversal() -> None:
    desk = Desk()
    desk.stock_stents(1, owner="S01")
    assert desk.scan(NURSE, stent(1)) == [OK, OK]
    assert owners(desk, "issued@ward-01") == {"S01": 1}
    assert desk.scan(PATIENT) == [OK]
    assert (owners(desk, "patient@ward-01"), owners(desk, "issued@ward-01")) == ({"hospital": 1}, {})
    assert owners(desk, "owner@ward-01") == {"S01": 1, "hospital": -1}
    (used,) = desk.bodies("use")
    assert [line.get("owner", "hospital") for line in used["lines"]] == ["S01", "hospital"]
    assert desk.scan(card("UNDO")) == [OK]
    assert (owners(desk, "issued@ward-01"), owners(desk, "owner@ward-01")) == ({"S01": 1}, {})
    assert desk.discrepancies() == []
    desk.check()


def test_a_tagged_quota_pack_is_made_of_pieces_and_its_opening_uses_them() -> None:
    desk = Desk()
    item = {"products": [{"code": PACK_GTIN}], "content": {"item": SYRINGE, "qty": 20}}
    desk.feed(Row("item", PACK, item))
    desk.stock_loose(SYRINGE, "A1", 30)
    epc = epc_of(900)
    inside = {"item": SYRINGE, "lot": "A1", "qty": 20, "source": "ward-01", "source_position": "S2"}
    pack = {"item": PACK, "lot": "A1", "qty": 1, "unit": epc, "source": "kit@ward-01", "target": "ward-01"}
    desk.write("bind_tag", {"bindings": [{"epc": epc, "item": PACK, "gtin": PACK_GTIN, "lot": "A1", "serial": "P1"}]})
    desk.write("pack_make", {"lines": [{**inside, "target": "kit@ward-01"}, pack]})
    assert desk.scan(NURSE, f"]d201{PACK_GTIN}21P1") == [OK, OK]
    assert (desk.qty("ward-01", SYRINGE), desk.qty("patient@ward-01", SYRINGE)) == (10, 20)
    assert (desk.qty("kit@ward-01", SYRINGE), desk.qty("kit@ward-01", PACK), desk.discrepancies()) == (0, 0, [])
    assert desk.scan(f"]d201{PACK_GTIN}21P1") == [Beep.NO]
    desk.check()


def set_document(stents: int, loose_pieces: int) -> Row:
    line = {"lot": "S9", "owner": "S01", "source": "supplier@ward-01", "target": "ward-01"}
    lines = [{**line, "item": STENT, "qty": 1, "unit": epc_of(60 + n)} for n in range(stents)]
    lines += [{**line, "item": SYRINGE, "lot": "A1", "qty": loose_pieces}] if loose_pieces else []
    bound = {"item": STENT, "gtin": STENT_GTIN, "lot": "S9"}
    bindings = [{**bound, "epc": epc_of(60 + n), "serial": f"{60 + n:04d}"} for n in range(stents)]
    return Row("document", "SET1", {"sort": "set", "lines": lines, "bindings": bindings})


def test_d11_a_set_is_one_scan_to_bring_one_a_piece_to_use_and_one_to_give_back() -> None:
    desk = Desk()
    desk.feed(set_document(3, 10))
    assert desk.scan(NURSE, card("SET"), note("SET1"), PATIENT, stent(61, "S9")) == [OK] * 5
    assert desk.scan(NURSE, card("SET"), note("SET1"), loose(SYRINGE_GTIN), card("RETURN")) == [OK] * 5
    assert [desk.state(60 + n) for n in range(3)] == ["returned", "used", "returned"]
    assert (desk.qty("ward-01", SYRINGE), desk.qty("patient@ward-01", SYRINGE)) == (0, 1)
    assert owners(desk, "patient@ward-01") == {"hospital": 2}
    assert desk.scan(NURSE, card("SET"), note("SET1"), stent(60, "S9")) == [OK, OK, OK, Beep.NO]
    assert desk.discrepancies() == []
    desk.check()


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(0, 6), st.lists(st.integers(0, 9), max_size=12), st.booleans())
def test_d11_used_and_returned_are_what_was_brought_always(
    stents: int, pieces: int, scans: list[int], undo: bool
) -> None:
    desk = Desk()
    desk.feed(set_document(stents, pieces))
    desk.scan(NURSE, card("SET"), note("SET1"))
    brought = desk.qty("ward-01", STENT) + desk.qty("ward-01", SYRINGE)
    desk.scan(*(stent(60 + n, "S9") if n < 6 else loose(SYRINGE_GTIN) for n in scans))
    if undo:
        desk.scan(card("UNDO"))
    if desk.visit is not None and desk.qty("ward-01", STENT) + desk.qty("ward-01", SYRINGE):
        desk.scan(card("RETURN"))
    used = desk.qty("patient@ward-01", STENT) + desk.qty("patient@ward-01", SYRINGE)
    returned = brought + desk.qty("supplier@ward-01", STENT) + desk.qty("supplier@ward-01", SYRINGE)
    assert brought == stents + pieces
    assert used + returned == brought
    assert desk.qty("ward-01", STENT) + desk.qty("ward-01", SYRINGE) == 0
    assert desk.discrepancies() == []
    desk.check()


@pytest.mark.parametrize("times", [1, 3])
def test_an_unknown_set_is_kept_raw_and_waits_for_a_known_one(times: int) -> None:
    desk = Desk()
    assert desk.scan(NURSE, card("SET"), *[note("NOSUCH")] * times) == [OK, OK, *[Beep.LOOK] * times]
    assert len(desk.bodies("unknown_label")) == times
