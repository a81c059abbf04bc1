"""Real processes under real faults: whatever is killed, frozen, wiped, cut or full, every entry arrives once.

Two wards or more write all the time. Each test is one field of processes and a row of faults; at the end the store is
held against every disk.
"""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from hardware_sim.proxy import CLEAR, Weather
from tests.system.brokers import broker
from tests.system.postgresql import cluster
from tests.system.strangers import OldAgent, forge_acknowledgement
from tests.system.sync_field import LIMIT_S, POLL_S, Field, eventually, field

pytestmark = [pytest.mark.needs_linux, pytest.mark.slow]

AMQTT_SQLITE = pytest.param(("amqtt", "sqlite"), id="amqtt-sqlite")
MOSQUITTO_POSTGRESQL = pytest.param(
    ("mosquitto", "postgresql"),
    id="mosquitto-postgresql",
    marks=[pytest.mark.needs_mosquitto, pytest.mark.needs_postgresql],
)
WARDS, ENTRIES = 2, 300
FROZEN_S = 1.5
SAID_S = 0.5
"""What was said before a process froze has come once nothing moved for so long."""
DISK_BYTES = 32 * 1024 * 1024


@pytest.fixture(params=[AMQTT_SQLITE, MOSQUITTO_POSTGRESQL])
def sync(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Field]:
    kind, store = request.param
    with broker(kind, tmp_path) as pipe:
        if store == "sqlite":
            with field(tmp_path, pipe, "sqlite:///central.db", wards=WARDS, entries=ENTRIES) as made:
                yield made
            return
        with cluster() as address, field(tmp_path, pipe, address, wards=WARDS, entries=ENTRIES) as made:
            yield made


def moved(sync: Field) -> None:
    """Wait until every edge's mark moved, so that the next fault meets work."""
    before = [edge.acked for edge in sync.edges]
    eventually(
        lambda: all(edge.acked > was or edge.is_done() for edge, was in zip(sync.edges, before, strict=True)),
        f"marks move on from {before}: {[edge.said() for edge in sync.edges]}",
    )


def test_nothing_is_lost_or_doubled_whatever_is_killed_frozen_wiped_or_cut(sync: Field) -> None:
    moved(sync)
    for taker in sync.central:
        taker.kill()
        taker.start()
    moved(sync)
    sync.edges[0].kill()
    sync.edges[0].start()
    moved(sync)
    sync.broker.kill()
    sync.broker.start()
    moved(sync)
    for each in (sync.central[-1], sync.edges[1]):
        each.signal(signal.SIGSTOP)
        time.sleep(FROZEN_S)
        each.signal(signal.SIGCONT)
    moved(sync)
    if not sync.on_sqlite:
        terminate_backends(sync.store_url)
        moved(sync)
    for weather in (Weather(swallows=True), Weather(delay_s=0.2), Weather(slice_bytes=7)):
        sync.proxy.weather = weather
        time.sleep(FROZEN_S)
        sync.proxy.weather = CLEAR
        sync.proxy.reset()
    sync.proxy.cut()
    time.sleep(FROZEN_S)
    sync.proxy.restore()
    sync.settle()
    sync.check()


def at_rest(read: Callable[[], tuple[int, int]]) -> tuple[int, int]:
    """Return numbers once they have stood still."""
    found, since = read(), time.monotonic()
    until = since + LIMIT_S
    while time.monotonic() < since + SAID_S:
        assert time.monotonic() < until, f"still moves: {found}"
        time.sleep(POLL_S)
        if (now := read()) != found:
            found, since = now, time.monotonic()
    return found


@pytest.fixture
def full_soon(tmp_path: Path) -> Iterator[Field]:
    """A field whose central has a small disk: a tmpfs where one may be mounted, else a limit on its files."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", disk], check=False).returncode
    try:
        with (
            broker("amqtt", tmp_path) as pipe,
            field(tmp_path, pipe, f"sqlite:///{disk}/central.db", wards=WARDS + 1, entries=ENTRIES) as made,
        ):
            yield made
    finally:
        if mounted == 0:
            subprocess.run(["umount", disk], check=True)


def fill(sync: Field) -> Callable[[], None]:
    """Leave central no room; return what makes room again."""
    disk = Path(sync.store_url.removeprefix("sqlite:///")).parent
    if os.path.ismount(disk):
        waste = disk / "waste"
        with waste.open("wb", buffering=0) as file, suppress(OSError):
            while file.write(bytes(1 << 20)):
                pass
        return waste.unlink
    assert sync.server.process is not None
    pid = sync.server.process.pid
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    return lambda: (resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2), None)[1]


def test_a_full_disk_a_forger_a_copied_disk_and_an_old_agent_lose_and_double_nothing(full_soon: Field) -> None:
    sync, (first, second, _) = full_soon, full_soon.edges
    old = sync.edges.pop()
    old.kill()
    moved(sync)
    make_room = fill(sync)
    eventually(
        lambda: "disk is full" in sync.server.log() or "disk I/O" in sync.server.log(), "central says it is full"
    )
    sync.server.signal(signal.SIGSTOP)
    twin = sync.copy_of(first, "twin", ENTRIES + 50)  # while the first still writes, so that the two differ
    stood, dropped = at_rest(lambda: (second.acked, second.said()["dropped"]))
    assert forge_acknowledgement(sync.broker, second.spec) > stood
    eventually(lambda: second.said()["dropped"] > dropped, "the forged acknowledgement is dropped")
    assert second.acked == stood
    sync.server.signal(signal.SIGCONT)
    make_room()
    twin.start()
    eventually(lambda: sync.standing(first.spec.device) == "disputed", "two machines with one name are found")
    twin.kill()
    agent = OldAgent(old.spec, sync.broker, 40)
    assert agent.speak() == (39, agent.rows()[-1][3])
    sync.settle(first, second)
    first.kill()
    twin.start()
    sync.settle(twin)
    sync.check(agent)


def terminate_backends(address: str) -> None:
    """End every connection to the store as an administrator would."""
    with psycopg.connect(address, autocommit=True) as connection:
        ended = connection.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
        ).fetchone()
    assert ended is not None
    assert ended[0] >= 1
