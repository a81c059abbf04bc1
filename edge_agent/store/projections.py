"""The edge's book as tables, written in the entry's own transaction.

What an entry means is decided in `core.book` and `core.posting`; this file only asks and writes it down. The rule that
must not be broken: an `event_id` is posted once, however often its entry comes.
"""

from collections import Counter
from collections.abc import Sequence

from edge_agent.core.book import BalanceKey, Effect, effect_of
from edge_agent.core.fold import binding_row, finding_id
from edge_agent.core.lines import mirrored
from edge_agent.core.posting import Changes, post
from edge_agent.store.connection import Connection
from protocols.entry import Entry
from protocols.errors import BadValue
from protocols.movements import Binding, lines_of

_KEY = "place = ? AND position = ? AND item = ? AND lot = ? AND owner = ? AND unit = ?"
_ADD = """
    INSERT INTO balance (place, position, item, lot, owner, unit, qty) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET qty = qty + excluded.qty RETURNING qty
"""
_DROP_ZERO = f"DELETE FROM balance WHERE {_KEY} AND qty = 0"
_APPLY = "INSERT INTO applied (event_id) VALUES (?) ON CONFLICT DO NOTHING RETURNING 1"
_CUSTODY = """
    INSERT INTO custody (unit, state, place, at, actor, event_id) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET state = excluded.state, place = excluded.place, at = excluded.at, actor = excluded.actor,
        event_id = excluded.event_id
"""
_BELIEF = """
    INSERT INTO belief (epc, p, model, since, event_id) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET p = excluded.p, model = excluded.model, since = excluded.since,
        event_id = excluded.event_id
"""
_BINDING = """
    INSERT INTO binding (epc, item, gtin, lot, serial, expiry, unit) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET item = excluded.item, gtin = excluded.gtin, lot = excluded.lot, serial = excluded.serial,
        expiry = excluded.expiry, unit = excluded.unit
"""
_HELD = """
    INSERT INTO lot_held (item, lot, kind, event_id) VALUES (?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET kind = excluded.kind, event_id = excluded.event_id
"""
_DISCREPANCY = """
    INSERT INTO discrepancy (discrepancy, sort, place, item, lot, unit, said, event_id, closed_event_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, x'')
"""


def project(connection: Connection, entry: Entry) -> None:
    """Post one entry unless its event was posted before. Raises `BadValue` or `PeerBroke` for its body."""
    if not connection.query(_APPLY, (entry.event_id,)):
        return
    effect = effect_of(entry.kind, entry.body)
    _write(connection, entry, effect, post(effect, Tables(connection)))


def check_reversal(connection: Connection, entry: Entry) -> None:
    """Check that a reversal gives back what the entry it names took, line by line. Raises `BadValue`.

    What stands in no chain of this ledger cannot be checked here, and is not refused for it.
    """
    if entry.kind != "reversal":
        return
    named = effect_of(entry.kind, entry.body).reverses
    rows = connection.query("SELECT kind, body FROM ledger WHERE event_id = ? LIMIT 1", (named,))
    for kind, raw in rows:
        wanted = Counter(mirrored(lines_of(kind, raw)))
        if Counter(lines_of(entry.kind, entry.body)) != wanted:
            said = f"{sum(wanted.values())} lines of {kind} turned round"
            raise BadValue(f"reversal of {named.hex()}: expected the {said}, got others; undo the whole entry")


class Tables:
    """What the book's tables say now, as `core.posting` asks it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def balance(self, key: BalanceKey) -> int:
        """Return a balance, 0 when there is none."""
        rows = self._connection.query(f"SELECT qty FROM balance WHERE {_KEY}", key)
        return int(rows[0][0]) if rows else 0

    def where(self, unit: str) -> tuple[str, str] | None:
        """Return a unit's state and place, None if it was never posted."""
        rows = self._connection.query("SELECT state, place FROM custody WHERE unit = ?", (unit,))
        return (rows[0][0], rows[0][1]) if rows else None

    def binding(self, epc: str) -> Binding | None:
        """Return what a tag is bound to."""
        rows = self._connection.query(
            "SELECT epc, item, gtin, lot, serial, expiry, unit FROM binding WHERE epc = ?", (epc,)
        )
        return Binding(*rows[0]) if rows else None

    def tags_of(self, gtin: str, serial: str) -> Sequence[str]:
        """Return the tags bound to a product's serial number."""
        rows = self._connection.query(
            "SELECT epc FROM binding WHERE gtin = ? AND serial = ? ORDER BY epc LIMIT 9", (gtin, serial)
        )
        return [epc for (epc,) in rows]

    def reversed(self, event_id: bytes) -> bool:
        """Tell whether a reversal of this event was posted."""
        return bool(self._connection.query("SELECT 1 FROM undone WHERE event_id = ?", (event_id,)))


def _write(connection: Connection, entry: Entry, effect: Effect, changes: Changes) -> None:
    for key, qty in effect.deltas:
        ((left,),) = connection.query(_ADD, (*key, qty))
        if left == 0:
            connection.execute(_DROP_ZERO, key)
    if changes.custody:
        at = entry.wall if effect.occurred_at is None else effect.occurred_at
        rows = [(unit, state, place, at, entry.actor, entry.event_id) for unit, state, place in changes.custody]
        connection.executemany(_CUSTODY, rows)
    if effect.belief is not None:
        said = effect.belief
        connection.execute(_BELIEF, (said.epc, said.p, said.model, said.since, entry.event_id))
    if changes.unbound:
        connection.executemany("DELETE FROM binding WHERE epc = ?", [(epc,) for epc in changes.unbound])
    if changes.bound:
        connection.executemany(_BINDING, [(bound.epc, *binding_row(bound)) for bound in changes.bound])
    _write_rest(connection, entry, effect, changes)


def _write_rest(connection: Connection, entry: Entry, effect: Effect, changes: Changes) -> None:
    for lot in effect.held:
        if lot.kind:
            connection.execute(_HELD, (lot.item, lot.lot, lot.kind, entry.event_id))
        else:
            connection.execute("DELETE FROM lot_held WHERE item = ? AND lot = ?", (lot.item, lot.lot))
    if effect.reverses:
        connection.execute(
            "INSERT INTO undone (event_id, by_event_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
            (effect.reverses, entry.event_id),
        )
    for no, finding in enumerate(changes.findings):
        connection.execute(_DISCREPANCY, (finding_id(entry.event_id, no), *finding, entry.event_id))
    if effect.stated is not None and effect.stated.closes:
        connection.execute(
            "UPDATE discrepancy SET closed_event_id = ? WHERE discrepancy = ?", (entry.event_id, effect.stated.closes)
        )
