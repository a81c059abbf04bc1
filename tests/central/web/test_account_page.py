"""The page of one-time codes: a picture to scan, recovery codes once, and no way past it for a role that needs them."""

import re
from base64 import b32decode
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.bootstrap.parts import accounts_of
from central.clock import Clock
from central.config import read_config
from central.core.rights import Grant, Role
from central.store.tables.work import POLICY_RULE
from protocols.values.ids import ActorId
from tests.central.hospital import HOSPITAL
from tests.central.stores import migrated_store


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    """A purchaser who is signed in, whose role must have one-time codes."""
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    config, store, clock = read_config(path), migrated_store(), Clock()
    row = {"hospital": HOSPITAL, "code": "signin.codes", "scope": "purchaser", "value": "1", "source_doc": "test"}
    with store.write() as connection:
        connection.execute(POLICY_RULE.insert().values(**row, effective_from=date(2026, 1, 1)))
    secret = accounts_of(config, store, clock).add(ActorId("op"), ActorId("20001"), "P", [Grant(Role.PURCHASER)])
    with TestClient(build_app(config, store, clock), base_url="http://127.0.0.1") as one:
        one.post(f"/invited/{secret}?lang=en", data={"password": "a long sentence 1"}, follow_redirects=False)
        one.cookies.set("lang", "en")
        yield one


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.split("<main")[1]))


def test_a_role_that_needs_codes_is_led_to_them_and_goes_on_once_they_are_set_up(client: TestClient) -> None:
    led = client.get("/orders", follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (303, "/account/codes")
    assert client.get("/api/v1/orders").status_code == 401
    page = client.get("/account/codes").text
    assert "<svg" in page
    asked = hidden(page)
    assert "not the code" in client.post("/account/codes", data={**asked, "code": "000000"}).text
    app = TOTP(b32decode(asked["secret"]), 6, SHA1(), 30, enforce_key_length=False)
    code = app.generate(Clock().real_now() // 1_000_000).decode()
    done = client.post("/account/codes", data={**asked, "code": f"{code[:3]} {code[3:]}"}).text
    assert len(re.findall(r"<li>[a-z2-7]{5}-[a-z2-7]{5}</li>", done)) == 10
    assert client.get("/orders", follow_redirects=False).status_code == 200
    after = client.get("/account/codes").text
    assert "10 recovery codes are left" in after
    assert asked["secret"] not in after


def test_a_form_of_another_site_sets_nothing_up(client: TestClient) -> None:
    asked = hidden(client.get("/account/codes").text)
    answer = client.post("/account/codes", data={**asked, "word": "x", "code": "000000"})
    assert answer.status_code == 403
