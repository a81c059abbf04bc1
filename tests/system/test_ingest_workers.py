"""Two ingest workers on one PostgreSQL, in threads of their own: what both must write is written once and in order."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from central.services.verify import verify
from central.store.engine import Store
from central.store.tables.ledger import WARD_FACT
from protocols.sync.codec import seal
from protocols.sync.frames import Welcome
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, PlaceId, incarnation
from tests.central.services.parties import OPEN, Central, Device, VirtualClock, a_central, entry, line, opening
from tests.system.postgresql import migrated_cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]
WARDS, ROUNDS = 4, 60
WAIT_S = 60.0


@pytest.fixture
def store() -> Iterator[Store]:
    with migrated_cluster() as made:
        yield made


def a_worker(first: Central) -> Central:
    """Another worker on the same store."""
    return Central(first.store, VirtualClock(), first.hospital)


def a_ward(central: Central, number: int) -> Device:
    """A ward that sends a piece to each of the others in turn, so that all of them are told of all."""
    name = DeviceId(f"ward-{number:02d}")
    central.enrol(name)
    device = Device(central, name, incarnation(bytes([number]) * 16))
    assert isinstance(device.greet(), Welcome)
    device.write(opening(number * 1000, name))
    for turn in range(ROUNDS):
        to = PlaceId(f"ward-{(number + turn) % WARDS + 1:02d}")
        body = {"lines": [line("A1", name, f"transit@{to}")]}
        device.write(entry("transfer_out", body, number * 1000 + turn + 1, actor="N1001"))
    return device


def test_workers_that_write_the_same_balances_and_facts_lose_and_double_nothing(store: Store) -> None:
    first = a_central("main", store)
    workers = [first, a_worker(first)]
    devices = [a_ward(workers[number % 2], number) for number in range(1, WARDS + 1)]
    faults: list[BaseException] = []

    def work(central: Central) -> None:
        try:
            mine = [device for device in devices if device.central is central]
            for seq in range(ROUNDS + 1):
                for device in mine:
                    data = seal(device.envelope, device.frame(seq, seq + 1), OPEN)
                    central.ingest.arrive(Topics(central.hospital, 0, device.device).up, data, lambda *_: None)
                while central.ingest.step(0):
                    pass
        except BaseException as fault:  # noqa: BLE001 # told below, on the test's own thread
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(central,)) for central in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S)
    assert faults == []
    assert [central.ingest.counts.faults for central in workers] == [0, 0]
    assert sum(central.ingest.counts.entries for central in workers) == WARDS * (ROUNDS + 1)
    report = verify(store)
    assert (report.faults, report.entries) == ([], WARDS * (ROUNDS + 1))
    with store.read() as connection:
        told = connection.execute(
            select(WARD_FACT.c.place, func.count(), func.max(WARD_FACT.c.version)).group_by(WARD_FACT.c.place)
        ).all()
    assert len(told) == WARDS
    assert all(count == last for _, count, last in told)
