"""Asking for goods on the page, with scripts off, and what the one who decides sees; with a real store behind."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Grant, Role
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, KIT, START, frozen_clock, hospital
from tests.central.web.test_order_pages import PASSWORD, Somebody

PEOPLE = {
    "10001": Grant(Role.HEAD_OF_CONSUMABLES),
    "10023": Grant(Role.PURCHASER),
    "N1001": Grant(Role.NURSE, frozenset({PlaceId("ward-01")})),
}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    store = hospital(tmp_path / "files")
    door = desk(store, Watch(frozen_clock().real_now()))
    door.entrance.make_first("set-up-code!", ActorId("99999"), "Keeper", PASSWORD, "")
    for number, grant in PEOPLE.items():
        secret = door.accounts.add(ActorId("99999"), ActorId(number), number, [grant])
        door.entrance.accept(secret, PASSWORD, "")
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 3600)))
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        yield one


def test_a_nurse_asks_on_the_page_and_a_buyer_approves(client: TestClient) -> None:
    nurse = Somebody(client, "N1001")
    found = nurse.get(f"/requisitions/new?q={GAUZE}&lang=en")
    assert "Gauze swab" in found
    assert '<td role="cell" class="num" data-label="In the central store"><span class="cell">500</span>' in found
    typed = nurse.said("/requisitions/new", place="ward-01", act="find", item=[GAUZE], qty=["30"], q="catheter")
    assert f'value="{GAUZE}"' in typed  # what was typed before another search is kept
    assert 'name="qty" min="0" value="30"' in typed
    lines = {"item": [GAUZE, KIT], "qty": ["30", ""]}
    assert nurse.post("/requisitions/new", place="ward-01", act="send", **lines) == 409
    assert nurse.post("/requisitions/new", place="ward-01", act="send", reason="burns", **lines) == 303
    number = re.search(r"/requisitions/(RQ-\w+)", nurse.get("/requisitions?lang=en"))
    assert number is not None
    page = f"/requisitions/{number[1]}"
    assert "Take it back" in nurse.get(page)
    assert "Approve and order" not in nurse.get(page)
    buyer = Somebody(client, "10023")
    assert "Approve and order" in buyer.get(page)
    refused = buyer.said(f"{page}/approve", qty=["20"], reason="half of it")
    assert "Less is granted than was asked for: choose why from the list" in refused
    assert 'value="20"' in refused, "what was typed stays"
    assert buyer.post(f"{page}/approve", qty=["20"], cut="stock-short", reason="half of it") == 303
    seen = buyer.get(page)
    order = re.search(r'href="/orders/(IR-[\w-]+)"', seen)
    assert order is not None
    assert "× 20" in seen
    assert page in buyer.get(f"/orders/{order[1]}")
    nurse = Somebody(client, "N1001")
    seen = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", nurse.get(page)))
    assert "not yet received" in seen
    assert "30 → 20 too little in stock, a part first – half of it" in seen, "who asked reads who cut it and why"
    assert "cut from 30 to 20" in seen


def test_a_quantity_that_cannot_be_read_loses_none_of_the_others(client: TestClient) -> None:
    nurse = Somebody(client, "N1001")
    form = {"place": "ward-01", "act": "send", "reason": "burns", "q": GAUZE}
    said = nurse.said("/requisitions/new", **form, item=[GAUZE, KIT], qty=["30", "1.5"])
    assert "A quantity is a whole number of base units" in said
    assert 'value="30"' in said
    assert "burns" in said
    said = nurse.said("/requisitions/new", **form, item=[GAUZE, KIT], qty=["30"])
    assert "A quantity is a whole number of base units" in said, "a row that came in half is not taken for none"
    assert "/requisitions/RQ-" not in nurse.get("/requisitions?lang=en")


def test_a_program_asks_once_however_often_it_sends(client: TestClient) -> None:
    Somebody(client, "N1001")
    word = {"x-form-word": Somebody(client, "N1001")._word, "idempotency-key": "ask-1"}
    body = {"place": "ward-01", "lines": [{"item": GAUZE, "qty": 5}], "reason": "burns"}
    first = client.post("/api/v1/requisitions", json=body, headers=word)
    again = client.post("/api/v1/requisitions", json=body, headers=word)
    assert (first.status_code, again.json()) == (201, first.json())
    listed = client.get("/api/v1/requisitions?limit=1").json()
    assert ([one["requisition"] for one in listed["items"]], listed["next"]) == ([first.json()["requisition"]], None)
    one = client.get(first.headers["location"])
    assert one.headers["etag"].startswith('"v1.')
    stale = {**word, "idempotency-key": "back-1", "if-match": '"v0"'}
    back = f"{first.headers['location']}/steps/withdraw"
    assert client.post(back, json={}, headers=stale).status_code == 412
