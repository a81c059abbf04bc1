"""What needs somebody by their role, the first hour told from the store, and statements checked on their page."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Caller, Grant, Role
from central.services.first_hour import STEPS, first_hour
from central.services.needs import COUNTS, needs_of
from central.services.statements import make, signer_at
from central.store.engine import Store
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import HOSPITAL, START, frozen_clock, short_of_kits
from tests.central.stores import migrated_store

HERE, ELSEWHERE = frozenset({PlaceId("ward-01")}), frozenset({PlaceId("ward-02")})


def somebody(role: Role, places: frozenset[PlaceId] = frozenset()) -> Caller:
    return Caller(ActorId("20001"), "N", (Grant(role, places),))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return short_of_kits(tmp_path / "files")


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    config = read_config(path)
    make(store, HOSPITAL, plus(START, 9 * 3600), signer_at(config.statement_key))
    with TestClient(build_app(config, store, frozen_clock()), base_url="http://127.0.0.1") as one:
        one.cookies.set("lang", "en")
        yield one


def test_what_needs_somebody_follows_from_the_rights_they_hold(store: Store) -> None:
    desk = open_desk(store, plus(START, 1000))
    assert [(one.kind, one.count) for one in needs_of(desk, somebody(Role.PURCHASER))] == [("approve-proposals", 1)]
    assert needs_of(desk, somebody(Role.NURSE, ELSEWHERE)) == []
    assert needs_of(desk, somebody(Role.ADMINISTRATOR)) == []
    assert set(COUNTS) >= {"send-orders", "pay-invoices", "confirm-permits"}


def test_every_sort_of_need_has_its_words(client: TestClient) -> None:
    template = (Path(__file__).parents[3] / "central" / "web" / "templates" / "yours.html.j2").read_text("utf-8")
    assert set(re.findall(r'"([a-z-]+)": _\(', template)) == set(COUNTS)
    assert "Decide about proposals" in client.get("/").text


def test_the_first_hour_is_told_from_what_stands_in_the_store(client: TestClient, store: Store) -> None:
    assert not any(one.done for one in first_hour(open_desk(migrated_store(), START)))
    done = {one.name: one.done for one in first_hour(open_desk(store, START))}
    assert list(done) == list(STEPS)
    assert [name for name, there in done.items() if not there] == ["count", "order", "sent"]
    page = client.get("/help").text
    assert page.count("done already") == 4
    assert page.count("this is next") == 1


def test_every_page_the_first_hour_leads_to_is_there(client: TestClient) -> None:
    for path in sorted(
        set(re.findall(r'href="(/[^"]*)"', client.get("/help").text.split("<main")[1].split("</main")[0]))
    ):
        assert client.get(path).status_code == 200, path


def test_a_statement_is_checked_on_its_page_and_a_changed_file_is_told(client: TestClient) -> None:
    page = client.get("/statements", params={"day": "2026-03-02"}).text
    assert page.count("as it was signed</span>") == 2  # nobody has heard of ward-02 yet
    assert "not as it was signed" not in page
    assert 'General surgery <span class="quiet">(the day is not over yet)' in page
    assert "From 2 Mar 2026 00:00 to 3 Mar 2026 00:00" in page
    whole = client.get("/statements/2026-03-02/ward-01.json").content
    word = re.findall(r'name="word" value="([^"]*)"', page)[0]

    def checked(content: bytes) -> str:
        answer = client.post("/statements", data={"word": word}, files={"file": ("s.json", content)})
        return str(answer.text.split("Check a s")[1])

    assert ">as it was signed<" in checked(whole)
    assert "2 Mar 2026: " in checked(whole)
    said = json.loads(whole)
    said["statement"]["match"]["lines"] += 1
    assert "not as it was signed" in checked(json.dumps(said).encode())
    other = json.loads(whole)
    other["signature"]["key"] = "f" * len(other["signature"]["key"])
    assert "signed with another key than this hospital" in checked(json.dumps(other).encode())
    assert "no statement" in checked(b"\xff\xfe")
    assert client.get("/statements", params={"day": "0001-01-01"}).status_code == 400
    assert client.get("/statements/key.pub").content.startswith(b"-----BEGIN PUBLIC KEY")
    assert client.get("/statements/2026-03-02/ward-99.json").status_code == 404
