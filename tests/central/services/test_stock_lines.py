"""The lines of a storeroom page by page: together they are the whole comparison of book and shelf, each line once."""

from datetime import date
from pathlib import Path

import pytest

from central.core.reconcile import Line, lines_in
from central.core.rights import Caller, Grant, Role
from central.services.desk import Desk
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.services.stock import PAGE_LINES, StockLine, lines_page, stock, stock_page
from central.store.engine import Store
from central.store.merge import merge
from central.store.paging import PageAsked
from central.store.queries_book import loose_in, units_of
from central.store.queries_master import expiries_among
from central.store.tables.master import LOT
from protocols.values.ids import ActorId
from tests.central.doors import open_desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, VALVE, Ward, hospital, tags

AUDITOR = Caller(ActorId("20001"), "A", (Grant(Role.AUDITOR),))
DATED = ((GAUZE, "A"), (GAUZE, "B"), (KIT, "A"), (KIT, "B"))
PLACE, LOTS, UNITS = "ward-01", 230, tags(12)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A ward of 230 lots of gauze and three of kits, two pieces gone, one there that the book gave to a patient."""
    store = hospital(tmp_path)
    ward = Ward(store)
    for number in range(LOTS):
        ward.receive(GAUZE, f"G{number:03d}", 10 + number, 1)
    for number, lot in enumerate(("K1", "K2", "k3")):
        ward.open(KIT, lot, UNITS[4 * number : 4 * number + 4])
    ward.issue(KIT, "K1", UNITS[0], 600)
    for unit in UNITS[8:]:
        ward.issue(KIT, "k3", unit, 610)
    for unit, p in ((UNITS[0], 0.02), (UNITS[1], 0.03), (UNITS[5], 0.97), (UNITS[6], 0.01), (UNITS[9], 0.98)):
        ward.observe(unit, p, 900)
    ward.receive(VALVE, "", 4, 700)
    return store


def whole(store: Store) -> list[Line]:
    with store.read() as connection:
        here = bounds_of(rules_at(connection, HOSPITAL, START)).here
        units = units_of(connection, HOSPITAL, PLACE)
        return lines_in(PLACE, units, loose_in(connection, HOSPITAL, PLACE), here)


def told(lines: list[StockLine]) -> list[Line]:
    return [Line(one.item, one.lot, one.book, one.physical) for one in lines]


def walked(desk: Desk, limit: int) -> list[StockLine]:
    found: list[StockLine] = []
    cursor = ""
    while True:
        page = lines_page(desk, AUDITOR, PLACE, PageAsked(limit, cursor))
        found += page.items
        cursor = page.cursor
        if not cursor:
            return found


@pytest.mark.parametrize("limit", [1, 2, 50, 1000])
def test_pages_by_cursor_give_every_line_once_in_order(store: Store, limit: int) -> None:
    assert told(walked(open_desk(store, START), limit)) == whole(store)


def test_all_lines_as_a_table_are_the_same(store: Store) -> None:
    assert told(list(stock(open_desk(store, START), AUDITOR, PLACE))) == whole(store)


def test_numbered_pages_begin_with_what_differs_and_miss_nothing(store: Store) -> None:
    desk, every = open_desk(store, START), whole(store)
    pages = [stock_page(desk, AUDITOR, PLACE, page=number) for number in (1, 2, 3)]
    lines = told([line for page in pages for line in page.lines])
    assert [len(page.lines) for page in pages] == [PAGE_LINES, PAGE_LINES, len(every) - 2 * PAGE_LINES]
    assert lines == sorted(every, key=lambda line: (not line.difference, line.item, line.lot))
    assert {page.count for page in pages} == {len(every)}
    assert [line.difference for line in lines[:4]] == [-1, -1, 1, 0]


def test_a_search_counts_and_pages_what_fits(store: Store) -> None:
    desk = open_desk(store, START)
    found = stock_page(desk, AUDITOR, PLACE, "纱布", page=3)
    assert (found.count, len(found.lines)) == (LOTS, LOTS - 2 * PAGE_LINES)
    assert [(line.lot, line.difference) for line in stock_page(desk, AUDITOR, PLACE, "K3").lines] == [("k3", 1)]
    assert stock_page(desk, AUDITOR, PLACE, "100%").count == 0
    assert stock_page(desk, AUDITOR, PLACE, "kit", differing=True).count == 3
    assert stock_page(desk, AUDITOR, PLACE, "g07").count == 10


def test_a_page_behind_the_last_is_empty(store: Store) -> None:
    found = stock_page(open_desk(store, START), AUDITOR, PLACE, page=9)
    assert (found.lines, found.count) == ([], len(whole(store)))


def test_the_days_of_some_lots_are_those_of_all(store: Store) -> None:
    with store.write() as connection:
        days = {(item, lot): date(2027, 1, 1 + number) for number, (item, lot) in enumerate(DATED)}
        for (item, lot), day in days.items():
            row = {"hospital": HOSPITAL, "item": item, "lot": lot, "expiry": day}
            merge(connection, LOT, [row])
        asked = [(GAUZE, "A"), (KIT, "B"), (KIT, "C"), (VALVE, "A")]
        assert expiries_among(connection, HOSPITAL, asked) == {key: days[key] for key in asked[:2]}
        assert expiries_among(connection, HOSPITAL, []) == {}
