"""The pages of conflicts and of what was set aside: listed, told with both sides, closed, posted after all."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core import facts
from central.core.conflicts import Flag, Sort
from central.services.conflicts import settle_conflicts
from central.services.exports.conflicts import SORTS
from central.store import queries_conflicts as kept
from central.store.audit import acts
from central.store.engine import Store
from protocols.entry import Entry
from protocols.values.ids import DeviceId
from protocols.values.instant import plus
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, frozen_clock, hospital, tags
from tests.central.services.parties import Device, a_central, entry, line

(UNIT,) = tags(1)
NEWER = 2


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One kit given out in two wards, and gauze taken that the book never had."""
    made = hospital(tmp_path / "files")
    one, other = Ward(made, "ward-01"), Ward(made, "ward-02")
    one.open(KIT, "K1", [UNIT])
    one.issue(KIT, "K1", UNIT, 60)
    other.issue(KIT, "K1", UNIT, 120)
    other.move("issue", GAUZE, "G1", "", "ward-02", "issued@ward-02", 130)
    settle_conflicts(made, HOSPITAL, frozen_clock(plus(START, 200)))
    return made


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 3600)))
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


def standing(store: Store, sort: Sort) -> kept.Standing:
    with store.read() as connection:
        return next(one for one in kept.standing(connection, HOSPITAL, status="") if one.sort is sort)


def word_of(page: str) -> str:
    return page.split('name="word" value="')[1].split('"', maxsplit=1)[0]


def test_open_conflicts_are_listed_in_both_languages_and_counted_apart_from_closed_ones(client: TestClient) -> None:
    shown = client.get("/conflicts?lang=en").text
    assert ("issued twice" in shown, "book below zero" in shown) == (True, True)
    assert "同一件领用两次" in client.get("/conflicts?lang=zh").text
    assert "/exports/conflicts.csv?status=open" in shown
    assert set(SORTS) == set(Sort)
    lines = client.get("/exports/conflicts.csv?status=open&lang=en").text.splitlines()
    assert len(lines) == 1 + 3
    (twice,) = [one.split(",") for one in lines if "issued twice" in one]
    assert {"ward-02", "ward-01", KIT, UNIT} <= set(twice)
    assert "No conflict was closed yet." in client.get("/conflicts?lang=en&status=closed").text


def test_one_conflict_shows_both_sides_what_was_posted_to_suspense_and_how_it_is_settled(
    client: TestClient, store: Store
) -> None:
    page = client.get(f"/conflicts/{standing(store, Sort.DOUBLE_ISSUE).id}?lang=en").text
    one_side, other_side = page.index('id="one-title"'), page.index('id="other-title"')
    answers, way = page.index('id="answers-title"'), page.index('id="way-title"')
    assert one_side < other_side < answers < way
    assert "issued" in page[one_side:other_side]
    assert "shows it" in page[one_side:other_side]
    assert "opening stock" in page[other_side:answers]
    assert "set aside until it is clear" in page[answers:way]
    assert "suspense account of General surgery" in page[answers:way]
    assert "Ask both storerooms who really used it." in page[way:]


def test_a_conflict_is_closed_on_its_page_with_what_was_found_and_the_book_stays(
    client: TestClient, store: Store
) -> None:
    address = f"/conflicts/{standing(store, Sort.DOUBLE_ISSUE).id}"
    word = word_of(client.get(address).text)
    assert client.post(f"{address}/close", data={"word": word, "remark": " "}).status_code == 400
    assert client.post(f"{address}/close", data={"remark": "x"}).status_code == 403
    done = client.post(f"{address}/close?lang=en", data={"word": word, "remark": "ward 1 used it"})
    assert done.status_code == 200
    assert "ward 1 used it" in client.get(f"{address}?lang=en").text
    assert client.post(f"{address}/close", data={"word": word, "remark": "again"}).status_code == 409
    assert "ward 1 used it" in client.get("/conflicts?status=closed&lang=en").text
    assert client.get("/conflicts/none").status_code == 404


def test_every_sort_of_conflict_has_words_in_both_languages(client: TestClient, store: Store) -> None:
    flags = [Flag(sort, "ward-01", "ab" * 16, KIT, "K9", detail=(("qty", 7),)) for sort in Sort]
    with store.write() as connection:
        kept.keep(connection, HOSPITAL, flags, plus(START, 300))
    for flag in flags:
        english, chinese = (client.get(f"/conflicts/{flag.id}?lang={language}").text for language in ("en", "zh"))
        assert flag.sort not in english.replace(f"/{flag.sort}", "")
        assert english.count("Nothing was posted") + english.count("posted") >= 1
        assert "posted" not in chinese.split("<main")[1]


def test_a_count_that_a_conflict_asks_for_names_it_on_the_page_of_counts(client: TestClient, store: Store) -> None:
    page = client.get("/counts?place=ward-02&lang=en")
    assert page.status_code == 200
    assert f"/conflicts/{standing(store, Sort.NEGATIVE).id}" in page.text


def test_what_was_set_aside_is_looked_at_and_posted_on_its_page(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    central = a_central(store=store)
    central.enrol(DeviceId("ward-03"))
    device = Device(central, DeviceId("ward-03"))
    device.greet()
    said = entry("opening", {"lines": [line(KIT, "opening@ward-03", "ward-03", qty=4)]}, 1, actor="N1")
    fields = (said.event_id, said.hlc, said.wall, said.mono, said.boot_id, said.clock_quality, said.kind)
    device.write(Entry(*fields, NEWER, said.body, said.actor))
    device.say(device.frame(0, 1))
    page = client.get("/quarantine?lang=en").text
    assert "still cannot be posted" in page
    assert "update central" in page
    assert "Post it now" not in page
    monkeypatch.setattr(facts, "SCHEMA_NOW", NEWER)
    page = client.get("/quarantine?lang=en").text
    assert "Post it now" in page
    action = page.split('action="')[-1].split('"')[0]
    assert action.endswith("/0/replay")
    done = client.post(action, data={"word": word_of(page)})
    assert done.status_code == 200
    assert central.balance()["ward-03", KIT] == 4
    client.post(action, data={"word": word_of(page)})
    assert central.balance()["ward-03", KIT] == 4
    assert "posted" in client.get("/quarantine?status=replayed&lang=en").text
    listed = client.get("/api/v1/quarantine?status=replayed").json()
    assert [one["replayed_by"] for one in listed["items"]] == ["page"]
    address = "/exports/quarantine.csv?status=replayed&lang=en"
    assert address.removesuffix("&lang=en") in client.get("/quarantine?status=replayed&lang=en").text
    head, row = client.get(address).text.splitlines()
    assert "why it was set aside" in head
    assert "ward-03" in row
    assert "page" in row
    assert len(client.get("/exports/quarantine.csv?status=kept").text.splitlines()) == 1


def test_what_a_conflict_says_of_prices_is_noted_when_it_is_read(client: TestClient, store: Store) -> None:
    said = (("order", "PO-1/1"), ("ordered", 8_500), ("agreed", 8_000), ("qty", 600), ("variance", 300_000))
    flag = Flag(Sort.PRICE_CHANGED, "main-store", "ab" * 16, GAUZE, "G2", detail=said)
    with store.write() as connection:
        kept.keep(connection, HOSPITAL, [flag], plus(START, 300))
    assert "¥30.00" in client.get(f"/conflicts/{flag.id}?lang=en").text
    assert [one for one in client.get("/api/v1/conflicts").json()["items"] if one["detail"].get("variance") == 300_000]
    with store.read() as connection:
        seen = {one.subject for one in acts(connection, HOSPITAL) if one.act == "see-prices"}
    assert seen == {f"conflict {flag.id}", "conflicts"}
