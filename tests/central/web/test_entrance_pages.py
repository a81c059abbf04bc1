"""The entrance and the accounts over HTTP, with a real store behind: nothing is seen or done without the right."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.clock import new_secret
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.accounts import Accounts
from central.services.replenish import replenish
from central.services.secrets_kept import form_word
from central.store.engine import Store
from protocols.values.ids import ActorId, PlaceId
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, hospital, tags

PASSWORD = "seven green kettles 7"
ADMIN, BUYER, NURSE = ActorId("10001"), ActorId("10023"), ActorId("20001")
FROM_HERE = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A store with one proposal for ward-01, an administrator, a buyer and a nurse of ward-02."""
    store = hospital(tmp_path / "files")
    Ward(store).open(KIT, "K1", tags(5))
    replenish(store, HOSPITAL, START, policy="3x", run="replenish:1")
    door = desk(store, Watch(frozen_clock().real_now()))
    door.entrance.make_first("set-up-code!", ADMIN, "Keeper", PASSWORD, "")
    for person, grant in (
        (BUYER, Grant(Role.PURCHASER)),
        (NURSE, Grant(Role.NURSE, frozenset({PlaceId("ward-02")}))),
    ):
        door.entrance.accept(door.accounts.add(ADMIN, person, person, [grant]), PASSWORD, "")
    return store


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock())
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        yield one


def sign_in(client: TestClient, person: str) -> str:
    """Sign in, and return the word that this session's forms carry."""
    answer = client.post("/sign-in", data={"staff": person, "password": PASSWORD}, headers=FROM_HERE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    return form_word(client.cookies["wardstock_session"])


@pytest.mark.parametrize("page", ["/", "/people", "/acts", "/?said=approved"])
def test_a_page_leads_nobody_in_and_back_after_signing_in(client: TestClient, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=")
    shown = client.get(answer.headers["location"]).text
    assert f'name="next" value="{page}"' in shown


@pytest.mark.parametrize("outside", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_after_signing_in_nobody_is_led_to_another_site(client: TestClient, outside: str) -> None:
    told = {"staff": BUYER, "password": PASSWORD, "next": outside}
    assert client.post("/sign-in", data=told, headers=FROM_HERE).headers["location"] == "/"


def test_the_api_answers_nobody_with_401_and_a_problem_document(client: TestClient) -> None:
    for path in ("wards", "orders", "proposals", "discrepancies", "devices", "people", "acts", "me", "lines?place=x"):
        answer = client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.headers["content-type"]) == (401, "application/problem+json"), path
        assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/api/v1/health").status_code == 200


def test_a_wrong_password_is_told_in_plain_words(client: TestClient) -> None:
    answer = client.post("/sign-in?lang=en", data={"staff": BUYER, "password": "x"}, headers=FROM_HERE)
    assert answer.status_code == 401
    assert "Staff number, password or code is wrong." in answer.text
    assert 'value="10023"' in answer.text


def test_a_form_of_another_site_signs_nobody_in(client: TestClient) -> None:
    told = {"staff": BUYER, "password": PASSWORD}
    assert client.post("/sign-in", data=told, headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_a_nurse_sees_her_ward_and_neither_needs_nor_prices_nor_people(client: TestClient) -> None:
    sign_in(client, NURSE)
    page = client.get("/?lang=en").text
    assert "General surgery" in page
    assert "Intensive care" not in page
    assert "¥" not in page
    assert "Orders" not in page
    assert client.get("/people").status_code == 403
    assert [one["place"] for one in client.get("/api/v1/wards").json()["items"]] == ["ward-02"]
    assert client.get("/api/v1/lines", params={"place": "ward-01"}).status_code == 403
    for path in ("orders", "proposals", "devices", "people", "acts"):
        assert client.get(f"/api/v1/{path}").status_code == 403, path


def test_the_administrator_sees_people_and_no_stock(client: TestClient) -> None:
    sign_in(client, ADMIN)
    assert client.get("/").headers["location"] == "/people"
    assert client.get("/people?lang=en").status_code == 200
    for path in ("wards", "orders", "proposals", "discrepancies", "lines?place=ward-01"):
        assert client.get(f"/api/v1/{path}").status_code == 403, path


def test_a_buyer_approves_in_their_own_name_with_the_sessions_word_only(client: TestClient) -> None:
    word = sign_in(client, BUYER)
    (proposal,) = client.get("/api/v1/proposals").json()["items"]
    address, told = f"/proposals/{proposal['id']}/approve", {"version": proposal["version"]}
    assert client.post(address, data=told, headers=FROM_HERE).status_code == 403
    assert client.post(f"/api/v1{address}", json=told).status_code == 403
    assert client.get("/api/v1/orders").json()["items"] == []
    assert client.post(address, data={**told, "word": word}, headers=FROM_HERE).status_code == 303
    (order,) = client.get("/api/v1/orders").json()["items"]
    assert order["approved_by"] == BUYER


def test_a_token_acts_for_its_person_and_one_that_may_only_look_changes_nothing(
    client: TestClient, store: Store
) -> None:
    accounts = Accounts(store, HOSPITAL, frozen_clock().real_now, new_secret)
    secrets = {
        only: accounts.add_token(ADMIN, BUYER, f"token {only}", read_only=only, days=2) for only in (True, False)
    }
    (proposal,) = client.get("/api/v1/proposals", headers={"authorization": f"Bearer {secrets[True]}"}).json()["items"]
    address, told = f"/api/v1/proposals/{proposal['id']}/approve", {"version": proposal["version"]}
    looking = client.post(address, json=told, headers={"authorization": f"Bearer {secrets[True]}"})
    acting = client.post(address, json=told, headers={"authorization": f"Bearer {secrets[False]}"})
    assert (looking.status_code, acting.status_code) == (403, 201)


def test_an_administrator_makes_an_account_whose_person_sets_a_password_and_comes_in(client: TestClient) -> None:
    word = sign_in(client, ADMIN)
    told = {"staff": "20002", "name": "Nurse", "role": ["nurse"], "ward": ["ward-01"], "word": word}
    made = client.post("/people?lang=en", data=told, headers=FROM_HERE)
    (link,) = re.findall(r"<code>http://127\.0\.0\.1(/invited/[\w-]+)</code>", made.text)
    assert link not in client.get("/people").text, "it is shown once"
    client.post("/sign-out", data={"word": word}, headers=FROM_HERE)
    assert "20002" in client.get(link).text
    assert client.post(link, data={"password": "short"}, headers=FROM_HERE).status_code == 400
    assert client.post(link, data={"password": PASSWORD}, headers=FROM_HERE).headers["location"] == "/"
    assert "重症医学科" in client.get("/?lang=zh").text
    assert client.get(link).status_code == 409


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"staff": "30001", "name": "N", "role": ["nurse"]}, "at least one ward"),
        ({"staff": "30001", "name": "N"}, "at least one role"),
        ({"staff": "10023", "name": "N", "role": ["finance"]}, "has an account already"),
        ({"staff": "30001", "name": " ", "role": ["finance"]}, "1 to 64 characters"),
        ({"staff": "a b", "name": "N", "role": ["finance"]}, "without blanks"),
    ],
)
def test_a_wrong_account_is_refused_in_plain_words(client: TestClient, told: dict[str, object], says: str) -> None:
    word = sign_in(client, ADMIN)
    answer = client.post("/people?lang=en", data={**told, "word": word}, headers=FROM_HERE)
    assert answer.status_code == 400
    assert says in answer.text


def test_an_account_is_switched_off_and_its_person_is_out(client: TestClient) -> None:
    word = sign_in(client, ADMIN)
    assert client.post(f"/people/{BUYER}/off", data={"word": word}, headers=FROM_HERE).status_code == 303
    assert client.post(f"/people/{ADMIN}/off", data={"word": word}, headers=FROM_HERE).status_code == 409
    told = {"staff": BUYER, "password": PASSWORD}
    assert client.post("/sign-in", data=told, headers=FROM_HERE).status_code == 401


def test_the_record_tells_who_approved_and_who_looked_at_prices(client: TestClient) -> None:
    word = sign_in(client, BUYER)
    (proposal,) = client.get("/api/v1/proposals").json()["items"]
    told = {"version": proposal["version"], "word": word}
    client.post(f"/proposals/{proposal['id']}/approve", data=told, headers=FROM_HERE)
    client.cookies.clear()
    sign_in(client, ADMIN)
    rows = [(one["person"], one["act"], one["subject"]) for one in client.get("/api/v1/acts").json()["items"]]
    assert (BUYER, "approve", proposal["id"]) in rows
    assert (BUYER, "see-prices", "proposals") in rows
    assert "approved a proposal" in client.get("/acts?lang=en").text


def test_where_everyone_is_one_person_an_account_still_signs_in_and_out(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "open.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock())
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as client:
        assert 'href="/sign-in"' in client.get("/help?lang=en").text
        assert "act as page" in client.get("/sign-in?lang=en").text
        word = sign_in(client, NURSE)
        assert client.get("/api/v1/me").json()["person"] == NURSE
        assert client.get("/acts").status_code == 403
        assert client.post("/api/v1/recalls", json={"item": KIT, "lot": "K1", "reason": "x"}).status_code == 403
        assert client.post("/sign-out", data={"word": word}, headers=FROM_HERE).status_code == 303
        assert client.get("/api/v1/me").json()["person"] == "page"
