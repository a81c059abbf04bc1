"""The figures as people see them, with a real store behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap import build_app
from central.config import read_config
from central.services.figures import keep_figures
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, hospital, tags

DAY = 86_400.0


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    store = hospital(tmp_path / "files")
    ward = Ward(store)
    ward.open(KIT, "K1", tags(3))
    keep_figures(store, HOSPITAL, START)
    ward.observe(tags(1)[0], 0.02, DAY)
    keep_figures(store, HOSPITAL, plus(START, DAY))
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, DAY + 60)))
    with TestClient(app, base_url="http://127.0.0.1") as one:
        yield one


def test_I1_figures_have_gates_trends_and_open_to_their_ledger_lines(client: TestClient) -> None:  # noqa: N802 # the row's id
    shown = client.get("/figures", params={"place": "ward-01", "lang": "en"}).text
    assert "Turnover days" in shown
    assert '<polyline points="3.0,3.0 157.0,29.0"/>' in shown
    rows = client.get("/figures/line-match.1", params={"place": "ward-01", "lang": "en"}).text
    assert "Central venous catheter kit" in rows
    ledger = {"place": "ward-01", "item": KIT, "lot": "K1", "lang": "en"}
    assert "These ledger lines sum to 3." in client.get("/figures/line-match.1/ledger", params=ledger).text
    assert "库存周转天数" in client.get("/figures", params={"lang": "zh"}).text
    assert client.get("/figures/happiness.1").status_code == 404


def test_I1_the_api_gives_figures_whose_rows_sum_back(client: TestClient) -> None:  # noqa: N802 # the row's id
    told = {one["id"]: one for one in client.get("/api/v1/figures").json()["items"]}
    assert told["line-match.1"]["passes"] is False
    assert (told["line-match.1"]["since"], len(told["line-match.1"]["days"])) == ("2026-03-02", 2)
    for id, one in told.items():
        rows = client.get(f"/api/v1/figures/{id}/rows").json()
        assert (rows["above"], rows["below"]) == (one["above"], one["below"])
        assert sum(row["below"] for row in rows["items"]) == one["below"]
    asked = {"place": "ward-01", "item": KIT}
    lines = client.get("/api/v1/figures/turnover-days.1/ledger", params=asked).json()
    assert sum(line["above"] for line in lines["items"]) == lines["part"]["above"]
    assert client.get("/api/v1/figures/happiness.1/rows").status_code == 404
