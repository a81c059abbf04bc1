"""The page of proposals tells the buyer what the run's budget cut, by how much, and why; programs and tables too."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.tables.work import POLICY_RULE
from protocols.values.instant import plus
from tests.central.hospital import GAUZE, HOSPITAL, START, STORY_DAY, Ward, frozen_clock, hospital


def rule(store: Store, value: str) -> None:
    row = {"code": "reorder.budget_yuan", "scope": "", "value": value, "effective_from": STORY_DAY}
    with store.write() as connection:
        connection.execute(POLICY_RULE.insert().values(hospital=HOSPITAL, source_doc="head of purchasing", **row))


def client_of(folder: Path, store: Store) -> TestClient:
    path = folder / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 7200)))
    return TestClient(app, base_url="http://127.0.0.1")


def page(folder: Path, store: Store, language: str) -> str:
    with client_of(folder, store) as client:
        return str(client.get(f"/proposals?lang={language}").text)


def cut(folder: Path, runs: int) -> Store:
    """Return a hospital where a ward without a storeroom above needs more gauze than the budget of each run leaves."""
    store = hospital(folder / "files", {GAUZE: 200})
    Ward(store).receive(GAUZE, "G1", 2, 100)
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE place SET parent = '' WHERE place = 'ward-01'")
    rule(store, "90")
    for number in range(1, runs + 1):
        replenish(store, HOSPITAL, plus(START, 3600 * number), policy="engine-item", run=f"replenish:{number}")
    return store


def listed(client: TestClient, query: Mapping[str, str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    following: str | None = str(client.build_request("GET", "/api/v1/budget-cuts", params=dict(query)).url)
    while following is not None:
        answer = client.get(following).raise_for_status().json()
        found += answer["items"]
        following = answer["next"]
    return found


def test_the_buyer_sees_what_the_budget_cut_how_much_is_left_and_why(tmp_path: Path) -> None:
    store = cut(tmp_path, 1)
    english, chinese = page(tmp_path, store, "en"), page(tmp_path, store, "zh")
    assert "The budget of the last run cut 1 line that is due. Budget of the run: ¥90.00." in english
    assert "as the budget allows" in english
    assert 'name="qty" value="100"' in english, "what it leaves is proposed"
    assert "最近一次补货计算中，有 1 行应补而受预算所限。" in chinese


def test_without_a_budget_nothing_is_said_of_one(tmp_path: Path) -> None:
    store = hospital(tmp_path / "files", {GAUZE: 200})
    replenish(store, HOSPITAL, plus(START, 3600), policy="engine-item", run="replenish:1")
    assert "Cut by the budget" not in page(tmp_path, store, "en")


def test_a_program_follows_the_cuts_page_by_page_and_is_told_which_still_stand(tmp_path: Path) -> None:
    with client_of(tmp_path, cut(tmp_path, 2)) as client:
        whole = listed(client, {"status": "all"})
        assert listed(client, {"status": "all", "limit": "1"}) == whole
        assert [one["run"] for one in whole] == sorted((one["run"] for one in whole), reverse=True)
        assert {one["run"] for one in whole} == {"replenish:1", "replenish:2"}
        standing = listed(client, {})
        assert standing == [one for one in whole if one["closed_at"] is None]
        assert {one["run"] for one in standing} == {"replenish:2"}
        one = standing[0]
        assert one["saved"] == one["price"] * (one["wanted"] - one["given"]) > 0
        assert one["budget"] == 900_000
        assert "as the budget allows" in one["reason_en"]


def test_the_cuts_are_saved_as_a_table_of_those_that_stand_or_of_all(tmp_path: Path) -> None:
    with client_of(tmp_path, cut(tmp_path, 2)) as client:
        whole, standing = listed(client, {"status": "all"}), listed(client, {})
        for query, rows in (("?lang=en", standing), ("?lang=en&status=all", whole)):
            text = client.get(f"/exports/budget-cuts.csv{query}").content.decode("utf-8-sig")
            told = list(csv.DictReader(io.StringIO(text)))
            assert [(row["run"], row["item"], int(row["wanted"])) for row in told] == [
                (one["run"], one["item"], one["wanted"]) for one in rows
            ]
            assert {row["budget of the run (yuan)"] for row in told} == {"90.0000"}
        assert client.get("/exports/budget-cuts.xlsx").headers["content-type"].endswith("sheet")
