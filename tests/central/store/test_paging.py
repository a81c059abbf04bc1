"""Pages of a list: whole, without doubles, whatever comes or goes meanwhile; and cursors that were not given by it."""

import base64
import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Column, Date, Integer, LargeBinary, MetaData, Table, Text, create_engine, select

from central.errors import BadInput
from central.store.paging import LIMIT_MAX, Key, Keyset, PageAsked, page_of, read_cursor, write_cursor

THINGS = Table(
    "thing", MetaData(), Column("day", Date), Column("size", Integer), Column("mark", LargeBinary), Column("name", Text)
)
ORDER = Keyset(
    "things",
    (Key(THINGS.c.day, falling=True), Key(THINGS.c.size), Key(THINGS.c.mark, falling=True), Key(THINGS.c.name)),
)
ROWS = st.lists(
    st.tuples(
        st.dates(date(2026, 1, 1), date(2026, 1, 3)),
        st.integers(0, 2),
        st.binary(max_size=1),
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=2),
    ),
    unique=True,
    max_size=30,
)


@given(ROWS, st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_pages_put_together_are_the_whole_list_in_its_order(
    rows: list[tuple[date, int, bytes, str]], limit: int
) -> None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        THINGS.create(connection)
        if rows:
            connection.execute(THINGS.insert(), [dict(zip(THINGS.c.keys(), row, strict=True)) for row in rows])
        found, cursor = list[tuple[date, int, bytes, str]](), ""
        while True:
            page, cursor = ORDER.rows(connection, select(THINGS), PageAsked(limit, cursor))
            assert len(page) == limit or not cursor
            found += [(one.day, one.size, one.mark, one.name) for one in page]
            if not cursor:
                break
    assert len(found) == len(set(found)) == len(rows)
    assert sorted(found, key=lambda one: (-one[0].toordinal(), one[1])) == found
    assert set(found) == set(rows)
    engine.dispose()


def test_what_comes_between_two_pages_hides_nothing_and_doubles_nothing() -> None:
    first = page_of("numbers", [(10,), (20,), (30,)], lambda one: one, PageAsked(2))
    second = page_of("numbers", [(5,), (10,), (15,), (20,), (25,), (30,)], lambda one: one, PageAsked(2, first.cursor))
    assert (first.items, second.items, second.cursor) == (((10,), (20,)), ((25,), (30,)), "")


def cursor_of(*told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "?", "AAAA", "中文", cursor_of(), cursor_of("things", "x"), cursor_of("others", "2026-01-01", 1, "00", "a"),
        cursor_of("things", "2026-13-01", 1, "00", "a"), cursor_of("things", "2026-01-01", "1", "00", "a"),
        cursor_of("things", "2026-01-01", 2**63, "00", "a"), cursor_of("things", "2026-01-01", True, "00", "a"),
        cursor_of("things", "2026-01-01", 1, "zz", "a"), cursor_of("things", "2026-01-01", 1, "00", None),
        cursor_of("things", "2026-01-01", 1, "00", "\x00"), cursor_of("things", "2026-01-01", 1, "00", "\ud800"),
        base64.urlsafe_b64encode(b"[" * 2000).decode(),
    ],
)  # fmt: skip
def test_a_cursor_that_the_list_never_gave_is_refused_in_plain_words(cursor: str) -> None:
    with pytest.raises(BadInput, match="expected one that the list of things gave"):
        read_cursor("things", cursor, [date, int, bytes, str])


@given(st.dates(), st.integers(-(2**63) + 1, 2**63 - 1), st.binary(), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_cursor_comes_back_as_it_was_written(day: date, size: int, mark: bytes, name: str) -> None:
    values = (day, size, mark, name.replace("\x00", ""))
    assert read_cursor("things", write_cursor("things", values), [date, int, bytes, str]) == values


@pytest.mark.parametrize("limit", [0, -1, LIMIT_MAX + 1])
def test_a_page_has_a_row_at_least_and_never_more_than_the_limit(limit: int) -> None:
    with pytest.raises(BadInput, match="limit"):
        PageAsked(limit)
