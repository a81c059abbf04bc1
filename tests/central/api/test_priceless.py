"""Who may not see prices reads why something was proposed, cut or ordered without an amount of money in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.bootstrap.parts import accounts_of
from central.config import read_config
from central.core.priceless import MONEY
from central.core.rights import Grant, Role
from central.store.engine import Store
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.hospital import START, frozen_clock
from tests.central.web.test_budget_cut_page import cut

LISTS = ("proposals?status=all", "budget-cuts?status=all", "orders")


def clients(folder: Path, store: Store) -> tuple[TestClient, TestClient]:
    """Return a buyer and a ward's keeper, who sees orders and no prices."""
    path = folder / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    config, clock = read_config(path), frozen_clock(plus(START, 7200))
    accounts = accounts_of(config, store, clock)
    app, signed = build_app(config, store, clock), []
    for name, grant in (
        ("buyer", Grant(Role.HEAD_OF_CONSUMABLES)),
        ("keeper", Grant(Role.WARD_KEEPER, frozenset({PlaceId("ward-01")}))),
    ):
        accounts.add(ActorId("op"), ActorId(name), name, [grant])
        secret = accounts.add_token(ActorId("op"), ActorId(name), "t", read_only=False, days=1)
        signed.append(TestClient(app, base_url="http://127.0.0.1", headers={"Authorization": f"Bearer {secret}"}))
    return signed[0], signed[1]


def named(value: object) -> Iterator[str]:
    """Give every name in a document, however deep."""
    if isinstance(value, dict):
        yield from value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from named(one)


def reasons(client: TestClient, address: str) -> list[dict[str, Any]]:
    rows = client.get(f"/api/v1/{address}").raise_for_status().json()["items"]
    lines = [line for row in rows for line in row.get("lines", [row])]
    return [line["reason"] for line in lines]


def test_no_list_tells_a_price_in_its_reasons_to_who_may_not_see_one(tmp_path: Path) -> None:
    store = cut(tmp_path, 1)
    buyer, keeper = clients(tmp_path, store)
    (open_one,) = buyer.get("/api/v1/proposals").json()["items"]
    body = {"version": open_one["version"]}
    assert buyer.post(f"/api/v1/proposals/{open_one['id']}/approve", json=body).status_code == 201
    for address in LISTS:
        seen, told = reasons(buyer, address), reasons(keeper, address)
        assert len(told) == len(seen) > 0
        assert not MONEY & set(named(told)), address
        assert MONEY & set(named(seen)), f"{address}: the buyer sees what a price decided"
        assert told[0]["inputs"]["position"] == seen[0]["inputs"]["position"]
