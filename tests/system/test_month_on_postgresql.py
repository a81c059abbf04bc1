"""A month of the stock book on PostgreSQL: closed, with the same figures as on SQLite, and never changed."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError

from central.core.consignment import NoteStep
from central.core.month import Month
from central.core.purchasing import InvoicedLine, InvoiceState
from central.services.consignment import Consignment
from central.services.finance import accruals_of, journal_of, payables_now
from central.services.imports import import_folder
from central.services.month_close import close_due
from central.services.policy import seed_policy
from central.services.price_changes import ChangeStep, PriceChanges
from central.services.stock_book import Book
from central.store.engine import Store
from central.store.queries_consignment import notes
from protocols.values.instant import plus
from protocols.values.money import Money
from tests.central.hospital import FILES, GAUZE, HOSPITAL, KIT, Ward, frozen_clock, hospital, write_files
from tests.central.purchases import BUYER, HEAD
from tests.central.services.test_month import APRIL, CATHETER, FINANCE, IN_APRIL, MARCH, SWAB, Story, day
from tests.system.postgresql import migrated_cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]

Told = tuple[object, ...]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    with migrated_cluster() as store:
        seed_policy(store, HOSPITAL)
        import_folder(store, HOSPITAL, write_files(tmp_path / "postgresql", FILES), frozen_clock())
        yield store, hospital(tmp_path / "sqlite", {})


def played(store: Store) -> list[Told]:
    """Play a month and a half and return every figure of it."""
    story = Story.__new__(Story)
    story.store, story.ward = store, Ward(store)
    consignment = Consignment(story.at(day(3)).purchasing.documents)
    consignment.set_term(BUYER, KIT, "S02", date(2026, 3, 1), None, CATHETER, 20)
    order = story.buys(GAUZE, "S01", SWAB, 1000, day(3), "G2")
    story.buys(KIT, "S02", CATHETER, 20, day(3, 10), "K1")
    story.sends(KIT, "K1", 5, day(4), owner="S02")
    story.uses(KIT, "K1", 3, day(5), owner="S02")
    proposed = PriceChanges(story.at(day(10)).purchasing.documents).propose(FINANCE, GAUZE, "G2", Money(8_000), "cut")
    PriceChanges(story.at(day(11)).purchasing.documents).decide(HEAD, proposed, ChangeStep.APPROVE)
    assert close_due(store, HOSPITAL, IN_APRIL).endswith("1 settlements")
    line = InvoicedLine(order, 1, 600, Money(8_000))
    entered = story.at(IN_APRIL).invoices.enter_invoice(FINANCE, "S01", "INV-1", date(2026, 4, 5), [line])
    assert entered.state is InvoiceState.MATCHED
    with store.read() as connection:
        (note,) = notes(connection, HOSPITAL)
    Consignment(story.at(IN_APRIL).purchasing.documents).step(BUYER, note.note, NoteStep.AGREE)
    now = plus(IN_APRIL, 60)
    books: list[Book] = [story.book(MARCH, now), story.book(APRIL, now)]
    with store.read() as connection:
        told: list[Told] = [(str(book.month), book.rows) for book in books]
        told += [(str(book.month), accruals_of(connection, HOSPITAL, book.month, now)) for book in books]
        told += [(one.debit, one.credit, one.role) for one in journal_of(connection, HOSPITAL, MARCH, now).lines]
        told += [(one.total, one.by_age) for one in payables_now(connection, HOSPITAL, now)]
        told += [(one.supplier, one.amount, one.state) for one in notes(connection, HOSPITAL)]
    return told


def test_a_month_comes_to_the_same_on_both_stores_and_is_sealed(stores: tuple[Store, Store]) -> None:
    postgresql, sqlite = stores
    assert played(postgresql) == played(sqlite)
    for table in ("month_close", "stock_value", "month_stock", "stock_layer", "consignment_line", "price_change"):
        with pytest.raises(DatabaseError), postgresql.write() as connection:
            connection.exec_driver_sql(f"DELETE FROM {table}")
    assert Month(2026, 3) == MARCH
