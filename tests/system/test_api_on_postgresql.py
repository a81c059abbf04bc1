"""The API and the pages that find, on a real PostgreSQL: paging, search, a lot's reach, events, keys sent twice."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from central.services.changes import Changes
from central.services.policy import seed_policy
from tests.central.addresses import every_address, filled
from tests.central.doors import Watch
from tests.central.hospital import HOSPITAL, KIT
from tests.central.town import NOW, Town, town
from tests.system.postgresql import migrated_cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with migrated_cluster() as store:
        seed_policy(store, HOSPITAL)
        yield town(tmp_path_factory.mktemp("town"), store)


@pytest.fixture
def client(there: Town) -> Iterator[TestClient]:
    with TestClient(
        there.app, base_url="http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False
    ) as one:
        one.headers["authorization"] = f"Bearer {there.tokens['head-of-consumables']}"
        one.cookies.set("wardstock_session", there.sessions["head-of-consumables"])
        yield one


def test_every_list_is_paged_to_its_end(client: TestClient) -> None:
    for name in ("discrepancies", "proposals?status=all", "orders", "invoices", "waivers", "recalls", "wards"):
        mark = "&" if "?" in name else "?"
        whole = client.get(f"/api/v1/{name}{mark}limit=1000").json()["items"]
        found: list[object] = []
        following = f"/api/v1/{name}{mark}limit=1"
        while following and len(found) <= len(whole):
            page = client.get(following).json()
            found += page["items"]
            following = page["next"]
        assert found == whole, name


def test_the_pages_that_find_answer(client: TestClient, there: Town) -> None:
    order = there.names["order_no"]
    assert client.get("/search", params={"q": "zxjmdgb"}).status_code in {200, 303}
    assert client.get("/search", params={"q": order}).headers["location"] == f"/orders/{order}"
    assert KIT in client.get(f"/items/{KIT}").text
    assert "K1" in client.get("/lots", params={"item": KIT, "lot": "K1"}).text
    for path in ("/expiry?days=365", "/recalls", "/jobs", "/rules", "/tokens"):
        assert client.get(path).status_code == 200, path


def test_what_no_store_can_hold_is_refused_in_plain_words_by_every_address(client: TestClient, there: Town) -> None:
    spoilt = dict.fromkeys(there.names, "%00") | {"quarter": "2026Q1%00"}
    for address in every_address(there.app):
        if address.method == "GET":
            answer = client.get(filled(address, spoilt), params={"q": "\x00a", "place": "\x00", "item": "\x00"})
            assert answer.status_code < 500 or answer.status_code == 503, (address.row, answer.text[:200])


def test_a_key_sent_twice_and_the_changes_work_as_on_sqlite(client: TestClient, there: Town) -> None:
    told = {"kind": "emergency", "supplier": "S02", "item": KIT, "said": "none"}
    first, again = (client.post("/api/v1/cases", json=told, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (first.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    changes = Changes(there.store, HOSPITAL, Watch(NOW).read, "boot")
    assert changes.look() == 0
