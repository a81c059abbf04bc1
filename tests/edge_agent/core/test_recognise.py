"""A badge opens a visit, an item in a visit is an issue, and a refusal writes nothing."""

import pytest

from edge_agent.core.book import effect_of
from edge_agent.core.custody import Act
from edge_agent.core.recognise import (
    CustodyOf,
    Decision,
    Facts,
    OnShelf,
    Visit,
    decide,
    end_visit,
    meaning_of,
)
from protocols.codes.gs1 import FNC1
from protocols.codes.label import CommandName, make_badge, make_command
from protocols.entry import encode_body
from protocols.movements import Binding
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId, PlaceId, UnitId
from protocols.values.instant import from_iso, plus

WARD = PlaceId("ward-01")
NOW = from_iso("2026-03-02T16:05:00+08:00")
NURSE = Visit(ActorId("1001"), plus(NOW, -60))
EPC = "30340242201D8D4000000001"
ITEM = "]d2" + "0109506000134352" + "10L1" + FNC1 + "2142"
BOUND = Binding(EPC, "C001", "09506000134352", "L1", "42", "2027-01-31")
IN_STOCK = CustodyOf(UnitId(EPC), "in_stock", WARD, NOW, ActorId(""))
SHELF = OnShelf("S3", "C001", "L1", "hospital")
KNOWN = Facts((BOUND,), IN_STOCK, SHELF)


def scan(text: str, visit: Visit | None = NURSE, facts: Facts = KNOWN) -> Decision:
    return decide(meaning_of(text), visit=visit, facts=facts, ward=WARD, now=NOW)


def test_a_badge_opens_a_visit() -> None:
    decision = scan(make_badge(ActorId("1001")), visit=None)
    assert decision.beep is Beep.OK
    assert decision.visit == Visit(ActorId("1001"), NOW)
    assert [(draft.kind, draft.body, draft.actor) for draft in decision.drafts] == [
        ("visit", {"phase": "begin"}, "1001")
    ]


def test_the_next_badge_ends_the_visit_before_it() -> None:
    decision = scan(make_badge(ActorId("1002")))
    assert decision.visit == Visit(ActorId("1002"), NOW)
    assert [(draft.body["phase"], draft.actor) for draft in decision.drafts] == [("end", "1001"), ("begin", "1002")]


def test_an_item_in_a_visit_is_issued_from_its_shelf_into_the_persons_hand() -> None:
    decision = scan(ITEM)
    assert decision.beep is Beep.OK
    assert decision.visit == Visit(ActorId("1001"), NOW)
    (draft,) = decision.drafts
    effect = effect_of(draft.kind, encode_body(draft.body))
    assert [(key.place, key.position, key.unit, qty) for key, qty in effect.deltas] == [
        ("ward-01", "S3", EPC, -1),
        ("issued@ward-01", "", EPC, 1),
    ]
    assert [(moved.act, moved.target) for moved in effect.moved] == [(Act.ISSUE, "issued@ward-01")]


def test_the_card_done_ends_the_visit() -> None:
    decision = scan(make_command(CommandName.DONE))
    assert (decision.beep, decision.visit) == (Beep.OK, None)
    assert decision.drafts == (end_visit(NURSE),)


TAKEN = CustodyOf(UnitId(EPC), "issued", PlaceId("issued@ward-01"), NOW, ActorId("1007"))
ELSEWHERE = CustodyOf(UnitId(EPC), "in_transit", PlaceId("transit@ward-02"), NOW, ActorId("1007"))
TWIN = Binding(EPC[:-1] + "2", "C001", "09506000134352", "L1", "42")


@pytest.mark.parametrize(
    ("text", "visit", "facts", "why"),
    [
        (ITEM, None, KNOWN, "expected a badge first"),
        (ITEM, NURSE, Facts(), "it is unknown"),
        (ITEM, NURSE, Facts((BOUND,), TAKEN), "already taken by 1007 at 2026-03-02T16:05:00+08:00"),
        (ITEM, NURSE, Facts((BOUND,), ELSEWHERE), "it is in_transit at transit@ward-02"),
        (ITEM, NURSE, Facts((BOUND,)), "it was never received"),
        (ITEM, NURSE, Facts((BOUND, TWIN)), "2 carry it"),
        ("]d20109506000134352", NURSE, KNOWN, "expected a product (01) and a serial number (21)"),
        ("]d20109506000134353", NURSE, KNOWN, "check digit"),
        ("hello", NURSE, KNOWN, "expected a product's label, a badge or a command"),
        ("WSB110010", NURSE, KNOWN, "check character"),
        (make_command(CommandName.SCRAP), NURSE, KNOWN, "not built yet"),
        (make_command(CommandName.DONE), None, KNOWN, "nobody has scanned a badge"),
    ],
)
def test_a_refusal_says_why_and_writes_nothing(text: str, visit: Visit | None, facts: Facts, why: str) -> None:
    decision = scan(text, visit, facts)
    assert decision.beep is Beep.NO
    assert decision.drafts == ()
    assert why in decision.message
    assert (decision.visit is None) == (visit is None)


def test_a_refusal_keeps_the_visit_alive() -> None:
    decision = scan("hello")
    assert decision.visit == Visit(ActorId("1001"), NOW)
    assert decision.visit is not None
    assert decision.visit.ends_at(1800) == plus(NOW, 1800)
