"""Questions asked of the book, each answered by one index: a label's facts, the last visit, what presence must know."""

from collections.abc import Iterable
from dataclasses import dataclass

from edge_agent.core.recognise import CustodyOf, Facts, OnShelf, Visit
from edge_agent.store.connection import Connection, Row
from protocols.entry import decode_body
from protocols.movements import Binding, Custody
from protocols.values.ids import ActorId, Epc, PlaceId, UnitId
from protocols.values.instant import Instant

HERE = frozenset({Custody.IN_STOCK.value, Custody.HELD.value, Custody.INSPECTING.value})
"""States in which a unit lies on a shelf."""


@dataclass(frozen=True, slots=True)
class KnownTag:
    """One bound tag as the ledger left it: whether the book has it here since when, and what was last believed."""

    epc: Epc
    here: bool
    booked_at: Instant
    p: float | None
    since: Instant


def facts_of(connection: Connection, gtin: str, serial: str, ward: PlaceId) -> Facts:
    """Return what the book says about a product and serial."""
    rows = connection.query(
        "SELECT epc, item, gtin, lot, serial, expiry, unit FROM binding WHERE gtin = ? AND serial = ? LIMIT 9",
        (gtin, serial),
    )
    bindings = tuple(Binding(*row) for row in rows)
    if len(bindings) != 1:
        return Facts(bindings)
    unit = UnitId(bindings[0].names)
    return Facts(bindings, custody_of(connection, unit), _on_shelf(connection, unit, ward))


def custody_of(connection: Connection, unit: UnitId) -> CustodyOf | None:
    """Return where a unit stands, None if it was never posted."""
    rows = connection.query("SELECT state, place, at, actor FROM custody WHERE unit = ?", (unit,))
    if not rows:
        return None
    state, place, at, actor = rows[0]
    return CustodyOf(unit, state, PlaceId(place), Instant(at), ActorId(actor))


def _on_shelf(connection: Connection, unit: UnitId, ward: PlaceId) -> OnShelf | None:
    rows = connection.query(
        "SELECT position, item, lot, owner FROM balance WHERE unit = ? AND place = ? AND qty > 0", (unit, ward)
    )
    return OnShelf(*rows[0]) if rows else None


def open_visit(connection: Connection) -> Visit | None:
    """Return the visit that was open when the last run ended, its last act the last entry of its person."""
    rows = connection.query(
        "SELECT incarnation, seq, actor, body FROM ledger WHERE kind = 'visit' ORDER BY rowid DESC LIMIT 1"
    )
    if not rows or decode_body(rows[0][3]).get("phase") != "begin":
        return None
    incarnation, seq, actor, _ = rows[0]
    ((last_act,),) = connection.query(
        "SELECT MAX(wall) FROM ledger WHERE incarnation = ? AND seq >= ? AND actor = ?", (incarnation, seq, actor)
    )
    return Visit(ActorId(actor), Instant(last_act))


_TAGS = """
    SELECT binding.epc, custody.state, custody.place, custody.at, belief.p, belief.since FROM binding
    LEFT JOIN custody ON custody.unit = CASE binding.unit WHEN '' THEN binding.epc ELSE binding.unit END
    LEFT JOIN belief ON belief.epc = binding.epc
"""


def known_tags(connection: Connection, ward: PlaceId) -> list[KnownTag]:
    """Return every bound tag with its custody and belief."""
    return [_known(row, ward) for row in connection.stream(_TAGS)]


def tags_of_units(connection: Connection, units: Iterable[str], ward: PlaceId) -> list[KnownTag]:
    """Return the tags that name some units."""
    sql = f"{_TAGS} WHERE binding.epc = ? AND binding.unit = '' OR binding.unit = ?"
    return [_known(row, ward) for unit in units for row in connection.query(sql, (unit, unit))]


def _known(row: Row, ward: PlaceId) -> KnownTag:
    epc, state, place, at, p, since = row
    here = state in HERE and place == ward
    return KnownTag(Epc(epc), here, Instant(at or 0), p, Instant(since or 0))


def bound_epcs(connection: Connection) -> set[str]:
    """Return the EPC of every bound tag."""
    return {epc for (epc,) in connection.stream("SELECT epc FROM binding")}
