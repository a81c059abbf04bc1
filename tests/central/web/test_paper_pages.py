"""Forms to print through the pages: a PDF under the hospital's own name, linked where its document is shown."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.orders import approve
from protocols.values.ids import ActorId
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL, KIT, START, frozen_clock
from tests.central.purchases import buying_hospital, propose


@pytest.fixture
def visited(tmp_path: Path) -> Iterator[tuple[TestClient, str]]:
    desk = buying_hospital(tmp_path / "files")
    number = approve(desk.store, HOSPITAL, propose(desk, KIT, "S02", yuan("268"), 10), ActorId("10001"), START).order_no
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), desk.store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one, number


def test_an_order_is_printed_from_its_page(visited: tuple[TestClient, str]) -> None:
    client, number = visited
    address = f"/papers/order/{number}.pdf?size=241x93"
    assert address in client.get(f"/orders/{number}").text
    answer = client.get(address)
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-")
    assert client.get(f"/papers/order/{number}.pdf", params={"size": "letter"}).status_code == 400
    assert client.get("/papers/order/PO-none.pdf").status_code == 404
    assert client.get("/papers/poem/x.pdf").status_code == 400
    assert client.get(f"/papers/receipt/{number}.pdf").status_code == 404
