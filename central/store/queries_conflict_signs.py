"""What the signs of a conflict are read from: names nobody knows, counts with what moved around them, acts of persons.

No rule lives here. The rule that must not be broken: every query names the hospital and has a limit.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from central.core.conflicts.acts import AGAIN_S, Act
from central.core.conflicts.counts import CountOf, Moved, Version
from central.store.merge import add_new
from central.store.queries_counts import NO_LINE
from central.store.tables.conflicts import COUNT_VERSION
from central.store.tables.ledger import BALANCE, DEVICE, EVENT, LEDGER, LEDGER_LOSS, POSTING_LINE
from central.store.tables.master import ITEM
from central.store.tables.replays import QUARANTINE_REPLAY
from central.store.tables.settling import COUNTED_LINE
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.counts import CountBody
from protocols.movements.posting import MovementBody
from protocols.movements.reports import UnknownBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus

LINES_MAX = 5_000
"""Counted lines, acts or names that one look reads; what is older was looked at before."""
FORGOTTEN = "device"

_JOINED = and_(
    LEDGER.c.hospital == EVENT.c.hospital, LEDGER.c.incarnation == EVENT.c.incarnation, LEDGER.c.seq == EVENT.c.seq
)
_REPLAYED = QUARANTINE_REPLAY.c
_POSTED_LATE = and_(
    _REPLAYED.hospital == EVENT.c.hospital, _REPLAYED.incarnation == EVENT.c.incarnation, _REPLAYED.seq == EVENT.c.seq
)
_DEVICE = and_(DEVICE.c.hospital == EVENT.c.hospital, DEVICE.c.device == EVENT.c.device)
_LINES = and_(POSTING_LINE.c.hospital == EVENT.c.hospital, POSTING_LINE.c.event_id == EVENT.c.event_id)


@dataclass(frozen=True, slots=True)
class Counted:
    """One counted line, the moves of its line, and the events among them that were here when it was kept."""

    line_no: int
    count: CountOf
    moves: tuple[Moved, ...]
    kept: frozenset[str]


def catalogue_of(connection: Connection, hospital: HospitalId) -> dict[str, str]:
    """Return the items that the catalogue knows, with their GTIN."""
    rows = connection.execute(select(ITEM.c.item, ITEM.c.gtin).where(ITEM.c.hospital == hospital))
    return {row.item: row.gtin for row in rows}


def booked_names(
    connection: Connection, hospital: HospitalId, known: Collection[str]
) -> list[tuple[str, str, str, str]]:
    """Return (event, place, item, lot) of the first line of each item in a storeroom's book that is not known."""
    row, line = BALANCE.c, POSTING_LINE.c
    query = select(row.place, row.item).where(row.hospital == hospital, ~row.place.contains("@", autoescape=True))
    strange = sorted({(each.place, each.item) for each in connection.execute(query.distinct())} - {("", "")})
    found = []
    for place, item in [each for each in strange if each[1] not in known][:LINES_MAX]:
        first = select(line.event_id, line.lot).where(
            line.hospital == hospital, or_(line.target == place, line.source == place), line.item == item
        )
        said = connection.execute(first.order_by(line.at, line.event_id).limit(1)).first()
        if said is not None:
            found.append((said.event_id.hex(), place, item, said.lot))
    return found


def unread_labels(connection: Connection, hospital: HospitalId, since: Instant) -> list[tuple[str, str, str]]:
    """Return (event, storeroom, text) of what was scanned and nobody knew."""
    query = _events(LEDGER.c.body).where(
        EVENT.c.hospital == hospital, EVENT.c.kind == "unknown_label", EVENT.c.at >= since
    )
    found = []
    for row in connection.execute(query.order_by(EVENT.c.at, EVENT.c.event_id).limit(LINES_MAX)):
        try:
            found.append((row.event_id.hex(), row.place, read_body(row.body, UnknownBody).text))
        except ProtocolsError:
            continue  # a form this version does not know
    return found


def counted(connection: Connection, hospital: HospitalId, since: Instant) -> list[Counted]:
    """Return what people and readers counted since an instant, with what moved on those lines."""
    row = COUNTED_LINE.c
    query = (
        select(COUNTED_LINE, EVENT.c.device, EVENT.c.incarnation, EVENT.c.seq, LEDGER.c.received_at, LEDGER.c.body)
        .join(EVENT, and_(EVENT.c.hospital == row.hospital, EVENT.c.event_id == row.event_id))
        .join(LEDGER, _JOINED)
        .where(row.hospital == hospital, row.at >= since, row.line_no != NO_LINE)
        .order_by(row.at, row.event_id, row.line_no)
        .limit(LINES_MAX)
    )
    found = []
    for one in connection.execute(query):
        cut = _cut_of(connection, hospital, one.body) or one
        count = CountOf(one.event_id.hex(), one.place, one.item, one.lot, Instant(cut.at), Instant(one.at), one.book)
        moves = _moves(connection, hospital, count, one.device, cut.incarnation, cut.seq)
        here = frozenset(event for event, received in moves.values() if received <= one.received_at)
        found.append(Counted(one.line_no, count, tuple(moves), here))
    return found


def _cut_of(connection: Connection, hospital: HospitalId, body: bytes) -> Any:  # noqa: ANN401 # a row of Core
    try:
        cut = bytes.fromhex(read_body(body, CountBody).cut)
    except (ProtocolsError, ValueError):
        return None
    query = select(EVENT.c.at, EVENT.c.incarnation, EVENT.c.seq)
    return connection.execute(query.where(EVENT.c.hospital == hospital, EVENT.c.event_id == cut)).first()


def _moves(
    connection: Connection, hospital: HospitalId, count: CountOf, device: str, incarnation: bytes, seq: int
) -> dict[Moved, tuple[str, int]]:
    """Return the moves of a counted line, each with its event and when it was received."""
    line = POSTING_LINE.c
    query = (
        select(line.event_id, line.qty, line.source, line.target, line.at, EVENT.c.incarnation, EVENT.c.seq,
               EVENT.c.device, func.coalesce(_REPLAYED.at, LEDGER.c.received_at).label("received_at"))
        .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
        .join(LEDGER, _JOINED)
        .outerjoin(QUARANTINE_REPLAY, _POSTED_LATE)
        .where(
            line.hospital == hospital, line.item == count.item, line.lot == count.lot,
            or_(line.source == count.place, line.target == count.place),
        )
    )  # fmt: skip
    sums: dict[str, Moved] = {}
    received: dict[str, int] = {}
    for row in connection.execute(query):
        event, qty = row.event_id.hex(), row.qty * ((row.target == count.place) - (row.source == count.place))
        chain = row.device == device and row.incarnation == incarnation
        before = row.seq <= seq if chain else None
        qty += sums[event].qty if event in sums else 0
        sums[event], received[event] = Moved(event, Instant(row.at), qty, before), row.received_at
    return {one: (one.event, received[one.event]) for one in sums.values()}


def keep_version(
    connection: Connection, hospital: HospitalId, counted: Counted, version: Version, now: Instant
) -> None:
    """Keep a count's new version beside those before it, unless the last says the same."""
    row, event = COUNT_VERSION.c, bytes.fromhex(counted.count.event)
    here = (row.hospital == hospital, row.event_id == event, row.line_no == counted.line_no)
    query = select(row.version, row.book).where(*here).order_by(row.version.desc()).limit(1)
    last = connection.execute(query).first()
    if last is not None and last.book == version.book:
        return
    fresh = {
        "hospital": hospital, "event_id": event, "line_no": counted.line_no,
        "version": 1 if last is None else last.version + 1, "book": version.book,
        "late_event_id": bytes.fromhex(version.late[-1]), "at": now,
    }  # fmt: skip
    add_new(connection, COUNT_VERSION, [fresh])


def acts_at(
    connection: Connection, hospital: HospitalId, place: str, kinds: Collection[str], since: Instant
) -> list[Act]:
    """Return the acts of some kinds in a storeroom since an instant, one for each event."""
    query = _acts().where(
        EVENT.c.hospital == hospital, EVENT.c.kind.in_(sorted(kinds)), EVENT.c.at >= since, DEVICE.c.place == place
    )
    return _read(connection, query)


def forgotten_acts(connection: Connection, hospital: HospitalId, since: Instant) -> list[tuple[list[Act], list[Act]]]:
    """Return, for each stretch of a chain that its device forgot, its acts with a piece, and like ones of other chains.

    Like ones are of the same persons, pieces and kinds, and near in time.
    """
    row = LEDGER_LOSS.c
    losses = connection.execute(
        LEDGER_LOSS.select().where(row.hospital == hospital, row.kind == FORGOTTEN, row.opened_at >= since)
    )
    found = []
    for loss in losses:
        stretch = and_(EVENT.c.incarnation == loss.incarnation, EVENT.c.seq.between(loss.first_seq, loss.last_seq))
        whose = _acts().where(EVENT.c.hospital == hospital, EVENT.c.device == loss.device, EVENT.c.at >= since)
        old = _pieces(connection, whose.where(stretch, POSTING_LINE.c.unit != "", EVENT.c.actor != ""))
        if not old:
            continue
        like = (
            EVENT.c.incarnation != loss.incarnation,
            EVENT.c.kind.in_(sorted({act.kind for act in old})),
            EVENT.c.at.between(plus(old[0].at, -AGAIN_S), plus(old[-1].at, AGAIN_S)),
            EVENT.c.actor.in_(sorted({act.actor for act in old})),
            POSTING_LINE.c.unit.in_(sorted({act.unit for act in old})),
        )
        found.append((old, _pieces(connection, whose.where(*like))))
    return found


def _events(*columns: object) -> Select[tuple[object, ...]]:
    chosen = (EVENT.c.event_id, EVENT.c.at, EVENT.c.kind, EVENT.c.actor, DEVICE.c.place, *columns)
    return select(*chosen).join(DEVICE, _DEVICE).join(LEDGER, _JOINED)  # type: ignore[call-overload, no-any-return] # columns of Core


def _pieces(connection: Connection, query: Select[tuple[object, ...]]) -> list[Act]:
    rows = connection.execute(query.order_by(EVENT.c.at, EVENT.c.event_id).limit(LINES_MAX))
    return [
        Act(row.event_id.hex(), row.place, row.actor, row.kind, row.item, row.lot, row.unit, Instant(row.at))
        for row in rows
    ]


def _acts() -> Select[tuple[object, ...]]:
    lines = (POSTING_LINE.c.item, POSTING_LINE.c.lot, POSTING_LINE.c.unit, LEDGER.c.body)
    return _events(*lines).join(POSTING_LINE, _LINES).where(POSTING_LINE.c.line_no == 0)


def _read(connection: Connection, query: Select[tuple[object, ...]]) -> list[Act]:
    acts = []
    for row in connection.execute(query.order_by(EVENT.c.at, EVENT.c.event_id).limit(LINES_MAX)):
        try:
            body = read_body(row.body, MovementBody)
        except ProtocolsError:
            continue  # set aside; it says nothing about a piece
        acts.append(
            Act(row.event_id.hex(), row.place, row.actor, row.kind, row.item, row.lot, row.unit, Instant(row.at),
                body.policy, body.flags)
        )  # fmt: skip
    return acts
