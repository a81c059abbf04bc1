"""Every list of the API pages alike: `limit`, `cursor`, and a `next` to follow until it is null."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from central.api.app import build_api
from central.services.reconcile import reconcile
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import HOSPITAL, KIT, START, Ward, hospital, tags

NOW = plus(START, 1000)
NOT_PAGED = {
    *("/api/v1/figures", "/api/v1/exports", "/api/v1/purchase-cycle", "/api/v1/catalogue/trims", "/api/v1/askable"),
    *("/api/v1/items/{item}/equivalents", "/api/v1/suppliers/{supplier}"),
}
"""Fixed lists, and the rows of one thing."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Seven kits, all gone without a scan: seven discrepancies, several of them opened at one instant."""
    store = hospital(Path(tmp_path_factory.mktemp("files")))
    ward = Ward(store)
    ward.open(KIT, "K1", tags(7))
    for unit in tags(7):
        ward.observe(unit, 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, NOW)
    with TestClient(build_api(open_desk(store, NOW), "1.2.3")) as one:
        yield one


def every(client: TestClient, address: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    following: str | None = address
    while following is not None:
        page = client.get(following).json()
        found += page["items"]
        following = page["next"]
    return found


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
def test_following_next_gives_every_row_once_and_keeps_the_question(client: TestClient, limit: int) -> None:
    address = f"/api/v1/discrepancies?status=open&place=ward-01&limit={limit}"
    whole = client.get("/api/v1/discrepancies").json()
    assert (len(whole["items"]), whole["next"]) == (7, None)
    assert every(client, address) == whole["items"]
    assert "place=ward-01" in (client.get(address).json()["next"] or "place=ward-01")


@pytest.mark.parametrize("address", ["place=ward%2D01&limit=3", "limit=3&place=ward-01&", "place=ward-01&&limit=3"])
def test_a_question_written_another_way_is_kept_too(client: TestClient, address: str) -> None:
    assert len(every(client, f"/api/v1/discrepancies?{address}")) == 7


def test_a_cursor_is_said_once_however_it_was_written(client: TestClient) -> None:
    first = client.get("/api/v1/discrepancies?limit=3").json()["next"]
    for written in (first, first.replace("cursor=", "curs%6Fr=")):
        assert client.get(written).json()["next"].count("cursor=") == 1, written
    assert len(every(client, first.replace("cursor=", "curs%6Fr="))) == 4


def test_a_line_of_a_storeroom_is_told_in_the_form_that_describes_it(client: TestClient) -> None:
    (line,) = client.get("/api/v1/lines?place=ward-01").json()["items"]
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    assert list(line) == list(schemas["ShelfLineOut"]["properties"])
    assert (line["book"], line["physical"], line["difference"]) == (7, 0, -7)


def test_every_list_takes_limit_and_cursor_and_refuses_one_that_is_not_its_own(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    schemas, lists = document["components"]["schemas"], []
    for path, operations in document["paths"].items():
        answer = operations.get("get", {"responses": {}})["responses"].get("200", {}).get("content", {})
        name = answer.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        if "next" in schemas.get(name, {}).get("properties", {}):
            lists.append((path, {one["name"] for one in operations["get"].get("parameters", ())}))
    assert len(lists) >= 20
    assert [path for path, names in lists if not names >= {"limit", "cursor"}] == []
    other = client.get("/api/v1/discrepancies?limit=1").json()["next"].partition("cursor=")[2]
    for path in ("wards", "people", "proposals", "orders", "acts", "devices", "invoices", "count-tasks", "recalls"):
        answer = client.get(f"/api/v1/{path}", params={"cursor": other})
        refused = answer.status_code == 422 and "cursor: expected one that the list" in answer.json()["detail"]
        assert refused or not answer.json()["items"], path
        assert client.get(f"/api/v1/{path}", params={"limit": 1001}).status_code == 422, path


def test_no_answer_with_items_goes_without_a_next_page(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    schemas, endless = document["components"]["schemas"], []
    for path, operations in document["paths"].items():
        answer = operations.get("get", {"responses": {}})["responses"].get("200", {}).get("content", {})
        name = answer.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        fields = schemas.get(name, {}).get("properties", {})
        endless += [path] if fields.get("items", {}).get("type") == "array" and "next" not in fields else []
    assert set(endless) <= NOT_PAGED


@pytest.mark.parametrize("path", ["charges?first=2026-03-02&last=2026-03-02", "months"])
def test_what_is_worked_out_is_paged_too(client: TestClient, path: str) -> None:
    joined = "&" if "?" in path else "?"
    whole = client.get(f"/api/v1/{path}").json()["items"]
    assert every(client, f"/api/v1/{path}{joined}limit=1") == whole
