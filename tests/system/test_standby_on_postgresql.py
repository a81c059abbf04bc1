"""A real standby: what it has flushed is safe, and no longer once it is gone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import CalledProcessError

import pytest
from sqlalchemy import make_url, select

from central.clock import Clock
from central.services.own_chain import Draft, append
from central.services.standby import StandbyWatch
from central.store.engine import Store, open_store
from central.store.migrate import migrate
from central.store.safety import safe_at
from central.store.tables.ledger import INCARNATION
from hardware_sim.demo.brokers import free_port
from protocols.values.ids import HOSPITAL_DEFAULT
from tests.system.postgresql import STARTED_S_MAX, USER, cluster, programs, run

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]
WAIT_S_MAX = 60.0


@contextmanager
def standby_of(address: str, folder: Path) -> Iterator[None]:
    """Copy a running cluster and let the copy follow it."""
    bin_folder, primary = programs(), make_url(address)
    assert bin_folder is not None
    port = free_port()
    where = ("-h", "127.0.0.1", "-p", primary.port, "-U", USER)
    run(bin_folder / "pg_basebackup", *where, "-D", folder / "standby", "-R", "-c", "fast", "--no-sync")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    control = (bin_folder / "pg_ctl", "-D", folder / "standby", "-w", "-t", STARTED_S_MAX)
    run(*control, "-l", folder / "standby.log", "-o", options, "start")
    try:
        yield
    finally:
        with suppress(CalledProcessError):
            run(*control, "-m", "immediate", "stop")


def safe(store: Store) -> int:
    with store.read() as connection:
        (chain,) = connection.scalars(select(INCARNATION.c.incarnation))
        return safe_at(connection, HOSPITAL_DEFAULT, [chain])[chain]


def looks_until(watch: StandbyWatch, clock: Clock, store: Store, seq: int) -> str:
    """Look again and again until a seq is safe; return what was said last."""
    until = time.monotonic() + WAIT_S_MAX
    while time.monotonic() < until:
        said = watch.look(clock.now())
        if safe(store) == seq:
            return said
        time.sleep(0.05)
    raise AssertionError(f"never safe up to {seq}")


def test_what_a_standby_has_flushed_is_safe_and_no_longer_once_it_is_gone() -> None:
    clock, visit = Clock(), Draft("visit", {"phase": "begin"})
    with cluster() as address:
        store = open_store(address)
        migrate(store)
        append(store, HOSPITAL_DEFAULT, [visit], clock)
        watch = StandbyWatch(store, HOSPITAL_DEFAULT)
        assert "no standby" in watch.look(clock.now())
        assert safe(store) == -1
        with store.read() as connection:
            data = Path(str(connection.exec_driver_sql("SHOW data_directory").scalar())).parent
        with standby_of(address, data):
            looks_until(watch, clock, store, 0)
            append(store, HOSPITAL_DEFAULT, [visit, visit], clock)
            assert safe(store) == 0
            assert "bytes behind" in looks_until(watch, clock, store, 2)
        looks_until(watch, clock, store, -1)
        store.close()
