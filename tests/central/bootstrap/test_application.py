import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import Config, read_config
from central.services.replenish import replenish
from central.store.engine import Store
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, hospital, tags


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path / "files")
    Ward(store).open(KIT, "K1", tags(5))
    replenish(store, HOSPITAL, START, policy="3x", run="replenish:1")
    return store


@pytest.fixture
def config(tmp_path: Path) -> Config:
    path = tmp_path / "central.toml"
    told = '[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[hospital]\nname_en = "Test Hospital"\n'
    path.write_text(told + '[people]\neveryone_is = "page"\n', "utf-8")
    return read_config(path)


@pytest.fixture
def client(config: Config, store: Store) -> Iterator[TestClient]:
    with TestClient(build_app(config, store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def test_the_page_and_the_api_stand_in_one_server(client: TestClient) -> None:
    page = client.get("/?lang=en")
    assert page.status_code == 200
    assert "Test Hospital" in page.text
    assert "Central venous catheter kit" in page.text
    assert client.get("/api/v1/health").json()["ok"] is True


def test_an_approval_on_the_page_is_an_order_in_the_api(client: TestClient) -> None:
    (proposal,) = client.get("/api/v1/proposals").json()["items"]
    answer = client.post(
        f"/proposals/{proposal['id']}/approve",
        data={"version": proposal["version"], "word": word_of(client)},
        follow_redirects=False,
    )
    assert answer.status_code == 303
    (order,) = client.get("/api/v1/orders").json()["items"]
    assert order["order_no"] in answer.headers["location"]
    assert order["approved_by"] == "page"


def word_of(client: TestClient) -> str:
    found = re.search(r'name="word" value="([0-9a-f]+)"', client.get("/").text)
    assert found is not None
    return found[1]


def test_another_sites_name_does_not_lead_here(client: TestClient) -> None:
    assert client.get("/api/v1/health", headers={"host": "evil.example"}).status_code == 400
    assert client.get("/", headers={"host": "localhost:1234"}).status_code == 200
