"""How SQLite finds what long lists and traces ask for: by an index each time, never by reading a whole table.

Plans are checked, not times. A list that grew to a hundred thousand rows then costs what its page costs.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from central.core.rights import Caller, Grant, Role, Scope
from central.services.orders import approve, progress_of
from central.services.overview import Name
from central.services.overview_now import overview_now
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.services.stock import lines_page, stock_page
from central.services.trace import trace
from central.store import queries_figures as figures
from central.store import queries_misplaced as misplaced
from central.store import queries_trace as traces
from central.store import queries_work as work
from central.store.audit import acts
from central.store.engine import Store
from central.store.paging import PageAsked, write_cursor
from central.store.prepared import Prepared, Rows
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import business_day, plus
from tests.central.doors import open_desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, hospital, tags

LONG = frozenset(
    {"ledger", "event", "posting_line", "balance", "belief", "binding", "discrepancy", "proposal", "purchase_order",
     "order_line", "document_step", "receipt_line", "audit"}
)  # fmt: skip
"""Tables that grow with what happens, and not with what is written down once."""

OF_FEW = frozenset({"proposal_one_open"})
"""Indexes that hold only what is open."""

AUDITOR = Caller(ActorId("20001"), "A", (Grant(Role.AUDITOR),))
WARD = Scope(everywhere=False, places=frozenset({PlaceId("ward-01")}))
NOW = plus(START, 1_000)
UNITS = tags(4)

Asked = Callable[[Connection, Store], object]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = hospital(Path(tmp_path_factory.mktemp("hospital")))
    ward = Ward(store)
    ward.open(KIT, "K1", UNITS)
    ward.receive(GAUZE, "G1", 5, 10)
    ward.observe(UNITS[0], 0.02, 900, since_s=300)
    reconcile(store, HOSPITAL, NOW)
    replenish(store, HOSPITAL, NOW, policy="3x", run="r")
    with store.read() as connection:
        made = work.open_proposals(connection, HOSPITAL)
    approve(store, HOSPITAL, made[0].id, ActorId("10001"), NOW)
    return store


@contextmanager
def plans(store: Store) -> Iterator[list[tuple[str, str]]]:
    """Give, once the block is over, each statement with a line of its plan."""
    asked: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, parameters: Any, _x: object, _m: object) -> None:  # noqa: ANN401 # the driver's
        if statement.startswith("SELECT"):
            asked.append((statement, parameters))

    rows_of = Prepared.rows

    def noting(question: Prepared, connection: Connection, **values: object) -> Rows:
        text, order, fixed = question.told(connection)
        note(None, None, text, tuple((fixed | values)[name] for name in order or ()), None, None)
        return rows_of(question, connection, **values)

    found: list[tuple[str, str]] = []
    event.listen(store.engine, "before_cursor_execute", note)
    Prepared.rows = noting  # type: ignore[method-assign,assignment] # what goes to the driver by itself is heard here
    try:
        yield found
    finally:
        Prepared.rows = rows_of  # type: ignore[method-assign]
        event.remove(store.engine, "before_cursor_execute", note)
    with store.read() as connection:
        for statement, parameters in asked:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            found += [(row[-1], statement) for row in rows]


def read_whole(plan: str, statement: str) -> bool:
    """Tell whether a line of a plan reads a long table from its beginning to its end.

    What is found by its hospital alone is all there is; but for a page, which ends at its limit, and for what an index
    of a few rows has.
    """
    words = plan.split()
    if words[0] not in {"SCAN", "SEARCH"} or words[1] not in LONG:
        return False
    few = "LIMIT" in statement or any(f" {name} " in plan for name in OF_FEW)
    return words[0] == "SCAN" or (plan.endswith("(hospital=?)") and not few)


PAGE = PageAsked(50)

LISTS: dict[str, Asked] = {
    "discrepancies": lambda connection, _: work.discrepancies_page(connection, HOSPITAL, PAGE),
    "open discrepancies": lambda connection, _: work.discrepancies_page(connection, HOSPITAL, PAGE, status="open"),
    "proposals": lambda connection, _: work.proposals_page(connection, HOSPITAL, PAGE),
    "orders": lambda connection, _: work.orders_page(connection, HOSPITAL, PAGE),
    "acts": lambda connection, _: acts(connection, HOSPITAL),
    "acts of one person": lambda connection, _: acts(connection, HOSPITAL, person="10001"),
}
"""Lists that are given in pages, in an order of their own."""

QUESTIONS: dict[str, Asked] = {
    **LISTS,
    "discrepancies of a ward": lambda connection, _: work.discrepancies_page(
        connection, HOSPITAL, PAGE, status="open", scope=WARD
    ),
    "open proposals": lambda connection, _: (
        work.open_proposals(connection, HOSPITAL), work.open_proposal_counts(connection, HOSPITAL)
    ),
    "orders of a ward": lambda connection, _: work.orders_page(connection, HOSPITAL, PAGE, scope=WARD),
    "how far orders have come": lambda connection, _: progress_of(
        connection, HOSPITAL, work.orders(connection, HOSPITAL), NOW
    ),
    "trace of a piece": lambda connection, _: (
        traces.moved(connection, HOSPITAL, unit=UNITS[0]), traces.held(connection, HOSPITAL, unit=UNITS[0]),
        traces.bound(connection, HOSPITAL, epc=UNITS[0]), traces.bound(connection, HOSPITAL, serial="1"),
    ),
    "trace of a lot": lambda _, store: trace(store, HOSPITAL, AUDITOR, "K1", START),
    "trace of an item": lambda _, store: trace(store, HOSPITAL, AUDITOR, KIT, START),
    "stock": lambda _, store: stock_page(open_desk(store, NOW), AUDITOR, "ward-01"),
    "stock that fits a word": lambda _, store: stock_page(open_desk(store, NOW), AUDITOR, "ward-01", "k1"),
    "stock by cursor": lambda _, store: lines_page(open_desk(store, NOW), AUDITOR, "ward-01", PAGE),
    "pieces on another shelf": lambda connection, _: misplaced.on_other_shelves(connection, HOSPITAL, "ward-01"),
    "lines with a piece elsewhere": lambda connection, _: misplaced.misplaced_lines(connection, HOSPITAL),
    "what moved by day": lambda connection, _: figures.day_flows(
        connection, HOSPITAL, ["ward-01", "ward-02"], business_day(START),
        figures.held_by_item(connection, HOSPITAL, ["ward-01", "ward-02"]),
    ),
    "the first day": lambda connection, _: figures.first_day(connection, HOSPITAL, ["ward-01"]),
    "the overview": lambda _, store: overview_now(store, HOSPITAL, Name("", ""), NOW, AUDITOR),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_no_question_reads_a_long_table_whole(store: Store, question: str) -> None:
    with plans(store) as found, store.read() as connection:
        QUESTIONS[question](connection, store)
    assert found
    assert [one for one in found if read_whole(*one)] == []


@pytest.mark.parametrize("question", LISTS)
def test_a_list_comes_in_its_order_without_sorting(store: Store, question: str) -> None:
    with plans(store) as found, store.read() as connection:
        LISTS[question](connection, store)
    first = found[0][1]
    assert [plan for plan, statement in found if statement == first and "ORDER BY" in plan] == []


def test_a_page_deep_inside_a_list_begins_by_index(store: Store) -> None:
    with store.read() as connection:
        cursor = work.discrepancies_page(connection, HOSPITAL, PageAsked(1)).cursor
        cursor = cursor or write_cursor("discrepancies", [NOW, "d"])
    with plans(store) as found, store.read() as connection:
        work.discrepancies_page(connection, HOSPITAL, PageAsked(1, cursor))
    assert any("discrepancy_newest (hospital=? AND opened_at<?)" in plan for plan, _ in found), found
