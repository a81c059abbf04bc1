"""A hospital that asks for the season: its years of imported use, its proposals, and who may speak for an item."""

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from central.core.policy import PolicyRow, rules_on
from central.core.reorder import decide
from central.core.reorder.inputs import facts_from
from central.services.imports import import_folder
from central.services.replenish import replenish
from central.services.seasons import Pool, is_asked_for
from central.store.engine import Store
from central.store.queries_work import proposals
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
    tags,
    write_files,
)

SPRING = 3
YEARS_DAYS = 800


def years_of_kits(folder: Path) -> Store:
    """A ward whose kits are asked for six times as often in spring, and that has none left at its beginning."""
    days = [STORY_DAY - timedelta(days=ago) for ago in range(YEARS_DAYS, 0, -1)]
    rows = [f"ward-01,{KIT},{day},{6 if SPRING <= day.month < SPRING + 3 else 1}" for day in days]
    use = "\n".join(["place,item,day,qty", *rows]) + "\n"
    store = fresh_store()
    import_folder(store, HOSPITAL, write_files(folder, {**FILES, "use.csv": use}), frozen_clock())
    Ward(store).open(KIT, "K1", tags(1))
    return store


def rule(store: Store, scope: str) -> None:
    row = {"code": "reorder.season", "scope": scope, "value": "1", "effective_from": STORY_DAY, "effective_to": None}
    with store.write() as connection:
        connection.execute(POLICY_RULE.insert().values(hospital=HOSPITAL, source_doc="ward round", **row))


def proposed(store: Store, policy: str, run: str) -> dict[str, Any]:
    done = replenish(store, HOSPITAL, plus(START, 3600), policy=policy, run=run)
    assert done.failed == ()
    with store.read() as connection:
        (one,) = [each for each in proposals(connection, HOSPITAL) if each.status == "open"]
    return dict(one.reason)


@pytest.mark.parametrize("policy", ["engine-item", "engine-system"])
def test_a10_a_proposal_reckons_with_the_season_when_a_rule_asks_for_it_and_is_replayed(
    tmp_path: Path, policy: str
) -> None:
    store = years_of_kits(tmp_path)
    plain = proposed(store, policy, "replenish:1")
    rule(store, GAUZE)
    other = proposed(store, policy, "replenish:1")
    assert other == plain, "another item's season is not this one's"
    rule(store, KIT)
    seasonal = proposed(store, policy, "replenish:2")
    index = seasonal["inputs"]["past"]["season"]
    assert (len(index), index.index(max(index)) in {2, 3, 4}) == (12, True)
    assert "season" not in json.dumps(plain)
    assert seasonal["values"]["season_factor"] > 1.5
    assert seasonal["values"]["reorder_point"] > plain["values"]["reorder_point"]
    again = decide(policy, facts_from(seasonal["inputs"])).reason
    assert json.dumps(again, sort_keys=True) == json.dumps(seasonal, sort_keys=True)


def season_rule(scope: str, value: str) -> PolicyRow:
    return PolicyRow("reorder.season", scope, value, date(2026, 1, 1), None, "test")


def test_a_storeroom_known_for_less_than_two_years_does_not_speak() -> None:
    rules = rules_on(STORY_DAY, [season_rule("", "1"), season_rule("B", "0")])
    assert is_asked_for(rules)
    assert not is_asked_for(rules_on(STORY_DAY, [season_rule("", "0")]))
    days = [STORY_DAY - timedelta(days=ago) for ago in range(YEARS_DAYS, 0, -1)]
    old = {day: 6 if day.month == 1 else 1 for day in days}
    pool = Pool()
    pool.add({"A": old, "B": old}, STORY_DAY)
    found = pool.seasons(rules, STORY_DAY)
    assert set(found) == {"A"}, "of B a person said no"
    pool.add({"A": dict.fromkeys(days[-300:], 50)}, STORY_DAY)
    assert pool.seasons(rules, STORY_DAY) == found
