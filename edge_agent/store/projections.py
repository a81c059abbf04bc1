"""The edge's book as tables: balance, custody, belief and binding, written in the entry's own transaction.

What an entry means is decided in `core.book`; this file only writes it down. The rule that must not be broken: an
`event_id` is posted once, however often its entry comes.
"""

from edge_agent.core.book import BalanceKey, Effect, effect_of
from edge_agent.store.connection import Connection
from protocols.entry import Entry

_ADD = """
    INSERT INTO balance (place, position, item, lot, owner, unit, qty) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET qty = qty + excluded.qty
"""
_DROP_ZERO = """
    DELETE FROM balance WHERE place = ? AND position = ? AND item = ? AND lot = ? AND owner = ? AND unit = ? AND qty = 0
"""
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
    INSERT INTO binding (epc, item, gtin, lot, serial, expiry) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET item = excluded.item, gtin = excluded.gtin, lot = excluded.lot, serial = excluded.serial,
        expiry = excluded.expiry
"""


def project(connection: Connection, entry: Entry) -> None:
    """Post one entry unless its event was posted before. Raises `BadValue` or `PeerBroke` for its body."""
    if connection.query("SELECT 1 FROM applied WHERE event_id = ?", (entry.event_id,)):
        return
    connection.execute("INSERT INTO applied (event_id) VALUES (?)", (entry.event_id,))
    _write(connection, entry, effect_of(entry.kind, entry.body))


def _write(connection: Connection, entry: Entry, effect: Effect) -> None:
    if effect.deltas:
        connection.executemany(_ADD, [(*key, qty) for key, qty in effect.deltas])
        touched: list[BalanceKey] = [key for key, _ in effect.deltas]
        connection.executemany(_DROP_ZERO, touched)
    connection.executemany(
        _CUSTODY,
        [(unit, state, place, entry.wall, entry.actor, entry.event_id) for unit, state, place in effect.custody],
    )
    if effect.belief is not None:
        said = effect.belief
        connection.execute(_BELIEF, (said.epc, said.p, said.model, said.since, entry.event_id))
    connection.executemany(_BINDING, [(b.epc, b.item, b.gtin, b.lot, b.serial, b.expiry) for b in effect.bindings])
