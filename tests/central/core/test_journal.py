"""Entries for finance: balanced, rounded once, and accruals that go with their invoices."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.journal import (
    ACCOUNTS,
    Account,
    Entry,
    Invoiced,
    InvoicedPart,
    Leg,
    Role,
    Sort,
    accruals,
    booked,
    entries_of,
)
from central.core.month import Sum
from central.core.valuation import Part
from central.errors import BadInput
from protocols.values.instant import Instant
from protocols.values.money import Money, rounded_fen

AT = Instant(1_772_438_400_000_000)
ORDER = ("PO-1/1", "S01")


def part(qty: int, price: int, source: str, target: str, *, owner: str = "hospital") -> Part:
    value = Money(qty * price)
    return Part("e", 0, 0, AT, "x", "A", "L", owner, qty, source, target, Money(price), value, ORDER)


def invoiced(sort: Sort, qty: int, accrued: int, asked: int) -> Invoiced:
    return Invoiced("IV-1", "S01", sort, AT, Money(qty * asked), (InvoicedPart(ORDER, qty, Money(accrued)),))


def test_goods_that_come_are_owed_and_those_used_are_an_expense_of_their_storeroom() -> None:
    parts = [
        part(10, 85, "supplier@main-store", "main-store"),
        part(4, 85, "main-store", "transit"),
        part(3, 85, "ward-01", "patient@ward-01"),
        part(2, 85, "ward-01", "owner@ward-01", owner="S02"),
    ]
    found = entries_of(parts, lambda _: "low", [])
    assert [(one.what, one.legs[0].debit, one.legs[0].place, one.legs[1].supplier) for one in found] == [
        ("stock>consumed", 255, "ward-01", ""),
        ("accrued>stock", 850, "main-store", "S01"),
    ]


def test_an_invoice_takes_the_accrual_back_and_its_withdrawal_brings_it_again() -> None:
    steps = [invoiced(Sort.MATCHED, 10, 85, 80), invoiced(Sort.WITHDRAWN, 10, 85, 80), invoiced(Sort.PAID, 10, 85, 80)]
    matched, withdrawn, paid = entries_of([], lambda _: "", steps)
    assert {one.role: one.debit - one.credit for one in matched.legs} == {
        Role.ACCRUED: 850, Role.VARIANCE: -50, Role.PAYABLE: -800,
    }  # fmt: skip
    assert {one.role: one.credit - one.debit for one in withdrawn.legs} == {
        Role.ACCRUED: 850, Role.VARIANCE: -50, Role.PAYABLE: -800,
    }  # fmt: skip
    assert [(one.role, one.debit, one.credit) for one in paid.legs] == [(Role.PAYABLE, 800, 0), (Role.BANK, 0, 800)]


def test_what_goes_back_after_its_invoice_is_a_credit_the_supplier_owes() -> None:
    parts = [part(10, 85, "supplier@main-store", "main-store"), part(4, 85, "main-store", "supplier@main-store")]
    (one,) = accruals({}, parts, [invoiced(Sort.MATCHED, 10, 85, 85)]).values()
    assert (one.received.qty, one.returned.qty, one.invoiced.qty, one.closing) == (10, 4, 10, Sum(-4, Money(-340)))
    assert accruals({}, [], [invoiced(Sort.PAID, 1, 1, 1)]) == {}


def test_an_entry_that_does_not_balance_cannot_be() -> None:
    with pytest.raises(BadInput, match="expected debits to equal credits, got 2, 1"):
        Entry("x", "", (Leg(Role.STOCK, Money(2), Money(0)), Leg(Role.ACCRUED, Money(0), Money(1))))


def test_every_role_has_an_account_and_an_account_a_code() -> None:
    assert set(ACCOUNTS) == set(Role)
    assert len({one.code for one in ACCOUNTS.values()}) == len(Role)
    with pytest.raises(BadInput, match="account code"):
        Account("", "x")


amounts = st.lists(st.integers(-10_000_000, 10_000_000), min_size=1, max_size=30)


@given(amounts)
def test_rounded_lines_balance_and_a_pair_of_accounts_sums_to_its_rounded_sum(values: list[int]) -> None:
    parts = [part(1, value, "supplier@main-store", f"ward-{number:02}") for number, value in enumerate(values) if value]
    lines = booked(entries_of(parts, lambda _: "", []))
    assert all(one.debit >= 0 and one.credit >= 0 for one in lines)
    by_entry: dict[int, Decimal] = {}
    for one in lines:
        by_entry[one.number] = by_entry.get(one.number, Decimal(0)) + one.debit - one.credit
    assert set(by_entry.values()) <= {Decimal(0)}
    stock = sum((one.debit - one.credit for one in lines if one.role is Role.STOCK), Decimal(0))
    assert stock == rounded_fen(Money(sum(values)))
