"""Agreements, prices and certificates entered by hand: by the forms' rules, with the record of what was before."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Role
from central.errors import NotAllowed, NotThere
from central.services.desk import Desk
from central.services.records import EDITED, Records
from central.store.audit import acts
from tests.central.hospital import HOSPITAL, KIT, frozen_clock
from tests.central.purchases import BUYER, STORE, buying_hospital, person

WORD = re.compile(r'name="word" value="([^"]+)"')
LICENCE = {
    "kind": "distribution", "number": "LIC-9", "supplier": "S01", "item": "", "first": "2026-01-01",
    "last": "2031-01-01",
}  # fmt: skip


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return buying_hospital(tmp_path / "files")


@pytest.fixture
def client(tmp_path: Path, desk: Desk) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), desk.store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def test_b6_a_certificate_is_entered_renewed_and_what_was_before_is_recorded(desk: Desk) -> None:
    records = Records(desk.purchasing.documents)
    assert records.save(STORE, "certificates", LICENCE) == ()
    assert records.save(STORE, "certificates", LICENCE | {"last": "2036-01-01"}) == ()
    assert records.find(STORE, "certificates", "LIC-9") == [LICENCE | {"last": "2036-01-01"}]
    with desk.store.read() as connection:
        noted = [one for one in acts(connection, HOSPITAL) if one.act == "record-save"]
    assert {one.subject for one in noted} == {"certificates distribution/LIC-9"}
    assert {"last": ["2031-01-01", "2036-01-01"]} in [one.detail for one in noted]


def test_a_row_that_is_wrong_is_named_by_its_column_and_nothing_is_written(desk: Desk) -> None:
    records = Records(desk.purchasing.documents)
    wrong = records.save(STORE, "certificates", LICENCE | {"supplier": "S77", "kind": "poem"})
    assert {one.column for one in wrong} == {"kind"}
    (unknown,) = records.save(STORE, "certificates", LICENCE | {"supplier": "S77"})
    assert (unknown.column, unknown.zh) == ("supplier", "没有这个供应商，请先导入供应商")
    assert records.find(STORE, "certificates", "LIC-9") == []


def test_prices_are_entered_by_who_buys_and_shown_as_they_are_typed(desk: Desk) -> None:
    records = Records(desk.purchasing.documents)
    row = {
        "item": KIT,
        "supplier": "S01",
        "rank": "1",
        "price_yuan": "270.5",
        "pack": "5",
        "moq": "5",
        "lead_days": "6",
    }
    assert records.save(BUYER, "item-suppliers", row | {"platform_code": "YP2"}) == ()
    (found,) = [one for one in records.find(BUYER, "item-suppliers", KIT) if one["supplier"] == "S01"]
    assert found["price_yuan"] == "270.5"
    with pytest.raises(NotAllowed):
        records.find(STORE, "item-suppliers")
    with pytest.raises(NotAllowed):
        records.find(person("50001", Role.AUDITOR), "certificates")
    with pytest.raises(NotThere):
        records.find(BUYER, "items")


@pytest.mark.parametrize("kind", EDITED)
def test_every_page_shows_its_rows_in_both_languages(client: TestClient, kind: str) -> None:
    for language in ("zh", "en"):
        assert client.get(f"/records/{kind}", params={"lang": language, "row": 1}).status_code == 200


def test_a_row_is_written_and_refused_on_its_page(client: TestClient) -> None:
    page = client.get("/records/certificates", params={"lang": "en"}).text
    form = {"word": WORD.findall(page)[0], "column": list(LICENCE), "text": list(LICENCE.values())}
    assert "LIC-9" in client.post("/records/certificates", data=form).text
    refused = client.post("/records/certificates", data=form | {"text": ["poem", *list(LICENCE.values())[1:]]})
    assert refused.status_code == 409
    assert "expected registration, production" in refused.text
    assert client.get("/records/items").status_code == 404
