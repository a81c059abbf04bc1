"""What must hold whatever went wrong: the laws of the sync, asked of the databases when everything has healed.

Each law returns what broke it, in words; an empty list is what one wants. The rule that must not be broken: a law reads
only what the programs wrote and what people were told, never what a program believes.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, func, select

from central.services.verify import verify as verify_central
from central.store.tables.ledger import BALANCE, EVENT, INCARNATION, LEDGER, LEDGER_LOSS, QUARANTINE
from central.store.tables.sync import LEDGER_GAP
from central.store.ward_facts import newest
from edge_agent.core.book import effect_of
from protocols.values.ids import HOSPITAL_DEFAULT, PlaceId
from tests.simulation.conflicts import conflicts_agree
from tests.simulation.feeding import feeds_agree
from tests.simulation.hub import missing_at_central
from tests.simulation.ward import Beeped, Ward
from tests.simulation.world import World

SHOWN_MAX = 3
SUSPENSE = "suspense"
MESSAGES_A_FRAME = 4
MESSAGES_A_DEVICE_HOUR = 12
MESSAGES_A_FAULT = 20


def broken(world: World) -> list[str]:
    """Return every law that does not hold at the end of a healed run."""
    if world.hub.store is None:
        return ["I9 central is not up an hour after the last fault"]
    down = [name for name, ward in world.wards.items() if not ward.up]
    if down:
        return [f"I9 {', '.join(down)} not up an hour after the last fault"]
    with world.hub.store.read() as connection:
        laws = (_pending, _same_book, _set_aside, _told, _tree, feeds_agree)
        found = [line for law in laws for line in law(world, connection)]
    found = [*world.violations, *world.manners.violations, *_arrived(world), *found]
    found += [f"I3/I4 central: {fault}" for fault in verify_central(world.hub.store).faults[:SHOWN_MAX]]
    for name, ward in world.wards.items():
        found += [f"I3/I4 {name}: {what}" for what in ward.sound()[:SHOWN_MAX]]
    return _few([*found, *conflicts_agree(world), *_frugal(world)])


def _few(found: list[str]) -> list[str]:
    """Return at most so many of each law and ward: the first is where to look."""
    said: Counter[str] = Counter()
    few = []
    for line in found:
        about = " ".join(line.split(" ")[:2])
        said[about] += 1
        if said[about] <= SHOWN_MAX:
            few.append(line)
    return few


def excused(world: World) -> int:
    """Return how many beeps no disk holds any more: neither central's nor that of any machine that still runs."""
    if world.hub.store is None:
        return 0
    return sum(len(_nowhere(world, name)) for name in world.wards)


def _nowhere(world: World, name: str) -> list[Beeped]:
    beeped = [each for ward in world.everybody() if ward.device == name for each in ward.beeped]
    held: set[bytes] = set()
    for ward in world.machines(name):
        if ward.ledger is not None:
            held |= {event_id for (event_id,) in ward.ledger.connection.query("SELECT event_id FROM ledger")}
    return [each for each in missing_at_central(world.hub, beeped) if each.event_id not in held]


def _arrived(world: World) -> Iterator[str]:
    """I1: one event for each beep, unless no disk holds it any more, which may only be where disks are taken away.

    I2: posted once: the event's key says so, and verify folds them.
    """
    for name in world.wards:
        beeped = [each for ward in world.everybody() if ward.device == name for each in ward.beeped]
        missing, nowhere = missing_at_central(world.hub, beeped), _nowhere(world, name)
        if len(missing) > (0 if world.setting.gentle else len(nowhere)):
            first = missing[0].event_id.hex()
            yield (
                f"I1 {name}: {len(missing)} of {len(beeped)} beeps are not at central, {len(nowhere)} are nowhere, "
                f"first {first}"
            )


def _told(world: World, connection: Connection) -> Iterator[str]:
    """I1: what central has and the ledger lacks, and what was trimmed and central lacks, stands in a doubt."""
    doubts = list(connection.execute(select(LEDGER_LOSS)))
    for name, ward in world.wards.items():
        assert ward.ledger is not None
        own = set(ward.ledger.connection.query("SELECT incarnation, seq, hash FROM ledger"))
        seqs = ward.ledger.connection.query("SELECT incarnation, MAX(seq) FROM checkpoint GROUP BY incarnation")
        cut: dict[bytes, int] = dict(seqs)
        yield from _trimmed_told(name, cut, connection, doubts)
        query = select(LEDGER.c.incarnation, LEDGER.c.seq, LEDGER.c.hash).where(LEDGER.c.device == name)
        for row in connection.execute(query):
            if tuple(row) in own or row.seq <= cut.get(row.incarnation, -1):
                continue
            said = any(
                each.incarnation == row.incarnation and each.first_seq <= row.seq <= each.last_seq for each in doubts
            )
            if not said:
                place = f"entry {row.seq} of {row.incarnation.hex()[:8]}"
                yield f"I1 {name}: central's {place} is lost here and nobody says so"


def _tree(_world: World, connection: Connection) -> Iterator[str]:
    """I11: every chain grows from an entry that central holds of a chain of the same device, and none from itself."""
    rows = {row.incarnation: row for row in connection.execute(select(INCARNATION))}
    for row in rows.values():
        if row.parent is None or row.head_seq < 0:
            continue
        parent = rows.get(row.parent)
        if parent is None or parent.device != row.device or parent.head_seq < row.parent_seq:
            yield f"I11 {row.device}: chain {row.incarnation.hex()[:8]} grows from an entry that central does not hold"
        seen, at = {row.incarnation}, row.parent
        while at in rows and at not in seen:
            seen.add(at)
            at = rows[at].parent
        if at in seen:
            yield f"I11 {row.device}: chain {row.incarnation.hex()[:8]} grows from itself"


def _trimmed_told(name: str, cut: dict[bytes, int], connection: Connection, doubts: Sequence[Any]) -> Iterator[str]:
    for incarnation, upto in cut.items():
        held = set(connection.scalars(select(LEDGER.c.seq).where(LEDGER.c.incarnation == incarnation)))
        said = [(each.first_seq, each.last_seq) for each in doubts if each.incarnation == incarnation]
        for seq in set(range(upto + 1)) - held:
            if not any(first <= seq <= last for first, last in said):
                yield f"I1 {name}: entry {seq} of {incarnation.hex()[:8]} was trimmed, central lacks it, nobody says so"


def _pending(world: World, connection: Connection) -> Iterator[str]:
    """I9: an hour after the last fault central holds every ledger's head, the edge knows it, and holds every fact."""
    rows = connection.execute(select(INCARNATION.c.incarnation, INCARNATION.c.head_seq, INCARNATION.c.head_hash))
    heads = {row.incarnation: (row.head_seq, None if row.head_seq < 0 else row.head_hash) for row in rows}
    for name, ward in world.wards.items():
        assert ward.ledger is not None
        head, acked = ward.ledger.head(), ward.ledger.acked()
        if any(leg.acked != leg.seq for leg in ward.ledger.way()):
            yield f"I9 {name}: a chain before the last is not acknowledged as far as it goes"
        if heads.get(head.incarnation, (-1, None)) != (head.seq, None if head.seq < 0 else head.hash):
            held = heads.get(head.incarnation, ("nothing",))[0]
            yield f"I9 {name}: central holds {held}, the ledger ends at {head.seq}"
        if acked != head.seq:
            yield f"I9 {name}: acknowledged {acked}, the ledger ends at {head.seq}"
        facts, told = ward.ledger.facts_held(), newest(connection, HOSPITAL_DEFAULT, PlaceId(name))
        if facts != (told.number, told.sum):
            yield f"I9 {name}: facts up to {facts[0]} are held, central's last is {told.number}"


def _same_book(world: World, connection: Connection) -> Iterator[str]:
    """I5: what a ward's own entries made of its places is the same at both ends, but for what was quarantined."""
    first = (EVENT.c.incarnation == QUARANTINE.c.incarnation) & (EVENT.c.seq == QUARANTINE.c.seq)
    set_aside = set(connection.scalars(select(EVENT.c.event_id).join(QUARANTINE, first)))
    known = set(connection.scalars(select(EVENT.c.event_id)))
    total = select(BALANCE.c.place, BALANCE.c.item, BALANCE.c.lot, BALANCE.c.unit, func.sum(BALANCE.c.qty)).group_by(
        BALANCE.c.place, BALANCE.c.item, BALANCE.c.lot, BALANCE.c.unit
    )
    central = {tuple(row[:4]): row[4] for row in connection.execute(total) if row[4]}
    for name, ward in world.wards.items():
        if _holds_half_a_gap(ward, connection):
            continue  # what a part of it came to nobody knows; a doubt is open, and a count will tell
        ours = own_book(ward, set_aside, known)
        for key in sorted(set(ours) | {key for key in central if _is_of(name, key[0])}):
            if _is_of(name, key[0]) and ours.get(key, 0) != central.get(key, 0):
                yield f"I5 {name}: {key}: edge {ours.get(key, 0)}, central {central.get(key, 0)}"


def _holds_half_a_gap(ward: Ward, connection: Connection) -> bool:
    """Tell whether a copy was put back that ends within entries whose sum alone central was told."""
    assert ward.ledger is not None
    walked = {leg.incarnation: (leg.seq, leg.kept_from) for leg in ward.ledger.way()}
    for gap in connection.execute(select(LEDGER_GAP)):
        seq, kept_from = walked.get(gap.incarnation, (-1, 0))
        if seq >= gap.first_seq and kept_from <= gap.last_seq:
            return True
    return False


def _set_aside(world: World, connection: Connection) -> Iterator[str]:
    """I5: what stands in quarantine is what had to, and everything that had to does."""
    rows = connection.execute(select(QUARANTINE.c.event_id, QUARANTINE.c.incarnation, QUARANTINE.c.seq))
    kept = {(row.incarnation, row.seq): row.event_id for row in rows}
    bad = {event for ward in world.everybody() for event in ward.poisoned}
    first = select(LEDGER.c.incarnation, LEDGER.c.seq, LEDGER.c.event_id, LEDGER.c.content_hash, EVENT.c.content_hash)
    for incarnation, seq, event, content, known in connection.execute(
        first.join(EVENT, EVENT.c.event_id == LEDGER.c.event_id)
    ):
        must = content != known or event in bad
        if must and content != known and (incarnation, seq) not in kept:
            yield f"I2 entry {seq} of {incarnation.hex()[:8]} says another thing under a known id and is not set aside"
        if not must and (incarnation, seq) in kept:
            yield f"I5 entry {seq} of {incarnation.hex()[:8]} is set aside and could be posted"
    missing = bad & set(connection.scalars(select(EVENT.c.event_id))) - set(kept.values())
    if missing:
        yield f"I5 {len(missing)} entries that central cannot post are not set aside"


def _is_of(ward: str, place: str) -> bool:
    role, _, storeroom = place.rpartition("@")
    return storeroom == ward and role != SUSPENSE


def own_book(ward: Ward, set_aside: set[bytes], known: set[bytes]) -> Counter[tuple[str, str, str, str]]:
    """Return the ward's balances without what quarantined entries did, and facts that central has lost since."""
    assert ward.ledger is not None
    book: Counter[tuple[str, str, str, str]] = Counter()
    for place, item, lot, unit, qty in ward.ledger.connection.query("SELECT place, item, lot, unit, qty FROM balance"):
        book[place, item, lot, unit] += qty
    seen: set[bytes] = set()
    set_aside = set_aside | (_facts(ward) - known)
    for event_id, kind, body in ward.ledger.connection.query(
        "SELECT event_id, kind, body FROM ledger UNION ALL SELECT event_id, kind, body FROM fact"
    ):
        if event_id not in set_aside or event_id in seen:
            continue
        seen.add(event_id)
        for key, qty in effect_of(kind, body).deltas:
            book[key.place, key.item, key.lot, key.unit] -= qty
    for event_id, (kind, body) in ward.set_aside.items():
        if event_id in set_aside and event_id not in seen and _applied(ward, event_id):
            for key, qty in effect_of(kind, body).deltas:
                book[key.place, key.item, key.lot, key.unit] -= qty
    return Counter({key: qty for key, qty in book.items() if qty})


def _applied(ward: Ward, event_id: bytes) -> bool:
    assert ward.ledger is not None
    return bool(ward.ledger.connection.query("SELECT 1 FROM applied WHERE event_id = ?", (event_id,)))


def _facts(ward: Ward) -> set[bytes]:
    assert ward.ledger is not None
    return {event_id for (event_id,) in ward.ledger.connection.query("SELECT event_id FROM fact")}


def _frugal(world: World) -> Iterator[str]:
    """I6: messages are few."""
    hours = world.elapsed_s / 3600 * len(world.wards)
    most = (
        MESSAGES_A_FRAME * world.frames + MESSAGES_A_DEVICE_HOUR * hours + MESSAGES_A_FAULT * sum(world.fired.values())
    )
    if world.wire.messages > most:
        yield f"I6 {world.wire.messages} messages, expected at most {most:.0f}"


def entries_at_central(world: World) -> int:
    """Return how many entries central holds."""
    if world.hub.store is None:
        return 0
    with world.hub.store.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(LEDGER)) or 0)
