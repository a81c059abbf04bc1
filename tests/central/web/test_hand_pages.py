"""A ward without a device, at a phone: acts become entries by the same rules, each form once, in both languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from central.bootstrap import accounts_of, build_app
from central.config import read_config
from central.core.rights import Grant, Role
from central.services.counts import last_counts
from central.services.imports import import_folder
from central.services.verify import verify
from central.store import queries_charges as kept
from central.store.engine import Store
from central.store.queries_counts import counted_in
from central.store.queries_trace import moved
from central.store.tables.people import PERSON
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.hospital import FILES, GAUZE, HOSPITAL, KIT, Ward, fresh_store, frozen_clock, write_files

GTIN = "06999990101047"
PASSWORD = "a long sentence 1"
PLACES = FILES["places.csv"].replace("普外科,General surgery,main-store,ward-02", "普外科,General surgery,main-store,")


@dataclass
class Site:
    store: Store
    client: TestClient

    def get(self, place: str = "ward-02", **query: str) -> str:
        return str(self.client.get(f"/hand/{place}", params={"lang": "en", **query}).text)

    def send(self, doing: str, code: str, place: str = "ward-02", **more: str) -> Response:
        page = self.get(place, doing=doing)
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.split('id="scan"')[1]))
        answer: Response = self.client.post(f"/hand/{place}", data={**hidden, "doing": doing, "code": code, **more})
        return answer

    def lies(self, item: str, lot: str = "", unit: str = "") -> dict[str, int]:
        with self.store.read() as connection:
            if unit:
                found = kept.lying(connection, HOSPITAL, unit=unit)
            else:
                found = kept.lying(connection, HOSPITAL, item=item, lot=lot, place="ward-02")
        return {one.place: one.qty for one in found if one.qty > 0}


def a_site(folder: Path, role: Role = Role.WARD_KEEPER) -> Site:
    store = fresh_store()
    import_folder(store, HOSPITAL, write_files(folder / "files", {**FILES, "places.csv": PLACES}), frozen_clock())
    (folder / "patient.key").write_bytes(b"a key that hides patients")
    path = folder / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[his]\npatient_key = "patient.key"\n', "utf-8")
    config, clock = read_config(path), frozen_clock()
    accounts = accounts_of(config, store, clock)
    grants = [Grant(role, frozenset({PlaceId("ward-01"), PlaceId("ward-02")}))]
    secret = accounts.add(ActorId("op"), ActorId("20001"), "K", grants)
    client = TestClient(build_app(config, store, clock), base_url="http://127.0.0.1")
    client.post(f"/invited/{secret}", data={"password": PASSWORD})
    with store.read() as connection:
        assert connection.scalar(PERSON.select().with_only_columns(PERSON.c.password_hash))
    return Site(store, client)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    one = a_site(tmp_path)
    with one.client:
        yield one


def test_a_ward_without_a_device_receives_takes_uses_and_gives_back(site: Site) -> None:
    label = f"(01){GTIN}(17)270630(10)K9(21)S-77"
    assert "Written" in site.send("receive", label).text
    assert site.lies(KIT, unit="S-77")["ward-02"] == 1
    assert "Written" in site.send("take", label).text
    assert "Written" in site.send("back", label).text
    assert site.lies(KIT, unit="S-77")["ward-02"] == 1
    page = site.send("use", label, patient="P-1").text
    assert "Written" in page
    assert site.lies(KIT, unit="S-77")["patient@ward-02"] == 1
    with site.store.read() as connection:
        (*_, last) = sorted(moved(connection, HOSPITAL, unit="S-77"), key=lambda one: (one.at, one.event))
    assert last.actor == "20001"
    assert "P-1" not in page
    assert verify(site.store).ok


def test_loose_goods_go_by_quantity_and_the_lot_that_expires_first(site: Site) -> None:
    site.send("receive", GAUZE, qty="30", lot="G1")
    site.send("receive", GAUZE, qty="10", lot="G0", expiry="2026-12-31")
    site.send("take", GAUZE, qty="15")
    assert site.lies(GAUZE, "G0").get("ward-02", 0) == 0
    assert site.lies(GAUZE, "G1")["ward-02"] == 25


def test_what_is_expired_is_refused_but_in_an_emergency_it_is_recorded(site: Site) -> None:
    site.send("receive", GAUZE, qty="5", lot="OLD", expiry="2026-01-31")
    refused = site.send("take", GAUZE)
    assert refused.status_code == 409
    assert "It is expired. Take another one" in refused.text
    page = site.send("take", GAUZE, emergency="1").text
    assert "It is expired." in page
    assert "Recorded as an emergency." in page


def test_a_form_sent_twice_is_done_once(site: Site) -> None:
    site.send("receive", GAUZE, qty="5", lot="G1")
    site.send("receive", GAUZE, qty="5", lot="G1", once="the-same-form")
    page = site.send("receive", GAUZE, qty="5", lot="G1", once="the-same-form").text
    assert "nothing was written twice" in page
    assert site.lies(GAUZE, "G1")["ward-02"] == 10


def test_ones_own_act_is_taken_back_once(site: Site) -> None:
    page = site.send("receive", GAUZE, qty="5", lot="G1").text
    form = page.split('action="/hand/ward-02/undo">')[1]
    data = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form.split("</form>")[0]))
    assert "Taken back by an entry of its own" in site.client.post("/hand/ward-02/undo", data=data).text
    assert site.lies(GAUZE, "G1") == {}
    assert "no longer be taken back" in site.client.post("/hand/ward-02/undo", data=data).text


def test_a_count_is_written_scan_by_scan_and_stands_beside_the_book(site: Site) -> None:
    site.send("receive", GAUZE, qty="50", lot="G1")
    assert "Counted" in site.send("count", GAUZE, qty="47", lot="G1").text
    page = site.get(doing="count")
    assert "Open count sheet" in page
    word = re.findall(r'name="word" value="([^"]*)"', page)[0]
    site.client.post("/hand/ward-02/close", data={"word": word})
    assert "No count sheet is open" in site.get(doing="count")
    with site.store.read() as connection:
        (found,) = last_counts(counted_in(connection, HOSPITAL, "ward-02", plus(frozen_clock().now(), -1e6))).values()
    assert (found.found.counted, found.found.book) == (47, 50)


def test_a_lot_that_no_label_can_hold_is_refused(site: Site) -> None:
    answer = site.send("receive", GAUZE, qty="5", lot="批号 1")
    assert answer.status_code == 409
    assert "The lot must be as it is printed" in answer.text


@pytest.mark.parametrize(
    ("doing", "code", "words"),
    [
        ("take", "no-such-thing", "Nobody knows this label"),
        ("take", f"(01){GTIN}(21)NEVER", "never received"),
        ("back", GAUZE, "nothing can be given back"),
        ("take", "", "Scan or type a label first"),
    ],
)
def test_a_refusal_says_what_to_do(site: Site, doing: str, code: str, words: str) -> None:
    answer = site.send(doing, code)
    assert answer.status_code == 409
    assert words in answer.text


def test_a_ward_with_a_device_is_written_by_its_device(site: Site) -> None:
    Ward(site.store)
    assert site.client.get("/hand/ward-01").status_code == 409
    assert site.client.get("/hand/ward-99").status_code == 403


def test_the_page_speaks_chinese_and_says_that_it_needs_the_network(site: Site) -> None:
    page = site.get(lang="zh")
    assert "本页面需要网络" in page
    assert "领用" in page


def test_a_nurse_may_not_count_the_month(tmp_path: Path) -> None:
    site = a_site(tmp_path, Role.NURSE)
    with site.client:
        assert "Your role may not do this" in site.send("count", GAUZE).text
