"""What follows from facts: posting lines, balances, beliefs, bindings.

The caller has made sure that each fact is new. The rule that must not be broken: every line takes from one place what
it gives to another, in one transaction.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table

from central.core.balances import Holding, Move, fold
from central.core.facts import Fact
from central.store.bulk import add_rows, insert_rows, merge_rows
from central.store.tables.ledger import BALANCE, BELIEF, BINDING, POSTING_LINE
from protocols.movements.posting import PostingLine
from protocols.movements.tags import Binding, ObserveBody
from protocols.values.ids import DeviceId, HospitalId, PlaceId

Owed = Counter[tuple[HospitalId, Holding]]
"""What posted facts change in balances and what is not yet written there, by hospital and holding."""


def post(
    connection: Connection, hospital: HospitalId, device: DeviceId, place: PlaceId, facts: Sequence[Fact]
) -> tuple[frozenset[PlaceId], Owed]:
    """Write what follows from some new facts, in order, but for balances; return the storerooms touched and what is
    owed to balances.
    """
    insert_rows(
        connection,
        POSTING_LINE,
        [line_row(hospital, fact, no, line) for fact in facts for no, line in enumerate(fact.lines)],
    )
    _believe(connection, hospital, device, place, facts)
    _bind(connection, hospital, facts)
    ends = {end for fact in facts for line in fact.lines for end in (line.source, line.target)}
    touched = frozenset(_storeroom(end) for end in ends)
    if any(fact.belief for fact in facts):
        touched |= {place}
    changes = fold(move_of(line) for fact in facts for line in fact.lines)
    return touched, Counter({(hospital, holding): qty for holding, qty in changes.items()})


def pay(connection: Connection, owed: Owed) -> None:
    """Bring balances up to date, once for everything owed; raises what the database says of a balance it refuses."""
    add_rows(connection, BALANCE, [(hospital, *holding, qty) for (hospital, holding), qty in owed.items() if qty])


def storerooms_of(fact: Fact) -> frozenset[PlaceId]:
    """Return the storerooms whose book a fact moves, virtual places counted to theirs."""
    return frozenset(_storeroom(end) for line in fact.lines for end in (line.source, line.target))


def _storeroom(end: str) -> PlaceId:
    return PlaceId(end.rpartition("@")[2])


def move_of(line: PostingLine) -> Move:
    """Return a posting line as the core's move."""
    return Move(
        line.item,
        line.lot,
        line.owner,
        line.unit,
        line.qty,
        line.source,
        line.source_position,
        line.target,
        line.target_position,
    )


def _believe(
    connection: Connection, hospital: HospitalId, device: DeviceId, place: PlaceId, facts: Iterable[Fact]
) -> None:
    last = {
        fact.belief.epc.upper(): belief_row(hospital, device, place, fact, fact.belief)
        for fact in facts
        if fact.belief is not None
    }
    merge_rows(connection, BELIEF, list(last.values()))


def _bind(connection: Connection, hospital: HospitalId, facts: Iterable[Fact]) -> None:
    last = {binding.epc.upper(): binding_row(hospital, binding) for fact in facts for binding in fact.bindings}
    merge_rows(connection, BINDING, list(last.values()))


def belief_row(
    hospital: HospitalId, device: DeviceId, place: PlaceId, fact: Fact, said: ObserveBody
) -> tuple[Any, ...]:
    """Return the columns of `belief`, in its order: what a device says of one tag."""
    told = (said.p, said.model, said.since, fact.event_id, fact.at, said.position)
    return (hospital, device, said.epc.upper(), place, *told)


def binding_row(hospital: HospitalId, bound: Binding) -> tuple[Any, ...]:
    """Return the columns of `binding`, in its order: one tag's unit."""
    return (hospital, bound.epc.upper(), bound.item, bound.gtin, bound.lot, bound.serial, bound.expiry)


def line_row(hospital: HospitalId, fact: Fact, line_no: int, line: PostingLine) -> tuple[Any, ...]:
    """Return the columns of `posting_line`, in its order: one line of a fact."""
    return (
        hospital,
        fact.event_id,
        line_no,
        line.item,
        line.lot,
        line.owner,
        line.unit,
        line.qty,
        line.source,
        line.target,
        line.source_position,
        line.target_position,
        fact.at,
    )


def named(table: Table, row: tuple[Any, ...]) -> dict[str, Any]:
    """Return a row by the names of its table's columns."""
    return {column.name: value for column, value in zip(table.columns, row, strict=True)}
