"""A simulated quarter: 20 wards, three suppliers, one of which fails, a VBP batch, a recall; all is counted again.

Thirteen weeks go through engine, approvals, orders, receipts, invoices, settlements and three month closes, and through
what people do beside: requisitions, emergencies, amendments, returns and claims. Then the figures central tells are
compared, to the last 1e-4 yuan, with `recount` and `recount_people`, which share no code with it.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Connection

from central.core.journal import Role
from central.core.month import Column, Key, Month, month_named
from central.core.rights import EVERYWHERE
from central.core.suppliers import Dimension
from central.services.agreements import groups_now
from central.services.deliveries import delivered_lines
from central.services.emergencies import emergencies
from central.services.finance import Journal, accruals_of, journal_of, payables_on
from central.services.orders import owed_in
from central.services.policy import seed_policy
from central.services.stock_book import book_of
from central.services.supplier_scores import tallies_of
from central.services.verify import verify
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.paging import every
from central.store.queries_consignment import notes
from central.store.queries_requisitions import requisitions
from central.store.queries_returns import Return, returns_page
from central.store.queries_suppliers import scores
from protocols.values.instant import Instant, business_day, day_start
from protocols.values.money import Money, rounded_fen
from tests.central.hospital import HOSPITAL
from tests.quarter.play import play
from tests.quarter.recount import (
    MONTHS,
    Recount,
    accruals,
    on_time,
    payables,
    promises,
    quality,
    recount,
    rows,
    vbp,
)
from tests.quarter.recount_people import answered_in_time, asked, clocks, credited, gone_back, steps
from tests.quarter.town import KIT, LAST, MAIN, STENT, THINGS, WARDS

pytestmark = pytest.mark.slow

SEED, FIRMS = 1, ("S01", "S02", "S03")
NOW: Instant = day_start(date(2026, 4, 7))
OPENING = {item: round(float(one.price) * 10_000) for item, one in THINGS.items()}


MIDDLE = date(2026, 2, 15)
"""A Sunday on which a month is closed, an invoice disputed and a supplier failing: a second run is compared there."""


def fresh() -> Store:
    store = open_store("sqlite://")
    migrate(store)
    seed_policy(store, HOSPITAL)
    return store


@dataclass
class Played:
    """The store of a run, and the digest of its figures in the middle."""

    store: Store
    middle: str = ""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    one = Played(fresh())

    def look(day: date, now: Instant) -> None:
        if day == MIDDLE:
            one.middle = digest(one.store, now, MONTHS[:2])

    play(one.store, tmp_path_factory.mktemp("quarter"), SEED, look=look)
    yield one
    one.store.close()


@pytest.fixture
def quarter(run: Played) -> Store:
    return run.store


@pytest.fixture(scope="module")
def told(run: Played) -> Recount:
    with run.store.read() as connection:
        return recount(connection, OPENING)


def returned(connection: Connection) -> list[Return]:
    """Every return and claim, the newest first."""
    return list(every(lambda asked: returns_page(connection, HOSPITAL, asked, EVERYWHERE)))


def figures(connection: Connection, now: Instant, months: Sequence[str]) -> dict[str, object]:
    """Every figure of some months as central tells it."""
    found: dict[str, object] = {}
    for month in months:
        book = book_of(connection, HOSPITAL, month_named(month), now)
        found[f"roll-forward {month}"] = [
            [key.place, key.item, key.consigned, *_sum(row.opening), *_sum(row.total_in), *_sum(row.total_out)]
            for key, row in book.rows.items()
        ]
        owed = accruals_of(connection, HOSPITAL, month_named(month), now)
        found[f"accruals {month}"] = [[*origin, *_sum(one.closing)] for origin, one in owed.items()]
        journal = journal_of(connection, HOSPITAL, month_named(month), now)
        found[f"journal {month}"] = [
            [one.role, one.place, one.category, one.supplier, str(one.debit), str(one.credit)] for one in journal.lines
        ]
    found["payables"] = [
        [one.supplier, one.total, *one.by_age] for one in payables_on(connection, HOSPITAL, business_day(now))
    ]
    found["vbp"] = [
        [one.group.group, one.received, one.used, one.held] for one in groups_now(connection, HOSPITAL, now)
    ]
    found["settlements"] = [[one.supplier, str(one.month), one.amount] for one in notes(connection, HOSPITAL)]
    found["requisitions"] = [[one.requisition, one.state, one.orders] for one in requisitions(connection, HOSPITAL)]
    found["clocks"] = [
        [one.requisition.requisition, *(clock.taken_h for clock in one.clocks.values())]
        for one in emergencies(connection, HOSPITAL, now)
    ]
    found["returns"] = [[one.return_no, one.state, one.due] for one in returned(connection)]
    found["scores"] = sorted(
        [one.supplier, one.quarter, str(one.score), str(one.grade)] for one in scores(connection, HOSPITAL)
    )
    return found


def _sum(one: object) -> tuple[int, int]:
    return one.qty, one.value  # type: ignore[attr-defined] # a sum of the month


def test_every_row_of_the_roll_forward_is_what_the_pieces_come_to(quarter: Store, told: Recount) -> None:
    compared = 0
    with quarter.read() as connection:
        for month in MONTHS:
            book = book_of(connection, HOSPITAL, month_named(month), NOW)
            assert book.closed is not None
            for key, row in book.rows.items():
                at = (month, key.place, key.item, key.consigned)
                assert (row.opening.qty, row.opening.value) == (told.opening[at], told.opening_value[at]), at
                assert (row.total_in.qty, row.total_in.value) == (told.came[at], told.came_value[at]), at
                assert (row.total_out.qty, row.total_out.value) == (told.went[at], told.went_value[at]), at
                compared += 1
            assert len({(one.event, one.line_no) for one in book.late}) == told.late[month]
            mine = {(key.place, key.item, key.consigned) for key in book.rows}
            assert {at[1:] for at in (*told.came, *told.went) if at[0] == month} <= mine
    print(f"{compared} rows of the roll-forward, {told.lines} ledger lines, all equal")
    assert compared > 400


def test_what_a_month_closes_with_is_what_the_book_holds(quarter: Store) -> None:
    with quarter.read() as connection:
        book = book_of(connection, HOSPITAL, Month(2026, 4), NOW)
        held: Counter[tuple[str, str, bool]] = Counter()
        for row in rows(connection, "SELECT place, item, owner, qty FROM balance"):
            place = "transit" if row.place.startswith("transit@") else row.place
            held[place, row.item, row.owner != "hospital"] += row.qty
    for place, item, consigned in {at for at in held if at[0] in {MAIN, *WARDS}}:
        row = book.rows.get(Key(place, item, consigned))
        assert held[place, item, consigned] == (0 if row is None else row.closing.qty), (place, item)


def test_each_figure_opens_to_value_lines_that_sum_back(quarter: Store) -> None:
    with quarter.read() as connection:
        book = book_of(connection, HOSPITAL, Month(2026, 2), NOW)
    use: defaultdict[tuple[str, str], int] = defaultdict(int)
    for part in book.parts:
        if part.target.startswith("patient@") and part.owner == "hospital" and "@" not in part.source:
            use[part.source, part.item] += part.value
        assert part.value == part.price * part.qty or not part.qty
    for key, row in book.rows.items():
        if not key.consigned and Column.USE in row.went:
            assert row.went[Column.USE].value == use[key.place, key.item]
    assert book.late
    assert {one.late_from for one in book.late} == {"2026-01"}


def test_accruals_are_what_was_received_and_not_invoiced(quarter: Store, told: Recount) -> None:
    closing: dict[tuple[str, str], int] = {}
    with quarter.read() as connection:
        for month in MONTHS:
            mine = accruals_of(connection, HOSPITAL, month_named(month), NOW)
            closing = {origin: int(one.closing.value) for origin, one in mine.items() if one.closing.value}
            assert closing == dict(accruals(connection, told, month)), month
            print(f"{month}: {len(closing)} purchases accrued, {rounded_fen(Money(sum(closing.values())))} yuan")
        assert any(value < 0 for value in closing.values()), "what was recalled after its invoice is a credit"


def test_payables_and_the_journal_agree_with_the_invoices_and_the_stock(quarter: Store, told: Recount) -> None:
    sums: Counter[Role] = Counter()
    with quarter.read() as connection:
        mine = {one.supplier: one.total for one in payables_on(connection, HOSPITAL, LAST)}
        assert mine == dict(payables(connection))
        for month in MONTHS:
            journal, before = journal_of(connection, HOSPITAL, month_named(month), NOW), sums[Role.STOCK]
            _book(sums, journal)
            assert sum(one.debit for one in journal.lines) == sum(one.credit for one in journal.lines)
            came = sum(value for at, value in told.came_value.items() if at[0] == month)
            went = sum(value for at, value in told.went_value.items() if at[0] == month)
            assert sums[Role.STOCK] - before == came - went, month
        _book(sums, journal_of(connection, HOSPITAL, Month(2026, 4), NOW))
    assert -sums[Role.PAYABLE] == sum(mine.values()) > 0
    print(f"payable: {rounded_fen(Money(sum(mine.values())))} yuan")


def _book(sums: Counter[Role], journal: Journal) -> None:
    for leg in (leg for entry in journal.entries for leg in entry.legs):
        sums[leg.role] += leg.debit - leg.credit


def test_the_agreed_volume_and_the_scores_are_those_of_the_documents(quarter: Store) -> None:
    with quarter.read() as connection:
        (group,) = groups_now(connection, HOSPITAL, NOW)
        assert (group.received, group.used) == vbp(connection, {KIT})
        tallies = tallies_of(connection, HOSPITAL, "2026Q1", NOW)
        graded = {one.supplier: one for one in scores(connection, HOSPITAL)}
        for firm in FIRMS:
            mine = tallies[firm]
            assert (mine[Dimension.ON_TIME].done, mine[Dimension.ON_TIME].asked) == on_time(connection, firm, LAST), (
                firm
            )
            assert (mine[Dimension.QUALITY].done, mine[Dimension.QUALITY].asked) == quality(connection, firm), firm
            answered = (mine[Dimension.EMERGENCY].done, mine[Dimension.EMERGENCY].asked)
            assert answered == answered_in_time(connection, firm), firm
            assert graded[firm].tallies[Dimension.ON_TIME].asked == mine[Dimension.ON_TIME].asked
            print(
                {firm: (str(one.grade), str(one.score)) for firm, one in graded.items()}, f"received {group.received}"
            )
        assert answered_in_time(connection, "S01") == (2, 3), "a case and an order answered in time, a case not"
        assert answered_in_time(connection, "S03") == (1, 2), "an order answered in time, one not"
    assert tallies["S02"][Dimension.SERVICE].done == 1


def test_what_was_used_on_consignment_is_settled_to_the_cent(quarter: Store, told: Recount) -> None:
    with quarter.read() as connection:
        made = {(str(one.month), one.supplier): one for one in notes(connection, HOSPITAL)}
        charged = rows(connection, f"SELECT at, qty FROM charge WHERE item = '{STENT}'")
    assert set(made) == {key for key, used in told.settled.items() if used and key[0] in MONTHS}
    assert set(made) == {(month, "S02") for month in MONTHS}
    for key, note in made.items():
        assert {line.item: line.used for line in note.lines} == dict(told.settled[key])
        assert note.amount == sum(27_000_000 * line.used for line in note.lines)
        assert all(line.difference is not None and line.difference >= 0 for line in note.lines)
    assert sum(line.charged or 0 for one in made.values() for line in one.lines) == sum(row.qty for row in charged)
    assert any(line.difference for one in made.values() for line in one.lines), "a use that nobody charged is named"


def test_what_people_asked_for_is_what_was_ordered_and_came_and_nobody_said_yes_to_their_own(quarter: Store) -> None:
    with quarter.read() as connection:
        told, mine = asked(connection), {one.requisition: one for one in requisitions(connection, HOSPITAL)}
        gone = {name for name, several in steps(connection).items() if several[-1].state == "closed"}
        assert set(told) == set(mine)
        for name, one in told.items():
            assert (mine[name].state, dict(mine[name].orders)) == (one.state, one.orders), name
            assert {line.item: line.qty for line in mine[name].lines} == dict(one.wanted), name
            deciders = {each.actor for each in one.steps if each.name not in {"ask", "withdraw"}}
            assert one.by not in deciders, name
            owed = owed_in(connection, HOSPITAL, one.place, NOW)
            for item, order in one.orders.items():
                left = 0 if order in gone else one.ordered[item] - one.came[item]
                assert owed.get((order, 1), 0) == left, (name, item)
    states = Counter(one.state for one in told.values())
    print(dict(states), {"pieces": sum(one.came.total() for one in told.values())})
    assert states["ordered"] > 20
    assert (states["refused"], states["withdrawn"]) == (1, 1)
    assert any(0 < one.ordered[item] < qty for one in told.values() for item, qty in one.wanted.items()), "one in part"
    assert {each.actor for one in told.values() for each in one.steps if each.name == "approve"} >= {"automatic"}


def test_the_clocks_of_emergencies_are_those_of_their_documents_and_of_the_ledger(quarter: Store) -> None:
    with quarter.read() as connection:
        mine = {
            one.requisition.requisition: {
                str(timer): (round(clock.taken_h, 6), clock.in_time) for timer, clock in one.clocks.items()
            }
            for one in emergencies(connection, HOSPITAL, NOW)
        }
        told = {
            name: {clock: (round(hours, 6), good) for clock, (hours, good) in one.items()}
            for name, one in clocks(connection).items()
        }
    print(mine)
    assert mine == told
    assert Counter(one["answer"][1] for one in told.values()) == {True: 2, False: 1}
    assert Counter(one["supply"][1] for one in told.values()) == {True: 1, False: 2}


def test_an_amended_order_is_what_its_newest_version_says_and_was_what_was_approved(quarter: Store) -> None:
    with quarter.read() as connection:
        versions = rows(connection, "SELECT order_no, version, qty, price, made_by FROM order_version ORDER BY 1, 2")
        lines = {row.order_no: row for row in rows(connection, "SELECT order_no, qty, price, proposal FROM order_line")}
        proposed = {row.proposal: row for row in rows(connection, "SELECT proposal, qty, price FROM proposal")}
        due = {one.order_no: (one.qty, one.promised) for one in delivered_lines(connection, HOSPITAL, NOW)}
        words = promises(connection)
    by_order: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in versions:
        by_order[row.order_no].append((row.qty, row.price))
    assert len(by_order) == 3
    assert {row.made_by for row in versions if row.version > 1} == {"10023", "10001"}
    for order, (first, *_, last) in by_order.items():
        assert last == (lines[order].qty, lines[order].price) != first
        was = proposed[lines[order].proposal]
        assert first == (was.qty, was.price)
        assert due[order] == (last[0], words[order]), "what is delivered is held against the newest version"


def test_what_went_back_and_what_was_claimed_is_what_credit_notes_gave(quarter: Store) -> None:
    with quarter.read() as connection:
        mine = returned(connection)
        back = {one.return_no: one for one in mine}
        given: Counter[tuple[str, str]] = Counter()
        for one in mine:
            if one.credit is not None:
                given[one.supplier, str(business_day(one.credit.entered_at))[:7]] += one.credit.amount
        assert given == credited(connection)
        left: Counter[tuple[str, str]] = Counter()
        for one in mine:
            for line in one.lines if one.kind == "return" and one.state in {"credited", "closed"} else ():
                left[line.item, line.lot] += line.qty
        assert left == gone_back(connection)
        used = rows(connection, "SELECT document FROM document_step WHERE step = 'set-off'")
    print({one.return_no: (str(one.kind), str(one.state), one.due) for one in back.values()})
    assert Counter(str(one.state) for one in mine) == {"credited": 4, "closed": 1, "refused": 1}
    assert len(used) == 3, "the failing supplier's credit has no invoice left to be taken off"


def test_the_story_had_all_that_it_tells_of(quarter: Store) -> None:
    assert verify(quarter).faults == []
    with quarter.read() as connection:
        counts = {
            table: rows(connection, f"SELECT COUNT(*) AS n FROM {table}")[0].n
            for table in ("purchase_order", "receipt_line", "invoice", "consignment_note", "month_close", "recall")
        }
        kinds = {row.kind for row in rows(connection, "SELECT DISTINCT kind FROM event")}
        approvers = {row.approved_by for row in rows(connection, "SELECT DISTINCT approved_by FROM purchase_order")}
        closed = rows(connection, "SELECT COUNT(*) AS n FROM document_step WHERE step = 'close'")[0].n
        disputed = rows(connection, "SELECT COUNT(*) AS n FROM document_step WHERE state = 'disputed'")[0].n
    print(counts, {"closed": closed, "disputed": disputed})
    assert len(WARDS) == 20
    assert MAIN == "main-store"
    assert {"10023", "10001", "automatic"} <= approvers
    assert {
        "use",
        "issue",
        "return_to_store",
        "reversal",
        "scrap",
        "adjust",
        "hold_recall",
        "return_to_supplier",
    } <= kinds
    assert counts["month_close"] == 3
    assert counts["recall"] == 1
    assert closed > 0
    assert disputed > 0


def digest(store: Store, now: Instant, months: Sequence[str]) -> str:
    with store.read() as connection:
        told = figures(connection, now, months)
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def test_two_runs_of_a_seed_give_the_same_figures(run: Played, tmp_path: Path) -> None:
    other = Played(fresh())

    def look(day: date, now: Instant) -> None:
        if day == MIDDLE:
            other.middle = digest(other.store, now, MONTHS[:2])

    play(other.store, tmp_path, SEED, until=MIDDLE, look=look)
    assert run.middle == other.middle != ""
    other.store.close()
