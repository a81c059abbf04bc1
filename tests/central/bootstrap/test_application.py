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
    evil = {"host": "evil.example:80"}
    refused = client.get("/api/v1/health", headers=evil | {"accept-language": "zh"})
    assert (refused.status_code, refused.headers["content-type"]) == (421, "application/problem+json")
    assert (refused.json()["title"], "'evil.example:80'" in refused.json()["english"]) == ("服务器名称不符", True)
    page = client.get("/stock?lang=en", headers=evil)
    assert (page.status_code, "This server is not called so" in page.text) == (421, True)
    assert "本服务器不使用这个名称" in client.get("/stock", headers=evil).text
    assert client.get("/static/page.css", headers=evil).status_code == 200
    for own in ("localhost:1234", "[::1]:80", "LOCALHOST"):
        assert client.get("/", headers={"host": own}).status_code == 200


@pytest.mark.parametrize(
    "address", ["/", "/stock", "/help", "/static/page.css", "/api/v1/health", "/api/v1/wards", "/api/v1/none"]
)
def test_head_is_answered_as_get_without_a_body(client: TestClient, address: str) -> None:
    whole, head = client.get(address), client.head(address)
    assert (head.status_code, head.content) == (whole.status_code, b"")
    assert head.headers["content-type"] == whole.headers["content-type"]
    assert head.headers["content-length"] == str(len(whole.content))


def test_head_of_a_stream_ends_behind_its_headers(client: TestClient) -> None:
    head = client.head("/api/v1/events")
    assert (head.status_code, head.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
    assert client.head("/api/v1/exports/orders.csv").content == b""
