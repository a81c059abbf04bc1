"""The edge's book as tables, written in the entry's own transaction.

What an entry means is decided in `core.book` and `core.posting`; this file only asks and writes it down. The rule that
must not be broken: an `event_id` is posted once, however often its entry comes.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from edge_agent.core.book import BalanceKey, Effect, effect_of
from edge_agent.core.fold import binding_row, finding_id
from edge_agent.core.lines import mirrored
from edge_agent.core.posting import Changes, post
from edge_agent.store.connection import Connection, Row
from protocols.entry import Entry
from protocols.errors import BadValue
from protocols.movements.posting import lines_of
from protocols.movements.tags import Binding
from protocols.values.ids import EventId

_KEY = "place = ? AND position = ? AND item = ? AND lot = ? AND owner = ? AND unit = ?"
_BALANCE = f"SELECT qty FROM balance WHERE {_KEY}"
_DROP = f"DELETE FROM balance WHERE {_KEY}"
_PUT = """
    INSERT INTO balance (place, position, item, lot, owner, unit, qty) VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET qty = excluded.qty
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


def project(connection: Connection, said: Sequence[tuple[Entry, Effect]]) -> None:
    """Post entries, each with what it says, but for those whose event was posted before."""
    book, fresh = Book(connection), _apply(connection, [entry.event_id for entry, _ in said])
    for entry, effect in said:
        if entry.event_id in fresh:
            fresh.remove(entry.event_id)
            book.post(entry, effect)
    book.write()


def _apply(connection: Connection, events: Sequence[EventId]) -> set[EventId]:
    """Note events as posted; returns those that were not."""
    marks = ", ".join(["(?)"] * len(events))
    sql = f"INSERT INTO applied (event_id) VALUES {marks} ON CONFLICT DO NOTHING RETURNING event_id"
    return {event for (event,) in connection.query(sql, events)} if events else set()


def check_reversal(connection: Connection, entry: Entry, beside: Iterable[Entry]) -> None:
    """Check that a reversal gives back what the entry it names took, line by line. Raises `BadValue`.

    `beside` are the entries written together with it. What stands in no chain of this ledger cannot
    be checked here, and is not refused for it.
    """
    if entry.kind != "reversal":
        return
    named = effect_of(entry.kind, entry.body).reverses
    rows = connection.query("SELECT kind, body FROM ledger WHERE event_id = ? LIMIT 1", (named,))
    for kind, raw in rows or [(one.kind, one.body) for one in beside if one.event_id == named]:
        wanted = Counter(mirrored(lines_of(kind, raw)))
        if Counter(lines_of(entry.kind, entry.body)) != wanted:
            said = f"{sum(wanted.values())} lines of {kind} turned round"
            raise BadValue(f"reversal of {named.hex()}: expected the {said}, got others; undo the whole entry")


class Book:
    """The book's tables, and what some entries change in them: asked for once, written once, in `write`.

    Only what the last entry has said of a key counts there: balances, custody, beliefs. All else is written at once.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._balances: dict[BalanceKey, int] = {}
        self._custody: dict[str, Row] = {}
        self._beliefs: list[Row] = []

    # --- what `core.posting` asks ---

    def balance(self, key: BalanceKey) -> int:
        """Return a balance, 0 when there is none."""
        qty = self._balances.get(key)
        if qty is None:
            rows = self._connection.query(_BALANCE, key)
            qty = self._balances[key] = rows[0][0] if rows else 0
        return qty

    def where(self, unit: str) -> tuple[str, str] | None:
        """Return a unit's state and place, None if it was never posted."""
        row = self._custody.get(unit)
        if row is not None:
            return row[1], row[2]
        rows = self._connection.query("SELECT state, place FROM custody WHERE unit = ?", (unit,))
        return rows[0] if rows else None

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

    # --- what entries say ---

    def post(self, entry: Entry, effect: Effect) -> None:
        """Take in what one entry says."""
        changes = post(effect, self)
        for key, qty in effect.deltas:
            self._balances[key] = self.balance(key) + qty
        at = entry.wall if effect.occurred_at is None else effect.occurred_at
        for unit, state, place in changes.custody:
            self._custody[unit] = (unit, state, place, at, entry.actor, entry.event_id)
        if effect.belief is not None:
            said = effect.belief
            self._beliefs.append((said.epc, said.p, said.model, said.since, entry.event_id))
        if changes.unbound:
            self._connection.executemany("DELETE FROM binding WHERE epc = ?", [(epc,) for epc in changes.unbound])
        if changes.bound:
            self._connection.executemany(_BINDING, [(bound.epc, *binding_row(bound)) for bound in changes.bound])
        _write_rest(self._connection, entry, effect, changes)

    def write(self) -> None:
        """Write what the entries have come to; a balance of nothing has no row."""
        for sql, rows in (
            (_DROP, [key for key, qty in self._balances.items() if not qty]),
            (_PUT, [(*key, qty) for key, qty in self._balances.items() if qty]),
            (_CUSTODY, list(self._custody.values())),
            (_BELIEF, self._beliefs),
        ):
            if rows:
                self._connection.executemany(sql, rows)


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
