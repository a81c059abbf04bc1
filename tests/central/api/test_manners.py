"""What every address of the API does alike: names of answers, versions of documents, languages, limits, description."""

from collections.abc import Iterator

import pytest
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from central.api.app import build_api
from central.api.bodies import BODY_MAX
from central.api.sayings import IN_CHINESE, Language, language_of
from central.core.rights import Grant, Role
from central.errors import TooMany
from central.services.metering import Meter
from central.services.replenish import replenish
from central.store.queries_people import add_person, set_grants
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from tests.central.doors import Watch, desk, open_desk
from tests.central.hospital import HOSPITAL, KIT, START, Ward, hospital, tags

NOW = plus(START, 1000)
JSON = {"content-type": "application/json"}
ZH = {"accept-language": "zh"}


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    store = hospital(tmp_path_factory.mktemp("files"))
    Ward(store).open(KIT, "K1", tags(5))
    replenish(store, HOSPITAL, NOW, policy="3x", run="replenish:1")
    with TestClient(build_api(open_desk(store, NOW), "1.2.3"), raise_server_exceptions=False) as one:
        yield one


def order(client: TestClient) -> str:
    (one,) = client.get("/api/v1/proposals").json()["items"]
    made = client.post(f"/api/v1/proposals/{one['id']}/approve", json={"version": one["version"]})
    return str(made.json()["order_no"])


def test_a_list_that_is_the_same_is_not_sent_again(client: TestClient) -> None:
    first = client.get("/api/v1/wards")
    tag = first.headers["etag"]
    again = client.get("/api/v1/wards", headers={"If-None-Match": tag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in again.headers or again.headers["content-length"] == "0"
    assert client.get("/api/v1/wards", headers={"If-None-Match": '"other"'}).json() == first.json()
    proposals = client.get("/api/v1/proposals")
    order(client)
    changed = client.get("/api/v1/proposals", headers={"If-None-Match": proposals.headers["etag"]})
    assert changed.status_code == 200


def test_a_step_decided_on_an_old_version_is_refused_and_a_fresh_one_is_taken(client: TestClient) -> None:
    address = f"/api/v1/orders/{order(client)}"
    seen = client.get(address).headers["etag"]
    assert seen.startswith('"v0.')
    sent = client.post(f"{address}/steps/send", json={}, headers={"If-Match": seen})
    assert (sent.status_code, sent.json()["state"]) == (200, "sent")
    late = client.post(f"{address}/steps/cancel", json={"reason": "late"}, headers={"If-Match": seen})
    assert (late.status_code, late.json()["title"]) == (412, "Precondition Failed")
    assert client.post(f"{address}/steps/cancel", json={"reason": "x"}, headers={"If-Match": '"no"'}).status_code == 412
    fresh = client.get(f"{address}/history").headers["etag"]
    cancelled = client.post(f"{address}/steps/cancel", json={"reason": "late"}, headers={"If-Match": fresh})
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")


def test_a_ward_s_permit_has_a_version_too(client: TestClient) -> None:
    address, said = "/api/v1/permits/ward-01", {"audit": "audit failed", "why": "in disorder"}
    seen = {"If-Match": client.get(address).headers["etag"]}
    assert client.post(f"{address}/audits", json=said, headers=seen).status_code == 200
    assert client.post(f"{address}/audits", json=said, headers=seen).status_code == 412
    assert client.post(f"{address}/audits", json=said, headers={"If-Match": "*"}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "language"),
    [
        ("", "en"), ("zh-CN", "zh"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("en;q=0.3, zh;q=0.7", "zh"), ("fr", "en"),
        ("en, zh", "en"), ("zh;q=0", "en"), ("zh;q=x", "en"),
    ],
)  # fmt: skip
def test_the_language_asked_for_is_answered(asked: str, language: str) -> None:
    assert language_of(Headers({"accept-language": asked})) == language


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "orders/none", 404), ("GET", "nothing", 404), ("PUT", "orders", 405), ("GET", "lines", 422)],
)
def test_a_problem_is_told_in_chinese_to_who_asks_for_it(
    client: TestClient, method: str, path: str, status: int
) -> None:
    asked = {"Accept-Language": "zh-CN,zh;q=0.9"}
    answer = client.request(method, f"/api/v1/{path}", headers=asked)
    title, detail = IN_CHINESE[status]
    problem = answer.json()
    assert (problem["status"], problem["title"], problem["detail"]) == (status, title, detail)
    assert answer.headers["content-language"] == "zh"
    plain = client.request(method, f"/api/v1/{path}").json()
    assert plain["detail"] == plain["english"] == problem["english"]


def test_every_status_of_a_problem_has_its_chinese() -> None:
    assert {401, 403, 404, 405, 409, 412, 413, 415, 421, 422, 429, 500, 503} <= IN_CHINESE.keys()
    assert set(Language) == {"en", "zh"}


def test_a_body_too_large_is_refused_before_it_is_read_whole_and_says_so_in_both_languages(client: TestClient) -> None:
    def without_a_length() -> Iterator[bytes]:
        for _ in range(30):
            yield bytes(1 << 20)

    told = client.post("/api/v1/cases", content=b"", headers={"content-length": "30000000", **JSON, **ZH})
    assert (told.status_code, told.json()["title"]) == (413, "内容过大")
    assert f"at most {BODY_MAX} bytes" in told.json()["english"]
    for key in ({}, {"Idempotency-Key": "k-1"}):
        answer = client.post("/api/v1/cases", content=without_a_length(), headers=JSON | key)
        assert (answer.status_code, answer.headers["content-type"]) == (413, "application/problem+json")
    whole = client.post("/api/v1/cases", content=b" " * BODY_MAX, headers=JSON)
    assert whole.status_code == 422


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_a_body_that_says_it_is_no_json_is_refused_by_its_kind(client: TestClient, kind: str) -> None:
    answer = client.post("/api/v1/cases", content=b"{}", headers={"content-type": kind, **ZH})
    assert (answer.status_code, answer.json()["title"]) == (415, "内容类型不支持")
    assert answer.json()["english"] == f"expected Content-Type: application/json, got {kind!r}"


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"]
)
def test_a_body_of_json_is_looked_at(client: TestClient, kind: str) -> None:
    assert client.post("/api/v1/cases", content=b"{}", headers={"content-type": kind}).status_code == 422


def test_an_address_that_is_only_read_says_which_methods_it_takes(client: TestClient) -> None:
    assert client.put("/api/v1/wards").headers["allow"] == "GET, HEAD"


def test_who_asks_too_much_is_told_how_long_to_wait(tmp_path_factory: pytest.TempPathFactory) -> None:
    store, watch = hospital(tmp_path_factory.mktemp("files")), Watch(START)
    site, at = desk(store, watch), [0.0]
    with store.write() as connection:
        add_person(connection, HOSPITAL, ActorId("B1"), "B1", START)
        set_grants(connection, HOSPITAL, ActorId("B1"), [Grant(Role.PURCHASER)])
    token = site.accounts.add_token(ActorId("B1"), ActorId("B1"), "t", read_only=True, days=1)
    with TestClient(build_api(site, "1", Meter(lambda: at[0], 6))) as client:
        client.headers["authorization"] = f"Bearer {token}"
        assert [client.get("/api/v1/me").status_code for _ in range(7)] == [200] * 6 + [429]
        late = client.get("/api/v1/me", headers={"Accept-Language": "zh"})
        assert (late.headers["retry-after"], late.json()["title"]) == ("10", "请求过多")
        at[0] = 10.0
        assert [client.get("/api/v1/me").status_code for _ in range(2)] == [200, 429]
        client.headers["authorization"] = "Bearer nonsense"
        assert [client.get("/api/v1/me").status_code for _ in range(7)] == [401] * 6 + [429]
        assert client.get("/api/v1/health").status_code == 200


def test_a_meter_without_a_rate_lets_everything_through_and_forgets_old_names() -> None:
    free, strict = Meter(lambda: 0.0, 0), Meter(lambda: 0.0, 1)
    for _ in range(1000):
        free.take("somebody")
    strict.take("somebody")
    with pytest.raises(TooMany, match="wait 60 s"):
        strict.take("somebody")


def test_every_operation_has_a_name_of_its_own_a_problem_for_each_refusal_and_who_is_let_in(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    operations = [(path, one) for path, several in document["paths"].items() for one in several.values()]
    names = [one["operationId"] for _, one in operations]
    assert len(names) == len(set(names))
    assert "post_orders_by_order_no_receipts" in names
    for path, one in operations:
        assert one["tags"], path
        assert one.get("summary"), path
        for status, said in one["responses"].items():
            if status >= "400":
                assert said["content"] == {
                    "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
                }
            elif status not in {"204", "304"}:
                assert all(kind.get("schema") is not None for kind in said["content"].values()), (path, status)
        if path != "/api/v1/health":
            assert one["security"] == [{"token": []}, {"session": []}]
            assert {"401", "403", "429", "500"} <= one["responses"].keys(), path
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
