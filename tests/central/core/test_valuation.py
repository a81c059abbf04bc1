"""What stock cost: layers by lot, what was taken before it came, price changes, kits, a supplier's goods."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from central.core.month import (
    Column,
    Key,
    Month,
    Sum,
    closings,
    grouped,
    heard,
    late_from,
    month_at,
    roll_forward,
)
from central.core.valuation import Change, Costs, Layer, Moved, Part, Repriced, Valuer, holds_stock, shared, valued
from protocols.values.instant import Instant, from_iso
from protocols.values.money import Money

WARD, STORE = "ward-01", "main-store"
MARCH = from_iso("2026-03-02T08:00:00+08:00")


def moved(n: int, qty: int, source: str, target: str, **said: Any) -> Moved:  # noqa: ANN401 # fields of a line
    """A line of entry n; `entry` puts it as line n into another."""
    event = said.pop("entry", None)
    line_no, event = (0, n) if event is None else (n, event)
    told: dict[str, Any] = {"item": "A", "lot": "L1", "owner": "hospital", **said}
    at, order = Instant(MARCH + event), ("d", event)
    return Moved(f"e{event}", line_no, at, order, "x", qty=qty, source=source, target=target, **told)


def bought(*parts: tuple[int, int, int]) -> Costs:
    """Prices of entries: (entry, price, qty)."""
    return Costs(
        bought={(f"e{n}", 0): [Layer(Money(price), qty, (f"PO-{n}/1", "S01"))] for n, price, qty in parts},
        items={"A": Money(7)},
    )


def test_what_is_used_costs_what_its_own_purchase_did() -> None:
    costs = bought((1, 100, 10), (2, 120, 10))
    valuer = Valuer(costs)
    parts = valued(
        valuer,
        [
            moved(1, 10, "supplier@main-store", STORE),
            moved(2, 10, "supplier@main-store", STORE),
            moved(3, 12, STORE, "transit@ward-01"),
            moved(4, 12, "transit@ward-01", WARD),
            moved(5, 11, WARD, "patient@ward-01"),
        ],
    )
    used = [one for one in parts if one.target.startswith("patient")]
    assert [(one.qty, one.price, one.origin[0]) for one in used] == [(10, 100, "PO-1/1"), (1, 120, "PO-2/1")]
    assert valuer.pools() == {
        (STORE, "A", "L1"): (Layer(Money(120), 8, ("PO-2/1", "S01")),),
        (WARD, "A", "L1"): (Layer(Money(120), 1, ("PO-2/1", "S01")),),
    }


def test_another_lot_is_never_touched() -> None:
    valuer = Valuer(bought((1, 100, 5), (2, 900, 5)))
    parts = valued(
        valuer,
        [
            moved(1, 5, "supplier@main-store", STORE),
            moved(2, 5, "supplier@main-store", STORE, lot="L2"),
            moved(3, 5, STORE, "patient@main-store", lot="L2"),
        ],
    )
    assert parts[-1].value == 4500


def test_what_was_taken_before_it_came_makes_a_line_of_the_difference() -> None:
    valuer = Valuer(bought((2, 10, 5)))
    parts = valued(valuer, [moved(1, 3, STORE, "patient@main-store"), moved(2, 5, "supplier@main-store", STORE)])
    assert [(one.kind, one.qty, one.value) for one in parts] == [
        ("x", 3, 21), ("x", 5, 50), (Change.DIFFERENCE, 0, -9),
    ]  # fmt: skip
    row = roll_forward({}, parts)[Key(STORE, "A")]
    assert (row.closing, row.came[Column.PRICE].value) == (Sum(2, Money(20)), -9)


def test_a_price_change_is_a_line_for_each_layer_of_stock_and_leaves_what_was_used_alone() -> None:
    valuer = Valuer(bought((1, 100, 10)))
    lines = [moved(1, 10, "supplier@main-store", STORE), moved(3, 4, STORE, "patient@main-store")]
    parts = valued(valuer, lines, [Repriced("PC-1", Instant(MARCH + 2), "A", "", Money(80))])
    assert [(one.kind, one.value) for one in parts] == [("x", 1000), (Change.PRICE, -200), ("x", 320)]
    assert roll_forward({}, parts)[Key(STORE, "A")].closing == Sum(6, Money(480))


def test_a_suppliers_goods_have_no_value_until_they_are_used() -> None:
    costs = Costs(consigned=lambda item, supplier, day: Money(500 if (item, supplier) == ("A", "S02") else 0))
    valuer = Valuer(costs)
    parts = valued(
        valuer,
        [
            moved(1, 3, "supplier@main-store", STORE, owner="S02"),
            moved(0, 1, STORE, "owner@main-store", owner="S02", entry=2),
            moved(1, 1, "owner@main-store", "patient@main-store", entry=2),
        ],
    )
    assert [(one.owner, one.qty, one.value, one.origin) for one in parts] == [
        ("S02", 3, 0, ("consigned", "S02")),
        ("S02", 1, 0, ("consigned", "S02")),
        ("hospital", 1, 500, ("consigned", "S02")),
    ]
    rows = roll_forward({}, parts)
    assert rows == {Key(STORE, "A", consigned=True): rows[Key(STORE, "A", consigned=True)]}
    assert rows[Key(STORE, "A", consigned=True)].closing == Sum(2, Money(0))


def test_a_kit_is_worth_what_went_into_it_to_the_last_unit_of_money() -> None:
    valuer = Valuer(bought((1, 33, 10), (2, 50, 1)))
    lines = [
        moved(1, 10, "supplier@main-store", STORE),
        moved(2, 1, "supplier@main-store", STORE, item="B"),
        moved(0, 3, STORE, "kit@main-store", entry=3),
        moved(1, 1, STORE, "kit@main-store", item="B", entry=3),
        moved(2, 4, "kit@main-store", STORE, item="K", lot="", entry=3),
    ]
    parts = valued(valuer, lines)
    assert sum(one.value for one in parts if one.item == "K") == 3 * 33 + 50
    assert [(one.price, one.qty) for one in valuer.pools()[STORE, "K", ""]] == [(37, 3), (38, 1)]


def test_a_return_to_the_supplier_leaves_at_its_own_purchase() -> None:
    parts = valued(
        Valuer(bought((1, 100, 5))),
        [moved(1, 5, "supplier@main-store", STORE), moved(2, 2, STORE, "supplier@main-store")],
    )
    assert (parts[-1].value, parts[-1].origin) == (200, ("PO-1/1", "S01"))


def test_a_late_entry_says_its_month_and_a_clock_that_runs_ahead_is_not_believed() -> None:
    march, april = Month(2026, 3), Month(2026, 4)
    assert (late_from(MARCH, april), late_from(MARCH, march)) == ("2026-03", "")
    assert heard(from_iso("2099-01-01T00:00:00+08:00"), MARCH) == MARCH
    assert (month_at(march.begins), month_at(Instant(march.ends - 1)), month_at(march.ends)) == (march, march, april)
    assert (march.before, Month(2026, 12).next, march.first) == (Month(2026, 2), Month(2027, 1), date(2026, 3, 1))


PLACES = ["supplier@main-store", STORE, "transit@ward-01", WARD, "issued@ward-01", "patient@ward-01", "unknown@ward-01"]
ends = st.tuples(st.sampled_from(PLACES), st.sampled_from(PLACES)).filter(lambda one: one[0] != one[1])
acts = st.lists(st.tuples(ends, st.integers(1, 9), st.sampled_from(["L1", "L2"]), st.integers(1, 99)), max_size=40)


@given(acts, st.integers(0, 40))
def test_opening_and_in_less_out_is_closing_and_is_what_the_pools_hold(
    drawn: list[tuple[tuple[str, str], int, str, int]], cut: int
) -> None:
    lines = [moved(n, qty, *where, lot=lot) for n, (where, qty, lot, _) in enumerate(drawn)]
    prices = {
        (f"e{n}", 0): [Layer(Money(price), qty, (f"PO-{n}", "S"))]
        for n, (where, qty, _, price) in enumerate(drawn)
        if where[0].startswith("supplier@")
    }
    costs = Costs(bought=prices, items={"A": Money(5)})
    change = [Repriced("PC-1", Instant(MARCH + cut), "A", "", Money(11))]
    valuer = Valuer(costs)
    rows = roll_forward({}, parts := valued(valuer, lines, change))
    held: Counter[str] = Counter()
    worth: Counter[str] = Counter()
    for (place, _, _), layers in valuer.pools().items():
        held[place] += sum(one.qty for one in layers)
        worth[place] += sum(one.value for one in layers)
    book: Counter[str] = Counter()
    for line in lines:
        book["transit" if line.target.startswith("transit") else line.target] += line.qty
        book["transit" if line.source.startswith("transit") else line.source] -= line.qty
    for key, row in rows.items():
        assert row.closing == Sum(held[key.place], Money(worth[key.place]))
        assert row.closing.qty == book[key.place]
    boundary = sum(one.value * (holds_stock(one.target) - holds_stock(one.source)) for one in parts)
    assert sum(worth.values()) == boundary


@given(acts)
def test_a_month_cut_in_two_closes_as_the_whole(drawn: list[tuple[tuple[str, str], int, str, int]]) -> None:
    lines = [moved(n, qty, *where, lot=lot) for n, (where, qty, lot, _) in enumerate(drawn)]
    costs = Costs(
        bought={
            (f"e{n}", 0): [Layer(Money(price), qty)]
            for n, (where, qty, _, price) in enumerate(drawn)
            if where[0].startswith("supplier@")
        },
        items={"A": Money(5)},
    )
    whole = Valuer(costs)
    at_once = roll_forward({}, valued(whole, lines))
    half = len(lines) // 2
    first = Valuer(costs)
    begun = roll_forward({}, valued(first, lines[:half]))
    second = Valuer(replace(costs, lots=first.lots), first.pools())
    ended = roll_forward(closings(begun), valued(second, lines[half:]))
    assert closings(ended) == closings(at_once)
    assert second.pools() == whole.pools()
    assert grouped(at_once, lambda key: key.place).keys() == {key.place for key in at_once}


@given(st.integers(-10_000, 10_000), st.integers(1, 99))
def test_a_value_shared_is_whole(value: int, qty: int) -> None:
    layers = shared(Money(value), qty, ("", ""))
    assert (sum(one.value for one in layers), sum(one.qty for one in layers)) == (value, qty)


def test_no_line_moves_value_within_one_place() -> None:
    parts: list[Part] = valued(Valuer(Costs()), [moved(1, 2, "transit@main-store", "transit@ward-01")])
    assert parts == []


@given(acts)
def test_over_all_places_what_moved_inside_the_hospital_cancels_out(
    drawn: list[tuple[tuple[str, str], int, str, int]],
) -> None:
    lines = [moved(n, qty, *where, lot=lot) for n, (where, qty, lot, _) in enumerate(drawn)]
    rows = roll_forward({}, valued(Valuer(Costs(items={"A": Money(5)})), lines))
    for row in grouped(rows, lambda key: key.item).values():
        assert row.outward().closing == row.closing
        assert not {Column.TRANSFER, Column.ISSUE} & {*row.outward().came, *row.outward().went}


def test_what_a_ward_takes_in_by_the_note_of_a_suppliers_order_never_came_out_of_stock() -> None:
    parts = valued(Valuer(bought((1, 100, 3))), [moved(1, 3, "transit@ward-01", WARD)])
    assert [(one.source, one.value, one.origin[0]) for one in parts] == [("supplier@ward-01", 300, "PO-1/1")]
