"""What the engine may order: empty bins, items on request, winning prices, barred suppliers, retired items, classes."""

from pathlib import Path

import pytest
from sqlalchemy import text

from central.core.catalogue import ItemStep
from central.core.policy import rules_on
from central.core.purchasing import OrderStep
from central.core.reorder import POLICIES
from central.core.reorder.abc import Class
from central.core.suppliers import CaseKind, CaseStep
from central.services.admitted import admit, bins_at
from central.services.approvals import approve_as
from central.services.catalogue import classify_month
from central.services.cycle import cycle_of
from central.services.desk import Desk
from central.services.foresight import foresight_at
from central.services.imports import import_folder
from central.services.positions import scene_at
from central.services.reasons import names_now
from central.services.replenish import replenish
from central.store.queries_catalogue import classes_now
from central.store.queries_master import policy_rows
from central.store.queries_work import Proposal, open_proposals
from protocols.values.instant import Instant, business_day, from_iso, plus
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, HOSPITAL, START, Ward, frozen_clock, use_file, write_files
from tests.central.purchases import BUYER, CATALOGUE_FILES, DEAR, HEAD, KIT, PLAIN, buying_hospital

BIN = 50
SOON = plus(START, 60)


def used_daily(folder: Path, **daily: int) -> Desk:
    """A hospital whose ward-01 uses so much of some items a day."""
    made = buying_hospital(folder)
    files = {"use.csv": use_file({name.replace("_", "-"): qty for name, qty in daily.items()})}
    import_folder(made.store, HOSPITAL, write_files(folder / "use", files), frozen_clock())
    return made


def proposed(at_desk: Desk, now: Instant = SOON, policy: str = "3x") -> dict[tuple[str, str], Proposal]:
    done = replenish(at_desk.store, HOSPITAL, now, policy=policy, run=f"replenish:{now}")
    assert done.failed == ()
    with at_desk.store.read() as connection:
        return {(one.place, one.item): one for one in open_proposals(connection, HOSPITAL)}


def stocked(at_desk: Desk, *items: str) -> None:
    """Let the ward's shelf be known to be empty of some items."""
    ward = Ward(at_desk.store, "ward-01")
    for number, item in enumerate(items):
        ward.receive(item, "L", 1, number)
        line = {"item": item, "lot": "L", "qty": 1, "source": "ward-01", "target": "issued@ward-01"}
        ward.say("issue", {"lines": [line]}, number + 0.5, actor="N1001")


def test_an_empty_bin_is_proposed_once_and_says_so(tmp_path: Path) -> None:
    at_desk = buying_hospital(tmp_path)
    ward = Ward(at_desk.store)
    body = {"item": GAUZE, "qty": BIN, "card": "C-1"}
    ward.say("need", body, 10)
    ward.say("need", body, 20)
    (one,) = proposed(at_desk).values()
    assert (one.place, one.item, one.qty, one.source) == ("ward-01", GAUZE, BIN, "main-store")
    with at_desk.store.read() as connection:
        said = names_now(connection, HOSPITAL).said(GAUZE, one.source, one.reason)
    assert said == (
        "空箱待补 50 片，建议向 一级库 订 50 片，1 天到货。",
        "Empty bins ask for 50 piece; order 50 from Central store, in 1 day.",
    )
    approve_as(HEAD, at_desk.store, HOSPITAL, one.id, plus(START, 100), one.version)
    ward.say("need", body, 200)
    assert proposed(at_desk, plus(START, 300)) == {}, "on its way"
    line = {"item": GAUZE, "lot": "G1", "qty": BIN, "source": "transit@ward-01", "target": "ward-01"}
    ward.say("transfer_in", {"lines": [line]}, 400, actor="N1001")
    assert proposed(at_desk, plus(START, 500)) == {}
    ward.say("need", body, 90_000)
    (again,) = proposed(at_desk, plus(START, 90_100)).values()
    assert again.qty == BIN
    with at_desk.store.read() as connection:
        assert bins_at(connection, HOSPITAL, plus(START, 90_100)) == {("ward-01", GAUZE): BIN}


@pytest.mark.parametrize("policy", sorted(POLICIES))
def test_a13_no_automatic_order_contains_an_item_on_request(tmp_path: Path, policy: str) -> None:
    at_desk = used_daily(tmp_path, HC_DEAR=3, HC_PLAIN=3)
    stocked(at_desk, DEAR, PLAIN)
    now = plus(START, 86_400)
    listed = {item for _, item in proposed(at_desk, now, policy)}
    assert DEAR in listed or policy == "on-request"
    files = {"catalogue.csv": CATALOGUE_FILES["catalogue.csv"]}
    import_folder(at_desk.store, HOSPITAL, write_files(tmp_path / "mode", files), frozen_clock())
    assert {item for _, item in proposed(at_desk, plus(now, 60), policy)} == listed - {DEAR}


def test_a7_the_engine_passes_over_an_offer_above_the_winning_price(tmp_path: Path) -> None:
    at_desk = used_daily(tmp_path, HC_KIT=2)
    stocked(at_desk, KIT)
    with at_desk.store.write() as connection:
        connection.execute(text("UPDATE item_supplier SET rank = 3 - rank WHERE item = 'HC-KIT'"))
    (one,) = proposed(at_desk, plus(START, 86_400)).values()
    assert one.source == "S02"
    assert {"source": "S01", "price": 2_700_000, "winning_price": 2_680_000} in one.reason["rejected"]


def test_b4_a4_nothing_is_proposed_of_a_blocked_supplier_or_of_a_retired_item(tmp_path: Path) -> None:
    at_desk = used_daily(tmp_path, HC_DEAR=3, HC_PLAIN=3)
    stocked(at_desk, DEAR, PLAIN)
    now = plus(START, 86_400)
    assert {item for _, item in proposed(at_desk, now)} == {DEAR, PLAIN}
    case = at_desk.suppliers.open_case(BUYER, CaseKind.INCIDENT, "S01", "", "false papers")
    at_desk.suppliers.move_case(HEAD, case, CaseStep.BLOCK)
    at_desk.catalogue.step(HEAD, PLAIN, ItemStep.RETIRE, "rare")
    assert proposed(at_desk, plus(now, 60)) == {}, "what stood open is withdrawn"


def test_d7_classes_are_made_once_a_month_do_not_flap_and_widen_the_cover_of_c(tmp_path: Path) -> None:
    at_desk = used_daily(tmp_path, HC_KIT=2, HC_GAUZE=3)
    with at_desk.store.write() as connection:
        assert classify_month(connection, HOSPITAL, START) == 5
        assert classify_month(connection, HOSPITAL, plus(START, 86_400)) == 0
        found = {item: (class_, value) for item, (_, class_, value) in classes_now(connection, HOSPITAL).items()}
    assert found[KIT] == (Class.A, 180 * 2_680_000)
    assert found[GAUZE] == (Class.C, 270 * 8_500)
    assert found[DEAR][0] is Class.B, "a vital item is never below B"
    with at_desk.store.read() as connection:
        rules = rules_on(business_day(START), policy_rows(connection, HOSPITAL))
        scene = admit(connection, HOSPITAL, START, scene_at(connection, HOSPITAL, START, rules))
        sight = foresight_at(connection, HOSPITAL, START, scene)
        room = scene.storerooms["ward-01"].place
        covers = {item: sight.facts(room, item).cover_days for item in (KIT, GAUZE)}
    assert covers == {KIT: 7, GAUZE: 28}


def test_a8_each_stage_is_told_in_working_days_across_a_holiday_and_the_slow_one_is_named(tmp_path: Path) -> None:
    at_desk = used_daily(tmp_path, HC_PLAIN=3)
    stocked(at_desk, PLAIN)
    asked = from_iso("2026-09-29T09:00:00+08:00")
    with at_desk.store.write() as connection:
        connection.execute(text("UPDATE place SET parent = '' WHERE place = 'ward-01'"))
        connection.execute(text("UPDATE use_day SET day = date(day, '+211 days')"))
    (one,) = proposed(at_desk, asked).values()
    late = desk(at_desk.store, Watch(from_iso("2026-10-09T15:00:00+08:00")))
    order = approve_as(HEAD, at_desk.store, HOSPITAL, one.id, plus(asked, 86_400), one.version).order_no
    late.purchasing.step(BUYER, order, OrderStep.SEND, {"platform_order_no": "Y"})
    with at_desk.store.read() as connection:
        found = cycle_of(connection, HOSPITAL, from_iso("2026-10-12T09:00:00+08:00"))
    stages = {one.stage: one for one in found.stages}
    (timed,) = found.orders
    assert (timed.stages.request_to_approval, timed.stages.approval_to_sent) == (1, 2), "1 to 7 October is a holiday"
    assert stages["request_to_sent"].in_time == 1
    assert stages["request_to_sent"].limit == 3
    assert found.slowest == "approval_to_sent"
    assert stages["sent_to_received"].taken == ()
