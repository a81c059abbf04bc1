"""The office of a watched demo at central's own API: what its files and its people's requests come to."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import astuple
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.alarms import AlarmKind
from central.core.rights import Grant, Role
from central.services.alarms import look
from central.services.imports import import_folder
from central.services.purchasing_day import purchasing_day
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.queries_alarms import standing
from central.store.queries_consignment import held
from hardware_sim.sample.files import write_office, write_sample
from hardware_sim.story.guests import CLINIC, ONCE, PEOPLE, THEATRE
from hardware_sim.story.purchasing import acts, play
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import business_day, plus
from tests.central.doors import PATIENT_KEY, SETUP_CODE, Watch, desk
from tests.central.hospital import HOSPITAL, START, fresh_store, frozen_clock
from tests.central.web.test_order_pages import PASSWORD, Somebody

NOW, TODAY = plus(START, 3600), business_day(START)


class Browser:
    """One person's way to central."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def ask(self, verb: str, address: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
        answer = self.client.request(verb, f"/api/v1/{address}", json=dict(told))
        assert answer.is_success, answer.text
        found: Mapping[str, Any] = answer.json()
        return found

    def send(self, page: str, action: str, told: Mapping[str, object]) -> str:
        nurse = Somebody(self.client, PEOPLE.theatre_nurse)
        once = ONCE.search(nurse.get(page))
        assert once is not None
        return nurse.said(action, once=once[1], **told)

    def items(self, address: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.client.get(f"/api/v1/{address}").raise_for_status().json()["items"]
        return found


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Browser]]:
    folder, store = tmp_path_factory.mktemp("office"), fresh_store()
    write_sample(folder / "sample", wards=2, until=TODAY)
    write_office(folder / "office", until=TODAY)
    for name in ("sample", "office"):
        import_folder(store, HOSPITAL, folder / name, frozen_clock())
    door = desk(store, Watch(frozen_clock().real_now()))
    door.entrance.make_first(SETUP_CODE, ActorId("99999"), "Keeper", PASSWORD, "")
    theatre_nurse = Grant(Role.NURSE, frozenset({PlaceId(THEATRE)}))
    invited = door.accounts.add(ActorId("99999"), ActorId(PEOPLE.theatre_nurse), "Nurse", [theatre_nurse])
    door.entrance.accept(invited, PASSWORD, "")
    with ExitStack() as open_:
        desks = {staff: Browser(open_.enter_context(client(folder, store, staff))) for staff in astuple(PEOPLE)}
        play(acts(PEOPLE, clinic=CLINIC, theatre=THEATRE), desks, TODAY)
        replenish(store, HOSPITAL, NOW, policy="3x", run="replenish:office")
        look(store, HOSPITAL, NOW)
        yield store, desks[PEOPLE.buyer]


def client(folder: Path, store: Store, staff: str) -> TestClient:
    path = folder / f"{staff}.toml"
    (folder / "patient.key").write_bytes(PATIENT_KEY)
    of_all = '[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[his]\npatient_key = "patient.key"\n'
    path.write_text(f'{of_all}[people]\neveryone_is = "{staff}"\n', "utf-8")
    return TestClient(build_app(read_config(path), store, frozen_clock(NOW)), base_url="http://127.0.0.1")


def test_a_buyer_finds_proposals_of_several_kinds_and_one_is_the_heads(office: tuple[Store, Browser]) -> None:
    listed = [one for one in office[1].items("proposals") if not one["place"].startswith("ward-")]
    routes, sources = Counter(one["route"] for one in listed), {one["source"] for one in listed}
    assert 10 <= len(listed) <= 20
    assert routes["head"] == 1
    assert {"main-store", "S01", "S03", "S04", "S05", "S06"} <= sources
    assert all(one["reason_en"] and one["reason_zh"] for one in listed)


def test_no_ward_of_the_story_is_touched(office: tuple[Store, Browser]) -> None:
    at = office[1]
    orders = {one["place"] for one in at.items("orders")}
    assert orders == {"main-store", CLINIC, THEATRE}
    assert {one["place"] for one in at.items("requisitions")} == {CLINIC, THEATRE}


def test_suppliers_are_graded_and_a_certificate_ends_soon_and_one_later(office: tuple[Store, Browser]) -> None:
    listed = office[1].items("suppliers")
    grades = {one["supplier"]: one["grade"] for one in listed if one["grade"]}
    assert set(grades.values()) == {"A", "B", "C"}
    assert grades["S07"] == "C", "only who supplies nothing first may stand in the way of an order"
    assert {one["standing"] for firm in listed for one in firm["papers"]} >= {"very-soon", "lapsed", "valid"}
    days = [date.fromisoformat(one["last"]) - TODAY for firm in listed for one in firm["papers"]]
    assert any(timedelta(0) < left <= timedelta(30) for left in days)


def test_an_invoice_is_disputed_goods_are_announced_and_an_emergency_waits_for_its_answer(
    office: tuple[Store, Browser],
) -> None:
    at = office[1]
    assert [(one["supplier"], one["state"]) for one in at.items("invoices")] == [("S05", "disputed")]
    assert Counter(one["status"] for one in at.items("orders"))["announced"] == 1
    assert {(one["emergency"], one["state"]) for one in at.items("requisitions")} == {
        (True, "placed"),
        (False, "asked"),
        (False, "ordered"),
    }
    assert {(one["kind"], one["supplier"]) for one in at.items("cases")} == {("emergency", "S01"), ("ticket", "S03")}
    assert [(one["item"], one["level"]) for one in at.items("consignment/terms")] == [("HC3013", 4)]


def test_d9_a_supplier_is_owed_for_the_one_plate_that_was_used_and_lays_it_in_again(
    office: tuple[Store, Browser],
) -> None:
    store, at = office
    with store.read() as connection:
        lent = held(connection, HOSPITAL)
    assert lent == {("HC3013", "S05"): 3}, "four came, two went to the theatre, one was used there"
    (owed,) = at.items("consignment/running")
    (line,) = owed["lines"]
    assert (owed["supplier"], line["item"], line["used"], owed["amount"]) == ("S05", "HC3013", 1, 36_000_000)
    again = [one for one in at.items("proposals") if one["item"] == "HC3013"]
    assert [(one["place"], one["source"], one["qty"]) for one in again] == [("main-store", "S05", 1)]


def test_a5_two_items_outside_the_batch_stand_on_the_half_years_bargaining_list(office: tuple[Store, Browser]) -> None:
    store, at = office
    purchasing_day(store, HOSPITAL, NOW)
    assert {one["item"] for one in at.items("bargaining/2026H1")} == {"HC1003", "HC1015"}


def test_a_recall_is_an_alarm_that_is_open(office: tuple[Store, Browser]) -> None:
    with office[0].read() as connection:
        found = {(one.kind, one.item, one.lot) for one in standing(connection, HOSPITAL).values()}
    assert (AlarmKind.RECALL, "HC3005", "EX3005A") in found
