"""Goods of the hospital's own store put on their way to a ward by a program, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Grant, Role
from central.store.engine import Store
from central.store.queries_people import add_person, set_grants
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from tests.central.hospital import GAUZE, HOSPITAL, START, frozen_clock
from tests.central.web.test_handing_out_pages import ORDER, lying, store  # noqa: F401 # the fixture of those pages

ADDRESS = f"/api/v1/orders/{ORDER}/handed-out"


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:  # noqa: F811 # the fixture
    with store.write() as connection:
        add_person(connection, HOSPITAL, ActorId("20001"), "K", START)
        set_grants(connection, HOSPITAL, ActorId("20001"), [Grant(Role.STOREKEEPER)])
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "20001"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 3600)))
    with TestClient(app, base_url="http://127.0.0.1") as one:
        yield one


def test_a_program_hands_out_what_it_saw_owed_and_is_told_when_that_changed(
    client: TestClient,
    store: Store,  # noqa: F811 # the fixture
) -> None:
    told = client.get(ADDRESS).json()
    assert told["lines"] == [
        {
            "item": GAUZE, "owed": 40,
            "lots": [{"lot": "G0", "position": "", "qty": 20}, {"lot": "G1", "position": "", "qty": 20}],
        }
    ]  # fmt: skip
    body = {"lines": [{"item": GAUZE, "qty": 25}], "owed": told["owed"]}
    assert client.post(ADDRESS, json={**body, "lines": [{"item": GAUZE, "qty": 41}]}).status_code == 422
    assert client.post(ADDRESS, json=body).status_code == 201
    assert client.post(ADDRESS, json=body).status_code == 412, "changed since it was seen"
    assert lying(store, "main-store") == {"G1": 25}
    assert client.get(ADDRESS).json()["owed"] == 15
