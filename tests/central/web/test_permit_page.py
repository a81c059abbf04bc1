"""The page and the API of permits, with a real store behind: noted, proposed, agreed to by another."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.documents import Documents
from central.services.permits import Permits
from central.store.engine import Store
from central.store.queries_people import add_person, set_grants
from protocols.permits import Audit
from protocols.values.ids import ActorId
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, KIT, START, frozen_clock, hospital
from tests.central.services.test_permits import AUDITOR
from tests.central.web.test_order_pages import PASSWORD, Somebody

PERSON = ActorId("page")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path / "files")
    with store.write() as connection:
        add_person(connection, HOSPITAL, PERSON, "page", START)
        set_grants(connection, HOSPITAL, PERSON, [Grant(Role.HEAD_OF_CONSUMABLES), Grant(Role.STOREKEEPER)])
    return store


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def client(store: Store, tmp_path: Path, told: list[str]) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(), lambda: told.append("changed"))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def word_of(page: str) -> str:
    return page.split('name="word" value="')[1].split('"', maxsplit=1)[0]


def test_e6_a_ward_is_audited_and_suspended_on_the_page_by_two_people(
    client: TestClient, store: Store, told: list[str]
) -> None:
    shown = client.get("/permits", params={"lang": "en"}).text
    assert shown.count("draws by itself") == 2
    assert "可自主领用" in client.get("/permits", params={"lang": "zh"}).text
    said = {"word": word_of(shown), "audit": "audit failed", "why": "shelves in disorder"}
    assert "warned" in client.post("/permits/ward-01/audit?lang=en", data=said).text or told
    Permits(Documents(store, HOSPITAL, frozen_clock())).move(AUDITOR, "ward-01", Audit.FAILED, "three pieces missing")
    waits = client.get("/permits", params={"lang": "en"}).text
    assert "suspension proposed by audit-1" in waits
    assert client.post("/permits/ward-01/audit", data=said).status_code == 409
    done = client.post("/permits/ward-01/confirmed", data={"word": word_of(waits)})
    assert done.status_code == 200
    assert '<span class="chip alarm">suspended</span>' in done.text
    late = client.post("/permits/ward-01/confirmed", data={"word": word_of(waits)})
    assert late.status_code == 409
    assert told == ["changed", "changed"]


def test_who_proposed_it_is_told_that_a_second_person_is_needed(client: TestClient) -> None:
    word = word_of(client.get("/permits").text)
    for _ in range(2):
        client.post("/permits/ward-01/audit", data={"word": word, "audit": "audit failed", "why": "shelves"})
    page = client.get("/permits", params={"lang": "en"}).text
    assert "Agree and suspend" not in page
    answer = client.post("/permits/ward-01/confirmed", data={"word": word}, params={"lang": "en"})
    assert (answer.status_code, "A second person must agree" in answer.text) == (403, True)
    assert client.post("/permits/ward-01/audit", data={"audit": "audit failed", "why": "x"}).status_code == 403
    assert client.post("/permits/ward-01/refused", data={"word": word, "why": "my mistake"}).status_code == 200


def test_an_auditor_who_may_not_judge_is_told_so_and_not_that_a_second_person_is_needed(
    store: Store, tmp_path: Path
) -> None:
    door = desk(store, Watch(frozen_clock().real_now()))
    secret = door.accounts.add(ActorId("99999"), ActorId("50001"), "A", [Grant(Role.AUDITOR)])
    door.entrance.accept(secret, PASSWORD, "")
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock())
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        auditor = Somebody(client, "50001")
        said = auditor.said("/permits/ward-01/audit?lang=en", audit="plan accepted", why="they promised")
        assert "your role may note audits here" in said
        assert "A second person" not in said
        assert auditor.post("/permits/ward-01/audit", audit="audit failed", why="shelves in disorder") == 303


def test_the_api_tells_permits_and_takes_steps(client: TestClient) -> None:
    api = "/api/v1"
    first = client.get(f"{api}/permits").json()["items"]
    assert [(one["place"], one["permit"], one["edge_knows"]) for one in first] == [
        ("ward-01", "normal", None), ("ward-02", "normal", None),
    ]  # fmt: skip
    said = {"audit": "audit failed", "why": "shelves in disorder"}
    assert client.post(f"{api}/permits/ward-01/audits", json=said).json()["permit"] == "warned"
    assert client.post(f"{api}/permits/ward-01/audits", json=said).json()["phase"] == "proposed"
    assert client.post(f"{api}/permits/ward-01/audits", json=said).status_code == 409
    assert client.post(f"{api}/permits/ward-01/judge", json={"phase": "confirmed"}).status_code == 403
    assert client.post(f"{api}/permits/ward-01/judge", json={"phase": "maybe"}).status_code == 422
    refused = client.post(f"{api}/permits/ward-01/judge", json={"phase": "refused", "why": "not so"})
    assert refused.json()["permit"] == "warned"
    assert client.post(f"{api}/permits/ward-09/audits", json=said).status_code == 404
    assert client.get(f"{api}/permits").json()["items"][0]["choices"] == ["audit failed", "audit passed"]


def test_the_api_recalls_a_lot_and_lifts_it(client: TestClient, told: list[str]) -> None:
    api = "/api/v1/recalls"
    assert client.post(api, json={"item": KIT, "lot": "K1", "why": "the maker's letter"}).status_code == 201
    (one,) = client.get(api).json()["items"]
    assert (one["item"], one["lot"], one["person"], one["lifted_at"]) == (KIT, "K1", "page", None)
    assert client.post(f"{api}/lift", json={"item": KIT, "lot": "K1"}).status_code == 204
    assert client.post(f"{api}/lift", json={"item": KIT, "lot": "K1"}).status_code == 409
    assert client.post(api, json={"item": "HC-NONE", "lot": "K1", "why": "x"}).status_code == 404
    assert told == ["changed"] * 2
