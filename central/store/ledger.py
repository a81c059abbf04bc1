"""The writing of central's ledger: entries into `ledger`, facts into `event` once, what follows into balances.

`take_in` is the only way in, for every device's chain and for central's own. It never refuses an entry whose place in
the chain is proven: what cannot be read or posted stands in the ledger all the same, is named in `quarantine` with its
bytes and the reason, and what comes behind it goes on. The rule that must not be broken: balances move only where the
`event` row is new.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select
from sqlalchemy.exc import OperationalError

from central.core.facts import Fact, read_fact
from central.store.bulk import insert_new, insert_rows
from central.store.postings import Owed, pay, post, storerooms_of
from central.store.tables.ledger import EVENT, LEDGER, OPAQUE_SCHEMA, QUARANTINE
from central.store.ward_facts import places_with_a_device, tell
from protocols.entry import ClockQuality, Entry, decode_entry
from protocols.errors import PeerBroke, ProtocolsError
from protocols.sync.reception import Link
from protocols.values.ids import DeviceId, HospitalId, Incarnation, PlaceId
from protocols.values.instant import Instant, to_datetime

REASON_MAX = 400
GAP, SUSPENSE = "gap", "suspense"
HLC_STORED_MAX = 2**63 - 1
"""The largest hybrid clock a signed 64-bit column holds; the year 6429."""


_MONTH = "wardstock_month"


@dataclass(frozen=True, slots=True)
class Chain:
    """Whose entries these are; `place` is the storeroom the device speaks for."""

    hospital: HospitalId
    device: DeviceId
    incarnation: Incarnation
    place: PlaceId


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What became of some entries: seqs kept but not posted, storerooms whose book or belief moved."""

    quarantined: tuple[int, ...]
    places: frozenset[PlaceId]


@dataclass(frozen=True, slots=True)
class _Read:
    link: Link
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Doubt:
    link: Link
    event_id: bytes
    reason: str


def take_in(
    connection: Connection, chain: Chain, links: Sequence[Link], received_at: Instant, owed: Owed | None = None
) -> TakenIn:
    """Write entries that continue their chain, inside the caller's transaction.

    What they change in balances is written too, or, with `owed`, added there: the caller then pays once for many
    frames, before COMMIT. Raises `OperationalError` for a fault of the store (full disk, lock); nothing an entry says
    raises.
    """
    read, doubts = _read_all(links)
    month = month_of(received_at)
    _have_month(connection, month)
    rows = [_ledger_row(chain, each.link, each.entry, month, received_at) for each in read]
    rows += [_opaque_row(chain, doubt.link, month, received_at) for doubt in doubts]
    insert_rows(connection, LEDGER, rows)
    facts = _new_facts(connection, chain, read, doubts)
    places = _post_all(connection, chain, facts, doubts, owed)
    if places - {chain.place}:
        aside = {doubt.link.seq for doubt in doubts}
        tell_others(connection, chain, [(each.entry.kind, fact) for each, fact in facts if each.link.seq not in aside])
    insert_rows(connection, QUARANTINE, [_quarantine_row(chain, doubt, received_at) for doubt in doubts])
    return TakenIn(tuple(sorted(doubt.link.seq for doubt in doubts)), places)


def _read_all(links: Sequence[Link]) -> tuple[list[_Read], list[_Doubt]]:
    read: list[_Read] = []
    doubts: list[_Doubt] = []
    for link in links:
        try:
            entry = decode_entry(link.raw)
        except PeerBroke as error:
            doubts.append(_Doubt(link, b"", str(error)))
            continue
        if entry.hlc > HLC_STORED_MAX:
            doubts.append(_Doubt(link, b"", f"entry: expected a hybrid clock below 2**63, got {entry.hlc}"))
        else:
            read.append(_Read(link, entry))
    return read, doubts


def _new_facts(
    connection: Connection, chain: Chain, read: Sequence[_Read], doubts: list[_Doubt]
) -> list[tuple[_Read, Fact]]:
    """Put each event id into `event` once and return the facts that were new; add the rest's doubts."""
    meant: list[tuple[_Read, Fact | None, str]] = [(each, *meaning(each.entry)) for each in read]
    once: dict[bytes, tuple[Any, ...]] = {}
    for each, fact, _ in meant:
        once.setdefault(each.entry.event_id, _event_row(chain, each, each.entry.wall if fact is None else fact.at))
    if insert_new(connection, EVENT, list(once.values())) == len(meant):
        doubts += [_Doubt(each.link, each.entry.event_id, reason) for each, fact, reason in meant if fact is None]
        return [(each, fact) for each, fact, _ in meant if fact is not None]
    first = firsts(connection, chain.hospital, list(once))
    facts: list[tuple[_Read, Fact]] = []
    for each, fact, reason in meant:
        known = first[each.entry.event_id]
        if known.content_hash != each.link.content_hash:
            doubts.append(_Doubt(each.link, each.entry.event_id, "this event id is known with another content"))
        elif (known.incarnation, known.seq) != (chain.incarnation, each.link.seq):
            continue
        elif fact is None:
            doubts.append(_Doubt(each.link, each.entry.event_id, reason))
        else:
            facts.append((each, fact))
    return facts


def meaning(entry: Entry) -> tuple[Fact | None, str]:
    """Return what an entry comes to, and why it comes to nothing, empty where it does."""
    try:
        return read_fact(entry), ""
    except ProtocolsError as error:
        return None, str(error)
    except Exception as error:  # noqa: BLE001 # one entry may meet our own bug; the queue behind it must not
        return None, f"bug: {type(error).__name__}: {error}"


def firsts(connection: Connection, hospital: HospitalId, ids: Sequence[bytes]) -> dict[bytes, Any]:
    """Return where and as what each of these event ids was first taken in."""
    query = select(EVENT.c.event_id, EVENT.c.content_hash, EVENT.c.incarnation, EVENT.c.seq).where(
        EVENT.c.hospital == hospital, EVENT.c.event_id.in_(ids)
    )
    return {row.event_id: row for row in connection.execute(query)}


def _post_all(
    connection: Connection,
    chain: Chain,
    facts: Sequence[tuple[_Read, Fact]],
    doubts: list[_Doubt],
    owed: Owed | None,
) -> frozenset[PlaceId]:
    """Post all together; when that fails, one by one, so that only the one that fails is set aside."""
    where = (chain.hospital, chain.device, chain.place)
    if not any(fact.lines or fact.belief or fact.bindings for _, fact in facts):
        return frozenset()
    try:
        with connection.begin_nested():
            return _settled(connection, *post(connection, *where, [fact for _, fact in facts]), owed)
    except OperationalError:
        raise
    except Exception:  # noqa: BLE001 # one of them is the cause, perhaps our own bug; the next lines find which
        places: set[PlaceId] = set()
    for each, fact in facts:
        try:
            with connection.begin_nested():
                places |= _settled(connection, *post(connection, *where, [fact]), owed)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 # set aside with its reason; the queue goes on
            doubts.append(_Doubt(each.link, each.entry.event_id, f"bug: {type(error).__name__}: {error}"))
    return frozenset(places)


def _settled(
    connection: Connection, places: frozenset[PlaceId], changes: Owed, owed: Owed | None
) -> frozenset[PlaceId]:
    """Pay what was posted, or note that it is owed; return the storerooms."""
    if owed is None:
        pay(connection, changes)
    else:
        owed.update(changes)
    return places


def tell_others(connection: Connection, chain: Chain, posted: Sequence[tuple[str, Fact]]) -> None:
    """Make a posted fact, given with its kind, that concerns another storeroom one that its device will be told."""
    told: dict[PlaceId, list[bytes]] = {}
    for kind, fact in posted:
        for place in sorted(storerooms_of(fact) - {chain.place} - _knows_already(kind, fact)):
            told.setdefault(place, []).append(fact.event_id)
    if not told:
        return
    listening = places_with_a_device(connection, chain.hospital)
    for place in sorted(told.keys() & listening):
        tell(connection, chain.hospital, place, told[place])


def _knows_already(kind: str, fact: Fact) -> frozenset[PlaceId]:
    """Return the storeroom whose own book a gap was closed with: the one of the suspense account."""
    ends = (end.partition("@") for line in fact.lines for end in (line.source, line.target))
    return frozenset(PlaceId(place) for role, _, place in ends if kind == GAP and role == SUSPENSE)


# --- rows ------------------------------------------------------------------------------------------------------------


def month_of(instant: Instant) -> int:
    """Return the partition of an instant: year x 100 + month, UTC."""
    moment = to_datetime(instant)
    return moment.year * 100 + moment.month


def _have_month(connection: Connection, month: int) -> None:
    """Have PostgreSQL's partition of this month; asked once a connection."""
    if connection.dialect.name != "postgresql" or connection.info.get(_MONTH) == month:
        return
    connection.execute(select(func.ledger_month(month)))
    connection.info[_MONTH] = month


def _ledger_row(chain: Chain, link: Link, entry: Entry, month: int, received_at: Instant) -> tuple[Any, ...]:
    """Return the columns of `ledger`, in its order."""
    return (
        chain.hospital,
        month,
        chain.incarnation,
        link.seq,
        entry.event_id,
        chain.device,
        entry.hlc,
        entry.wall,
        entry.mono,
        entry.boot_id,
        int(entry.clock_quality),
        entry.kind,
        entry.schema,
        entry.body,
        entry.actor,
        link.content_hash,
        link.prev_hash,
        link.hash,
        received_at,
    )


def _opaque_row(chain: Chain, link: Link, month: int, received_at: Instant) -> tuple[Any, ...]:
    place = (chain.hospital, month, chain.incarnation, link.seq)
    unread = (b"", chain.device, 0, 0, 0, b"", int(ClockQuality.UNKNOWN), "", OPAQUE_SCHEMA, link.raw, "")
    return (*place, *unread, link.content_hash, link.prev_hash, link.hash, received_at)


def _event_row(chain: Chain, each: _Read, at: int) -> tuple[Any, ...]:
    """Return the columns of `event`, in its order."""
    entry, link = each.entry, each.link
    return (
        chain.hospital,
        entry.event_id,
        link.content_hash,
        chain.device,
        chain.incarnation,
        link.seq,
        entry.kind,
        at,
        entry.actor,
    )


def _quarantine_row(chain: Chain, doubt: _Doubt, at: Instant) -> tuple[Any, ...]:
    """Return the columns of `quarantine`, in its order."""
    link = doubt.link
    return (chain.hospital, chain.incarnation, link.seq, doubt.event_id, doubt.reason[:REASON_MAX], link.raw, at)
