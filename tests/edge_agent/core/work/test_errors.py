"""Everything that can go wrong at the shelf has one outcome: its beep (and light), its sentence, and what is written.

ok is one beep and green, look two and amber, no three and red. A no leaves nothing behind, a look is recorded.
"""

import pytest

from edge_agent.core.work.scene import Mode
from edge_agent.core.work.states import Doing
from edge_agent.core.work.words import Word
from edge_agent.store.feed import Row
from protocols.readers.scanner import Beep
from tests.edge_agent.conftest import START
from tests.edge_agent.desk import (
    GAUZE,
    GAUZE_GTIN,
    KEEPER,
    NURSE,
    OTHER,
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
    place,
    stent,
)

OK, LOOK, NO = Beep.OK, Beep.LOOK, Beep.NO
UNKNOWN = "]d20109506000134352"


@pytest.fixture
def desk() -> Desk:
    desk = Desk()
    desk.stock_stents(1, 2, 3)
    desk.stock_stents(7, lot="OLD", expiry="2026-02-28")
    desk.stock_loose(SYRINGE, "A1", 20)
    desk.stock_loose(SYRINGE, "OLD", 20)
    desk.stock_loose(GAUZE, "G1", 100)
    return desk


REFUSED = [
    ("an item without a badge", [], stent(1), Word.NO_BADGE),
    ("a card without a badge", [], card("RETURN"), Word.OUT_OF_ORDER),
    ("a patient without a badge", [], PATIENT, Word.OUT_OF_ORDER),
    ("noise", [NURSE], "hello", Word.UNREADABLE),
    ("a wrong check character", [NURSE], "WSB110010", Word.UNREADABLE),
    ("a product without a serial where pieces have one", [NURSE], f"]d201{STENT_GTIN}", Word.NO_SERIAL),
    ("a piece taken twice", [NURSE, stent(1)], stent(1), Word.ALREADY_TAKEN),
    ("a piece somebody else took", [NURSE, stent(1), OTHER], stent(1), Word.ALREADY_TAKEN),
    ("an expired piece", [NURSE], stent(7, "OLD", "260228"), Word.EXPIRED),
    ("expired loose pieces", [NURSE], loose(SYRINGE_GTIN, "OLD"), Word.EXPIRED),
    ("a number for one piece", [NURSE, card("X5")], stent(1), Word.ONE_PIECE),
    ("a return of what was not taken", [NURSE, card("RETURN")], stent(1), Word.NOT_IN_HAND),
    ("a return of what was used on opening", [NURSE, card("RETURN")], loose(GAUZE_GTIN, "G1"), Word.USED_ON_OPENING),
    ("a scrap by who may not", [NURSE, card("SCRAP")], stent(1), Word.NOT_YOURS),
    ("a transfer to nowhere", [NURSE, card("TRANSFER")], place("NOSUCH"), Word.UNKNOWN_PLACE),
    ("a transfer of what is here already", [NURSE, card("TRANSFER")], stent(1), Word.NOT_HERE),
    ("a claim when nothing waits", [NURSE], card("CLAIM"), Word.NOTHING_TO_CLAIM),
    ("an adjustment of no count", [KEEPER], card("ADJUST"), Word.NOTHING_TO_ADJUST),
    ("an adjustment by who may not", [NURSE], card("ADJUST"), Word.NOT_YOURS),
    ("an undo of nothing", [NURSE], card("UNDO"), Word.NOTHING_TO_UNDO),
    ("a note while returning", [NURSE, card("RETURN")], note("DN1"), Word.OUT_OF_ORDER),
    ("a patient while counting", [NURSE, card("COUNT")], PATIENT, Word.OUT_OF_ORDER),
    ("a claim while receiving", [NURSE, card("RECEIVE")], card("CLAIM"), Word.OUT_OF_ORDER),
    ("an item before the set", [NURSE, card("SET")], stent(1), Word.OUT_OF_ORDER),
]


@pytest.mark.parametrize(("before", "text", "word"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_refused_says_why_and_writes_nothing(desk: Desk, before: list[str], text: str, word: Word) -> None:
    assert NO not in desk.scan(*before)
    head, doing = desk.ledger.head(), desk.visit.doing if desk.visit else Doing.NOBODY
    assert desk.scan(text) == [NO]
    assert desk.last.word is word, desk.last.message
    assert "?" not in desk.last.message
    assert desk.ledger.head() == head
    assert (desk.visit.doing if desk.visit else Doing.NOBODY) is doing


def test_a_refusal_forgets_a_number_card_and_the_visit_goes_on(desk: Desk) -> None:
    assert desk.scan(NURSE, card("X5"), stent(1), loose(SYRINGE_GTIN)) == [OK, OK, NO, OK]
    assert desk.qty("issued@ward-01", SYRINGE) == 1


def test_what_follows_an_unknown_storeroom_neither_leaves_nor_comes_in(desk: Desk) -> None:
    desk.scan(NURSE, card("TRANSFER"))
    head = desk.ledger.head()
    assert desk.scan(place("NOSUCH"), loose(SYRINGE_GTIN), stent(1)) == [NO, NO, NO]
    assert (desk.last.word, desk.ledger.head()) == (Word.NO_DESTINATION, head)
    assert desk.scan(place("WARD02"), stent(1)) == [OK, OK]
    assert desk.scan(place("NOSUCH"), stent(2)) == [NO, NO]
    assert desk.scan(card("TRANSFER"), loose(SYRINGE_GTIN)) == [OK, OK]


def test_a_number_card_waits_for_its_item_past_a_patient(desk: Desk) -> None:
    assert desk.scan(NURSE, stent(1), card("X5"), PATIENT, loose(SYRINGE_GTIN)) == [OK] * 5
    assert desk.qty("patient@ward-01", SYRINGE) == 5


def test_loose_pieces_scanned_twice_within_a_second_are_taken_once(desk: Desk) -> None:
    assert desk.scan(NURSE, loose(SYRINGE_GTIN)) == [OK, OK]
    assert desk.scan(loose(SYRINGE_GTIN), apart_s=0.4) == [LOOK]
    assert desk.last.word is Word.SCANNED_TWICE
    assert desk.qty("issued@ward-01", SYRINGE) == 1
    assert desk.scan(loose(SYRINGE_GTIN)) == [OK]


def test_an_unknown_product_is_kept_raw_and_blocks_nothing(desk: Desk) -> None:
    assert desk.scan(NURSE, UNKNOWN, f"{UNKNOWN}21X1", stent(1)) == [OK, LOOK, LOOK, OK]
    assert [body["text"] for body in desk.bodies("unknown_label")] == [UNKNOWN, f"{UNKNOWN}21X1"]


@pytest.mark.parametrize("mode", ["RECEIVE", "TRANSFER", "COUNT"])
def test_an_unknown_product_is_kept_raw_whatever_is_being_done(desk: Desk, mode: str) -> None:
    assert desk.scan(NURSE, card(mode), UNKNOWN) == [OK, OK, LOOK]
    assert desk.bodies("unknown_label")[0]["doing"] in {"receiving", "transferring", "counting"}


def test_a_known_product_with_an_unknown_serial_is_taken_as_if_it_had_come_in_unseen(desk: Desk) -> None:
    assert desk.scan(NURSE, stent(99)) == [OK, LOOK]
    assert desk.kinds()[-2:] == ["transfer_in", "issue"]
    assert desk.qty("issued@ward-01", STENT) == 1
    assert desk.scan(stent(99)) == [NO]


def test_a_recalled_lot_needs_the_emergency_card_and_then_opens_a_discrepancy(desk: Desk) -> None:
    desk.write("hold_recall", {"units": [epc_of(1)], "lots": [{"item": SYRINGE, "lot": "A1"}]})
    assert desk.scan(NURSE, stent(1), loose(SYRINGE_GTIN)) == [OK, NO, NO]
    assert desk.last.word is Word.HELD
    assert desk.scan(card("EMERGENCY"), stent(1), loose(SYRINGE_GTIN)) == [OK, LOOK, LOOK]
    assert desk.bodies("issue")[0]["flags"] == ["emergency", "held"]
    assert desk.discrepancies() == ["custody"]
    desk.check()


def test_a_label_that_contradicts_the_book_is_recorded_as_the_book_knows_it(desk: Desk) -> None:
    assert desk.scan(NURSE, stent(1, "OTHER")) == [OK, LOOK]
    (issued,) = desk.bodies("issue")
    assert (issued["flags"], issued["lines"][0]["lot"]) == (["contradicted"], "S1")


def test_a_lot_the_book_does_not_have_is_taken_all_the_same(desk: Desk) -> None:
    assert desk.scan(NURSE, loose(SYRINGE_GTIN, "NEW")) == [OK, LOOK]
    assert (desk.qty("ward-01", SYRINGE, "NEW"), desk.discrepancies()) == (-1, ["negative"])
    desk.check()


@pytest.mark.parametrize("where", ["transit@ward-01", "transit@ward-02", "ward-02"])
def test_a_piece_of_another_ward_comes_through_transit_and_is_taken(desk: Desk, where: str) -> None:
    line = {"item": STENT, "lot": "S1", "qty": 1, "unit": epc_of(1), "source": "ward-01", "source_position": "S1"}
    if where == "ward-02":
        desk.write("put_away", {"lines": [{**line, "target": where}]})
    else:
        desk.write("transfer_out", {"lines": [{**line, "target": where}]})
    assert desk.scan(NURSE, stent(1)) == [OK, LOOK]
    assert desk.bodies("issue")[0]["flags"] == ["implied"]
    assert desk.state(1) == "issued"
    desk.check()


@pytest.mark.parametrize("mode", ["TRANSFER", "RECEIVE"])
def test_a_piece_that_arrives_though_the_book_has_used_it_is_here_and_somebody_should_look(
    desk: Desk, mode: str
) -> None:
    assert desk.scan(NURSE, stent(1), PATIENT, card(mode), stent(1)) == [OK, OK, OK, OK, LOOK]
    assert (desk.state(1), desk.discrepancies()) == ("in_stock", ["custody"])


def test_d4_first_to_expire_is_proposed_and_another_choice_records_a_reason(desk: Desk) -> None:
    desk.stock_loose(SYRINGE, "B2", 20)
    assert desk.scan(NURSE, loose(SYRINGE_GTIN, "B2"), card("WHYASKED"), loose(SYRINGE_GTIN, "B2")) == [OK] * 4
    unsaid, asked = desk.bodies("issue")
    assert (unsaid["proposed"], unsaid["reason"]) == ("A1", "unsaid")
    assert (asked["proposed"], asked["reason"], asked["flags"]) == ("A1", "asked", ["not_first_to_expire"])
    assert desk.scan(loose(SYRINGE_GTIN, "A1")) == [OK]
    assert "proposed" not in desk.bodies("issue")[2]


def test_a_label_without_a_lot_takes_the_first_to_expire_over_as_many_shelves_as_it_needs(desk: Desk) -> None:
    desk.stock_loose(SYRINGE, "B2", 20, "S9")
    assert desk.scan(NURSE, card("X10"), card("X10"), card("X5"), f"]d201{SYRINGE_GTIN}") == [OK] * 5
    assert [(line["lot"], line["qty"]) for line in desk.bodies("issue")[0]["lines"]] == [("A1", 20), ("B2", 5)]


def test_the_next_badge_and_a_long_silence_end_a_visit(desk: Desk) -> None:
    assert desk.scan(NURSE, card("SCRAP"), OTHER) == [OK, OK, OK]
    visits = [desk.visit]
    desk.idle()
    visits.append(desk.visit)
    assert [visit and (visit.actor, visit.doing) for visit in visits] == [("1002", Doing.TAKING), None]
    phases = [body["phase"] for body in desk.bodies("visit")]
    assert phases == ["begin", "doing", "end", "begin", "end"]


def test_an_emergency_without_a_badge_always_works_and_always_leaves_a_record(desk: Desk) -> None:
    texts = [stent(1), stent(7, "OLD", "260228"), loose(SYRINGE_GTIN, "OLD"), UNKNOWN, "what is this", stent(88)]
    assert desk.scan(card("EMERGENCY"), *texts) == [OK, OK, LOOK, LOOK, LOOK, LOOK, LOOK]
    records = desk.bodies("issue") + desk.bodies("unknown_label")
    assert len(records) == len(texts)
    assert all("emergency" in record["flags"] for record in records)
    assert {row[0] for row in desk.ledger.connection.query("SELECT actor FROM ledger WHERE wall > ?", (START,))} == {""}
    desk.check()


def test_an_emergency_takes_one_piece_whatever_number_was_scanned(desk: Desk) -> None:
    assert desk.scan(card("EMERGENCY"), card("X5"), stent(1), loose(SYRINGE_GTIN)) == [OK] * 4
    assert (desk.qty("issued@ward-01", STENT), desk.qty("issued@ward-01", SYRINGE)) == (1, 1)


def test_an_emergency_takes_even_what_the_book_has_used_but_one_piece_once(desk: Desk) -> None:
    assert desk.scan(NURSE, stent(1), PATIENT, OTHER, card("EMERGENCY"), stent(1)) == [OK, OK, OK, OK, OK, LOOK]
    assert desk.scan(stent(1)) == [NO]
    assert desk.discrepancies()
    desk.check()


def test_what_comes_back_lies_on_its_shelf_again_or_on_the_one_that_was_scanned(desk: Desk) -> None:
    assert desk.scan(NURSE, stent(1), stent(2), loose(SYRINGE_GTIN), card("RETURN"), stent(1)) == [OK] * 6
    assert desk.scan(loose(SYRINGE_GTIN), place("S9"), stent(2)) == [OK] * 3
    lain = [body["lines"][0]["target_position"] for body in desk.bodies("return_to_store")]
    assert lain == ["S1", "S2", "S9"]
    desk.check()


def test_shadow_refuses_no_take_and_says_what_it_would_have_refused() -> None:
    desk = Desk(Mode.SHADOW)
    desk.stock_stents(7, lot="OLD", expiry="2026-02-28")
    assert desk.scan(NURSE, stent(7, "OLD", "260228")) == [OK, LOOK]
    assert desk.bodies("issue")[0]["flags"] == ["expired", "shadow"]


def test_i3_no_patient_stands_in_the_ledger(desk: Desk) -> None:
    assert desk.scan(NURSE, stent(1), PATIENT) == [OK, OK, OK]
    (used,) = desk.bodies("use")
    assert len(used["patient"]) == 24
    dump = b"".join(row[0] for row in desk.ledger.connection.query("SELECT body FROM ledger"))
    assert b"P778812345" not in dump


def test_without_a_key_no_patient_is_recorded(desk: Desk) -> None:
    desk.room = type(desk.room)(desk.room.ward)
    assert desk.scan(NURSE, stent(1), PATIENT) == [OK, OK, NO]
    assert desk.last.word is Word.NO_PATIENT_KEY


# --- permits ---


def permit(desk: Desk, state: str, **more: object) -> None:
    desk.feed(Row("policy", "permit", {"version": "7", "permit": state, **more}))


def test_e6_a_take_of_a_suspended_ward_is_recorded_with_the_policy_and_never_refused(desk: Desk) -> None:
    permit(desk, "suspended")
    assert desk.scan(NURSE, stent(1)) == [OK, LOOK]
    (issued,) = desk.bodies("issue")
    assert (issued["policy"], issued["flags"]) == ("7", ["suspended"])


def test_e6_suspended_gates_transfers_and_deliveries_until_they_are_approved(desk: Desk) -> None:
    permit(desk, "suspended")
    lines = [{"item": SYRINGE, "lot": "B2", "qty": 9, "source": "transit@ward-01", "target": "ward-01"}]
    desk.feed(Row("document", "DN1", {"lines": lines}), Row("document", "DN2", {"lines": lines, "approved": True}))
    assert desk.scan(NURSE, note("DN1")) == [OK, NO]
    assert desk.last.word is Word.NEEDS_APPROVAL
    assert desk.scan(note("DN2"), card("TRANSFER"), stent(99)) == [OK, OK, NO]
    assert desk.qty("ward-01", SYRINGE, "B2") == 9


def test_e6_suspended_holds_offline_until_its_lease_ends(desk: Desk) -> None:
    permit(desk, "suspended", lease_until=desk.now + 60_000_000)
    assert desk.scan(NURSE, stent(1)) == [OK, LOOK]
    assert desk.scan(stent(2), apart_s=90) == [OK]
    assert desk.bodies("issue")[1]["policy"] == "7"


def test_a_warned_ward_works_as_ever(desk: Desk) -> None:
    permit(desk, "warned")
    assert desk.scan(NURSE, stent(1), KEEPER) == [OK, OK, OK]
