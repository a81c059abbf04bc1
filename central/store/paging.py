"""The one form in which long lists are given: a page, and a cursor that says where the next one begins.

A page begins after the last row of the one before it, found by the list's own keys, never by counting rows: rows that
come or go meanwhile double and hide nothing, and the thousandth page costs what the first does. A cursor is plain text
a program hands back as it came; it is not signed, for it names a place in an order and grants nothing. The rule that
must not be broken: a cursor is only ever compared with its own list's keys, each of the kind that key has.
"""

import base64
import binascii
import json
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, TypeDecorator, and_, or_

from central.errors import BadInput

LIMIT_DEFAULT = 200
"""Rows a page has where nothing else is asked for."""
LIMIT_MAX = 1000
"""Rows a page has at most: a second's work for a server and a browser."""
CURSOR_MAX = 1024
"""Characters of a cursor: a few names and numbers."""

KeyValue = int | str | bytes | date
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageAsked:
    """Which page of a list is wanted: so many rows after a cursor; an empty cursor asks for the first page."""

    limit: int = LIMIT_DEFAULT
    cursor: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= LIMIT_MAX:
            raise BadInput(f"limit: expected 1 to {LIMIT_MAX} rows a page, got {self.limit}")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page; `cursor` begins the next one and is empty on the last."""

    items: tuple[T, ...]
    cursor: str


@dataclass(frozen=True, slots=True)
class Key:
    """One column by which a list is ordered; the query must select it."""

    column: ColumnElement[Any]
    falling: bool = False


@dataclass(frozen=True, slots=True)
class Keyset:
    """The order of a list: its name, and columns that together differ from row to row."""

    name: str
    keys: tuple[Key, ...]

    def rows(self, connection: Connection, query: Select[Any], asked: PageAsked) -> tuple[Sequence[Row[Any]], str]:
        """Return the rows of a page and the next page's cursor. Raises `BadInput` for a cursor of another list."""
        ordered = query.order_by(*(key.column.desc() if key.falling else key.column.asc() for key in self.keys))
        if asked.cursor:
            ordered = ordered.where(self._beyond(read_cursor(self.name, asked.cursor, self._kinds())))
        found = connection.execute(ordered.limit(asked.limit + 1)).all()
        if len(found) <= asked.limit:
            return found, ""
        last = found[asked.limit - 1]._mapping
        return found[: asked.limit], write_cursor(self.name, [last[key.column] for key in self.keys])

    def _kinds(self) -> list[type[Any]]:
        types = [key.column.type for key in self.keys]
        return [(one.impl_instance if isinstance(one, TypeDecorator) else one).python_type for one in types]

    def _beyond(self, values: Sequence[KeyValue]) -> ColumnElement[bool]:
        """Return the condition that a row stands after these values; the first part lets an index begin there."""
        steps, same = [], list[ColumnElement[bool]]()
        for key, value in zip(self.keys, values, strict=True):
            further = key.column < value if key.falling else key.column > value
            steps.append(and_(*same, further))
            same.append(key.column == value)
        first = self.keys[0]
        begins = first.column <= values[0] if first.falling else first.column >= values[0]
        return and_(begins, or_(*steps))


def every(give: Callable[[PageAsked], Page[T]]) -> Iterator[T]:
    """Give everything of a list, a page at a time."""
    asked = PageAsked(LIMIT_MAX)
    while True:
        found = give(asked)
        yield from found.items
        if not found.cursor:
            return
        asked = PageAsked(LIMIT_MAX, found.cursor)


def page_of(name: str, values: Sequence[T], key: Callable[[T], tuple[int | str, ...]], asked: PageAsked) -> Page[T]:
    """Return a page of a list that was worked out and not read; `key` must rise from each value to the next."""
    begin = 0
    if asked.cursor and values:
        after = read_cursor(name, asked.cursor, [type(part) for part in key(values[0])])
        begin = bisect_right(values, after, key=lambda one: tuple[KeyValue, ...](key(one)))
    shown = tuple(values[begin : begin + asked.limit])
    more = begin + asked.limit < len(values)
    return Page(shown, write_cursor(name, key(shown[-1])) if more else "")


def write_cursor(name: str, values: Sequence[KeyValue]) -> str:
    """Return the cursor that stands after these values of a list."""
    told = [value.hex() if isinstance(value, bytes) else _plain(value) for value in values]
    return base64.urlsafe_b64encode(json.dumps([name, *told], separators=(",", ":")).encode()).decode().rstrip("=")


def read_cursor(name: str, cursor: str, kinds: Sequence[type[Any]]) -> tuple[KeyValue, ...]:
    """Return a cursor's values, each of its kind. Raises `BadInput`."""
    try:
        told = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(told, list) or told[:1] != [name]:
            raise ValueError(name)
        return tuple(_of_kind(value, kind) for value, kind in zip(told[1:], kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise BadInput(
            f"cursor: expected one that the list of {name} gave, got {cursor!r:.40}; begin without one"
        ) from error


def _plain(value: int | str | date) -> int | str:
    return value.isoformat() if isinstance(value, date) else value


def _of_kind(told: object, kind: type[Any]) -> KeyValue:
    """Return a value as its key holds it. Raises `ValueError`."""
    if kind is int and type(told) is int and abs(told) < 2**63:
        return told
    if not isinstance(told, str) or "\x00" in told:
        raise ValueError(f"expected {kind.__name__}")
    told.encode()  # a lone surrogate is no text of a database
    if kind is str:
        return told
    return bytes.fromhex(told) if kind is bytes else date.fromisoformat(told)
