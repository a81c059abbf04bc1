"""The fold of all posting lines beside the stored balances, made by the database itself, which sorts on its disk.

It decides nothing: it names the holdings where the two differ, and the goods whose sum over all places is not zero. The
rule that must not be broken: nothing of the size of the hospital's history is held in memory here.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, func, literal, select, union_all

from central.store.tables.ledger import BALANCE, POSTING_LINE

ROWS_AT_ONCE = 1_000


def differing(connection: Connection) -> Iterator[Row[Any]]:
    """Give each holding whose stored balance is not the sum of its lines: `folded` and `stored` beside its key."""
    line, kept = POSTING_LINE.c, BALANCE.c
    what = (line.item, line.lot, line.owner, line.unit)
    taken = select(
        line.hospital,
        line.source.label("place"),
        line.source_position.label("position"),
        *what,
        (-line.qty).label("folded"),
        literal(0).label("stored"),
    )
    given = select(
        line.hospital,
        line.target.label("place"),
        line.target_position.label("position"),
        *what,
        line.qty.label("folded"),
        literal(0).label("stored"),
    )
    held = select(
        kept.hospital,
        kept.place,
        kept.position,
        kept.item,
        kept.lot,
        kept.owner,
        kept.unit,
        literal(0).label("folded"),
        kept.qty.label("stored"),
    )
    every = union_all(taken, given, held).subquery()
    keys = tuple(every.c[name] for name in ("hospital", "place", "position", "item", "lot", "owner", "unit"))
    folded, stored = func.sum(every.c.folded), func.sum(every.c.stored)
    query = select(*keys, folded.label("folded"), stored.label("stored")).group_by(*keys).having(folded != stored)
    yield from _streamed(connection, query.order_by(*keys))


def unbalanced(connection: Connection) -> Iterator[Row[Any]]:
    """Give each (item, lot, owner, unit) whose balances do not sum to zero, with that `total`."""
    keys = (BALANCE.c.hospital, BALANCE.c.item, BALANCE.c.lot, BALANCE.c.owner, BALANCE.c.unit)
    total = func.sum(BALANCE.c.qty)
    query = select(*keys, total.label("total")).group_by(*keys).having(total != 0).order_by(*keys)
    yield from _streamed(connection, query)


def _streamed(connection: Connection, query: Any) -> Iterator[Row[Any]]:  # noqa: ANN401 # a select of any columns
    yield from connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
