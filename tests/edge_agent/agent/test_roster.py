"""The unattended round: holds, unclaimed takes, the daily check by readers, duties done, late and missed."""

import io
from dataclasses import dataclass, field

import pytest

from edge_agent.agent.roster import Roster
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.work.words import Word
from edge_agent.store.feed import Row
from protocols.readers.reads import RoundEnded
from protocols.readers.scanner import Beep
from protocols.values.hlc import Hlc
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, StoryTime, from_iso, plus
from tests.edge_agent.conftest import START
from tests.edge_agent.desk import KEEPER, NURSE, OTHER, PATIENT, STENT, SYRINGE, Desk, card, epc_of, note, stent


@dataclass
class Round:
    """One desk, and its round at story times of the test's choice. START is 16:00."""

    desk: Desk = field(default_factory=Desk)
    ns: int = 0
    claims: bool = True

    def __post_init__(self) -> None:
        clock = Clock(StoryTime(START, 1.0, 0), monotonic_ns=lambda: self.ns)
        self.roster = Roster(PlaceId("ward-01"), clock=clock, voice=Voice(clock, io.StringIO()), claims=self.claims)
        self.pen = Pen(clock, Hlc(0))

    def go(self, text: str, *, reader: bool = True) -> list[str]:
        """Let it be a time of March and look; returns the kinds written."""
        return self.go_to(from_iso(f"2026-03-{text}:00+08:00"), reader=reader)

    def go_to(self, at: Instant, *, reader: bool = True) -> list[str]:
        """Let it be any time and look; returns the kinds written."""
        self.ns = (at - START) * 1000
        self.desk.scribe.now = at
        if reader:
            self.roster.hear(RoundEnded(at, (1,)))
        before = len(self.desk.kinds())
        self.roster.write(self.desk.ledger, self.pen)
        self.desk.check()
        return self.desk.kinds(before)

    def duties(self) -> list[tuple[str, str]]:
        return [(body["duty"], body["state"]) for body in self.desk.bodies("duty")]


@pytest.fixture
def round_() -> Round:
    made = Round()
    made.desk.stock_stents(1, 2, 3)
    return made


def gone(desk: Desk, serial: int) -> None:
    desk.write("observe", {"epc": epc_of(serial), "p": 0.01, "model": "window-1", "since": desk.now})


def test_i5_an_unscanned_take_is_a_discrepancy_only_if_unclaimed_at_the_end_of_the_shift(round_: Round) -> None:
    gone(round_.desk, 1)
    gone(round_.desk, 2)
    assert round_.go("02T19:00") == []
    assert round_.desk.scan(NURSE, stent(2), card("DONE")) == [Beep.OK] * 3
    assert round_.go("02T20:00") == ["discrepancy", "duty"]
    (told,) = round_.desk.bodies("discrepancy")
    assert (told["sort"], told["unit"]) == ("unclaimed", epc_of(1))
    assert round_.go("03T06:00") == []
    assert round_.desk.scan(NURSE, card("CLAIM"), card("DONE")) == [Beep.OK] * 3
    assert round_.go("03T06:30") == ["discrepancy"]
    open_now = round_.desk.ledger.connection.query("SELECT 1 FROM discrepancy WHERE closed_event_id = x''")
    assert open_now == []


def test_i5_a_patients_code_claims_nothing_of_a_shift_that_is_over(round_: Round) -> None:
    gone(round_.desk, 1)
    assert round_.go("02T20:00") == ["discrepancy", "duty"]
    assert round_.desk.scan(NURSE, PATIENT, stent(2)) == [Beep.OK] * 3
    assert [round_.desk.state(serial) for serial in (1, 2)] == ["in_stock", "used"]
    assert round_.desk.scan(OTHER, card("CLAIM")) == [Beep.OK] * 2
    assert round_.desk.state(1) == "issued"


def test_e1_the_daily_check_runs_unattended_and_names_its_cut_and_what_is_gone(round_: Round) -> None:
    round_.go("02T20:00")
    gone(round_.desk, 3)
    assert round_.go("03T07:00") == ["count_daily", "duty"]
    (check,) = round_.desk.bodies("count_daily")
    assert [line["unit"] for line in check["lines"]] == [epc_of(3)]
    rows = round_.desk.ledger.connection.query("SELECT hex(event_id) FROM ledger ORDER BY seq DESC LIMIT 3")
    assert check["cut"] == rows[2][0].lower()
    assert round_.duties()[-1] == ("daily_check", "done")
    assert round_.go("03T07:05") == []


def test_e1_without_a_reader_at_work_the_check_waits_is_late_and_is_missed_at_midnight(round_: Round) -> None:
    round_.go("02T20:00")
    assert round_.go("03T07:00", reader=False) == []
    round_.go("03T11:00")
    assert ("daily_check", "late") in round_.duties()
    round_.go("04T07:00", reader=False)
    round_.go("05T00:30", reader=False)
    assert ("daily_check", "missed") in round_.duties()


def test_e1_a_check_that_waits_is_made_as_soon_as_a_reader_is_at_work(round_: Round) -> None:
    round_.go("02T20:00")
    assert round_.go("03T07:00", reader=False) == []
    round_.ns += 40 * 10**9
    assert not round_.roster.due
    round_.roster.hear(RoundEnded(from_iso("2026-03-03T07:00:40+08:00"), (1,)))
    assert round_.roster.due


def test_e1_a_person_s_count_is_a_daily_check_too(round_: Round) -> None:
    round_.go("02T20:00")
    round_.go("03T07:00", reader=False)
    round_.desk.scribe.now = from_iso("2026-03-03T08:00:00+08:00")
    round_.desk.scan(NURSE, card("COUNT"), stent(1), card("COUNT"))
    round_.go("03T08:30", reader=False)
    assert ("daily_check", "done") in round_.duties()


def test_e1_an_agent_off_for_a_week_says_what_was_missed_once(round_: Round) -> None:
    round_.go("09T12:00", reader=False)
    missed = [state for duty, state in round_.duties() if duty == "daily_check"]
    assert missed == ["missed"] * 6
    assert round_.go("09T12:30", reader=False) == []


def test_e1_the_weekly_reconcile_is_signed_by_the_keeper_and_is_done_late_or_missed(round_: Round) -> None:
    assert ("weekly_reconcile", "missed") not in round_.duties()
    round_.go("06T12:00")
    assert round_.desk.scan(KEEPER, card("RECONCILE"), card("DONE")) == [Beep.OK] * 3
    round_.go("06T12:30")
    assert ("weekly_reconcile", "done") in round_.duties()
    round_.go("17T09:00")
    assert round_.desk.scan(KEEPER, card("RECONCILE"), card("DONE")) == [Beep.OK] * 3
    round_.go("17T09:30")
    round_.go("27T09:00")
    told = [state for duty, state in round_.duties() if duty == "weekly_reconcile"]
    assert told == ["signed", "done", "signed", "late", "missed"]


def test_e1_the_reconcile_holds_documents_against_documents_and_signs_what_is_open(round_: Round) -> None:
    desk = round_.desk
    lines = [{"item": SYRINGE, "lot": "B2", "qty": 10, "source": "transit@ward-01", "target": "ward-01"}]
    desk.feed(Row("document", "DN1", {"lines": lines}), Row("document", "DN2", {"lines": lines}))
    assert desk.scan(NURSE, note("DN1"), stent(1), stent(2), PATIENT, NURSE, stent(3)) == [Beep.OK] * 7
    assert desk.scan(card("RECONCILE")) == [Beep.NO]
    assert desk.last.word is Word.NOT_YOURS
    assert desk.scan(KEEPER, card("RECONCILE")) == [Beep.OK, Beep.LOOK]
    said = desk.bodies("duty")[-1]
    assert (said["state"], said["due"]) == ("signed", 0)
    assert "1 deliveries received, 3 taken, 2 used, 0 given back; open: 1 deliveries, 1 in hands" in said["said"]
    assert desk.scan(NURSE, card("RETURN"), stent(3), card("ISSUE"), note("DN2")) == [Beep.OK] * 5
    assert desk.scan(KEEPER, card("RECONCILE")) == [Beep.OK, Beep.OK]
    assert "1 deliveries received, 0 taken, 0 used, 1 given back; all even" in desk.bodies("duty")[-1]["said"]
    desk.check()


def test_d8_f1_expired_near_expiry_and_recalled_goods_are_held_once_and_other_classes_left_alone() -> None:
    desk = Desk()
    glue = {"name_zh": "生物胶", "scrap_before_months": 3, "products": [{"code": "06999990101023"}]}
    desk.feed(
        Row("item", "GLUE", glue),
        Row("lot", "GLUE N1", {"expiry": "2026-06-01"}),
        Row("lot", "GLUE F1", {"expiry": "2026-06-30"}),
        Row("recall", "R1", {"item": STENT, "lot": "BAD"}),
    )
    for item, lot in (("GLUE", "N1"), ("GLUE", "F1"), (SYRINGE, "A1"), (SYRINGE, "OLD")):
        desk.stock_loose(item, lot, 5)
    desk.stock_stents(1)
    desk.stock_stents(2, lot="BAD")
    desk.stock_stents(3, lot="DUE", expiry="2026-02-01")
    round_ = Round(desk)
    assert sorted(round_.go("02T16:30")) == ["hold_expired", "hold_near_expiry", "hold_recall"]
    rows = desk.ledger.connection.query("SELECT item, lot, kind FROM lot_held ORDER BY item")
    assert rows == [("GLUE", "N1", "hold_near_expiry"), (SYRINGE, "OLD", "hold_expired")]
    assert [desk.state(serial) for serial in (1, 2, 3)] == ["in_stock", "held", "held"]
    assert round_.go("02T17:00") == []
    assert desk.scan(NURSE, stent(2, "BAD")) == [Beep.OK, Beep.NO]


def test_the_round_looks_once_a_minute_of_the_story() -> None:
    round_ = Round()
    dues = [round_.roster.due]
    round_.go("02T16:30")
    dues.append(round_.roster.due)
    round_.ns += 61 * 10**9
    assert [*dues, round_.roster.due] == [True, False, True]


def test_a_storeroom_without_claims_keeps_no_shifts() -> None:
    round_ = Round(claims=False)
    round_.desk.stock_stents(1)
    gone(round_.desk, 1)
    assert round_.go("02T20:30") == []
    assert round_.go("03T07:00") == ["count_daily", "duty"]


def test_a_date_that_cannot_be_true_holds_no_stock_and_misses_no_duty(round_: Round) -> None:
    """A clock set to 2039 for one life held a storeroom's whole stock as expired."""
    assert round_.go("02T20:00") == ["duty"]
    assert round_.go_to(from_iso("2039-05-01T09:00:00+08:00")) == []
    assert round_.go("03T07:00") == ["count_daily", "duty"]
    assert [round_.desk.state(serial) for serial in (1, 2, 3)] == ["in_stock"] * 3


def test_beside_centrals_time_a_clock_a_week_ahead_is_not_believed_and_a_long_sleep_is(round_: Round) -> None:
    round_.go("02T20:00")
    round_.roster.central_now = lambda: from_iso("2026-03-03T07:00:00+08:00")
    assert round_.go("10T07:00") == []
    later = from_iso("2026-06-03T07:00:00+08:00")
    round_.roster.central_now = lambda: plus(later, 60.0)
    assert "duty" in round_.go_to(later)


def test_a_days_end_says_how_much_of_the_day_each_antenna_listened(round_: Round) -> None:
    round_.roster.tell_of(lambda period_us: {"r1:1": period_us // 3_600_000_000})
    round_.go("02T20:00")
    assert "duty" in round_.go("03T00:01")
    assert round_.go("03T00:30") == []
    round_.go("06T12:00")
    told = [body for body in round_.desk.bodies("duty") if body["duty"] == "day_end"]
    assert [(body["state"], body["heard"]["r1:1"] > 0) for body in told] == [("done", True), ("late", True)]
