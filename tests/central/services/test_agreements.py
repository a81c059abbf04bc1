"""Agreements on a real store: reports, pace, what stops an order and what lets it pass, bargaining, the pack."""

from datetime import date
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import update

from central.core.agreements import Trouble
from central.core.order_checks import Excuse, Finding
from central.core.purchasing import OrderStep
from central.core.rights import Caller
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.agreements import GroupView, equivalents, groups_now, list_bargains
from central.services.approvals import approve_as, routes
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.order_checks import known_at, offers_over
from central.services.vbp_pack import data_of, excel_of, pack_of
from central.store.audit import acts
from central.store.queries_agreements import alerts, bargains
from central.store.queries_work import open_proposals, proposals
from central.store.tables.work import POLICY_RULE
from protocols.values.instant import Instant, from_iso, plus, seconds_between
from protocols.values.money import Money, yuan
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, START, Ward, frozen_clock, write_files
from tests.central.purchases import BATCH, BUYER, DEAR, DOCTOR, GROUP, HEAD, KIT, PLAIN, STORE, buying_hospital, propose

SOON, LATER = plus(START, 60), plus(START, 120)


@pytest.fixture
def at_desk(tmp_path: Path) -> Desk:
    return buying_hospital(tmp_path)


def group_now(at_desk: Desk, agreement: str = BATCH) -> GroupView:
    with at_desk.store.read() as connection:
        (one,) = [row for row in groups_now(connection, HOSPITAL, START) if row.group.agreement == agreement]
    return one


def approve(at_desk: Desk, proposal: str, by: Caller = HEAD) -> str:
    with at_desk.store.read() as connection:
        (one,) = proposals(connection, HOSPITAL, id=proposal)
    return approve_as(by, at_desk.store, HOSPITAL, proposal, LATER, one.version).order_no


def rule(at_desk: Desk, code: str, value: str) -> None:
    with at_desk.store.write() as connection:
        connection.execute(update(POLICY_RULE).where(POLICY_RULE.c.code == code).values(value=value))


def test_c1_c2_a_group_is_reported_by_group_and_its_last_year_is_summed_over_its_products(at_desk: Desk) -> None:
    before = group_now(at_desk)
    assert (before.last_year, before.reported) == (400, None), "200 + 100 selected, 100 dear"
    assert Trouble.NOT_REPORTED in before.troubles
    with pytest.raises(BadInput, match="got 319"):
        at_desk.agreements.report(BUYER, BATCH, GROUP, 319, "", "")
    at_desk.agreements.report(BUYER, BATCH, GROUP, 320, "", "")
    after = group_now(at_desk)
    assert after.reported is not None
    assert after.reported.report.share == Fraction(80, 100)
    assert not {Trouble.NOT_REPORTED, Trouble.REPORTED_LITTLE} & set(after.troubles)
    at_desk.agreements.report(BUYER, BATCH, GROUP, 300, "ward closed", "minutes 3")
    assert Trouble.REPORTED_LITTLE in group_now(at_desk).troubles
    with at_desk.store.read() as connection:
        assert sum(one.act == "report-volume" for one in acts(connection, HOSPITAL)) == 2


def test_what_is_told_of_last_year_with_the_batch_goes_before_a_sum(at_desk: Desk) -> None:
    assert group_now(at_desk, "VBP-6").last_year == 300


def test_c3_c4_pace_is_of_selected_products_and_the_share_of_all(at_desk: Desk) -> None:
    one = group_now(at_desk)
    assert (one.received, one.held) == (60, 0)
    assert one.pace is not None
    assert one.pace.completed == Fraction(60, 400)
    assert one.pace.elapsed == Fraction(61, 365)
    assert one.bought.share_of_qty == Fraction(60, 80)
    assert one.bought.share_of_amount == Fraction(16080, 16080 + 9600)
    assert {Trouble.BEHIND, Trouble.UNSELECTED} <= set(one.troubles)


def test_a7_a_price_over_the_winning_price_is_blocked_and_no_waiver_helps(at_desk: Desk) -> None:
    with at_desk.store.read() as connection:
        (over,) = offers_over(connection, HOSPITAL, START)
    assert (over.item, over.supplier, over.winning) == (KIT, "S01", yuan("268"))
    propose(at_desk, KIT, "S02", yuan("268.01"))
    with pytest.raises(NotNow, match="winning-price"):
        approve(at_desk, "aaaa1111")
    with pytest.raises(BadInput, match="never let pass"):
        at_desk.agreements.waive(BUYER, Finding.WINNING_PRICE, KIT, "S02", Excuse.MEDICAL, "", date(2026, 4, 1))
    propose(at_desk, DEAR, "S01", yuan("268"), id="bbbb2222")
    assert approve(at_desk, "bbbb2222").startswith("PO-")


def test_c5_a_dear_product_not_selected_needs_a_medical_reason_of_somebody_else_and_is_logged(at_desk: Desk) -> None:
    propose(at_desk, DEAR, "S01", yuan("480"))
    with pytest.raises(NotNow, match="high-price"):
        approve(at_desk, "aaaa1111")
    for caller in (BUYER, STORE):
        with pytest.raises(NotAllowed):
            at_desk.agreements.waive(caller, Finding.HIGH_PRICE, DEAR, "S01", Excuse.MEDICAL, "", date(2026, 4, 1))
    with pytest.raises(BadInput, match="expected a medical one"):
        at_desk.agreements.waive(DOCTOR, Finding.HIGH_PRICE, DEAR, "S01", Excuse.RENEWAL, "", date(2026, 4, 1))
    mine = at_desk.agreements.waive(HEAD, Finding.HIGH_PRICE, DEAR, "S01", Excuse.MEDICAL, "", date(2026, 4, 1))
    with pytest.raises(NotAllowed, match="did not give the waiver"):
        approve(at_desk, "aaaa1111")
    order = approve(at_desk, "aaaa1111", BUYER)
    with at_desk.store.read() as connection:
        (told,) = alerts(connection, HOSPITAL, START, plus(START, 300))
    assert (told.order_no, told.finding, told.mode, told.waiver) == (order, "high-price", "block", mine)


def test_a11_c6_an_order_off_the_platform_is_told_or_stopped_by_policy_and_listed(at_desk: Desk) -> None:
    propose(at_desk, PLAIN, "S02", yuan("240"))
    with at_desk.store.read() as connection:
        asked = routes(connection, HOSPITAL, open_proposals(connection, HOSPITAL), SOON)
    assert "alert" in asked["aaaa1111"].failed, "never automatic"
    rule(at_desk, "check.off-platform", "2")
    with pytest.raises(NotNow, match="off-platform"):
        approve(at_desk, "aaaa1111")
    rule(at_desk, "check.off-platform", "1")
    order = approve(at_desk, "aaaa1111")
    with at_desk.store.read() as connection:
        pack = pack_of(connection, HOSPITAL, "2026Q1", plus(START, 300))
    assert [(one.alert.order_no, one.item) for one in pack.off_platform] == [(order, PLAIN)]


def test_c9_code_and_list_price_of_the_platform_are_those_in_force_on_the_day(at_desk: Desk, tmp_path: Path) -> None:
    head = "platform_code,valid_from,valid_to,item,supplier,list_price_yuan,insurance_code\n"
    versions = "YP1,2026-01-01,2026-06-30,HC-GAUZE,,0.90,\nYP1-NEW,2026-08-01,,HC-GAUZE,,0.75,\n"
    files = {"platform_items.csv": head + versions}
    import_folder(at_desk.store, HOSPITAL, write_files(tmp_path / "codes", files), frozen_clock())

    def told(at: str) -> list[str]:
        with at_desk.store.read() as connection:
            known = known_at(connection, HOSPITAL, from_iso(at))
            return [str(one.found.finding) for one in known.of("HC-GAUZE", "S01", yuan("0.80"))]

    assert told("2026-06-30T12:00:00+08:00") == []
    assert told("2026-07-15T12:00:00+08:00") == ["off-platform"], "the old code is over, the new one has not begun"
    assert told("2026-08-01T12:00:00+08:00") == ["list-price"], "under the new one it costs less"


def test_a6_a_price_over_the_framework_agreement_and_one_after_its_end_are_told(at_desk: Desk) -> None:
    def told(price: str, at: str) -> list[str]:
        with at_desk.store.read() as connection:
            known = known_at(connection, HOSPITAL, from_iso(at))
            return [str(one.found.finding) for one in known.of("HC-GAUZE", "S01", yuan(price))]

    assert told("0.85", "2026-06-30T12:00:00+08:00") == []
    assert told("0.85", "2026-07-01T12:00:00+08:00") == ["agreement-price"]
    assert told("0.80", "2027-01-01T12:00:00+08:00") == ["agreement-over"]


def test_a5_the_half_years_list_is_made_once_and_a_price_reached_is_noted_once(at_desk: Desk) -> None:
    with at_desk.store.write() as connection:
        assert list_bargains(connection, HOSPITAL, START) == 1
        assert list_bargains(connection, HOSPITAL, LATER) == 0
    with at_desk.store.read() as connection:
        (line,) = bargains(connection, HOSPITAL, "2026H1")
    assert (line.item, line.spent, line.after) == ("HC-GAUZE", yuan("500000"), None)
    with pytest.raises(BadInput):
        at_desk.agreements.settle(BUYER, "2026H1", "HC-GAUZE", Money(line.before + 1))
    with pytest.raises(NotThere):
        at_desk.agreements.settle(BUYER, "2026H1", "HC-VALVE", Money(1))
    at_desk.agreements.settle(BUYER, "2026H1", "HC-GAUZE", Money(line.before * 95 // 100))
    with pytest.raises(NotNow, match="settled before"):
        at_desk.agreements.settle(BUYER, "2026H1", "HC-GAUZE", Money(1))


def test_c7_the_quarters_pack_says_the_same_in_excel_and_in_data(at_desk: Desk) -> None:
    at_desk.agreements.report(BUYER, BATCH, GROUP, 320, "", "")
    with at_desk.store.read() as connection:
        pack = pack_of(connection, HOSPITAL, "2026Q1", START)
    data, book = data_of(pack), load_workbook(BytesIO(excel_of(pack)))
    sheets = data["sheets"]
    assert isinstance(sheets, dict)
    assert [title[0] for title in sheets] == ["1", "2", "3", "4", "5", "6"]
    assert book.sheetnames == list(sheets)
    assert sheets["1 报量 reported"] == [
        {
            "agreement": BATCH, "group": GROUP, "name": "中心静脉导管", "last year": 400, "reported": 320,
            "share": 0.8, "reason": "",
        }
    ]  # fmt: skip
    assert sheets["2 进度 pace"][0] | {"elapsed": 0} == {
        "agreement": BATCH, "group": GROUP, "agreed": 400, "received": 60, "used": 0, "elapsed": 0,
        "completed": 0.15, "forecast": 0.15, "days of stock": None,
    }  # fmt: skip
    assert [cell.value for cell in book["1 报量 reported"][2]][:6] == [BATCH, GROUP, "中心静脉导管", 400, 320, 0.8]
    with at_desk.store.read() as connection, pytest.raises(BadInput, match="has begun"):
        pack_of(connection, HOSPITAL, "2026Q2", START)


def test_c7_the_pack_of_a_quarter_that_is_over_is_the_same_whatever_comes_afterwards(at_desk: Desk) -> None:
    """The figures of the last of March, asked for in April, in May and after everything has changed since."""
    ward, store = Ward(at_desk.store), at_desk.store
    at_desk.agreements.report(BUYER, BATCH, GROUP, 320, "", "")
    ward.receive(KIT, "K1", 40, 100)
    ward.say("issue", {"lines": [issued(KIT, "K1", 5)]}, 200, actor="N1001")
    propose(at_desk, PLAIN, "S01", yuan("100"))
    order = approve(at_desk, "aaaa1111")
    april, may = from_iso("2026-04-01T00:00:00+08:00"), from_iso("2026-05-20T09:00:00+08:00")
    first = pack_at(at_desk, april)
    (pace,) = [one for one in first["sheets"]["2 进度 pace"] if one["agreement"] == BATCH]
    assert (pace["received"], pace["used"], first["as_of"]) == (100, 5, "2026-03-31"), "60 before, 40 here"
    later_s = seconds_between(START, april) + 3600
    ward.say("issue", {"lines": [issued(KIT, "K1", 7)]}, later_s, actor="N1001")
    march = {"lines": [issued(KIT, "K1", 3)], "occurred_at": plus(START, 86_400)}
    ward.say("issue", march, later_s + 60, actor="N1001")
    at_april = desk(store, Watch(plus(april, 7200)))
    at_april.agreements.report(BUYER, BATCH, GROUP, 300, "ward closed", "minutes 3")
    at_april.purchasing.step(HEAD, order, OrderStep.CANCEL, {"reason": "not needed"})
    assert pack_at(at_desk, may) == first, "what was issued, heard of, reported and cancelled since changes nothing"
    with store.read() as connection:
        (now,) = [row for row in groups_now(connection, HOSPITAL, may) if row.group.agreement == BATCH]
        known = [row for row in groups_now(connection, HOSPITAL, may, known=april) if row.group.agreement == BATCH]
    assert now.used == 15, "and of now it is all of it"
    assert known[0].held == 35
    assert now.held == 25
    (next_pace,) = [
        one for one in pack_at(at_desk, may, "2026Q2")["sheets"]["2 进度 pace"] if one["agreement"] == BATCH
    ]
    assert next_pace["used"] == 15, "what came too late for March stands in the sums of the next quarter"


def issued(item: str, lot: str, qty: int) -> dict[str, object]:
    return {"item": item, "lot": lot, "qty": qty, "source": "ward-01", "target": "issued@ward-01"}


def pack_at(at_desk: Desk, now: Instant, quarter: str = "2026Q1") -> dict[str, Any]:
    with at_desk.store.read() as connection:
        return data_of(pack_of(connection, HOSPITAL, quarter, now))


def test_c8_selected_products_are_shown_first_and_one_over_its_price_last(at_desk: Desk) -> None:
    with at_desk.store.read() as connection:
        shown = [(one.item, one.selected) for one in equivalents(connection, HOSPITAL, DEAR, date(2026, 3, 2))]
        with pytest.raises(NotThere):
            equivalents(connection, HOSPITAL, "HC-NONE", date(2026, 3, 2))
    assert shown == [(KIT, True), (PLAIN, False), (DEAR, False)]
