"""Stock and trace as people see them: pages, a table to save, and the API, with a real store behind."""

import csv
import html
import io
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.rights import Caller, Grant, Role
from central.core.whereabouts import Said
from central.errors import BadInput, NotAllowed, NotThere
from central.services.reconcile import reconcile
from central.services.shelves import shelved
from central.services.stock import stock, stock_page
from central.services.trace import Sort, trace
from central.store.engine import Store
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.tags import ObserveBody
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, frozen_clock, hospital, tags

UNITS = tags(6)
PATIENT = "ab12cd34"
NOW = plus(START, 1000)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Six kits in ward-01: one is used on a patient, one is gone without a scan."""
    store = hospital(tmp_path / "files")
    ward = Ward(store)
    ward.open(KIT, "K1", UNITS)
    ward.issue(KIT, "K1", UNITS[0], 60)
    used = PostingLine(KIT, 1, "issued@ward-01", "patient@ward-01", lot="K1", unit=UNITS[0])
    ward.say("use", write_body(MovementBody((used,), patient=PATIENT)), 120, actor="N1001")
    ward.observe(UNITS[1], 0.02, 900, since_s=300)
    return store


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), store, frozen_clock()), base_url="http://127.0.0.1") as one:
        yield one


def somebody(*grants: Grant) -> Caller:
    return Caller(ActorId("20001"), "N", grants)


AUDITOR = somebody(Grant(Role.AUDITOR))
NURSE_ELSEWHERE = somebody(Grant(Role.NURSE, frozenset({PlaceId("ward-02")})))


def test_a_trace_and_an_item_s_page_write_an_expiry_as_other_pages_do(client: TestClient) -> None:
    for path, asked in (("/trace", {"q": UNITS[1]}), (f"/items/{KIT}", {})):
        assert "2027年6月1日" in client.get(path, params={**asked, "lang": "zh"}).text
        assert "1 Jun 2027" in client.get(path, params={**asked, "lang": "en"}).text


def test_E4_a_piece_is_traced_from_its_opening_to_its_patient(store: Store) -> None:  # noqa: N802 # the row's id
    found = trace(store, HOSPITAL, AUDITOR, UNITS[0], NOW)
    assert (found.sort, found.item, found.lot, found.is_whole) == (Sort.UNIT, KIT, "K1", True)
    assert [(line.kind, line.source, line.target) for line in reversed(found.moved)] == [
        ("opening", "opening@ward-01", "ward-01"),
        ("issue", "ward-01", "issued@ward-01"),
        ("use", "issued@ward-01", "patient@ward-01"),
    ]
    assert [line.patient for line in found.moved] == [PATIENT, "", ""]
    assert [line.place for line in found.held] == ["patient@ward-01"]


def test_a_missing_piece_is_told_to_be_missing_with_since_when_how_sure_and_who_says_so(
    client: TestClient, store: Store
) -> None:
    reconcile(store, HOSPITAL, plus(START, 950))
    (one,) = trace(store, HOSPITAL, AUDITOR, UNITS[1], NOW).physical
    assert (one.where.place, one.where.said, one.listening) == ("ward-01", Said.MISSING, True)
    page = client.get("/trace", params={"q": UNITS[1], "lang": "en"}).text
    assert "missing: the book has it here, and readers do not hear it any more" in page
    assert f"/discrepancies/{one.discrepancy}" in page
    assert "缺失：账面在此" in client.get("/trace", params={"q": UNITS[1], "lang": "zh"}).text
    (told,) = client.get("/api/v1/trace", params={"q": UNITS[1]}).json()["physical"]
    assert (told["said"], told["p"], told["since"], told["source"]) == (
        "missing", 0.02, "2026-03-02T16:05:00+08:00", "ward-01",
    )  # fmt: skip


def test_a_piece_no_reader_spoke_of_is_the_books_word_alone_and_a_used_one_is_nowhere(store: Store) -> None:
    (one,) = trace(store, HOSPITAL, AUDITOR, UNITS[2], NOW).physical
    assert (one.where.said, one.where.belief) == (Said.UNHEARD, None)
    assert trace(store, HOSPITAL, AUDITOR, UNITS[0], NOW).physical == ()


@pytest.mark.parametrize(
    ("question", "sort"),
    [
        (UNITS[0].lower(), Sort.UNIT),
        (f"  {UNITS[2]} ", Sort.UNIT),
        ("K1", Sort.LOT),
        (KIT, Sort.ITEM),
        ("(01)06999990101047(10)K1", Sort.LOT),
        ("]d20106999990101047", Sort.ITEM),
    ],
)
def test_a_question_is_understood_as_people_put_it(store: Store, question: str, sort: Sort) -> None:
    assert trace(store, HOSPITAL, AUDITOR, question, NOW).sort is sort


def test_a_recalled_lot_names_its_pieces_and_where_they_are(store: Store) -> None:
    found = trace(store, HOSPITAL, AUDITOR, "K1", NOW)
    assert [unit.epc for unit in found.units] == UNITS
    assert sorted(line.place for line in found.held) == ["patient@ward-01", *["ward-01"] * 5]
    assert {line.patient for line in found.moved if line.patient} == {PATIENT}


@pytest.mark.parametrize(("question", "error"), [("", BadInput), ("x" * 513, BadInput), ("no such thing", NotThere)])
def test_a_question_that_names_nothing_is_answered_so(store: Store, question: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        trace(store, HOSPITAL, AUDITOR, question, NOW)


def test_a_nurse_elsewhere_traces_nothing_of_this_ward(store: Store) -> None:
    for question in (UNITS[0], "K1", KIT):
        with pytest.raises(NotThere):
            trace(store, HOSPITAL, NURSE_ELSEWHERE, question, NOW)
    with pytest.raises(NotAllowed):
        trace(store, HOSPITAL, somebody(Grant(Role.ADMINISTRATOR)), "K1", NOW)


def test_lines_are_found_by_name_code_and_lot_whatever_the_case(store: Store) -> None:
    at_desk = open_desk(store, START)
    assert [line.item for line in stock(at_desk, AUDITOR, "main-store", "纱布")] == [GAUZE]
    assert [line.lot for line in stock(at_desk, AUDITOR, "main-store", "g1")] == ["G1"]
    assert list(stock(at_desk, AUDITOR, "main-store", differing=True)) == []
    (line,) = stock(at_desk, AUDITOR, "ward-01", differing=True)
    assert (line.book, line.physical, line.difference) == (5, 4, -1)
    with pytest.raises(NotAllowed):
        stock(at_desk, NURSE_ELSEWHERE, "ward-01")


def test_the_pages_show_lines_and_trace_in_both_languages(client: TestClient) -> None:
    shown = client.get("/stock", params={"place": "ward-01", "lang": "en"}).text
    assert "Central venous catheter kit" in shown
    assert ">-1<" in shown
    traced = client.get("/trace", params={"q": UNITS[0], "lang": "en"}).text
    assert "a patient of Intensive care" in traced
    assert PATIENT in traced
    assert "重症医学科的患者" in client.get("/trace", params={"q": UNITS[0], "lang": "zh"}).text
    assert "账上没有这个编号" in client.get("/trace", params={"q": "nothing"}).text
    assert client.get("/stock", params={"place": "ward-77"}).status_code == 404


def test_a_storeroom_is_saved_as_a_table_with_the_filters_of_its_page(client: TestClient) -> None:
    page = client.get("/stock", params={"place": "ward-01", "q": "k1", "lang": "en"}).text
    (address,) = re.findall(r'href="(/exports/stock\.csv[^"]*)"', page)
    answer = client.get(html.unescape(address))
    assert answer.headers["content-type"].startswith("text/csv")
    (row,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert (row["item"], row["lot"], row["book"], row["physical"], row["difference"]) == (KIT, "K1", "5", "4", "-1")


def test_the_api_traces_too(client: TestClient) -> None:
    found = client.get("/api/v1/trace", params={"q": "K1"}).json()
    assert (found["sort"], found["name_en"], len(found["units"])) == ("lot", "Central venous catheter kit", 6)
    assert client.get("/api/v1/trace", params={"q": "nothing"}).status_code == 404


def test_a_line_says_where_it_lies_and_how_sure_that_is(client: TestClient, store: Store) -> None:
    Ward(store).receive(GAUZE, "G7", 40, 950)
    desk = open_desk(store, START)
    lines = stock_page(desk, AUDITOR, "ward-01").lines
    with store.read() as connection:
        shelves = dict(zip([line.item for line in lines], shelved(connection, desk, "ward-01", lines), strict=True))
    kits, gauze = shelves[KIT], shelves[GAUZE]
    assert (sum(qty for _, qty in kits.positions), kits.watched) == (5, True)
    assert kits.sure.low <= 4 <= kits.sure.high
    assert kits.sure.book_right < 0.1
    assert (sum(qty for _, qty in gauze.positions), gauze.watched) == (40, False)
    page = client.get("/stock", params={"place": "ward-01", "lang": "en"}).text
    assert ("book right: " in page, "no reader" in page) == (True, True)


def test_a_piece_heard_on_another_shelf_stands_beside_the_books_until_the_book_follows_or_it_is_back(
    client: TestClient, store: Store
) -> None:
    def heard() -> tuple[tuple[str, int], ...]:
        desk = open_desk(store, START)
        lines = stock_page(desk, AUDITOR, "ward-01").lines
        with store.read() as connection:
            shelves = dict(zip([line.item for line in lines], shelved(connection, desk, "ward-01", lines), strict=True))
        return shelves[KIT].strayed

    assert heard() == ()
    ward = Ward(store)
    for unit, shelf in ((UNITS[2], "S4"), (UNITS[3], "S4"), (UNITS[4], "S1")):
        ward.say("observe", write_body(ObserveBody(unit, 0.99, "filter-2", START, position=shelf)), 2_000)
    assert heard() == (("S4", 2),)
    assert "2 heard on S4" in client.get("/stock", params={"place": "ward-01", "lang": "en"}).text
    assert "有 2 件在货位 S4 读到" in client.get("/stock", params={"place": "ward-01", "lang": "zh"}).text
    ward.observe(UNITS[3], 0.99, 2_100, model="filter-2")
    assert heard() == (("S4", 1),)
