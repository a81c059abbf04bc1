"""Use beside charges as a page: what differs first, the pieces of one line in their states, rows that did not fit."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.his import Unconsume
from central.store import queries_charges as kept
from tests.central.hospital import HOSPITAL, KIT, START, frozen_clock
from tests.central.services.test_his import HIS, UNITS, Room, consume


@pytest.fixture
def room(tmp_path: Path) -> Room:
    """Two kits used: one charged by the other side's scan, one by nobody; a third was charged and refunded."""
    room = Room(tmp_path)
    room.his.consume(HIS, consume("F1", UNITS[0]))
    room.use(UNITS[1])
    room.his.consume(HIS, consume("F2", UNITS[2]))
    room.his.unconsume(HIS, Unconsume("R2", "F2"))
    with room.store.write() as connection:
        kept.keep_faults(connection, HOSPITAL, "view", [], [kept.Fault("view", "ID 7", "qty: expected …", START)])
    return room


@pytest.fixture
def client(tmp_path: Path, room: Room) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), room.store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def test_E2_the_page_tells_what_was_used_and_not_charged(client: TestClient) -> None:  # noqa: N802 # the row's id
    page = client.get("/charges", params={"first": "2026-03-02", "last": "2026-03-02", "lang": "zh"}).text
    assert "1 行中有 1 行有差异" in page
    assert "+1" in page
    assert "ID 7" in page


def test_the_pieces_of_a_line_are_each_in_one_state(client: TestClient) -> None:
    asked = {
        "first": "2026-03-02",
        "last": "2026-03-02",
        "of": "ward-01",
        "day": "2026-03-02",
        "item": KIT,
        "lang": "en",
    }
    page = client.get("/charges", params=asked).text
    for words, times in (("matched", 1), ("issued, not charged", 1), ("returned", 1), ("on the shelf", 1)):
        assert page.count(f">{words}</span>") == times, words


def test_a_storeroom_that_is_none_is_not_there(client: TestClient) -> None:
    assert client.get("/charges", params={"place": "ward-99"}).status_code == 404
