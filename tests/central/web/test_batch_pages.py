"""Orders are sent together from their page, and the batch is printed as one form."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.orders import approve
from central.services.records import Records
from protocols.values.ids import ActorId
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL, KIT, START, frozen_clock
from tests.central.purchases import BUYER, buying_hospital, propose

WORD = re.compile(r'name="word" value="([^"]+)"')
ORDER = re.compile(r'name="order" value="([^"]+)"')


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """Two orders of kits to a supplier who brings a delivery for 30 yuan."""
    desk = buying_hospital(tmp_path / "files")
    terms = {"agreement": "FW-9", "kind": "framework", "name_zh": "框架", "supplier": "S02", "first": "2026-01-01"}
    Records(desk.purchasing.documents).save(BUYER, "agreements", terms | {"last": "2026-12-31", "freight": "30元/次"})
    for number in range(2):
        id = propose(desk, KIT, "S02", yuan("268"), 5, id=f"aaaa{number:04d}")
        approve(desk.store, HOSPITAL, id, ActorId("10001"), START)
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), desk.store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def test_a6_orders_go_together_from_their_page_and_what_that_saved_is_told(client: TestClient) -> None:
    page = client.get("/batches", params={"lang": "zh"}).text
    assert "合并运费 ¥30.00，逐单 ¥60.00" in page
    both = ORDER.findall(page)
    assert len(both) == 2
    done = client.post("/batches", data={"word": WORD.findall(page)[0], "order": both, "platform_order_no": "YPO-1"})
    assert done.status_code == 200
    (address,) = re.findall(r'href="(/papers/batch/[^"]+size=a4)"', done.text)
    assert client.get(address).content.startswith(b"%PDF-")
    assert "比逐单配送低 50.0%" in done.text
    again = client.post("/batches", data={"word": WORD.findall(page)[0], "order": both})
    assert again.status_code == 409
    assert "Nothing was sent" in client.post(
        "/batches", params={"lang": "en"}, data={"word": WORD.findall(page)[0]}
    ).text  # fmt: skip
