"""The engine as the policy of a hospital: proposals with reasons, limits of people, the hospital's target."""

import json
from pathlib import Path

import pytest

from central.core.reorder import decide
from central.core.reorder.inputs import facts_from
from central.services.imports import import_folder
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.queries_work import Proposal, proposals
from central.store.tables.work import POLICY_RULE
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


def test_what_a_budget_left_nothing_is_named(tmp_path: Path) -> None:
    store = two_wards(tmp_path, {"ward-01": 1, "ward-02": 20})
    rule(store, "reorder.budget_yuan", "", "84")
    done = replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    assert done.made == 0
    assert done.cut == (f"ward-01 {GAUZE}",), "its supplier's minimum costs 85 yuan"
