"""Proposals that people refuse: by a code, in words above a limit, as the list and the table show it."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.errors import BadInput
from central.services.approvals import reject
from central.services.desk import Desk
from central.services.exports.form import Form, chunks_of, table_of
from central.services.exports.lists import EXPORTS
from central.store.audit import acts
from central.store.queries_work import proposals
from protocols.values.money import yuan
from tests.central.hospital import HOSPITAL, KIT, START, frozen_clock
from tests.central.purchases import BUYER, HEAD, buying_hospital, propose


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return buying_hospital(tmp_path / "files")


@pytest.fixture
def client(tmp_path: Path, desk: Desk) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), desk.store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def version_of(desk: Desk, proposal: str) -> str:
    with desk.store.read() as connection:
        return proposals(connection, HOSPITAL, id=proposal)[0].version


def refuse(desk: Desk, proposal: str, *why: str) -> None:
    code, text = why
    reject(BUYER, desk.store, HOSPITAL, proposal, (code, text), START, version_of(desk, proposal))


def test_a9_ten_kits_are_refused_by_a_code_and_a_hundred_in_words_too(desk: Desk) -> None:
    few = propose(desk, KIT, "S02", yuan("268"), 10)
    refuse(desk, few, "enough-stock", "")
    many = propose(desk, KIT, "S02", yuan("268"), 100, id="bbbb2222")
    with pytest.raises(BadInput, match="words: expected why in a few words, above the limit"):
        refuse(desk, many, "enough-stock", "")
    refuse(desk, many, "enough-stock", "two full shelves")
    with desk.store.read() as connection:
        found = {one.id: (one.refusal, one.refusal_text) for one in proposals(connection, HOSPITAL, status="rejected")}
        noted = {one.subject: one.detail for one in acts(connection, HOSPITAL) if one.act == "reject"}
    assert found == {few: ("enough-stock", ""), many: ("enough-stock", "two full shelves")}
    assert noted[few]["refusal"] == "enough-stock"


def test_the_table_of_proposals_says_why_in_both_languages(desk: Desk) -> None:
    refuse(desk, propose(desk, KIT, "S02", yuan("268"), 10), "too-dear", "dearer than in May")
    for zh, head, word in ((True, "拒绝原因", "价格过高"), (False, "refused because", "too dear")):
        raw = b"".join(chunks_of(table_of(EXPORTS["proposals"], Form.CSV, desk, HEAD, {"status": "rejected"}, zh)))
        (row,) = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))
        assert row[head] == word
        assert "dearer than in May" in row.values()


def test_the_api_refuses_by_a_code_and_lists_it(client: TestClient, desk: Desk) -> None:
    proposal = propose(desk, KIT, "S02", yuan("268"), 10)
    body = {"version": version_of(desk, proposal), "refusal": "substitute"}
    assert client.post(f"/api/v1/proposals/{proposal}/reject", json=body | {"refusal": "because"}).status_code == 422
    assert client.post(f"/api/v1/proposals/{proposal}/reject", json=body).status_code == 204
    assert client.post(f"/api/v1/proposals/{proposal}/reject", json=body).status_code == 409
    (one,) = client.get("/api/v1/proposals", params={"status": "rejected"}).json()["items"]
    assert (one["refusal"], one["refusal_text"]) == ("substitute", "")
