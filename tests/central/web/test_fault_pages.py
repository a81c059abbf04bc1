"""Each refusal is a page that says what was not done and what to do next, and leads back; in both languages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.accounts import Accounts
from central.services.secrets_kept import form_word
from central.store.engine import Store
from central.web.faults import BODY_MAX
from protocols.values.ids import ActorId, PlaceId
from tests.central.doors import Watch, desk
from tests.central.hospital import frozen_clock, hospital

PASSWORD = "seven green kettles 7"
ADMIN, NURSE = ActorId("10001"), ActorId("20001")
FROM_HERE = {"sec-fetch-site": "same-origin", "referer": "http://127.0.0.1/stock?place=ward-01"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path / "files")
    door = desk(store, Watch(frozen_clock().real_now()))
    door.entrance.make_first("set-up-code!", ADMIN, "Keeper", PASSWORD, "")
    grant = Grant(Role.NURSE, frozenset({PlaceId("ward-01")}))
    door.entrance.accept(door.accounts.add(ADMIN, NURSE, "Nurse", [grant]), PASSWORD, "")
    return store


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock())
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        yield one


def sign_in(client: TestClient) -> str:
    client.post("/sign-in", data={"staff": NURSE, "password": PASSWORD}, headers=FROM_HERE)
    return form_word(client.cookies["wardstock_session"])


def test_who_lacks_a_right_is_told_the_roles_held_and_who_gives_others(client: TestClient) -> None:
    sign_in(client)
    page = client.get("/people?lang=en", headers=FROM_HERE)
    assert page.status_code == 403
    assert "You are 20001, with the roles: Nurse (ward-01)" in page.text
    assert "whoever keeps the accounts" in page.text
    assert 'href="/stock?place=ward-01"' in page.text
    assert "护士 (ward-01)" in client.get("/people?lang=zh").text


def test_a_form_that_is_too_large_is_refused_before_it_is_read(client: TestClient) -> None:
    sign_in(client)
    headers = {**FROM_HERE, "content-length": str(BODY_MAX + 1), "content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/imports?lang=en", content=b"", headers=headers)
    assert answer.status_code == 413
    assert "A file may have 20 MB: split the sheet" in answer.text


def test_a_form_that_does_not_say_its_length_is_refused_where_it_proves_too_large(client: TestClient) -> None:
    sign_in(client)
    piece = bytes(1 << 20)
    headers = {**FROM_HERE, "content-type": "application/x-www-form-urlencoded"}
    forever = (piece for _ in range((BODY_MAX >> 20) + 2))
    answer = client.post("/alarms/none/close?lang=en", content=forever, headers=headers)
    assert (answer.status_code, "That is too large" in answer.text) == (413, True)


def test_a_session_that_is_over_says_so_and_that_nothing_was_done(client: TestClient, store: Store) -> None:
    word = sign_in(client)
    door = desk(store, Watch(frozen_clock().real_now()))
    Accounts(store, door.accounts.hospital, door.accounts.now, door.accounts.draw).switch(ADMIN, NURSE, active=False)
    gone = client.get("/stock?place=ward-01").headers["location"]
    assert gone == "/sign-in?failed=over&next=%2Fstock%3Fplace%3Dward-01"
    sent = client.post("/hand/ward-01", data={"word": word}, headers=FROM_HERE).headers["location"]
    assert sent == "/sign-in?failed=over&next=%2Fstock%3Fplace%3Dward-01"
    assert "What you sent last was not done" in client.get(f"{sent}&lang=en").text
    assert "刚才提交的内容没有生效" in client.get(f"{sent}&lang=zh").text


def test_who_never_signed_in_is_not_told_of_a_session(client: TestClient) -> None:
    assert client.get("/stock").headers["location"] == "/sign-in?next=%2Fstock"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/x", "http://127.0.0.1//evil.example", "javascript:x", ""])
def test_the_way_back_never_leads_to_another_site(client: TestClient, elsewhere: str) -> None:
    sign_in(client)
    page = client.get("/people?lang=en", headers={"referer": elsewhere}).text
    assert "Back to the page you came from" not in page
    assert "evil" not in page


def test_a_page_for_a_fault_of_ours_asks_the_store_nothing_and_names_the_time(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(client)

    def away() -> None:
        raise RuntimeError("secret: the disk is gone")

    monkeypatch.setattr(type(store), "read", lambda _self: away())
    with pytest.raises(RuntimeError):  # the server's log has it; the reader has the page
        client.get("/stock?lang=en")
    quiet = TestClient(client.app, base_url="http://127.0.0.1", raise_server_exceptions=False, cookies=client.cookies)
    page = quiet.get("/stock?lang=en")
    assert (page.status_code, "secret" in page.text) == (500, False)
    assert re.search(r"Code 500 · .*\d{4}", page.text)
