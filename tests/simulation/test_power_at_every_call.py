"""The power goes at every single call that a commit makes to the disk, one after another, in both journal modes.

The law: whatever call it was, the ledger opens again, is sound, and holds everything that was beeped; what was being
written is there as a whole or not at all.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from edge_agent.errors import StoreFault
from edge_agent.store.ledger import Ledger, ledger_over
from edge_agent.store.verify import verify
from protocols.sync.frames import Head
from protocols.values.ids import incarnation
from protocols.values.instant import plus
from tests.edge_agent.conftest import BORN, START, WARD, Scribe
from tests.simulation.disk import Disk, Image, Rack
from tests.simulation.sqlite_under import DiskConnection, bring_up_to_date

CALLS_MAX = 2_000
SEEDS = 3
UNITS = ("E20000000001", "E20000000002", "E20000000003")
GROUP = 4


@pytest.fixture
def rack() -> Iterator[Rack]:
    made = Rack()
    yield made
    made.unregister()


def opened(rack: Rack, disk: Disk, journal: str) -> tuple[DiskConnection, Ledger]:
    connection = DiskConnection(rack, disk, journal)
    try:
        bring_up_to_date(connection)
        return connection, ledger_over(connection, WARD, newborn=BORN, now=START)
    except StoreFault:
        closed(connection)
        raise


def closed(connection: DiskConnection) -> None:
    with suppress(StoreFault):
        connection.close()


def before(rack: Rack, journal: str) -> tuple[Image, int]:
    """A ledger with some entries behind it, as its disk stands between two groups."""
    disk = rack.add(f"before-{journal}", "before")
    connection, ledger = opened(rack, disk, journal)
    scribe = Scribe()
    ledger.append([scribe.bind(*UNITS), scribe.opening(*UNITS)])
    for _ in range(3):
        ledger.append([scribe.visit()])
    image, head = disk.image(), ledger.head().seq
    closed(connection)
    return image, head


def write_groups(ledger: Ledger, disk: Disk) -> int:
    """Write a group of acts and an act of as many entries; return how many were beeped before the power went."""
    scribe, beeped, era = Scribe(count=100), 0, disk.era
    with suppress(StoreFault):
        write_group(ledger, scribe, UNITS[0])
        beeped += GROUP if disk.era == era else 0
        ledger.append([scribe.issue(UNITS[1]) for _ in range(GROUP)])
        beeped += GROUP if disk.era == era else 0
    return beeped


def write_group(ledger: Ledger, scribe: Scribe, unit: str) -> None:
    with ledger.group():
        for _ in range(GROUP):
            ledger.append([scribe.issue(unit)])


def after_each_call(
    rack: Rack, disk: Disk, journal: str, image: Image, write: Callable[[Ledger, Disk], int]
) -> Iterator[tuple[int, int, Ledger]]:
    """Write again and again, the power going one call later each time; give the call, what was beeped, what is found.

    The last time nothing was struck.
    """
    for call in range(1, CALLS_MAX):
        disk.put(image)
        connection, ledger = opened(rack, disk, journal)
        disk.fuse, era = call, disk.era
        beeped = write(ledger, disk)
        struck = disk.era != era
        closed(connection)
        disk.fuse = None
        again, ledger = opened(rack, disk, journal)
        yield call, beeped, ledger
        closed(again)
        if not struck:
            return
    pytest.fail("the writing never ended within so many calls")


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_group_is_whole_or_absent_and_what_was_beeped_stays(rack: Rack, journal: str, seed: int) -> None:
    image, head = before(rack, journal)
    disk = rack.add("disk", f"{journal}/{seed}")
    for call, written, ledger in after_each_call(rack, disk, journal, image, write_groups):
        assert verify(ledger.connection).problems == [], call
        assert ledger.head().seq in {head + written, head + written + GROUP}, call
    assert ledger.head().seq == head + 2 * GROUP


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_going_on_in_a_new_chain_is_whole_or_absent(rack: Rack, journal: str) -> None:
    image, head = before(rack, journal)
    disk = rack.add("disk", f"{journal}/adopt")
    born = incarnation(random.Random(5).randbytes(16))
    for call in range(1, CALLS_MAX):
        disk.put(image)
        connection, ledger = opened(rack, disk, journal)
        digest = ledger.hash_at(1)
        assert digest is not None
        disk.fuse, era = call, disk.era
        with suppress(StoreFault):
            ledger.adopt(born, Head(BORN, 1, digest), now=START)
        struck = disk.era != era
        closed(connection)
        disk.fuse = None
        again, ledger = opened(rack, disk, journal)
        assert verify(ledger.connection).problems == [], call
        way = [(leg.incarnation, leg.seq) for leg in ledger.way()]
        assert way in ([(BORN, head)], [(BORN, 1), (born, head - 2)]), call
        closed(again)
        if not struck:
            assert len(way) == 2
            return
    pytest.fail("it never ended within so many calls")


SAFE = 3
LATER = plus(START, 200 * 86_400)


def book_of(ledger: Ledger) -> list[tuple[object, ...]]:
    return ledger.connection.query("SELECT place, item, lot, unit, qty FROM balance WHERE qty <> 0 ORDER BY 1, 2, 3, 4")


def trim_between_groups(ledger: Ledger, disk: Disk) -> int:
    """Write a group, trim what is safe, write another; return how many entries were beeped before the power went."""
    scribe, beeped, era = Scribe(count=100), 0, disk.era
    with suppress(StoreFault):
        write_group(ledger, scribe, UNITS[0])
        beeped += GROUP if disk.era == era else 0
        ledger.trim(LATER)
        write_group(ledger, scribe, UNITS[1])
        beeped += GROUP if disk.era == era else 0
    return beeped


@pytest.mark.parametrize("journal", ["WAL", "DELETE"])
def test_a_trim_between_groups_is_whole_or_absent_and_the_book_stands_on_its_checkpoint(
    rack: Rack, journal: str
) -> None:
    image, head = before(rack, journal)
    disk = rack.add("disk", f"{journal}/trim")
    disk.put(image)
    connection, ledger = opened(rack, disk, journal)
    ledger.set_acked(head)
    ledger.set_safe(SAFE, BORN)
    image = disk.image()
    books = {head: book_of(ledger)}
    for unit, scribe in zip(UNITS[:2], (Scribe(count=100), Scribe(count=104)), strict=True):
        write_group(ledger, scribe, unit)
        books[ledger.head().seq] = book_of(ledger)
    closed(connection)
    first = 0
    for call, written, ledger in after_each_call(rack, disk, journal, image, trim_between_groups):
        assert verify(ledger.connection).problems == [], call
        assert ledger.head().seq in {head + written, head + written + GROUP}, call
        assert book_of(ledger) == books[ledger.head().seq], call
        ((first,),) = ledger.connection.query("SELECT MIN(seq) FROM ledger")
        assert first in {0, SAFE + 1}, call
    assert (first, ledger.head().seq) == (SAFE + 1, head + 2 * GROUP)
