"""I12: what central made of facts that contradict each other is a function of the facts, and changes none of them.

The judge tells every posted fact that central holds to a second central, in another order and in parts, which looks for
conflicts at moments of its own: both must come to the same book and the same flags. The rule that must not be broken:
the second central is told facts alone, nothing that the first one answered.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, select

from central.core.conflicts.pieces import SPENT, room_of
from central.services.conflicts import BY_FACTS, settle_conflicts
from central.store.chains import enrol
from central.store.engine import Store
from central.store.ledger import Chain, take_in
from central.store.queries_conflicts import OURS, standing
from central.store.rows import entry_of
from central.store.tables.ledger import BALANCE, EVENT, LEDGER, QUARANTINE
from protocols.entry import Digest, encode_entry
from protocols.movements.posting import place_sort
from protocols.sync.reception import Link
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, Incarnation, PlaceId
from tests.simulation.disk import Rack
from tests.simulation.hub import HubClock, installed
from tests.simulation.sqlite_under import central_engine

if TYPE_CHECKING:
    from tests.simulation.world import World

PART_MAX = 150
LOOKS = 0.2
"""How often the second central looks between two parts."""
_CHAIN: Callable[[Any], Incarnation] = attrgetter("incarnation")
_FIRST = and_(
    LEDGER.c.hospital == EVENT.c.hospital, LEDGER.c.incarnation == EVENT.c.incarnation, LEDGER.c.seq == EVENT.c.seq
)
_ASIDE = and_(
    QUARANTINE.c.hospital == EVENT.c.hospital,
    QUARANTINE.c.incarnation == EVENT.c.incarnation,
    QUARANTINE.c.seq == EVENT.c.seq,
)


def conflicts_agree(world: "World") -> Iterator[str]:
    """Yield what differs between central and one that took its facts in another order."""
    store, clock = world.hub.store, world.hub.clock
    assert store is not None
    settle_conflicts(store, HOSPITAL_DEFAULT, clock)
    again = settle_conflicts(store, HOSPITAL_DEFAULT, clock)
    if again.moved:
        yield f"I12 central: looking for conflicts twice moved {again}"
    yield from _given_out_twice(store)
    ours, theirs = _outcome(store), _second_opinion(world, _facts(store))
    for what in sorted(ours.keys() | theirs.keys(), key=str):
        if ours[what] != theirs[what]:
            yield f"I12 {what}: central {ours[what]}, another order {theirs[what]}"


def _second_opinion(world: "World", facts: Sequence[Any]) -> Counter[tuple[str, ...]]:
    """Return what another central comes to that takes these facts in an order of its own."""
    rack = Rack()
    disk = rack.add("second", f"{world.setting.seed}/second")
    try:
        installed(disk)
        second = Store(central_engine(rack, disk))
        _tell(second, facts, world.hub.clock, world.setting.wards, random.Random(f"{world.setting.seed}/second"))
        found = _outcome(second)
        second.close()
        return found
    finally:
        rack.unregister()


def flags_standing(store: Store) -> dict[str, int]:
    """Return how many conflicts of each sort were ever found."""
    with store.read() as connection:
        return dict(sorted(Counter(str(one.sort) for one in standing(connection, HOSPITAL_DEFAULT, status="")).items()))


def _given_out_twice(store: Store) -> Iterator[str]:
    """A piece that one storeroom received is in no two storerooms' hands."""
    with store.read() as connection:
        rows = connection.execute(
            select(BALANCE.c.unit, BALANCE.c.place).where(BALANCE.c.unit != "", BALANCE.c.qty > 0)
        )
        rooms: defaultdict[str, set[str]] = defaultdict(set)
        for unit, place in rows:
            if place_sort(place) in SPENT:
                rooms[unit].add(room_of(place))
    for unit, those in sorted(rooms.items()):
        if len(those) > 1:
            yield f"I12 {unit}: given out in {', '.join(sorted(those))}"


def _facts(store: Store) -> Sequence[Any]:
    query = select(LEDGER, EVENT.c.device.label("whose")).join(EVENT, _FIRST).outerjoin(QUARANTINE, _ASIDE)
    with store.read() as connection:
        return connection.execute(query.where(QUARANTINE.c.seq.is_(None), EVENT.c.kind != OURS)).all()


def _tell(second: Store, facts: Sequence[Any], clock: HubClock, wards: Sequence[str], chance: random.Random) -> None:
    with second.write() as connection:
        for ward in wards:
            enrol(connection, HOSPITAL_DEFAULT, DeviceId(ward), PlaceId(ward))
    left = sorted(facts, key=lambda row: (row.incarnation, row.seq))
    chance.shuffle(left)
    while left:
        some = chance.randint(1, PART_MAX)
        part, left = left[:some], left[some:]
        with second.write() as connection:
            for incarnation, rows in groupby(sorted(part, key=_CHAIN), _CHAIN):
                several = list(rows)
                whose = DeviceId(several[0].whose)
                chain = Chain(HOSPITAL_DEFAULT, whose, incarnation, PlaceId(whose if whose in wards else ""))
                take_in(connection, chain, [_link(row) for row in several], clock.now())
        if chance.random() < LOOKS:
            settle_conflicts(second, HOSPITAL_DEFAULT, clock)
    settle_conflicts(second, HOSPITAL_DEFAULT, clock)


def _link(row: Any) -> Link:  # noqa: ANN401 # a row of Core has no type of its own
    hashes = (Digest(row.content_hash), Digest(row.prev_hash), Digest(row.hash))
    return Link(row.seq, encode_entry(entry_of(row)), *hashes)


def _outcome(store: Store) -> Counter[tuple[str, ...]]:
    """Return the book, and the conflicts that stand open because of it."""
    found: Counter[tuple[str, ...]] = Counter()
    with store.read() as connection:
        row = BALANCE.c
        for *key, qty in connection.execute(select(row.place, row.item, row.lot, row.owner, row.unit, row.qty)):
            found["book", *key] += qty
        for one in standing(connection, HOSPITAL_DEFAULT, sorts=BY_FACTS):
            found["flag", one.sort, one.place, one.other, one.item, one.lot, one.unit] += 1
    return found
