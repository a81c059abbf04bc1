"""Alarms: opened once a matter, told at once, taken and closed by name, and not said again by the digest."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Connection

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.alarms import ALARM_STEPS, SAID, TELLS, AlarmKind, AlarmState, AlarmStep
from central.core.rights import EVERYWHERE, Role
from central.core.suppliers import CaseKind
from central.errors import BadInput, ChangedSince, NotAllowed, NotNow, NotThere
from central.services.alarms import Alarms, look
from central.services.desk import Desk
from central.services.documents import Documents
from central.services.notices import Notices
from central.store.audit import acts
from central.store.engine import Store
from central.store.queries_alarms import Alarm, alarms
from central.store.tables.notices import NOTICE
from protocols.values.instant import Instant, plus
from tests.central.core.test_notices import STARTS
from tests.central.hospital import HOSPITAL, KIT, START, Ward, frozen_clock, tags
from tests.central.purchases import BUYER, HEAD, STORE, buying_hospital, person

HOUR_S = 3600


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return buying_hospital(tmp_path / "files")


def at(desk: Desk, when: Instant) -> Alarms:
    return Alarms(Documents(desk.store, HOSPITAL, frozen_clock(when)))


def seen(desk: Desk, kind: AlarmKind | None = None) -> list[Alarm]:
    with desk.store.read() as connection:
        found = alarms(connection, HOSPITAL, scope=EVERYWHERE)
    return [one for one in found if kind in {None, one.kind}]


def used_up(desk: Desk) -> Ward:
    """The last of three kits is issued; kits are vital."""
    ward, units = Ward(desk.store), tags(3)
    ward.open(KIT, "K1", units)
    for number, unit in enumerate(units):
        ward.issue(KIT, "K1", unit, 60 + number)
    return ward


def test_g1_a_vital_item_at_zero_is_one_alarm_however_often_it_is_looked_at_and_ends_by_itself(desk: Desk) -> None:
    ward, units = Ward(desk.store), tags(3)
    ward.open(KIT, "K1", units)
    assert look(desk.store, HOSPITAL, START) == (0, 0), "three kits lie there"
    for number, unit in enumerate(units):
        ward.issue(KIT, "K1", unit, 60 + number)
    assert look(desk.store, HOSPITAL, plus(START, 120)) == (1, 0)
    assert look(desk.store, HOSPITAL, plus(START, 180)) == (0, 0)
    (one,) = seen(desk)
    assert (one.kind, one.place, one.item, one.state) == (AlarmKind.VITAL_ZERO, "ward-01", KIT, AlarmState.OPEN)
    ward.receive(KIT, "K2", 5, 200)
    assert look(desk.store, HOSPITAL, plus(START, 240)) == (0, 1)
    (one,) = seen(desk)
    assert (one.state, one.closed_by) == (AlarmState.CLOSED, "alarms")


def test_g2_an_emergency_over_its_two_hours_is_told_to_who_buys(desk: Desk) -> None:
    case = desk.suppliers.open_case(BUYER, CaseKind.EMERGENCY, "S02", KIT, "three kits tonight")
    assert look(desk.store, HOSPITAL, plus(START, 2 * HOUR_S)) == (0, 0)
    assert look(desk.store, HOSPITAL, plus(START, 2 * HOUR_S + 60)) == (1, 0)
    (one,) = seen(desk)
    assert (one.kind, one.subject) == (AlarmKind.EMERGENCY_LATE, case)
    with pytest.raises(NotAllowed):
        at(desk, START).step(STORE, one.alarm, AlarmStep.ACKNOWLEDGE)
    at(desk, START).step(BUYER, one.alarm, AlarmStep.ACKNOWLEDGE)


def test_d8_who_takes_an_alarm_and_who_closes_it_stand_with_it_and_in_the_record(desk: Desk) -> None:
    desk.recalls.recall(STORE, KIT, "K1", "the maker's letter")
    look(desk.store, HOSPITAL, START)
    (one,) = seen(desk)
    kept = at(desk, plus(START, 60))
    with pytest.raises(NotThere):
        kept.step(HEAD, "AL-0", AlarmStep.CLOSE, "x")
    taken = kept.step(STORE, one.alarm, AlarmStep.ACKNOWLEDGE, seen=1)
    assert (taken.state, taken.acknowledged_by) == (AlarmState.ACKNOWLEDGED, STORE.person)
    with pytest.raises(NotNow, match="cannot acknowledge one that is acknowledged"):
        kept.step(HEAD, one.alarm, AlarmStep.ACKNOWLEDGE)
    with pytest.raises(ChangedSince):
        kept.step(HEAD, one.alarm, AlarmStep.CLOSE, "all sent back", seen=1)
    with pytest.raises(BadInput, match="words"):
        kept.step(HEAD, one.alarm, AlarmStep.CLOSE)
    done = kept.step(HEAD, one.alarm, AlarmStep.CLOSE, "all sent back", seen=2)
    assert (done.state, done.closed_by, done.words) == (AlarmState.CLOSED, HEAD.person, "all sent back")
    assert look(desk.store, HOSPITAL, plus(START, 120)) == (0, 0), "closed by a person, it is not opened again"
    desk.recalls.lift(STORE, KIT, "K1")
    look(desk.store, HOSPITAL, plus(START, 180))
    desk.recalls.recall(STORE, KIT, "K1", "a second letter")
    assert look(desk.store, HOSPITAL, plus(START, 240)) == (1, 0), "a new matter is a new alarm"
    with desk.store.read() as connection:
        told = [one.act for one in acts(connection, HOSPITAL) if one.act.startswith("alarm")]
    assert sorted(told) == ["alarm-acknowledge", "alarm-close", "alarm-raise", "alarm-raise"]


class Meanwhile(Store):
    """A store in which something is done just before the next write."""

    def __init__(self, store: Store, done: Callable[[], object]) -> None:
        super().__init__(store.engine)
        self._done: list[Callable[[], object]] = [done]

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Do it once, then write."""
        while self._done:
            self._done.pop()()
        with super().write() as connection:
            yield connection


def test_who_closed_an_alarm_while_it_was_looked_at_stays_its_closer(desk: Desk) -> None:
    desk.recalls.recall(STORE, KIT, "K1", "the maker's letter")
    look(desk.store, HOSPITAL, START)
    (one,) = seen(desk)
    desk.recalls.lift(STORE, KIT, "K1")
    kept = at(desk, plus(START, 60))
    store = Meanwhile(desk.store, lambda: kept.step(HEAD, one.alarm, AlarmStep.CLOSE, "all sent back"))
    assert look(store, HOSPITAL, plus(START, 61)) == (0, 1)
    (one,) = seen(desk)
    assert (one.closed_by, one.words, one.over_at) == (HEAD.person, "all sent back", plus(START, 61))


def test_an_alarm_is_sent_at_once_and_the_digest_does_not_say_a_taken_one_again(desk: Desk) -> None:
    sent: list[tuple[str, str]] = []
    now = [START]

    def send(_url: str, title: str, body: str) -> bool:
        sent.append((title, body))
        return True

    urls = {"storekeeper": ["json://127.0.0.1:1"], "purchaser": ["json://127.0.0.1:2"]}
    notices = Notices(desk.store, HOSPITAL, lambda: now[0], STARTS, urls, send)
    notices.make(START)
    notices.send_waiting()
    sent.clear()
    used_up(desk)
    now[0] = plus(START, 120)
    look(desk.store, HOSPITAL, now[0])
    assert notices.tell_alarms(now[0]) == 1, "the storekeeper's; a purchaser does not settle"
    assert notices.tell_alarms(now[0]) == 0, "once"
    notices.send_waiting()
    ((title, body),) = sent
    assert title == "立即处理"
    assert "急救物资为零" in body
    assert "重症医学科" in body
    shift = plus(START, 12 * HOUR_S)
    notices.make(shift)
    assert "1 条警报无人认领" in digest_of(desk, shift)
    (one,) = seen(desk)
    at(desk, shift).step(STORE, one.alarm, AlarmStep.ACKNOWLEDGE)
    notices.make(plus(shift, 12 * HOUR_S))
    assert "警报" not in digest_of(desk, plus(shift, 12 * HOUR_S))


def test_alarms_of_the_moment_in_which_a_shift_begins_are_told_beside_its_digest(desk: Desk) -> None:
    sent: list[str] = []

    def send(_url: str, title: str, _body: str) -> bool:
        sent.append(title)
        return True

    used_up(desk)
    shift = plus(START, 4 * HOUR_S)
    look(desk.store, HOSPITAL, shift)
    notices = Notices(desk.store, HOSPITAL, lambda: shift, STARTS, {"storekeeper": ["json://127.0.0.1:1"]}, send)
    assert (notices.make(shift), notices.tell_alarms(shift), notices.make(shift)) == (1, 1, 0)
    notices.send_waiting()
    assert sorted(sent) == ["待办提醒 2026-03-02 20:00 班次", "立即处理"]
    assert notices.send_waiting() == 0


def digest_of(desk: Desk, made_at: Instant) -> str:
    row = NOTICE.c
    chosen = NOTICE.select().where(row.recipient == "storekeeper", row.made_at == made_at)
    with desk.store.read() as connection:
        return str(connection.execute(chosen).one().body)


@pytest.fixture
def client(tmp_path: Path, desk: Desk) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), desk.store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def test_an_alarm_is_taken_on_the_page_and_closed_through_the_api(client: TestClient, desk: Desk) -> None:
    used_up(desk)
    look(desk.store, HOSPITAL, plus(START, 120))
    page = client.get("/alarms?lang=zh").text
    assert "急救物资为零" in page
    assert "重症医学科" in page
    word = page.split('name="word" value="')[1].split('"', maxsplit=1)[0]
    (one,) = client.get("/api/v1/alarms").json()["items"]
    assert client.post(f"/alarms/{one['alarm']}/acknowledge", data={"word": word}).status_code == 200
    assert "taken by" in client.get("/alarms?lang=en").text
    assert client.get("/api/v1/alarms").json()["items"] == [], "open ones are listed"
    told = client.get(f"/api/v1/alarms/{one['alarm']}")
    assert told.headers["etag"].startswith('"v2.')
    steps = f"/api/v1/alarms/{one['alarm']}/steps/close"
    assert client.post(steps, json={"words": "x"}, headers={"If-Match": '"v1"'}).status_code == 412
    assert client.post(steps, json={}).status_code == 422
    assert client.post(steps, json={"words": "five came"}).json()["state"] == "closed"
    assert client.post(f"/alarms/{one['alarm']}/close", data={"word": word, "words": "y"}).status_code == 409


def test_a_ward_sees_its_own_alarms_and_every_step_leads_to_an_end() -> None:
    assert set(TELLS) == set(SAID) == set(AlarmKind)
    assert {before for before, _ in ALARM_STEPS} == set(AlarmState) - {AlarmState.CLOSED}
    assert person("1", Role.DELIVERY).may(TELLS[AlarmKind.RECALL]) is False
