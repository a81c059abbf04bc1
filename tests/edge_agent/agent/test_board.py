"""What the panel shows: who is here, the last scan and why it was refused, what is next, what waits, what to count."""

import json

import pytest

from edge_agent.agent.board import State, board
from edge_agent.agent.counter import Answer
from edge_agent.core.work.scene import Room
from edge_agent.store.feed import Row
from protocols.values.instant import Instant
from tests.edge_agent.desk import KEEPER, NURSE, PATIENT, SYRINGE, SYRINGE_GTIN, Desk, card, epc_of, loose, stent


class Shown(Desk):
    """A desk whose every answer goes to the panel."""

    blind = False

    def board(self) -> State:
        room = Room(self.room.ward, patient_key=self.room.patient_key, blind_counts=self.blind)
        visits = {} if self.visit is None else {"s1": self.visit}
        answers = [Answer("s1", self.now, decision) for decision in self.said]
        shown = board(self.ledger, room, visits, answers, self.now)
        assert json.loads(json.dumps(shown)) == shown
        return shown


@pytest.fixture
def desk() -> Shown:
    desk = Shown()
    desk.stock_stents(1, 2, 3)
    desk.stock_loose(SYRINGE, "A1", 20)
    return desk


def test_before_anybody_comes_a_badge_is_what_is_next(desk: Shown) -> None:
    shown = desk.board()
    assert (shown["visits"], shown["answers"], shown["count"]) == ([], [], None)
    assert [one["zh"] for one in shown["next"]] == ["工牌", "应急码"]


def test_a_refusal_is_told_in_both_languages_with_the_items_name(desk: Shown) -> None:
    desk.scan(NURSE, stent(1), stent(1), card("RETURN"), PATIENT)
    newest, _, twice = desk.board()["answers"][:3]
    assert (newest["beep"], twice["beep"]) == ("no", "no")
    assert newest["zh"] == "退回 时不能扫 患者码；应扫 物资、库房或货位码、工牌"
    assert newest["en"] == "a patient does not fit while returning; expected an item, a place, a badge"
    assert "已由 1001" in twice["zh"]
    desk.scan(card("ISSUE"), loose(SYRINGE_GTIN))
    taken = desk.board()["answers"][0]
    assert (taken["beep"], taken["zh"]) == ("ok", "1001 领用 注射器 批号 A1 数量 1")


def test_a_nurse_is_offered_no_card_that_only_a_keeper_may_use(desk: Shown) -> None:
    offered = []
    for badge in (NURSE, KEEPER):
        desk.scan(badge)
        offered.append({one["en"] for one in desk.board()["next"]})
    assert offered[1] - offered[0] == {"the card ADJUST", "the card RECONCILE", "the card SCRAP"}


def test_who_is_here_what_is_being_done_and_how_much_was_taken(desk: Shown) -> None:
    desk.scan(NURSE, stent(1), card("X5"), loose(SYRINGE_GTIN), PATIENT)
    (visit,) = desk.board()["visits"]
    assert (visit["actor"], visit["doing_zh"], visit["taken"], visit["patient"]) == ("1001", "领用", 6, True)


def test_what_waits_to_be_claimed_is_listed_and_what_one_scan_would_claim_is_marked(desk: Shown) -> None:
    for serial, later_s in ((1, 0), (2, 4000)):
        since = Instant(desk.now + later_s * 1_000_000)
        desk.write("observe", {"epc": epc_of(serial), "p": 0.01, "model": "window-1", "since": since})
    marked = {one["unit"]: one["proposed"] for one in desk.board()["unclaimed"]}
    assert marked == {epc_of(1): True, epc_of(2): False}


def test_the_count_list_leads_to_what_is_left_and_a_blind_one_tells_no_book(desk: Shown) -> None:
    desk.scan(NURSE, card("COUNT"), stent(1))
    count = desk.board()["count"]
    assert (count["done"], count["of"], len(count["lines"])) == (1, 4, 3)
    assert {line["book"] for line in count["lines"]} == {1, 20}
    desk.blind = True
    assert {line["book"] for line in desk.board()["count"]["lines"]} == {None}


def test_a_suspended_storeroom_says_so(desk: Shown) -> None:
    desk.feed(Row("policy", "permit", {"version": "7", "permit": "suspended", "lease_until": desk.now + 60_000_000}))
    assert (desk.board()["permit"], desk.board()["stale"]) == ("suspended", False)
    desk.scribe.now = Instant(desk.now + 61_000_000)
    assert (desk.board()["permit"], desk.board()["stale"]) == ("normal", True)


def test_no_patient_is_shown(desk: Shown) -> None:
    desk.scan(NURSE, PATIENT, stent(1))
    assert "P778812345" not in json.dumps(desk.board())
