"""`/count-tasks` and `/line-counts`: what storerooms are asked to do, and book, shelf and count side by side."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.by_position import AtPosition
from central.core.match import Eyes
from central.core.rights import Right
from central.services.counts import Sided, side_by_side
from central.services.desk import Desk
from central.store.paging import page_of
from central.store.queries_settling import tasks_page
from protocols.values.instant import to_iso


class TaskOut(BaseModel):
    """One thing a storeroom is asked to do: `count` a line, or `relabel` a piece whose tag is dead."""

    id: str
    kind: str
    place: str
    item: str
    lot: str
    unit: str
    day: str
    reason: dict[str, Any]
    status: str
    done_at: str | None


class Tasks(Listed):
    """Tasks, the newest first."""

    items: list[TaskOut]


class ShelfOut(BaseModel):
    """One line at one position, an empty one where none is said: book, and what readers say is there (95 %).

    A piece that is heard on another shelf than the book's counts in the book of the one and on the shelf of the other.
    `physical`, `low` and `high` are null of a line that readers did not observe.
    """

    position: str
    book: int
    physical: int | None
    low: int | None
    high: int | None


class LineCountOut(BaseModel):
    """One line: book, physical between low and high (95 %), certified by readers, and a person's last count.

    `count_book` is the book at that count's cut. `observed_by`: `readers`, `count`, or `nobody`, where `physical` is no
    more than the book's word. `positions` sum to `book`, and to `physical` where readers observed the line.
    """

    item: str
    name_zh: str
    name_en: str
    lot: str
    book: int
    physical: int
    observed_by: str
    low: int
    high: int
    certified: bool
    counted: int | None
    count_book: int | None
    counted_at: str | None
    asked: bool
    positions: list[ShelfOut]


class LineCounts(Listed):
    """Lines of one storeroom; those that are asked to be counted first."""

    items: list[LineCountOut]


def count_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = resource("counts")

    @router.get("/count-tasks")
    def listed(
        caller: Asks,
        page: Paged,
        status: Annotated[Literal["open", "done", "over", "all"], Query()] = "open",
        place: Annotated[str, Query(max_length=64)] = "",
    ) -> Tasks:
        """List what storerooms are asked to do: at most three lines a day to count, and labels to replace."""
        caller.need(Right.SEE_STOCK)
        scope, wanted = caller.scope(Right.SEE_STOCK), "" if status == "all" else status
        with desk.store.read() as connection:
            found = tasks_page(connection, desk.hospital, page.asked, status=wanted, place=place, scope=scope)
        return Tasks(
            next=page.next(found),
            items=[
                TaskOut(
                    id=one.id,
                    kind=one.kind,
                    place=one.place,
                    item=one.item,
                    lot=one.lot,
                    unit=one.unit,
                    day=one.day.isoformat(),
                    reason={name: said for name, said in one.reason.items() if name != "price"},
                    status=one.status,
                    done_at=None if one.done_at is None else to_iso(one.done_at),
                )
                for one in found.items
            ],
        )

    @router.get("/line-counts", responses={404: {"model": Problem}})
    def lines(caller: Asks, page: Paged, place: Annotated[str, Query(max_length=64)]) -> LineCounts:
        """Tell book, shelf and last count of every line of a storeroom."""
        whole = sorted(side_by_side(desk, caller, place), key=_key)
        found = page_of("line-counts", whole, _key, page.asked)
        return LineCounts(items=[_line(one) for one in found.items], next=page.next(found))

    return router


def _key(one: Sided) -> tuple[str, str]:
    return one.line.item, one.line.lot


def _line(one: Sided) -> LineCountOut:
    return LineCountOut(
        item=one.line.item,
        name_zh="" if one.item is None else one.item.name_zh,
        name_en="" if one.item is None else one.item.name_en,
        lot=one.line.lot,
        book=one.line.book,
        physical=one.line.physical,
        low=one.sure.low,
        high=one.sure.high,
        certified=one.sure.certified,
        observed_by=one.by.value,
        counted=None if one.count is None else one.count.found.counted,
        count_book=None if one.count is None else one.count.found.book,
        counted_at=None if one.count is None else to_iso(one.count.at),
        asked=one.asked,
        positions=[_shelf(shelf, seen=one.by is Eyes.READERS) for shelf in one.shelves],
    )


def _shelf(one: AtPosition, *, seen: bool) -> ShelfOut:
    physical, low, high = (one.physical, one.low, one.high) if seen else (None, None, None)
    return ShelfOut(position=one.position, book=one.book, physical=physical, low=low, high=high)
