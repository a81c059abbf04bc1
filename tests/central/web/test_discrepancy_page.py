"""One discrepancy as people see and close it, with a real store behind."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.reconcile import reconcile
from central.store.queries_master import places
from central.store.queries_work import discrepancies
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, START, VALVE, Ward, frozen_clock, hospital, tags

(UNIT,) = tags(1)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    store = hospital(tmp_path / "files")
    ward = Ward(store)
    ward.open(VALVE, "V1", [UNIT])
    ward.observe(UNIT, 0.97, 60)
    ward.observe(UNIT, 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, plus(START, 901))
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 3600)))
    with store.read() as connection:
        (one,) = discrepancies(connection, HOSPITAL)
    with TestClient(app, base_url="http://127.0.0.1", headers={"X-Id": one.id}) as client:
        yield client


def word_of(page: str) -> str:
    return page.split('name="word" value="')[1].split('"', maxsplit=1)[0]


def test_I1_a_discrepancy_shows_causes_and_evidence_and_is_closed_on_its_page(client: TestClient) -> None:  # noqa: N802 # the row's id
    address = f"/discrepancies/{client.headers['X-Id']}"
    shown = client.get(address, params={"lang": "en"}).text
    assert "taken without a scan" in shown
    assert "readers: on the shelf with probability 97%" in shown
    assert "this line now: book 1, shelf 0" in shown
    assert "<strong>this piece</strong>" in shown
    assert "未扫码取走" in client.get(address, params={"lang": "zh"}).text
    answer = client.post(
        f"{address}/settle", data={"word": word_of(shown), "cause": "dead_tag", "remark": "it is there"}
    )
    assert answer.status_code == 200
    assert "差异单已关闭" in answer.text
    late = client.post(f"{address}/settle", data={"word": word_of(shown), "cause": "dead_tag", "remark": "again"})
    assert late.status_code == 409
    assert address in client.get("/").text or "missing" not in client.get("/?lang=en").text


def test_a_piece_that_moved_next_door_is_told_with_the_ward_that_has_it(tmp_path: Path) -> None:
    store = hospital(tmp_path / "files")
    ward, beside = Ward(store), Ward(store, "ward-02")
    ward.open(VALVE, "V1", [UNIT])
    ward.observe(UNIT, 0.97, 60)
    ward.observe(UNIT, 0.02, 900, since_s=300)
    beside.observe(UNIT, 0.98, 960, since_s=400)
    reconcile(store, HOSPITAL, plus(START, 1000))
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 3600)))
    with store.read() as connection:
        found = {one.place: one.id for one in discrepancies(connection, HOSPITAL, status="open")}
        names = {room.place: (room.name_zh, room.name_en) for room in places(connection, HOSPITAL)}
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for here, there in (("ward-01", "ward-02"), ("ward-02", "ward-01")):
            for lang, words in (("zh", "移到隔壁库房"), ("en", "moved next door")):
                shown = client.get(f"/discrepancies/{found[here]}", params={"lang": lang}).text
                assert f"<strong>{words}: {names[there][lang == 'en']}</strong>" in shown


def test_a_form_of_another_site_or_without_words_closes_nothing(client: TestClient) -> None:
    address = f"/discrepancies/{client.headers['X-Id']}"
    assert client.post(f"{address}/settle", data={"cause": "dead_tag", "remark": "x"}).status_code == 403
    word = word_of(client.get(address).text)
    assert client.post(f"{address}/settle", data={"word": word, "cause": "dead_tag"}).status_code == 400
    assert client.post(f"{address}/dance", data={"word": word}).status_code == 400
    assert client.get("/discrepancies/none").status_code == 404


def test_the_overview_leads_to_the_discrepancy(client: TestClient) -> None:
    assert f'href="/discrepancies/{client.headers["X-Id"]}"' in client.get("/").text


def test_the_list_shows_what_is_open_what_waits_for_a_second_person_and_what_was_closed(client: TestClient) -> None:
    address = f"/discrepancies/{client.headers['X-Id']}"
    link, none = f'href="{address}"', "No discrepancy was closed yet."
    shown = client.get("/discrepancies", params={"lang": "en"}).text
    assert (link in shown, "likely: taken without a scan" in shown, "waits for a second" in shown) == (
        True,
        True,
        False,
    )
    assert "/exports/discrepancies.xlsx?status=open" in shown
    assert none in client.get("/discrepancies?status=closed").text
    form = {"word": word_of(client.get(address).text), "cause": "swap", "remark": "seen"}
    client.post(f"{address}/settle", data={**form, "adjust": "1"})
    assert "waits for a colleague" in client.get("/discrepancies?lang=en").text
    assert link in client.get("/discrepancies?status=proposed").text
    assert "Nothing waits for you" in client.get("/discrepancies?status=waiting").text
    assert client.headers["X-Id"] in client.get("/exports/discrepancies.csv?status=proposed").text
    assert client.headers["X-Id"] not in client.get("/exports/discrepancies.csv?status=waiting").text
    client.post(f"{address}/refuse", data=form)
    assert "waits for a colleague" not in client.get("/discrepancies").text
    assert link not in client.get("/discrepancies?status=proposed").text
    client.post(f"{address}/settle", data=form)
    assert link not in client.get("/discrepancies").text
    for status in ("closed", "all"):
        closed = client.get("/discrepancies", params={"status": status}).text
        assert (link in closed, "another piece was scanned for it" in closed, none in closed) == (True, True, False)
    assert client.get("/discrepancies", params={"cursor": "none"}).status_code == 400
    assert "差异单" in client.get("/discrepancies?lang=zh").text


def test_the_api_tells_and_closes_it_too(client: TestClient) -> None:
    address = f"/api/v1/discrepancies/{client.headers['X-Id']}"
    told = client.get(address).json()
    assert (told["first_cause"], told["owner_role"], told["needs_two"]) == ("unscanned_take", "ward-keeper", False)
    assert [one["sort"] for one in told["timeline"]][-2:] == ["found", "opened"]
    assert (told["book"], told["physical"]) == (1, 0)
    assert told["timeline"][0]["things"] == [{"item": VALVE, "lot": "V1", "unit": UNIT, "qty": 1}]
    body = {"cause": "swap", "remark": "the other one was scanned", "adjust": True}
    assert client.post(f"{address}/settle", json=body).json()["state"] == "waiting"
    assert client.post(f"{address}/approve").status_code == 403
    assert client.post(f"{address}/refuse", json={"remark": "no"}).json()["state"] == "open"


def test_E1_the_page_of_counts_shows_book_shelf_and_count_side_by_side(client: TestClient) -> None:  # noqa: N802 # the row's id
    shown = client.get("/counts", params={"place": "ward-01", "lang": "en"}).text
    assert "Haemostasis valve" in shown
    assert "No line" not in shown
    (line,) = client.get("/api/v1/line-counts", params={"place": "ward-01"}).json()["items"]
    assert sum(one["book"] for one in line["positions"]) == line["book"]
    assert sum(one["physical"] for one in line["positions"]) == line["physical"]
    assert "By shelf: book, physical" in shown
    assert '<span class="code">S1</span>' in shown
    assert (line["book"], line["physical"], line["low"], line["high"], line["counted"]) == (1, 0, 0, 0, None)
    assert client.get("/api/v1/count-tasks").json()["items"] == []
    assert client.get("/counts", params={"place": "ward-77"}).status_code == 404
