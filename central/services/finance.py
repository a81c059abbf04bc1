"""What finance takes over of a month: accruals for goods not invoiced, payables with their age, balanced entries.

The rules are in `core.journal`. The rules that must not be broken: every amount is a sum of value lines and invoices
that can be listed; what is exported of a closed month is the same whenever it is asked for, under the same accounts.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from central.core.journal import (
    SIGNS,
    Account,
    Accrual,
    Booked,
    Entry,
    Invoiced,
    Role,
    accruals,
    booked,
    entries_of,
    owed_by,
)
from central.core.month import Month, Sum
from central.core.purchasing import overdue_days
from central.core.rights import Caller, Right
from central.core.valuation import Origin, Part
from central.errors import BadInput
from central.services.documents import Documents
from central.services.stock_book import Book, book_of, open_books, open_month
from central.store import queries_finance as kept
from central.store.queries_month import categories
from central.store.queries_returns import credit_steps, open_credits
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money

BEFORE_ALL = Instant(0)
AGES = (0, 30, 60, 90)
"""Days overdue from which a payable stands in the next class: not due, 1-30, 31-60, 61-90, older."""


def accruals_of(connection: Connection, hospital: HospitalId, month: Month, now: Instant) -> dict[Origin, Accrual]:
    """Return what is owed for goods not invoiced yet in a month, by purchase. Raises as `book_of` does."""
    book = book_of(connection, hospital, month, now)
    opening = _owed_before(connection, hospital, book, now)
    return accruals(opening, book.parts, _steps(connection, hospital, month.begins, month.ends))


def _owed_before(connection: Connection, hospital: HospitalId, book: Book, now: Instant) -> dict[Origin, Sum]:
    """Return what stood accrued before a month: what came before it, less what was invoiced before it."""
    month = book.month
    owed = kept.owed_before(connection, hospital, month)
    if book.closed is None and month != open_month(connection, hospital, now):
        for before in open_books(connection, hospital, month.before, now):
            _owe(owed, before.parts)
    for one in _steps(connection, hospital, BEFORE_ALL, month.begins):
        sign = SIGNS[one.sort]
        for line in one.parts:
            taken = Sum(sign * line.qty, Money(sign * line.value))
            owed[line.origin] = owed.get(line.origin, Sum()) - taken
    return {origin: one for origin, one in owed.items() if one != Sum()}


def _steps(connection: Connection, hospital: HospitalId, first: Instant, until: Instant) -> list[Invoiced]:
    """Return what happened to invoices and credit notes from an instant on and before another."""
    told = kept.invoice_steps(connection, hospital, first, until) + credit_steps(connection, hospital, first, until)
    return sorted(told, key=lambda one: (one.at, one.document))


def _owe(owed: dict[Origin, Sum], parts: Iterable[Part]) -> None:
    for part in parts:
        sign = owed_by(part)
        if sign:
            owed[part.origin] = owed.get(part.origin, Sum()) + Sum(sign * part.qty, Money(sign * part.value))


@dataclass(frozen=True, slots=True)
class Payable:
    """What one supplier is owed on a day by invoices that match, by how long they are overdue (H1)."""

    supplier: str
    total: Money
    by_age: tuple[Money, ...]
    invoices: tuple[str, ...]


def payables_on(connection: Connection, hospital: HospitalId, day: date) -> list[Payable]:
    """Return what is payable, by supplier: not overdue, overdue by up to 30, 60, 90 days, and by more.

    Credit notes that no payment took off yet stand among what is not overdue, below zero.
    """
    found: dict[str, list[tuple[str, int, Money]]] = {}
    for one in kept.payable(connection, hospital):
        found.setdefault(one.supplier, []).append((one.document, overdue_days(one.due, day), one.amount))
    for note in open_credits(connection, hospital):
        found.setdefault(note.supplier, []).append((note.document, 0, Money(-note.amount)))
    return [
        Payable(
            supplier,
            Money(sum(amount for _, _, amount in several)),
            tuple(
                Money(sum(amount for _, late, amount in several if _age(late) == age)) for age in range(len(AGES) + 1)
            ),
            tuple(sorted(document for document, _, _ in several)),
        )
        for supplier, several in sorted(found.items())
    ]


def _age(late: int) -> int:
    return sum(late > limit for limit in AGES)


@dataclass(frozen=True, slots=True)
class Journal:
    """A month as finance imports it; provisional while it is open."""

    month: Month
    closed: bool
    entries: tuple[Entry, ...]
    lines: tuple[Booked, ...]
    accounts: Mapping[Role, Account]


def journal_of(connection: Connection, hospital: HospitalId, month: Month, now: Instant) -> Journal:
    """Return the entries of a month. Raises as `book_of` does."""
    book = book_of(connection, hospital, month, now)
    of = categories(connection, hospital)
    steps: list[Invoiced] = _steps(connection, hospital, month.begins, month.ends)
    entries = entries_of(book.parts, lambda item: of.get(item, ""), steps)
    told = kept.accounts_of(connection, hospital)
    return Journal(month, book.closed is not None, tuple(entries), tuple(booked(entries)), told)


HEAD = (
    *("month", "entry", "what", "document", "account", "account_name", "role"),
    *("place", "category", "supplier", "debit", "credit"),
)


def _row(journal: Journal, one: Booked) -> dict[str, str | int]:
    account = journal.accounts[one.role]
    return {
        "month": str(journal.month), "entry": one.number, "what": one.what, "document": one.document,
        "account": account.code, "account_name": account.name, "role": str(one.role), "place": one.place,
        "category": one.category, "supplier": one.supplier, "debit": f"{one.debit:.2f}", "credit": f"{one.credit:.2f}",
    }  # fmt: skip


def journal_csv(journal: Journal) -> str:
    """Return a month's entries as CSV, amounts in yuan."""
    told = io.StringIO()
    writer = csv.DictWriter(told, HEAD, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_row(journal, one) for one in journal.lines)
    return told.getvalue()


def journal_json(journal: Journal) -> str:
    """Return a month's entries as JSON; amounts are yuan as text, so that no reader rounds them."""
    debit = sum((one.debit for one in journal.lines), Decimal(0))
    told = {"month": str(journal.month), "closed": journal.closed, "total": f"{debit:.2f}"}
    return json.dumps({**told, "lines": [_row(journal, one) for one in journal.lines]}, ensure_ascii=False, indent=1)


@dataclass(frozen=True, slots=True)
class Finance:
    """The finance desk of one hospital."""

    documents: Documents

    def set_accounts(self, caller: Caller, accounts: Mapping[str, Account]) -> None:
        """Set to which accounts roles are booked. Raises `NotAllowed`, `BadInput` for a role there is not."""
        caller.need(Right.PAY)
        wrong = sorted(set(accounts) - set(Role))
        if wrong or not accounts:
            raise BadInput(f"accounts: expected roles of {', '.join(Role)}, got {', '.join(wrong) or 'none'}")
        with self.documents.store.write() as connection:
            kept.keep_accounts(connection, self.documents.hospital, {Role(role): one for role, one in accounts.items()})
            detail = {role: one.code for role, one in sorted(accounts.items())}
            self.documents.note(connection, caller, "set-accounts", "finance", detail)


def payables_now(connection: Connection, hospital: HospitalId, now: Instant) -> list[Payable]:
    """Return what is payable today."""
    return payables_on(connection, hospital, business_day(now))
