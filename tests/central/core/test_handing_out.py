"""Lots of the store that go out: first to expire first, none expired, recalled or pending, never more than there is."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from central.core.handing_out import Loose, Shelves, lines_for
from protocols.values.ids import PlaceId

TODAY = date(2026, 3, 2)
STORE, WARD = PlaceId("main-store"), PlaceId("ward-02")


def shelves(goods: list[Loose], days: dict[str, date], held: set[str] | None = None) -> Shelves:
    by_lot = {("A", lot): day for lot, day in days.items()}
    return Shelves(STORE, goods, by_lot, {("A", lot) for lot in held or ()}, "PENDING", TODAY)


def test_what_expires_first_goes_first_and_what_may_not_go_stays() -> None:
    goods = [Loose("A", lot, "hospital", "PENDING" if lot == "P" else "S1", 10) for lot in "ZLHPEN"]
    days = {"Z": date(2026, 3, 1), "L": date(2026, 3, 2), "E": date(2026, 5, 1), "H": date(2026, 4, 1)}
    lines = lines_for(shelves(goods, days, {"H"}), "A", 25, WARD)
    assert [(line.lot, line.qty, line.target) for line in lines] == [
        ("L", 10, "transit@ward-02"), ("E", 10, "transit@ward-02"), ("N", 5, "transit@ward-02"),
    ]  # fmt: skip


@given(st.lists(st.integers(1, 50), max_size=8), st.integers(0, 300))
def test_never_more_goes_out_than_is_asked_for_or_there(there: list[int], qty: int) -> None:
    goods = [Loose("A", f"L{at}", "hospital", "", one) for at, one in enumerate(there)]
    lines = lines_for(shelves(goods, {}), "A", qty, WARD)
    assert sum(line.qty for line in lines) == min(qty, sum(there))
    assert all(line.qty <= there[int(line.lot[1:])] for line in lines)
