"""Questions asked of the book, each answered by one index: a label's facts, the last visit, what presence must know."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from edge_agent.core.work.machine import AGAIN_S, REPEATS
from edge_agent.core.work.scene import CustodyOf, CutShort, Visit, wrote
from edge_agent.core.work.states import Doing
from edge_agent.store.catalogue import roles_of
from edge_agent.store.connection import Connection, Row
from edge_agent.store.tail import RUNNING
from protocols.movements.bodies import read_body
from protocols.movements.counts import CountBody
from protocols.movements.posting import Flag, lines_of
from protocols.movements.reports import VisitBody
from protocols.movements.table import Custody
from protocols.movements.tags import SIGHTED
from protocols.values.ids import ActorId, Epc, PlaceId, UnitId
from protocols.values.instant import Instant, plus

CUT_SHORT_MAX = 64
"""Acts asked about after a power cut: as many as one group on the disk holds, whose beeps were still to come."""
LAST_ENTRIES = 2_000
"""Entries looked through for them, so that a start is as quick in a ledger of years."""
ACTS = tuple(sorted({kind for kinds in REPEATS.values() for kind in kinds}))
HERE = frozenset({Custody.IN_STOCK.value, Custody.HELD.value, Custody.INSPECTING.value})
"""States in which a unit lies on a shelf."""


@dataclass(frozen=True, slots=True)
class KnownTag:
    """One bound tag as the ledger left it: whether the book has it here, since when and where; the last belief."""

    epc: Epc
    here: bool
    booked_at: Instant
    p: float | None
    since: Instant
    position: str


def custody_of(connection: Connection, unit: UnitId) -> CustodyOf | None:
    """Return where a unit stands, None if it was never posted."""
    rows = connection.query("SELECT state, place, at, actor FROM custody WHERE unit = ?", (unit,))
    if not rows:
        return None
    state, place, at, actor = rows[0]
    return CustodyOf(unit, state, PlaceId(place), Instant(at), ActorId(actor))


def open_visit(connection: Connection) -> Visit | None:
    """Return the visit that was open when the last run ended, its last act the last entry of its person.

    Only the everyday taking goes on; a visit that was doing anything else is given back as one whose time is over, so
    that what is scanned next is never taken for a take.
    """
    rows = connection.query(
        "SELECT incarnation, seq, actor, wall, body FROM ledger WHERE kind = 'visit' ORDER BY rowid DESC LIMIT 1"
    )
    if not rows:
        return None
    incarnation, seq, actor, wall, raw = rows[0]
    body = read_body(raw, VisitBody)
    if body.phase == "end":
        return None
    visit = Visit(ActorId(actor), Instant(wall), Instant(wall), roles=roles_of(connection, actor))
    if body.phase == "doing" and body.doing != Doing.TAKING.value:
        return replace(visit, last_act=Instant(0))
    acts = connection.query(
        "SELECT wall, event_id, kind, body FROM ledger WHERE incarnation = ? AND seq > ? AND actor = ? "
        "AND event_id NOT IN (SELECT event_id FROM undone) ORDER BY seq",
        (incarnation, seq, actor),
    )
    visit = replace(visit, emergency=Flag.EMERGENCY.value in body.flags)
    for at, event_id, kind, body_raw in acts:
        lines = lines_of(kind, body_raw)
        visit = replace(wrote(visit, [(kind, event_id, lines)]), last_act=Instant(at))
    return visit


def cut_short(connection: Connection, now: Instant) -> tuple[CutShort, ...]:
    """Return the last acts before the last run ended in the middle of its work, oldest first; none after a good end."""
    if not connection.query("SELECT 1 FROM meta WHERE key = ? AND value = 'yes'", (RUNNING,)):
        return ()
    rows = connection.query(
        "SELECT kind, actor, wall, body FROM (SELECT * FROM ledger ORDER BY rowid DESC LIMIT ?) "
        f"WHERE wall >= ? AND kind IN ({', '.join('?' * len(ACTS))}) LIMIT ?",
        (LAST_ENTRIES, plus(now, -AGAIN_S), *ACTS, CUT_SHORT_MAX),
    )
    found = []
    for kind, actor, wall, raw in reversed(rows):
        lines = read_body(raw, CountBody).lines if kind == "count_monthly" else lines_of(kind, raw)
        for item, lot in dict.fromkeys((line.item, line.lot) for line in lines):
            qty = sum(line.qty for line in lines if (line.item, line.lot) == (item, lot))
            found.append(CutShort(kind, ActorId(actor), item, lot, qty, Instant(wall)))
    return tuple(found)


_TAGS = """
    SELECT binding.epc, custody.state, custody.place, custody.at, belief.p, belief.since,
        (SELECT balance.position FROM balance WHERE balance.place = custody.place AND balance.item = binding.item
            AND balance.lot = binding.lot AND balance.unit = custody.unit AND balance.qty > 0 LIMIT 1)
    FROM binding
    LEFT JOIN custody ON custody.unit = CASE binding.unit WHEN '' THEN binding.epc ELSE binding.unit END
    LEFT JOIN belief ON belief.epc = binding.epc
"""


def known_tags(connection: Connection, ward: PlaceId) -> list[KnownTag]:
    """Return every bound tag with its custody and belief."""
    return [_known(row, ward) for row in connection.stream(_TAGS)]


def sighted_tags(connection: Connection, p: float) -> list[tuple[Epc, float, Instant]]:
    """Return the tags bound to nothing here that its readers last said to be here, with at least `p`."""
    rows = connection.query("SELECT epc, p, since FROM belief WHERE model = ? AND p >= ?", (SIGHTED, p))
    return [(Epc(epc), said, Instant(since)) for epc, said, since in rows]


def tags_of_units(connection: Connection, units: Iterable[str], ward: PlaceId) -> list[KnownTag]:
    """Return the tags that name some units."""
    sql = f"{_TAGS} WHERE binding.epc = ? AND binding.unit = '' OR binding.unit = ? AND binding.unit <> ''"
    return [_known(row, ward) for unit in units for row in connection.query(sql, (unit, unit))]


def _known(row: Row, ward: PlaceId) -> KnownTag:
    epc, state, place, at, p, since, position = row
    here = state in HERE and place == ward
    return KnownTag(Epc(epc), here, Instant(at or 0), p, Instant(since or 0), position or "")


def bound_epcs(connection: Connection) -> set[str]:
    """Return the EPC of every bound tag."""
    return {epc for (epc,) in connection.stream("SELECT epc FROM binding")}
