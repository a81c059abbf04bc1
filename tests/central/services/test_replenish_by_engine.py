"""The engine as the policy of a hospital: proposals with reasons, limits of people, the hospital's target."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from central.core.reorder import decide
from central.core.reorder.inputs import facts_from
from central.services.counts import ask
from central.services.counts_taken import take_in_counts
from central.services.imports import import_folder
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.queries_budget import Cut, cuts_standing
from central.store.queries_settling import tasks
from central.store.queries_work import Proposal, proposals
from central.store.tables.purchasing import RECEIPT_LINE
from central.store.tables.work import POLICY_RULE
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.instant import plus
from tests.central.hospital import (
    FILES,
    GAUZE,
    HOSPITAL,
    KIT,
    START,
    STORY_DAY,
    Ward,
    fresh_store,
    frozen_clock,
    hospital,
    tags,
    use_file,
    write_files,
)


def listed(store: Store) -> list[Proposal]:
    with store.read() as connection:
        return proposals(connection, HOSPITAL)


def cuts(store: Store) -> list[Cut]:
    with store.read() as connection:
        return cuts_standing(connection, HOSPITAL)


def kits(store: Store, count: int) -> Ward:
    ward = Ward(store)
    ward.open(KIT, "K1", tags(count))
    return ward


def rule(store: Store, code: str, scope: str, value: str) -> None:
    row = {"code": code, "scope": scope, "value": value, "effective_from": STORY_DAY, "effective_to": None}
    with store.write() as connection:
        connection.execute(POLICY_RULE.insert().values(hospital=HOSPITAL, source_doc="ward round", **row))


@pytest.mark.parametrize("policy", ["engine-item", "engine-system"])
def test_an_engine_proposes_from_the_days_that_are_known_and_can_be_replayed(tmp_path: Path, policy: str) -> None:
    store = hospital(tmp_path)
    kits(store, 1)
    done = replenish(store, HOSPITAL, plus(START, 3600), policy=policy, run="replenish:1")
    assert (done.made, done.failed) == (1, ())
    (one,) = listed(store)
    assert (one.place, one.item, one.policy) == ("ward-01", KIT, policy)
    values = one.reason["values"]
    assert (values["daily_mean"], values["window_days"]) == (1.0, 90.0), "ninety days are known, not half a year"
    assert one.qty % 5 == 0
    again = decide(policy, facts_from(one.reason["inputs"])).reason
    assert json.dumps(again, sort_keys=True) == json.dumps(one.reason, sort_keys=True)


def came(store: Store, item: str, keeps_days: list[int]) -> None:
    """Let the store have accepted one delivery of an item for each number of days its lot still kept."""
    with store.write() as connection:
        for number, days in enumerate(keeps_days):
            row = {"hospital": HOSPITAL, "receipt": f"GR-{number}", "line_no": 1, "order_no": "PO-1", "order_line": 1}
            row |= {
                "delivery_note": "DN",
                "item": item,
                "lot": f"R{number}",
                "expiry": STORY_DAY + timedelta(days - 30),
            }
            row |= {"delivered": 5, "accepted": 5, "refused": 0, "at": plus(START, -30 * 86_400), "actor": "20001"}
            connection.execute(RECEIPT_LINE.insert().values(row))


def test_what_receipts_tell_of_shelf_life_caps_what_is_ordered_unless_a_person_says_otherwise(tmp_path: Path) -> None:
    long, short, ruled = (hospital(tmp_path / name) for name in ("long", "short", "ruled"))
    for store in (long, short, ruled):
        kits(store, 1)
    came(short, KIT, [9, 60, 60])
    came(ruled, KIT, [9, 60, 60])
    rule(ruled, "reorder.shelf_days", KIT, "300")
    told = {}
    for name, store in (("long", long), ("short", short), ("ruled", ruled)):
        replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
        (one,) = listed(store)
        told[name] = (one.reason["values"]["shelf_days"], one.reason["values"]["capped_by_shelf_life"])
        assert decide("engine-item", facts_from(one.reason["inputs"])).reason == one.reason
    assert told == {"long": (365, False), "short": (9, True), "ruled": (300, False)}


def test_the_same_run_again_changes_nothing(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    kits(store, 1)
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-system", run="replenish:1")
    before = listed(store)
    assert replenish(store, HOSPITAL, plus(START, 3600), policy="engine-system", run="replenish:1").made == 0
    assert listed(store) == before


def test_a_person_may_put_a_line_on_request_or_give_it_a_floor(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    kits(store, 1)
    rule(store, "reorder.on_request", f"ward-01/{KIT}", "1")
    assert replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1").made == 0
    other = hospital(tmp_path / "other")
    kits(other, 30)
    assert replenish(other, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1").made == 0
    rule(other, "reorder.floor", KIT, "40")
    assert replenish(other, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:2").made == 1


def test_the_wards_need_is_filled_from_the_central_store_first(tmp_path: Path) -> None:
    store = hospital(tmp_path, {GAUZE: 4})
    ward = Ward(store)
    ward.receive(GAUZE, "G1", 2, 100)
    assert replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1").made == 1
    (one,) = listed(store)
    assert (one.source, one.internal) == ("main-store", True)


def two_wards(folder: Path, shelves: dict[str, int], store_has: int = 0) -> Store:
    """Two wards that each use four swabs a day, with some on their shelves; the central store holds some."""
    store = fresh_store()
    use = use_file({GAUZE: 4}) + use_file({GAUZE: 4}).replace("ward-01", "ward-02").split("\n", 1)[1]
    stock = f"place,item,lot,qty\nmain-store,{GAUZE},G1,{store_has}\n" if store_has else "place,item,lot,qty\n"
    import_folder(store, HOSPITAL, write_files(folder, {**FILES, "use.csv": use, "stock.csv": stock}), frozen_clock())
    for at_s, (name, qty) in enumerate(shelves.items(), start=100):
        Ward(store, name).receive(GAUZE, "G1", qty, at_s)
    return store


def test_another_wards_surplus_is_taken_before_anything_is_bought(tmp_path: Path) -> None:
    store = two_wards(tmp_path, {"ward-01": 1, "ward-02": 300})
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    (one,) = [each for each in listed(store) if each.place == "ward-01"]
    assert (one.source, one.internal) == ("ward-02", True)
    rule(store, "reorder.transfers", "", "0")
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:2")
    (one,) = [each for each in listed(store) if each.place == "ward-01"]
    assert (one.source, one.internal) == ("S01", False)


def test_a_store_that_cannot_serve_all_is_divided_where_a_pack_avoids_most(tmp_path: Path) -> None:
    store = two_wards(tmp_path, {"ward-01": 8, "ward-02": 2}, store_has=40)
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    parts = {one.place: one for one in listed(store) if one.source == "main-store"}
    assert sum(one.qty for one in parts.values()) <= 40
    assert parts["ward-02"].qty >= max((one.qty for place, one in parts.items() if place != "ward-02"), default=0)
    assert parts["ward-02"].reason["bound_by"] in {"ration", "order_up_to", "pack"}


def test_a_budget_is_spent_where_a_yuan_avoids_most(tmp_path: Path) -> None:
    store = two_wards(tmp_path, {"ward-01": 1, "ward-02": 20})
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    whole = {one.place: one.qty for one in listed(store) if one.item == GAUZE and not one.internal}
    rule(store, "reorder.budget_yuan", "", "85")
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:2")
    kept = [one for one in listed(store) if one.status == "open" and not one.internal]
    assert sum(one.qty for one in kept) * 0.85 <= 85
    assert {one.place for one in kept} == {"ward-01"} <= whole.keys()


def test_what_a_budget_left_nothing_is_named_and_kept_with_its_reason_until_a_run_no_longer_cuts_it(
    tmp_path: Path,
) -> None:
    store = two_wards(tmp_path, {"ward-01": 1, "ward-02": 20})
    rule(store, "reorder.budget_yuan", "", "84")
    done = replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    assert done.made == 0
    assert done.cut == (f"ward-01 {GAUZE}",), "its supplier's minimum costs 85 yuan"
    (one,) = cuts(store)
    assert (one.place, one.item, one.source, one.given, one.budget) == ("ward-01", GAUZE, "S01", 0, 840_000)
    assert one.wanted >= 100
    assert one.reason["cut"] == {"wanted": one.wanted, "budget": 840_000}
    assert one.reason["bound_by"] == "budget"
    again = decide("engine-item", facts_from(one.reason["inputs"])).reason
    assert json.dumps(again, sort_keys=True) == json.dumps(one.reason, sort_keys=True)
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    assert len(cuts(store)) == 1, "the same run again changes nothing"
    rule(store, "reorder.transfers", "", "0")
    with store.write() as connection:
        connection.execute(POLICY_RULE.delete().where(POLICY_RULE.c.code == "reorder.budget_yuan"))
    assert replenish(store, HOSPITAL, plus(START, 7200), policy="engine-item", run="replenish:2").made == 1
    assert cuts(store) == []


def test_a_line_that_a_budget_cuts_in_part_is_proposed_and_the_rest_is_told(tmp_path: Path) -> None:
    store = wards_of(tmp_path, {"ward-01": {GAUZE: 40}}, LOTS)
    Ward(store).receive(GAUZE, "LONG", 1, 100)
    rule(store, "reorder.budget_yuan", "", "90")
    done = replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    assert (done.made, done.cut) == (1, (f"ward-01 {GAUZE}",))
    (cut,), (one,) = cuts(store), listed(store)
    assert (cut.given, one.qty) == (100, 100)
    assert cut.saved == (cut.wanted - 100) * 8_500


def test_what_is_asked_for_less_than_monthly_is_on_request_unless_a_person_forces_it(tmp_path: Path) -> None:
    store, day = fresh_store(), STORY_DAY - timedelta(days=1)
    rows = [f"ward-01,{KIT},{day - timedelta(days=ago)},4" for ago in (0, 88)]
    files = {**FILES, "use.csv": "\n".join(["place,item,day,qty", *rows]) + "\n"}
    import_folder(store, HOSPITAL, write_files(tmp_path, files), frozen_clock())
    ward = Ward(store)
    ward.open(KIT, "K1", tags(1))
    ward.issue(KIT, "K1", tags(1)[0], 100)
    done = replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    assert (done.made, done.aside) == (0, {"seldom": 1})
    rule(store, "reorder.forced", f"ward-01/{KIT}", "1")
    assert replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:2").made == 1


def wards_of(folder: Path, use: dict[str, dict[str, int]], lots: str, days: int = 90) -> Store:
    """Wards that each use so much of some items a day; lots and their expiry as told."""
    store = fresh_store()
    rows = [use_file(daily, days).replace("ward-01", name).split("\n", 1)[1] for name, daily in use.items()]
    files = {**FILES, "use.csv": "place,item,day,qty\n" + "".join(rows), "stock.csv": "place,item,lot,qty\n"}
    import_folder(store, HOSPITAL, write_files(folder, {**files, "lots.csv": lots}), frozen_clock())
    return store


LOTS = f"""item,lot,made,expiry
{GAUZE},SOON,2025-06-01,{STORY_DAY + timedelta(days=5)}
{GAUZE},LONG,2025-06-01,2028-06-01
{KIT},K1,2025-06-01,2027-06-01
"""


def test_what_would_expire_in_one_ward_covers_the_need_of_another_although_it_is_below_its_level(
    tmp_path: Path,
) -> None:
    store = wards_of(tmp_path, {"ward-01": {GAUZE: 6}, "ward-02": {GAUZE: 1}}, LOTS)
    Ward(store).receive(GAUZE, "LONG", 1, 100)
    Ward(store, "ward-02").receive(GAUZE, "SOON", 12, 101)
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    (one,) = [each for each in listed(store) if each.place == "ward-01"]
    assert (one.source, one.internal) == ("ward-02", True)
    assert one.qty == 7, "of twelve the other ward uses five before they expire"


def test_nothing_is_taken_from_a_ward_whose_lots_keep_and_that_is_below_its_level(tmp_path: Path) -> None:
    store = wards_of(tmp_path, {"ward-01": {GAUZE: 6}, "ward-02": {GAUZE: 1}}, LOTS)
    Ward(store).receive(GAUZE, "LONG", 1, 100)
    Ward(store, "ward-02").receive(GAUZE, "LONG", 12, 101)
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    (one,) = [each for each in listed(store) if each.place == "ward-01"]
    assert (one.source, one.internal) == ("S01", False)


def opened(ward: Ward, item: str, lot: str, qty: int, at_s: float) -> None:
    line = PostingLine(item, qty, f"opening@{ward.name}", ward.name, lot=lot)
    ward.say("opening", write_body(MovementBody((line,))), at_s)


def test_dead_stock_of_a_ward_that_never_asks_is_moved_before_anything_is_bought(tmp_path: Path) -> None:
    use = {"ward-01": {GAUZE: 6}, "ward-02": {KIT: 1}}
    for days, source in ((200, "ward-02"), (90, "S01")):
        store = wards_of(tmp_path / source, use, LOTS, days)
        opened(Ward(store), GAUZE, "LONG", 1, 10)
        opened(Ward(store, "ward-02"), GAUZE, "LONG", 60, 11)
        replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
        (one,) = [each for each in listed(store) if each.item == GAUZE]
        assert (one.place, one.source) == ("ward-01", source), "after three months nobody knows that it is dead"


def test_what_came_lately_or_is_vital_is_not_dead_although_nobody_asked_for_it(tmp_path: Path) -> None:
    lately = wards_of(tmp_path / "lately", {"ward-01": {GAUZE: 6}, "ward-02": {KIT: 1}}, LOTS, 200)
    opened(Ward(lately), GAUZE, "LONG", 1, 10)
    Ward(lately, "ward-02").receive(GAUZE, "LONG", 60, 101)
    vital = wards_of(tmp_path / "vital", {"ward-01": {KIT: 1}, "ward-02": {GAUZE: 1}}, LOTS, 200)
    ward = Ward(vital)
    ward.open(KIT, "K1", tags(1))
    ward.issue(KIT, "K1", tags(1)[0], 50)
    Ward(vital, "ward-02").open(KIT, "K1", tags(20, 100), at_s=5)
    for store, item, source in ((lately, GAUZE, "S01"), (vital, KIT, "S02")):
        replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
        (one,) = [each for each in listed(store) if each.item == item]
        assert one.source == source


def test_a_ward_that_asks_for_something_now_and_then_keeps_what_it_has(tmp_path: Path) -> None:
    store = wards_of(tmp_path, {"ward-01": {GAUZE: 6}, "ward-02": {KIT: 1}}, LOTS, 200)
    with store.write() as connection:
        day = STORY_DAY - timedelta(days=40)
        row = f"INSERT INTO use_day SELECT hospital, 'ward-02', '{GAUZE}', '{day}', 2 FROM use_day LIMIT 1"
        connection.exec_driver_sql(row)
    opened(Ward(store), GAUZE, "LONG", 1, 10)
    opened(Ward(store, "ward-02"), GAUZE, "LONG", 60, 11)
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    assert [each.source for each in listed(store) if each.item == GAUZE] == ["S01"]


def doubted(folder: Path) -> Store:
    """A ward that needs swabs and whose record of them is worth little: eighty pieces went since anybody counted."""
    store = wards_of(folder, {"ward-01": {GAUZE: 40}}, LOTS)
    ward = Ward(store)
    ward.receive(GAUZE, "LONG", 84, 100)
    for n in range(80):
        line = PostingLine(GAUZE, 1, "ward-01", "issued@ward-01", lot="LONG")
        ward.say("issue", write_body(MovementBody((line,))), 200 + n, actor="N1001")
    return store


def run_engine(store: Store, name: str, at_s: float) -> tuple[int, dict[str, int]]:
    done = replenish(store, HOSPITAL, plus(START, at_s), policy="engine-item", run=name)
    return done.made, dict(done.aside)


def test_a_due_line_of_little_trust_is_counted_first_and_ordered_a_day_later_if_nobody_did(tmp_path: Path) -> None:
    store = doubted(tmp_path)
    assert run_engine(store, "replenish:1", 3600) == (0, {"to be counted first": 1})
    with store.read() as connection:
        (task,) = tasks(connection, HOSPITAL)
    assert (task.kind, task.place, task.item, task.lot, task.status) == ("count", "ward-01", GAUZE, "LONG", "open")
    assert task.reason["trust"] == pytest.approx(1 - 81 * 0.01 / 4)
    assert run_engine(store, "replenish:1", 3600)[0] == 0, "the same run again asks for nothing more"
    assert run_engine(store, "replenish:2", 3600 + 82_800)[0] == 0
    assert run_engine(store, "replenish:3", 3600 + 86_400) == (1, {})


def test_a_line_that_was_counted_is_ordered(tmp_path: Path) -> None:
    store = doubted(tmp_path)
    run_engine(store, "replenish:1", 3600)
    body = CountBody("sheet-1", "close", "ward-01", "", lines=(CountLine(GAUZE, 4, "LONG"),))
    Ward(store, _number=900).say("count_daily", write_body(body), 4000, actor="N1001")
    with store.write() as connection:
        take_in_counts(connection, HOSPITAL)
    assert run_engine(store, "replenish:2", 7200) == (1, {})


def test_a_vital_line_of_little_trust_is_ordered_and_counted_besides(tmp_path: Path) -> None:
    store = doubted(tmp_path)
    with store.write() as connection:
        connection.exec_driver_sql(f"UPDATE item SET criticality = 'vital' WHERE item = '{GAUZE}'")
    assert run_engine(store, "replenish:1", 3600) == (1, {})
    with store.read() as connection:
        assert len(tasks(connection, HOSPITAL)) == 1


def test_the_day_asks_for_fewer_lines_where_a_run_asked_already(tmp_path: Path) -> None:
    store = doubted(tmp_path)
    run_engine(store, "replenish:1", 3600)
    rule(store, "count.lines_a_day", "", "1")
    assert ask(store, HOSPITAL, plus(START, 3700)) == 0
