"""A POST with an Idempotency-Key is done once, whatever becomes of its answer."""

import threading
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from central.api.app import build_api
from central.core.rights import Grant, Role
from central.services.once import KEPT_S, Answered, Once
from central.store.queries_people import add_person, set_grants
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, KIT, START, hospital

CASES = "/api/v1/cases"
CASE = {"kind": "emergency", "supplier": "S01", "item": KIT, "said": "none left"}
BUYER, HEAD = ActorId("B1"), ActorId("H1")


@pytest.fixture
def watch() -> Watch:
    return Watch(START)


@pytest.fixture
def client(tmp_path_factory: pytest.TempPathFactory, watch: Watch) -> Iterator[TestClient]:
    store = hospital(tmp_path_factory.mktemp("files"))
    site = desk(store, watch)
    with store.write() as connection:
        for person, role in ((BUYER, Role.PURCHASER), (HEAD, Role.HEAD_OF_CONSUMABLES)):
            add_person(connection, HOSPITAL, person, person, START)
            set_grants(connection, HOSPITAL, person, [Grant(role)])
    with TestClient(build_api(site, "1.2.3"), raise_server_exceptions=False) as one:
        for person in (BUYER, HEAD):
            one.headers[f"X-{person}"] = site.accounts.add_token(person, person, "t", read_only=False, days=30)
        yield one


def asks(client: TestClient, key: str | None, person: str = BUYER) -> dict[str, str]:
    said = {"authorization": f"Bearer {client.headers[f'X-{person}']}"}
    return said if key is None else said | {"Idempotency-Key": key}


def cases(client: TestClient) -> list[str]:
    return [one["case_no"] for one in client.get(CASES, headers=asks(client, None)).json()["items"]]


def test_a_request_sent_again_is_answered_as_the_first_time_and_done_once(client: TestClient, watch: Watch) -> None:
    first = client.post(CASES, json=CASE, headers=asks(client, "k-1"))
    watch.now = plus(watch.now, 60)
    again = client.post(CASES, json=CASE, headers=asks(client, "k-1"))
    assert (first.status_code, again.status_code) == (201, 201)
    assert (first.json(), first.headers.get("idempotency-replayed")) == (again.json(), None)
    assert (again.headers["idempotency-replayed"], again.headers["content-type"]) == ("true", "application/json")
    assert cases(client) == [first.json()["case_no"]]


def test_a_key_used_for_another_request_is_refused(client: TestClient) -> None:
    assert client.post(CASES, json=CASE, headers=asks(client, "k-1")).status_code == 201
    other = client.post(CASES, json=CASE | {"said": "other"}, headers=asks(client, "k-1"))
    assert (other.status_code, other.headers["content-type"]) == (422, "application/problem+json")
    assert "got another" in other.json()["detail"]
    assert len(cases(client)) == 1


def test_a_key_belongs_to_one_person(client: TestClient, watch: Watch) -> None:
    client.post(CASES, json=CASE, headers=asks(client, "k-1"))
    watch.now = plus(watch.now, 60)
    theirs = client.post(CASES, json=CASE | {"said": "other"}, headers=asks(client, "k-1", HEAD))
    assert (theirs.status_code, "idempotency-replayed" in theirs.headers) == (201, False)


def test_a_request_that_was_refused_may_be_put_right_under_its_key(client: TestClient) -> None:
    refused = client.post(CASES, json=CASE | {"supplier": "S99"}, headers=asks(client, "k-1"))
    assert 400 <= refused.status_code < 500
    assert client.post(CASES, json=CASE, headers=asks(client, "k-1")).status_code == 201


def test_who_is_let_in_no_more_hears_no_kept_answer(client: TestClient) -> None:
    assert client.post(CASES, json=CASE, headers=asks(client, "k-1")).status_code == 201
    nobody = {"authorization": "Bearer nonsense", "Idempotency-Key": "k-1"}
    assert client.post(CASES, json=CASE, headers=nobody).status_code == 401


@pytest.mark.parametrize("key", ["", "x" * 129, "a\tb"])
def test_a_key_that_is_none_is_refused(client: TestClient, key: str) -> None:
    assert client.post(CASES, json=CASE, headers=asks(client, key)).status_code == 422
    assert cases(client) == []


def test_a_key_is_taken_while_its_first_request_is_under_way_and_free_after_a_day(client: TestClient) -> None:
    store = client.app.state.entrance.store  # type: ignore[attr-defined] # the application under the client
    watch = Watch(START)
    once = Once(store, HOSPITAL, watch.read)
    assert once.begin(BUYER, "k-9", b"one") is None
    taken = client.post(CASES, json=CASE, headers=asks(client, "k-9"))
    assert taken.status_code == 422, "it is another request's"
    again: list[str] = []

    def try_again() -> None:
        try:
            once.begin(BUYER, "k-9", b"one")
        except Exception as error:  # noqa: BLE001 # what it was refused with is what is looked at
            again.append(str(error))

    threads = [threading.Thread(target=try_again) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(again) == 4
    assert all("under way or never ended" in said for said in again)
    watch.now = plus(watch.now, KEPT_S + 1)
    assert once.begin(BUYER, "k-9", b"two") is None
    once.done(BUYER, "k-9", Answered(201, "application/json", b"{}"))
    assert once.begin(BUYER, "k-9", b"two") == Answered(201, "application/json", b"{}")


def test_an_answer_that_is_a_secret_is_never_kept(client: TestClient) -> None:
    address = "/api/v1/enrolments/ward-01/tickets"
    answer = client.post(address, json={}, headers=asks(client, "k-1"))
    assert (answer.status_code, "a secret" in answer.json()["detail"]) == (422, True)
