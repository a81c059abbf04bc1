"""A ward without a device, at a phone: acts become entries by the same rules, each form once, in both languages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from central.bootstrap.application import build_app
from central.bootstrap.parts import accounts_of
from central.config import read_config
from central.core.counts import last_counts
from central.core.rights import Grant, Role
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
    for asked in ("S-77", label):
        told = site.client.get("/trace", params={"q": asked, "lang": "en"}).text
        rows = told.count('<tr role="row" class="calm">')
        assert (rows, last.patient in told, "EPC <b" in told) == (4, True, False), asked


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


def test_a_count_that_differs_moves_the_book_when_a_second_person_agrees_and_once(site: Site, tmp_path: Path) -> None:
    site.send("receive", GAUZE, qty="50", lot="G1")
    site.send("count", GAUZE, qty="47", lot="G1")
    word = re.findall(r'name="word" value="([^"]*)"', site.get(doing="count"))[0]
    page = site.client.post("/hand/ward-02/close", data={"word": word}).text
    (sheet,) = re.findall(r"ward-02\.\d{8}\.\w+", page.split('id="differs-title"')[1])[:1]
    assert site.client.post("/hand/ward-02/adjust", data={"word": word, "sheet": sheet}).status_code == 403
    assert site.lies(GAUZE, "G1") == {"ward-02": 50}
    site.send("take", GAUZE, qty="2", lot="G1")
    second(site, tmp_path)
    page = site.get(doing="count")
    assert "Agree, and put the book right" in page
    word = re.findall(r'name="word" value="([^"]*)"', page)[0]
    agreed = site.client.post("/hand/ward-02/adjust", data={"word": word, "sheet": sheet})
    assert "put right by an entry that names the count" in agreed.text
    assert site.lies(GAUZE, "G1") == {"ward-02": 45, "issued@ward-02": 2}
    again = site.client.post("/hand/ward-02/adjust", data={"word": word, "sheet": sheet})
    assert "no longer waits" in again.text
    assert site.lies(GAUZE, "G1") == {"ward-02": 45, "issued@ward-02": 2}
    assert verify(site.store).ok


def test_who_settles_and_moves_nothing_agrees_to_a_count_on_the_page_of_counts(site: Site, tmp_path: Path) -> None:
    site.send("receive", GAUZE, qty="8", lot="G1")
    closed_with(site, GAUZE, qty="6", lot="G1")
    shown = site.client.get("/counts", params={"place": "ward-02", "lang": "en"}).text
    assert "It waits for a second person who may settle here." in shown
    second(site, tmp_path, Grant(Role.STOREKEEPER))
    assert site.client.get("/hand/ward-02").status_code == 403, "it moves nothing there"
    shown = site.client.get("/counts", params={"place": "ward-02", "lang": "en"}).text
    assert "6 counted, book 8" in shown
    hidden = dict(re.findall(r'<input type="hidden" name="(word|sheet)" value="([^"]*)">', shown))
    agreed = site.client.post("/counts/ward-02/agree", data=hidden)
    assert "said=adjusted" in str(agreed.url)
    assert site.lies(GAUZE, "G1") == {"ward-02": 6}
    again = site.client.post("/counts/ward-02/agree", data=hidden)
    assert "said=nothing" in str(again.url)
    figure = site.client.get("/api/v1/figures", params={"place": "ward-02"}).json()["items"][0]
    assert (figure["id"], figure["above"], figure["below"]) == ("line-match.2", 1, 1)
    assert verify(site.store).ok


def closed_with(site: Site, *scans: str, **more: str) -> str:
    """Count these, close the sheet and return its number."""
    for code in scans:
        assert "Counted" in site.send("count", code, **more).text
    word = re.findall(r'name="word" value="([^"]*)"', site.get(doing="count"))[0]
    page = site.client.post("/hand/ward-02/close", data={"word": word}).text
    return str(re.findall(r"ward-02\.\d{8}\.\w+", page.split('id="differs-title"')[1])[0])


def confirm(site: Site, sheet: str, *units: str) -> Response:
    word = re.findall(r'name="word" value="([^"]*)"', site.get(doing="count"))[0]
    told = {"word": word, "sheet": sheet, "unit": list(units)}
    answer: Response = site.client.post("/hand/ward-02/adjust-pieces", data=told)
    return answer


def test_numbered_pieces_of_a_count_are_put_right_one_by_one_by_a_second_person(site: Site, tmp_path: Path) -> None:
    label = f"(01){GTIN}(17)270630(10)K9(21)"
    for serial in ("S-1", "S-2", "S-3", "S-4"):
        site.send("receive", f"{label}{serial}")
    site.send("take", f"{label}S-4")
    sheet = closed_with(site, f"{label}S-1", f"{label}S-4", f"{label}S-9")
    assert confirm(site, sheet, "S-2").status_code == 403
    second(site, tmp_path)
    page = site.get(doing="count")
    assert page.count('name="unit"') == 4
    assert "booked here, not scanned" in page
    assert "taken in General surgery" in page
    assert "the book never had it" in page
    assert "No piece was ticked" in confirm(site, sheet).text
    assert "put right by an entry that names the count" in confirm(site, sheet, "S-2", "S-4", "S-9").text
    assert [site.lies(KIT, unit=one) for one in ("S-1", "S-2", "S-3", "S-4", "S-9")] == [
        *({"ward-02": 1}, {"unknown@ward-02": 1}, {"ward-02": 1}, {"ward-02": 1}, {"ward-02": 1}),
    ]
    page = site.get(doing="count")
    assert re.findall(r'name="unit" value="([^"]*)"', page) == ["S-3"]
    assert "no longer waits" in confirm(site, sheet, "S-2").text
    assert verify(site.store).ok


def test_pieces_that_were_used_are_never_put_back_by_a_count(site: Site, tmp_path: Path) -> None:
    label = f"(01){GTIN}(17)270630(10)K9(21)"
    for serial in ("S-1", "S-2"):
        site.send("receive", f"{label}{serial}")
    site.send("use", f"{label}S-2", patient="P-1")
    sheet = closed_with(site, f"{label}S-1", f"{label}S-2")
    second(site, tmp_path)
    page = site.get(doing="count")
    assert "look at its trace first" in page
    assert 'name="unit"' not in page
    assert confirm(site, sheet, "S-2").status_code == 200
    assert site.lies(KIT, unit="S-2") == {"patient@ward-02": 1}


def test_numbered_pieces_that_are_counted_by_a_number_are_to_be_scanned(site: Site, tmp_path: Path) -> None:
    label = f"(01){GTIN}(17)270630(10)K9(21)"
    for serial in ("S-1", "S-2", "S-3"):
        site.send("receive", f"{label}{serial}")
    sheet = closed_with(site, KIT, qty="2", lot="K9")
    second(site, tmp_path)
    page = site.get(doing="count")
    assert "scanning each piece" in page
    assert "Agree, and put the book right" not in page
    word = re.findall(r'name="word" value="([^"]*)"', page)[0]
    answer = site.client.post("/hand/ward-02/adjust", data={"word": word, "sheet": sheet})
    assert "no longer waits" in answer.text


def second(site: Site, tmp_path: Path, *grants: Grant) -> None:
    """Let the head nurse take the phone, or whoever holds other grants."""
    accounts = accounts_of(read_config(tmp_path / "central.toml"), site.store, frozen_clock())
    grants = grants or (Grant(Role.HEAD_NURSE, frozenset({PlaceId("ward-02")})),)
    site.client.cookies.clear()
    site.client.post(
        f"/invited/{accounts.add(ActorId('op'), ActorId('20002'), 'H', grants)}", data={"password": PASSWORD}
    )


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
