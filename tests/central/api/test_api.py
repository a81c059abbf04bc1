from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from central.api.app import build_api
from central.api.orders import price_text
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from protocols.values.instant import plus
from protocols.values.money import Money
from tests.central.doors import open_desk
from tests.central.hospital import HOSPITAL, KIT, START, Ward, hospital, tags

NOW = plus(START, 1000)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """Six kits, one of them gone without a scan: below the trigger of seven."""
    store = hospital(tmp_path)
    ward = Ward(store)
    ward.open(KIT, "K1", tags(6))
    ward.observe(tags(1)[0], 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, NOW)
    replenish(store, HOSPITAL, NOW, policy="3x", run="replenish:1")
    with TestClient(build_api(open_desk(store, NOW), "1.2.3"), raise_server_exceptions=False) as one:
        yield one


def test_health_tells_the_story_time(client: TestClient) -> None:
    assert client.get("/api/v1/health").json() == {"ok": True, "story_time": "2026-03-02T16:16:40+08:00"}


def test_a_ward_says_when_it_was_heard_and_how_far_book_and_shelf_agree(client: TestClient) -> None:
    wards = {one["place"]: one for one in client.get("/api/v1/wards").json()["items"]}
    one = wards["ward-01"]
    assert (one["last_contact"], one["offline"]) == ("2026-03-02T16:15:00+08:00", False)
    assert (one["line_match"], one["unit_match"]) == (0.0, pytest.approx(5 / 6))
    assert (one["open_discrepancies"], one["open_proposals"]) == (1, 1)
    assert (wards["ward-02"]["offline"], wards["ward-02"]["never_connected"]) == (None, True)
    assert (one["never_connected"], wards["main-store"]["never_connected"]) == (False, False)
    assert wards["main-store"]["offline"] is None, "nothing watches it"
    store = wards["main-store"]
    assert (store["lines"], store["lines_not_observed"], store["line_match"]) == (1, 1, None), "nobody looked"
    assert (one["lines_differing"], one["share_observed"], one["match_definition"]) == (1, 1.0, "line-match.2")


def test_a_line_stands_with_book_and_shelf_side_by_side(client: TestClient) -> None:
    (line,) = client.get("/api/v1/lines", params={"place": "ward-01"}).json()["items"]
    assert (line["item"], line["lot"], line["expiry"]) == (KIT, "K1", "2027-06-01")
    assert (line["book"], line["physical"], line["difference"]) == (6, 5, -1)


def test_a_discrepancy_carries_its_evidence(client: TestClient) -> None:
    (one,) = client.get("/api/v1/discrepancies", params={"status": "open"}).json()["items"]
    assert (one["kind"], one["place"], one["name_zh"]) == ("missing", "ward-01", "一次性使用中心静脉导管包")
    assert (one["p"], one["since"]) == (0.02, "2026-03-02T16:05:00+08:00")
    assert client.get("/api/v1/discrepancies", params={"status": "closed"}).json()["items"] == []


def test_a_proposal_says_why_and_becomes_one_order(client: TestClient) -> None:
    (one,) = client.get("/api/v1/proposals", params={"status": "open"}).json()["items"]
    assert (one["place"], one["item"], one["qty"], one["source"]) == ("ward-01", KIT, 10, "S02")
    assert "日均用量 1 包" in one["reason_zh"]
    assert "Chengjiang" in one["reason_en"]
    address = f"/api/v1/proposals/{one['id']}/approve"
    first = client.post(address, json={"version": one["version"]})
    again = client.post(address, json={"version": one["version"]})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    (order,) = client.get("/api/v1/orders").json()["items"]
    assert (order["order_no"], order["supplier"], order["status"]) == (first.json()["order_no"], "S02", "approved")
    (line,) = order["lines"]
    assert (line["item"], line["qty"], line["price_yuan"], line["amount_yuan"]) == (KIT, 10, "268.00", "2680.00")
    assert line["reason_zh"] == one["reason_zh"]


def test_a_proposal_that_changed_since_it_was_seen_is_refused(client: TestClient) -> None:
    (one,) = client.get("/api/v1/proposals").json()["items"]
    answer = client.post(f"/api/v1/proposals/{one['id']}/approve", json={"version": "5"})
    assert answer.status_code == 409
    assert "changed since you saw it" in answer.json()["detail"]


def test_devices_tell_how_far_their_ledgers_have_come(client: TestClient) -> None:
    devices = {one["device"]: one for one in client.get("/api/v1/devices").json()["items"]}
    assert (devices["ward-01"]["head_seq"], devices["ward-01"]["pending"]) == (2, 0)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("GET", "/api/v1/lines?place=ward-99", None, 404, "ward-99"),
        ("GET", "/api/v1/lines", None, 422, "place"),
        ("GET", "/api/v1/nothing", None, 404, "/api/v1/openapi.json names every address"),
        ("DELETE", "/api/v1/wards", None, 405, "expected GET, HEAD, got DELETE"),
        ("GET", "/api/v1/proposals/feed/approve", None, 405, "expected POST, got GET"),
        ("PUT", "/api/v1/orders", None, 405, "Method Not Allowed"),
        ("GET", "/api/v1/discrepancies?status=maybe", None, 422, "status"),
        ("POST", "/api/v1/proposals/feed/approve", {"version": "v"}, 404, "feed"),
        ("POST", "/api/v1/proposals/feed/approve", {}, 422, "version"),
    ],
)
def test_a_refusal_is_a_problem_document(
    client: TestClient, method: str, path: str, body: object, status: int, says: str
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["type"], problem["status"]) == ("about:blank", status)
    assert says in problem["detail"]


def test_a_fault_of_ours_says_nothing_of_our_insides(client: TestClient, tmp_path: Path) -> None:
    def broken() -> None:
        raise RuntimeError("secret path")

    client.app.get("/api/v1/broken")(broken)  # type: ignore[attr-defined] # the application under the client
    routes = client.app.router.routes  # type: ignore[attr-defined] # the same
    routes.insert(0, routes.pop())  # before the one that answers for every other address
    answer = client.get("/api/v1/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_openapi_document_names_every_resource(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["info"]["version"] == "1.2.3"
    assert {path.split("/")[3] for path in document["paths"]} >= {
        "health", "wards", "lines", "devices", "enrolments", "discrepancies", "conflicts", "proposals", "orders",
        "me", "people", "acts", "invoices", "trace", "statements",
        "count-tasks", "figures", "line-counts", "permits", "recalls", "vbp", "waivers", "bargaining", "items",
        "suppliers", "cases", "shortages", "purchase-tasks", "catalogue", "purchase-cycle",
    }  # fmt: skip


def test_the_openapi_document_declares_every_error_as_it_is_answered(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    assert not [name for name in schemas if "__" in name or "ValidationError" in name]
    responses = document["paths"]["/api/v1/proposals/{proposal}/approve"]["post"]["responses"]
    assert {"404", "409", "422"} <= responses.keys()
    declared = {
        kind: said["schema"]["$ref"].rpartition("/")[2]
        for status, answer in responses.items()
        if status >= "400"
        for kind, said in answer["content"].items()
    }
    assert declared == {"application/problem+json": "Problem"}
    assert set(schemas["Problem"]["properties"]) == {"type", "title", "status", "detail", "english"}


def test_the_device_that_a_storeroom_names_names_that_storeroom(tmp_path: Path) -> None:
    store = hospital(tmp_path / "files")
    with store.write() as connection:
        connection.exec_driver_sql("UPDATE place SET device = 'central' WHERE place = 'main-store'")
    with TestClient(build_api(open_desk(store, NOW), "1.2.3")) as one:
        wards = {ward["place"]: ward["device"] for ward in one.get("/api/v1/wards").json()["items"]}
        devices = {device["device"]: device["place"] for device in one.get("/api/v1/devices").json()["items"]}
    assert (wards["main-store"], devices["central"]) == ("central", "main-store")


@pytest.mark.parametrize(
    ("price", "said"), [(12_800_000, "1280.00"), (325, "0.0325"), (8_500, "0.85"), (8_050, "0.805"), (0, "0.00")]
)
def test_a_price_has_two_decimals_unless_it_needs_more(price: int, said: str) -> None:
    assert price_text(Money(price)) == said


def test_an_order_is_sent_and_its_history_told(client: TestClient) -> None:
    (one,) = client.get("/api/v1/proposals", params={"status": "open"}).json()["items"]
    order = client.post(f"/api/v1/proposals/{one['id']}/approve", json={"version": one["version"]}).json()["order_no"]
    address = f"/api/v1/orders/{order}"
    assert client.post(f"{address}/steps/cancel", json={}).status_code == 422
    assert client.post(f"{address}/steps/send", json={"platform_order_no": "YP-1"}).json()["state"] == "sent"
    again = client.post(f"{address}/steps/send", json={})
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "order: cannot send one that is sent; it can amend, confirm, announce, close, cancel",
    )
    (step,) = client.get(f"{address}/history").json()["steps"]
    assert (step["step"], step["actor"], step["detail"]) == ("send", "demo-buyer", {"platform_order_no": "YP-1"})
    (listed,) = client.get("/api/v1/orders").json()["items"]
    assert listed["status"] == "sent"
    assert client.get("/api/v1/orders/PO-none/history").status_code == 404


@pytest.mark.parametrize("said", ["next week", "2026-13-01", "9999-12-31", "1999-01-01"])
def test_a_day_that_cannot_be_meant_is_refused(client: TestClient, said: str) -> None:
    (one,) = client.get("/api/v1/proposals", params={"status": "open"}).json()["items"]
    order = client.post(f"/api/v1/proposals/{one['id']}/approve", json={"version": one["version"]}).json()["order_no"]
    client.post(f"/api/v1/orders/{order}/steps/send", json={})
    assert client.post(f"/api/v1/orders/{order}/steps/confirm", json={"promised": said}).status_code == 422
    line = {"order_no": order, "line_no": 1, "qty": 5, "price": 100}
    told = {"supplier": "S02", "invoice": "INV-1", "dated": said, "lines": [line]}
    assert client.post("/api/v1/invoices", json=told).status_code == 422


@pytest.mark.parametrize(
    ("qty", "price"), [(1_000_000_000, 10_000_000_000_000), (1, 10_000_000_001), (1_000_000_000, 10_000_000_000)]
)
def test_an_invoice_worth_more_than_sums_can_hold_is_refused(client: TestClient, qty: int, price: int) -> None:
    line = {"order_no": "PO-20260302-00000000", "line_no": 1, "qty": qty, "price": price}
    told = {"supplier": "S02", "invoice": "INV-1", "dated": "2026-03-02", "lines": [line]}
    assert client.post("/api/v1/invoices", json=told).status_code == 422
    most = {**told, "lines": [{**line, "line_no": at, "qty": 1_000, "price": 10**10} for at in range(1, 501)]}
    assert client.post("/api/v1/invoices", json=most).status_code == 201
    (listed,) = client.get("/api/v1/invoices").json()["items"]
    assert listed["amount"] == 500 * 10**13


def test_an_invoice_that_does_not_match_is_entered_as_disputed_with_the_numbers(client: TestClient) -> None:
    line = {"order_no": "PO-20260302-00000000", "line_no": 1, "qty": 5, "price": 100}
    told = {"supplier": "S02", "invoice": "INV-1", "dated": "2026-03-02", "lines": [line]}
    answer = client.post("/api/v1/invoices", json=told)
    assert (answer.status_code, answer.json()["state"]) == (201, "disputed")
    assert [one["why"] for one in answer.json()["differences"]] == ["no-such-line"]
    assert client.post("/api/v1/invoices", json=told).status_code == 409
    (listed,) = client.get("/api/v1/invoices").json()["items"]
    assert (listed["due"], listed["amount"], listed["overdue_days"]) == ("2026-04-01", 500, 0)
    refused = client.post(f"/api/v1/invoices/{answer.json()['document']}/steps/pay", json={})
    assert refused.status_code == 403, "a buyer does not pay"
