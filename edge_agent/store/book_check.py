"""Compare a ledger's tables with the fold of its entries, and say each difference in an auditor's words.

It reads only and repairs nothing. The rule that must not be broken: a table may hold anything (it may have been changed
by hand), so every value is told as it stands and none of them ends the check.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

from edge_agent.core.book import BalanceKey, unbalanced
from edge_agent.core.fold import Fold
from edge_agent.store.connection import Connection, Row
from protocols.values.instant import Instant, to_iso

DIFFERENCES_MAX = 20
"""Most differences named of one table; the first is where to look."""

NOTHING = "nothing"

K = TypeVar("K")
V = TypeVar("V")


def book_differences(connection: Connection, fold: Fold, trimmed: int = 0) -> Iterator[str]:
    """Return what the tables say otherwise than the entries do, `trimmed` events of before. Raises `StoreFault`."""
    yield from _differ(_balances(connection), fold.balances, _balance_name, str)
    custody = _rows(connection, "unit, state, place, event_id", "custody")
    yield from _differ(custody, fold.custody, "custody of unit {}".format, _custody)
    beliefs = _rows(connection, "epc, p, model, since, event_id", "belief")
    yield from _differ(beliefs, fold.beliefs, "belief about tag {}".format, _belief)
    bindings = _rows(connection, "epc, item, gtin, lot, serial, expiry, unit", "binding")
    yield from _differ(bindings, fold.bindings, "binding of tag {}".format, _binding)
    held = {row[:2]: row[2:] for row in connection.stream("SELECT item, lot, kind, event_id FROM lot_held")}
    yield from _differ(held, fold.held, "hold of item and lot {}".format, _listed)
    undone = _rows(connection, "event_id, by_event_id", "undone")
    folded = {event: (by,) for event, by in fold.undone.items()}
    yield from _differ(undone, folded, lambda event: f"reversal of event {_shown(event)}", _listed)
    found = _rows(
        connection, "discrepancy, sort, place, item, lot, unit, said, event_id, closed_event_id", "discrepancy"
    )
    yield from _differ(found, fold.discrepancies, "discrepancy {}".format, _listed)
    for item, lot, owner, unit in unbalanced(_balances(connection).items()):
        yield f"sum over places is not zero: item {item}, lot {_shown(lot)}, owner {owner}, {_unit(unit)}"
    ((events, applied),) = connection.query(
        "SELECT (SELECT COUNT(*) FROM (SELECT event_id FROM ledger UNION SELECT event_id FROM fact)), "
        "(SELECT COUNT(*) FROM applied)"
    )
    events += trimmed
    if applied != events:
        yield f"applied: expected {events} events, found {applied}: entries are missing at the end"


def _balances(connection: Connection) -> dict[BalanceKey, int]:
    rows = connection.stream("SELECT place, position, item, lot, owner, unit, qty FROM balance")
    return {BalanceKey(*row[:6]): row[6] for row in rows}


def _rows(connection: Connection, columns: str, table: str) -> dict[Any, Row]:
    return {row[0]: row[1:] for row in connection.stream(f"SELECT {columns} FROM {table}")}


def _differ(
    stored: Mapping[K, V], folded: Mapping[K, V], name: Callable[[K], str], say: Callable[[V], str]
) -> Iterator[str]:
    keys = stored.keys() | folded.keys()
    wrong = (key for key in sorted(keys, key=str) if stored.get(key) != folded.get(key))
    for key in islice(wrong, DIFFERENCES_MAX):
        told = [say(table[key]) if key in table else NOTHING for table in (folded, stored)]
        yield f"{name(key)}: the ledger says {told[0]}, the table {told[1]}"


def _balance_name(key: BalanceKey) -> str:
    position = f" position {key.position}" if key.position else ""
    return (
        f"balance at {key.place}{position} of item {key.item}, lot {_shown(key.lot)}, owner {key.owner}, "
        f"{_unit(key.unit)}"
    )


def _custody(row: Row) -> str:
    state, place, event = row
    return f"{_shown(state)} at {_shown(place)} by event {_shown(event)}"


def _belief(row: Row) -> str:
    p, model, since, event = row
    return f"probability {_shown(p)} by model {_shown(model)} since {_time(since)} by event {_shown(event)}"


def _binding(row: Row) -> str:
    item, gtin, lot, serial, expiry, unit = (_shown(value) for value in row)
    return f"item {item}, GTIN {gtin}, lot {lot}, serial {serial}, expiry {expiry}, unit {unit}"


def _listed(row: Row) -> str:
    return ", ".join(map(_shown, row))


def _unit(unit: object) -> str:
    return f"unit {_shown(unit)}" if unit else "loose pieces"


def _time(value: object) -> str:
    if not isinstance(value, int):
        return _shown(value)
    try:
        return to_iso(Instant(value))
    except (ValueError, OverflowError):
        return f"instant {value}"


def _shown(value: object) -> str:
    """Return a column's value as a person reads it: ids in hex, and a dash for what is empty."""
    if isinstance(value, bytes):
        return value.hex() or "-"
    return "-" if value is None or value == "" else str(value)
