"""What follows from facts: posting lines, balances, beliefs, bindings.

The caller has made sure that each fact is new. The rule that must not be broken: every line takes from one place what
it gives to another, in one transaction.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, insert
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from central.core.balances import Holding, Move, fold
from central.core.facts import Fact
from central.store.merge import merge
from central.store.tables.ledger import BALANCE, BELIEF, BINDING, POSTING_LINE
from protocols.movements import Binding, ObserveBody, PostingLine
from protocols.values.ids import DeviceId, HospitalId, PlaceId


def post(
    connection: Connection, hospital: HospitalId, device: DeviceId, place: PlaceId, facts: Sequence[Fact]
) -> frozenset[PlaceId]:
    """Write what follows from some new facts, in order; return the storerooms touched."""
    rows = [line_row(hospital, fact, no, line) for fact in facts for no, line in enumerate(fact.lines)]
    if rows:
        connection.execute(insert(POSTING_LINE), rows)
    add_to_balances(connection, hospital, fold(move_of(line) for fact in facts for line in fact.lines))
    _believe(connection, hospital, device, place, facts)
    _bind(connection, hospital, facts)
    touched = frozenset(place for fact in facts for place in storerooms_of(fact))
    return touched | {place} if any(fact.belief for fact in facts) else touched


def storerooms_of(fact: Fact) -> frozenset[PlaceId]:
    """Return the storerooms whose book a fact moves, virtual places counted to theirs."""
    ends = (end for line in fact.lines for end in (line.source, line.target))
    return frozenset(PlaceId(end.rpartition("@")[2]) for end in ends)


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


def add_to_balances(connection: Connection, hospital: HospitalId, changes: dict[Holding, int]) -> None:
    """Add to each holding's balance, in sorted order so that two writers cannot wait for each other."""
    if not changes:
        return
    statement = (postgresql_insert if connection.dialect.name == "postgresql" else sqlite_insert)(BALANCE)
    keys = [column.name for column in BALANCE.primary_key]
    added = {"qty": BALANCE.c.qty + statement.excluded.qty}
    rows = [{"hospital": hospital, **holding._asdict(), "qty": qty} for holding, qty in sorted(changes.items())]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=added), rows)


def _believe(
    connection: Connection, hospital: HospitalId, device: DeviceId, place: PlaceId, facts: Iterable[Fact]
) -> None:
    last: dict[str, dict[str, Any]] = {}
    for fact in facts:
        if fact.belief is None:
            continue
        last[fact.belief.epc.upper()] = belief_row(hospital, device, place, fact, fact.belief)
    merge(connection, BELIEF, list(last.values()))


def _bind(connection: Connection, hospital: HospitalId, facts: Iterable[Fact]) -> None:
    bindings = {binding.epc.upper(): binding for fact in facts for binding in fact.bindings}
    rows = [binding_row(hospital, binding) for binding in bindings.values()]
    merge(connection, BINDING, rows)


def belief_row(hospital: HospitalId, device: DeviceId, place: PlaceId, fact: Fact, said: ObserveBody) -> dict[str, Any]:
    """Return the row of what a device says of one tag."""
    return {
        "hospital": hospital,
        "device": device,
        "epc": said.epc.upper(),
        "place": place,
        "p": said.p,
        "model": said.model,
        "since": said.since,
        "event_id": fact.event_id,
        "at": fact.at,
    }


def binding_row(hospital: HospitalId, bound: Binding) -> dict[str, Any]:
    """Return the row of one tag's binding."""
    return {
        "hospital": hospital,
        "epc": bound.epc.upper(),
        "item": bound.item,
        "gtin": bound.gtin,
        "lot": bound.lot,
        "serial": bound.serial,
        "expiry": bound.expiry,
    }


def line_row(hospital: HospitalId, fact: Fact, line_no: int, line: PostingLine) -> dict[str, Any]:
    """Return the row of one line of a fact."""
    return {
        "hospital": hospital,
        "event_id": fact.event_id,
        "line_no": line_no,
        "at": fact.at,
        **move_of(line)._asdict(),
    }
