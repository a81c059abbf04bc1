"""The figures as people see them, with a real store behind."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.figures import keep_figures
from central.services.reconcile import reconcile
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, hospital, tags
from tests.central.town import town

DAY = 86_400.0
PRICE = 2_680_000


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    store = hospital(tmp_path / "files")
    ward = Ward(store)
    ward.open(KIT, "K1", tags(3))
    for unit in tags(3):
        ward.observe(unit, 0.99, 0)
    keep_figures(store, HOSPITAL, START)
    ward.observe(tags(1)[0], 0.02, DAY)
    keep_figures(store, HOSPITAL, plus(START, DAY))
    reconcile(store, HOSPITAL, plus(START, DAY))
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, DAY + 60)))
    with TestClient(app, base_url="http://127.0.0.1") as one:
        yield one


def test_I1_figures_have_gates_trends_and_open_to_their_ledger_lines(client: TestClient) -> None:  # noqa: N802 # the row's id
    shown = client.get("/figures", params={"place": "ward-01", "lang": "en"}).text
    assert "Turnover days" in shown
    assert '<polyline points="3.0,3.0 157.0,29.0"/>' in shown
    rows = client.get("/figures/line-match.2", params={"place": "ward-01", "lang": "en"}).text
    assert "Central venous catheter kit" in rows
    (linked,) = set(re.findall(r'href="(/discrepancies/[^"]+)"', rows))
    assert client.get(linked).status_code == 200
    assert "库房" in client.get("/figures/line-match.2", params={"place": "main-store", "lang": "zh"}).text
    assert "未观测" in client.get("/figures/line-match.2", params={"place": "main-store", "lang": "zh"}).text
    ledger = {"place": "ward-01", "item": KIT, "lot": "K1", "lang": "en"}
    assert "These ledger lines sum to 3." in client.get("/figures/line-match.2/ledger", params=ledger).text
    behind = client.get("/figures/line-match.2/ledger", params=ledger).text
    assert re.findall(r"<li>(Book|Physical|Difference|Above|Below) <b>([^<]*)</b>", behind) == [
        ("Book", "3"), ("Physical", "2"), ("Difference", "-1"), ("Above", "0"), ("Below", "1"),
    ]  # fmt: skip
    assert re.findall(r'data-label="(?:Book|Physical)"><span class="cell">([^<]*)<', rows) == ["3", "2"]
    assert '<span class="chip alarm">differs</span>' in rows
    assert "不符" in client.get("/figures/line-match.2", params={"place": "ward-01", "lang": "zh"}).text
    assert "库存周转天数" in client.get("/figures", params={"lang": "zh"}).text
    assert client.get("/figures/happiness.1").status_code == 404


def test_I1_the_api_gives_figures_whose_rows_sum_back(client: TestClient) -> None:  # noqa: N802 # the row's id
    answer = client.get("/api/v1/figures").json()
    told = {one["id"]: one for one in answer["items"]}
    scope = answer["scope"]
    assert (scope["lines_matching"], scope["lines_differing"], scope["lines_not_observed"]) == (0, 1, 1)
    assert (scope["storerooms"], scope["share_observed"]) == (["ward-01", "ward-02", "main-store"], 0.5)
    assert told["line-match.2"]["passes"] is False
    assert (told["line-match.2"]["since"], len(told["line-match.2"]["days"])) == ("2026-03-02", 2)
    for id, one in told.items():
        rows = client.get(f"/api/v1/figures/{id}/rows").json()
        assert (rows["above"], rows["below"]) == (one["above"], one["below"])
        assert sum(row["below"] for row in rows["items"]) == one["below"]
    row = client.get("/api/v1/figures/value-match.2/rows", params={"place": "ward-01"}).json()["items"][0]
    assert (row["qty"], row["physical"], row["matches"]) == (3, 2, False)
    asked = {"place": "ward-01", "item": KIT}
    lines = client.get("/api/v1/figures/turnover-days.1/ledger", params=asked).json()
    assert sum(line["above"] for line in lines["items"]) == lines["part"]["above"]
    assert sum(line["below"] for line in lines["items"]) == lines["part"]["below"]
    assert [(day["qty"], day["above"]) for day in lines["days"]] == [(3, 3 * PRICE)] * 2
    assert (lines["part"]["price"], lines["part"]["above"]) == (PRICE, 2 * 3 * PRICE)
    assert [(line["qty"], line["closings"], line["above"]) for line in lines["items"]] == [(1, 2, 2 * PRICE)] * 3
    assert client.get("/api/v1/figures/happiness.1/rows").status_code == 404


def test_a_row_of_the_turnover_says_in_yuan_how_its_days_and_lines_come_to_it(client: TestClient) -> None:
    row = {"place": "ward-01", "item": KIT}
    shown = client.get("/figures/turnover-days.1/ledger", params=row | {"lang": "en"}).text
    assert shown.count("Sum in yuan: above ¥1,608.00, below ¥0.00, as the row says.") == 2, "of the days and the lines"
    assert re.findall(r'data-label="Quantity at its end"><span class="cell">([^<]*)<', shown) == ["3", "3", "6"]
    assert re.findall(r'data-label="Price"><span class="cell">([^<]*)<', shown) == ["¥268.00"] * 5
    above = re.findall(r'data-label="Above"><span class="cell">([^<]*)<', shown)
    assert above == ["¥804.00", "¥804.00", "¥1,608.00", "¥536.00", "¥536.00", "¥536.00", "¥1,608.00"]
    zh = client.get("/figures/turnover-days.1/ledger", params=row | {"lang": "zh"}).text
    assert zh.count("合计（元）：分子 ¥1,608.00，分母 ¥0.00，与该明细行相等。") == 2
    rows = client.get("/figures/turnover-days.1", params={"lang": "en"}).text
    assert 'data-label="Price"><span class="cell">¥268.00<' in rows


def test_what_the_shelf_differs_is_a_line_of_its_own_below_the_ledger_s(client: TestClient) -> None:
    row = {"place": "ward-01", "item": KIT, "lot": "K1", "lang": "en"}
    shown = client.get("/figures/value-match.2/ledger", params=row).text
    assert "The shelf differs from the book" in shown
    above = re.findall(r'data-label="Above"><span class="cell">([^<]*)<', shown)
    assert above == ["¥268.00"] * 3 + ["-¥268.00", "¥536.00"]
    assert "Sum in yuan: above ¥536.00, below ¥804.00, as the row says." in shown
    pieces = client.get("/figures/unit-match.2/ledger", params=row).text
    assert ("¥" in pieces, re.findall(r'data-label="Above"><span class="cell">([^<]*)<', pieces)[-1]) == (False, "2")


def test_a_row_tells_no_amount_to_who_may_not_see_prices(tmp_path: Path) -> None:
    there = town(tmp_path)
    rows = ("/figures/turnover-days.1", "/figures/turnover-days.1/ledger", "/figures/value-match.2/ledger")
    asked = {"place": "ward-01", "item": KIT, "lot": "K1", "lang": "en"}
    seen = {}
    for caller in ("head-of-consumables", "storekeeper"):
        with TestClient(there.app, base_url="http://127.0.0.1") as client:
            client.cookies.set("wardstock_session", there.sessions[caller])
            seen[caller] = ["¥" in client.get(path, params=asked).raise_for_status().text for path in rows]
            told = client.get("/api/v1/figures/turnover-days.1/ledger", params=asked).raise_for_status().json()
            amounts = [told["part"]["price"], told["shelf"], *(one["above"] for one in told["days"] + told["items"])]
            seen[caller].append(None not in amounts)
            seen[caller].append(
                client.get("/exports/figure-ledger.csv", params=asked | {"id": "tagged-value.1"}).is_success
            )
    assert seen == {"head-of-consumables": [True] * 5, "storekeeper": [False] * 5}
