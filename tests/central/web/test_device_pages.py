"""The page of devices and its API: who sees it, who changes it, and that a ticket is shown once."""

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app, desk_of
from central.bootstrap.parts import accounts_of
from central.clock import Clock
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.key_making import make_keys
from central.services.own_keys import devices_of, key_places
from central.services.secrets_kept import form_word
from central.store.chains import keep_device, note_frame, registered
from protocols.movements.bodies import write_body
from protocols.movements.reports import ClockStepBody, DutyBody
from protocols.sync.enrolment import Asking, read_ticket
from protocols.values.ids import ActorId, DeviceId
from protocols.values.instant import plus, seconds_between
from tests.central.hospital import HOSPITAL, START, Ward, hospital
from tests.central.services.fleet import request

PASSWORD = "seven green kettles 7"
ADMIN, OPERATOR, BUYER = ActorId("10001"), ActorId("10002"), ActorId("10003")
FROM_HERE = {"sec-fetch-site": "same-origin"}
CONFIG = """
[broker]
urls = ["mqtts://broker.lan:8883"]
[enrolment]
port = 8443
names = ["central.lan"]
"""
KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


class Site:
    def __init__(self, folder: Path) -> None:
        (folder / "central.toml").write_text(CONFIG, "utf-8")
        config, clock = read_config(folder / "central.toml"), Clock()
        make_keys(key_places(config, folder / "medium"), clock.now())
        store = self.store = hospital(folder / "files")
        self.devices = devices_of(config, store, clock)
        desk = desk_of(config, store, clock)
        desk.entrance.make_first(desk.entrance.setup_code, ADMIN, "Keeper", PASSWORD, "")
        self.accounts = accounts_of(config, store, clock)
        for person, role in ((OPERATOR, Role.SPD_OPERATOR), (BUYER, Role.PURCHASER)):
            desk.entrance.accept(self.accounts.add(ADMIN, person, person, [Grant(role)]), PASSWORD, "")
        self.client = TestClient(build_app(config, store, clock), base_url="http://127.0.0.1", follow_redirects=False)

    def sign_in(self, person: str) -> str:
        self.client.cookies.clear()
        self.client.post("/sign-in", data={"staff": person, "password": PASSWORD}, headers=FROM_HERE)
        return form_word(self.client.cookies["wardstock_session"])

    def post(self, path: str, **form: str) -> tuple[int, str]:
        answer = self.client.post(path, data=form, headers=FROM_HERE)
        return answer.status_code, html.unescape(answer.text)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    with made.client:
        yield made


def test_an_administrator_makes_a_ticket_that_enrols_and_then_revokes(site: Site) -> None:
    word = site.sign_in(ADMIN)
    assert "not enrolled" in site.client.get("/devices?lang=en").text
    status, shown = site.post("/devices/ward-01/ticket", word=word)
    assert status == 200
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in shown or "<svg" in shown
    text = re.search(r"WARDSTOCK-1/\S+?(?=<)", shown)
    assert text is not None
    ticket = read_ticket(text[0])
    assert text[0] not in site.client.get("/devices").text
    site.devices.enrol(Asking(ticket.token, ticket.device, request(KEY)))
    assert "Certificate until" in site.client.get("/devices?lang=en").text
    assert "已注册" in site.client.get("/devices?lang=zh").text
    assert site.post("/devices/ward-01/revoke", word=word, reason="")[0] == 409
    assert site.post("/devices/ward-01/revoke", word=word, reason="lost <in> a move")[0] == 303
    page = site.client.get("/devices?lang=en").text
    assert "lost &lt;in&gt; a move" in page
    assert "revoked a device" in site.client.get("/acts?lang=en").text


def test_who_looks_after_the_fleet_sees_it_and_only_the_administrator_changes_it(site: Site) -> None:
    word = site.sign_in(OPERATOR)
    page = site.client.get("/devices?lang=en")
    assert page.status_code == 200
    assert "New ticket" not in page.text
    assert site.post("/devices/ward-01/ticket", word=word)[0] == 403
    site.sign_in(BUYER)
    assert site.client.get("/devices").status_code == 403


def test_a_form_of_another_site_and_a_device_nobody_imported_change_nothing(site: Site) -> None:
    word = site.sign_in(ADMIN)
    assert site.post("/devices/ward-01/ticket", word="no")[0] == 403
    site.client.get("/devices?lang=en")
    status, shown = site.post("/devices/ward-99/ticket", word=word)
    assert status == 409
    assert "places.csv" in shown
    assert site.devices.standings()[0].token_until is None


def test_a_program_does_the_same_through_the_api(site: Site) -> None:
    token = site.accounts.add_token(ADMIN, ADMIN, "fleet", read_only=False, days=1)
    asks = {"authorization": f"Bearer {token}"}
    site.client.cookies.clear()
    made = site.client.post("/api/v1/enrolments/ward-02/tickets", json={"minutes": 5}, headers=asks)
    assert made.status_code == 201
    ticket = read_ticket(made.json()["ticket"])
    site.devices.enrol(Asking(ticket.token, ticket.device, request(KEY)))
    listed = site.client.get("/api/v1/enrolments", headers=asks).json()["items"]
    assert {one["device"]: one["standing"] for one in listed} == {"ward-01": "without-key", "ward-02": "enrolled"}
    gone = site.client.post("/api/v1/enrolments/ward-02/revoke", json={"reason": "sold"}, headers=asks)
    assert (gone.json()["standing"], gone.json()["reason"]) == ("revoked", "sold")
    assert site.client.post("/api/v1/enrolments/ward-99/tickets", json={}, headers=asks).status_code == 404
    looks = site.accounts.add_token(ADMIN, ADMIN, "look", read_only=True, days=1)
    refused = site.client.post(
        "/api/v1/enrolments/ward-02/tickets", json={}, headers={"authorization": f"Bearer {looks}"}
    )
    assert refused.status_code == 403


def test_a_device_tells_its_version_its_lag_its_clock_and_its_antennas(site: Site) -> None:
    ward = Ward(site.store)
    with site.store.write() as connection:
        known = registered(connection, HOSPITAL, DeviceId("ward-01"))
        assert known is not None
        keep_device(connection, HOSPITAL, known, {"agent_version": "7.1.0"})
    site.sign_in(OPERATOR)
    before = site.client.get("/devices?lang=en").text
    assert "program 7.1.0" in before
    assert "no clock error told" in before
    assert "nothing told of antennas this week" in before
    now = seconds_between(START, Clock().now())
    ward.say("clock_step", write_body(ClockStepBody("offset", -90_500_000)), now - 60)
    ward.say("clock_step", write_body(ClockStepBody("jump", 5_000_000)), now - 50)
    heard = {"r1:1": 1000, "r1:2": 0, "r2:1": 899}
    ward.say("duty", write_body(DutyBody("day_end", START, "done", heard=heard)), now - 40)
    with site.store.write() as connection:
        note_frame(connection, HOSPITAL, DeviceId("ward-01"), plus(START, now - 40), 14)
    page = site.client.get("/devices?lang=en").text
    for said in ("clock 90.5 s behind", "antenna r1:2 did not listen", "antennas listened 63.3%", "12 entries to come"):
        assert said in page
    other = site.client.get("/devices?lang=zh").text
    for said in ("时钟慢 90.5 秒", "天线 r1:2 未工作", "12 条记录待传", "程序版本 7.1.0"):
        assert said in other
    (told,) = (one for one in site.client.get("/api/v1/devices").json()["items"] if one["device"] == "ward-01")
    assert (told["clock_ahead_us"], told["pending"], told["antennas"]) == (-90_500_000, 12, heard)
    table = list(csv.reader(io.StringIO(site.client.get("/exports/devices.csv?lang=en").text.lstrip("\ufeff"))))
    row = dict(zip(table[0], next(one for one in table if one[0] == "ward-01"), strict=True))
    assert (row["version"], row["entries to come"], row["silent antennas"]) == ("7.1.0", "12", "r1:2")
    assert (row["clock ahead (s)"], row["antennas listened (%)"]) == ("-90.5", "63.3")


def test_a_clock_that_was_mended_and_one_told_in_a_form_nobody_knows_are_not_wrong(site: Site) -> None:
    ward = Ward(site.store)
    now = seconds_between(START, Clock().now())
    ward.say("clock_step", write_body(ClockStepBody("offset", 9_000_000)), now - 60)
    site.sign_in(OPERATOR)
    assert "clock 9 s ahead" in site.client.get("/devices?lang=en").text
    ward.say("clock_step", write_body(ClockStepBody("offset", 300_000)), now - 30)
    ward.say("clock_step", {"cause": 7}, now - 20)
    assert "no clock error told" in site.client.get("/devices?lang=en").text
