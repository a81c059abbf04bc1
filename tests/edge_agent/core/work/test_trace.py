"""E4: a piece's whole life is scanned, without a hole. D3: each step stands in the ledger as it is answered.

Central counts the chains; here it is shown that the ordinary work of a ward, two scans in and three out, leaves one.
"""

from edge_agent.store.feed import Row
from protocols.movements.posting import lines_of
from protocols.readers.scanner import Beep
from tests.edge_agent.desk import NURSE, OTHER, PATIENT, STENT, STENT_GTIN, Desk, card, epc_of, note, stent

OK = Beep.OK
EPC = epc_of(70)


def life(desk: Desk) -> list[tuple[str, str, str]]:
    """Every line of the piece: the kind, the person, where it went."""
    rows = desk.ledger.connection.query("SELECT kind, actor, body FROM ledger ORDER BY seq")
    return [
        (kind, actor, line.target) for kind, actor, body in rows for line in lines_of(kind, body) if line.unit == EPC
    ]


def arrived() -> Desk:
    desk = Desk()
    line = {"item": STENT, "lot": "S7", "qty": 1, "unit": EPC, "source": "transit@ward-01", "target": "ward-01"}
    bound = {"epc": EPC, "item": STENT, "gtin": STENT_GTIN, "lot": "S7", "serial": "0070", "expiry": "2027-06-30"}
    desk.feed(Row("document", "DN7", {"lines": [line], "bindings": [bound]}))
    assert desk.scan(NURSE, note("DN7")) == [OK, OK]
    return desk


def test_e4_from_receipt_to_patient_without_a_hole() -> None:
    desk = arrived()
    assert desk.scan(OTHER, stent(70, "S7"), PATIENT) == [OK, OK, OK]
    assert life(desk) == [
        ("ward_receipt", "1001", "ward-01"),
        ("issue", "1002", "issued@ward-01"),
        ("use", "1002", "patient@ward-01"),
    ]
    assert desk.discrepancies() == []


def test_e4_a_piece_used_at_another_visit_than_it_was_issued_has_its_chain_too() -> None:
    desk = arrived()
    assert desk.scan(NURSE, stent(70, "S7"), card("DONE"), OTHER, PATIENT, stent(70, "S7")) == [OK] * 6
    assert [kind for kind, _, _ in life(desk)] == ["ward_receipt", "issue", "use"]
    (used,) = desk.bodies("use")
    assert used["patient"]


def test_e4_a_claimed_piece_has_its_chain_and_the_moment_it_left() -> None:
    desk = arrived()
    left = desk.now
    desk.write("observe", {"epc": EPC, "p": 0.01, "model": "window-1", "since": left})
    assert desk.scan(OTHER, PATIENT, apart_s=4000) == [OK, OK]
    assert [kind for kind, _, _ in life(desk)] == ["ward_receipt", "issue", "use"]
    assert desk.bodies("issue")[0]["occurred_at"] == left


def test_d3_what_is_answered_ok_stands_in_the_ledger_then_and_there() -> None:
    desk = arrived()
    for text in (NURSE, stent(70, "S7"), PATIENT):
        before = desk.ledger.head().seq
        assert desk.scan(text) == [OK]
        assert desk.ledger.head().seq > before
    desk.check()
