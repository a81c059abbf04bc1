"""A real PostgreSQL of a test's own: a cluster in a temporary folder, on a port of this machine."""

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from glob import glob
from pathlib import Path

from central.store.engine import Store, open_store
from central.store.migrate import migrate
from hardware_sim.demo.brokers import free_port

USER = "wardstock"
SERVER = "postgres"
STARTED_S_MAX = 60


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL on this machine, None without one."""
    found = sorted(glob("/usr/lib/postgresql/*/bin/initdb")) or [path for path in [shutil.which("initdb")] if path]
    return Path(found[-1]).parent if found else None


def as_server() -> list[str]:
    """Return what a command must begin with: PostgreSQL never runs as root."""
    if os.geteuid() != 0:
        return []
    return ["runuser", "-u", SERVER, "--"]


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[str]:
    """Run a cluster in a temporary folder of its server's user and give its address for `store.url`.

    Without `durable` it does not wait for the disk, which a test does not need and a measurement does.
    """
    bin_folder = programs()
    assert bin_folder is not None
    folder = _servers_folder()
    try:
        with _running(bin_folder, folder, durable=durable) as address:
            yield address
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def migrated_cluster() -> Iterator[Store]:
    """Run a cluster for one migrated store."""
    with cluster() as address, closing(open_store(address)) as store:
        migrate(store)
        yield store


def _servers_folder() -> Path:
    """Make a temporary folder that is the server's user's."""
    folder = Path(tempfile.mkdtemp(prefix="wardstock-pg-"))
    if os.geteuid() == 0:
        server = pwd.getpwnam(SERVER)
        os.chown(folder, server.pw_uid, server.pw_gid)
    return folder


@cache
def _pattern(bin_folder: Path) -> Path:
    """Make the data of a cluster in which nothing happened, once a process: every cluster begins as a copy of it."""
    folder = _servers_folder()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    data = folder / "data"
    run(bin_folder / "initdb", "-D", data, "-A", "trust", "-U", USER, "-E", "UTF8", "--no-sync", "--locale=C.UTF-8")
    return data


@contextmanager
def _running(bin_folder: Path, folder: Path, *, durable: bool) -> Iterator[str]:
    port = free_port()
    data, log = folder / "data", folder / "log"
    run("cp", "-a", _pattern(bin_folder), data)
    sync = "on" if durable else "off"
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync={sync}"
    run(bin_folder / "pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", STARTED_S_MAX, "start")
    try:
        yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
    finally:
        run(bin_folder / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop")


def run(*command: object) -> None:
    """Run one program as the server's user; its output goes nowhere, for a server would keep a pipe open."""
    subprocess.run(
        [*as_server(), *map(str, command)],
        check=True,
        timeout=2 * STARTED_S_MAX,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
    )
