"""What `doctor` looks at in the machine itself: disk, clock, ledger. It opens for reading and changes nothing."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from edge_agent.agent.beginnings import OPENED, read_files
from edge_agent.agent.disk import share_of_disk
from edge_agent.clock import Clock
from edge_agent.config import Config
from edge_agent.config.upkeep import ALARM_SHARE
from edge_agent.errors import BadConfig, EdgeError
from edge_agent.store.connection import open_to_read
from edge_agent.store.health import read_health
from edge_agent.store.schema import applied_steps, check_known, pending_steps
from edge_agent.store.status import read_status
from edge_agent.store.trim import why_nothing
from protocols.values.instant import Instant, from_iso, seconds_between, to_iso

FREE_BYTES_MIN = 200 * 1024 * 1024
"""Room below which a ledger should not go on: some years of one storeroom."""
BUILT = from_iso("2026-01-01T00:00:00+08:00")
"""A clock before this was never set."""
BACK_S_MAX = 5.0
"""A clock may be so far before the last entry: small steps happen when it is set by NTP."""
SYNCHRONISED = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd makes this file when it has set the clock."""

Told = tuple[bool | None, str]
"""Whether it is right (None: not known), and one line."""


def look_at_disk(folder: Path, alarm_share: float = ALARM_SHARE) -> Told:
    """Tell whether the ledger's folder has room and may be written to."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return False, f"{folder}: {error.strerror}; make the folder of the ledger"
    if not os.access(folder, os.W_OK):
        return False, f"{folder}: expected a folder this user may write to; look at its owner"
    if free < FREE_BYTES_MIN:
        return False, f"{folder}: {free >> 20} MB free, expected {FREE_BYTES_MIN >> 20}; free some"
    share = share_of_disk(folder)
    if share >= alarm_share:
        return False, f"{folder}: {share:.0%} in use, the limit is {alarm_share:.0%}; free some"
    return True, f"{folder}: {free >> 20} MB free, {share:.0%} in use"


def look_at_trim(config: Config) -> Told:
    """Tell whether old entries can give their room back; None where none is old enough to matter."""
    if not config.ledger.exists():
        return None, "there is no ledger yet, and nothing to trim"
    try:
        with open_to_read(config.ledger) as connection:
            why = why_nothing(connection, Clock(config.story).now())
    except EdgeError as fault:
        return None, str(fault)
    if not why:
        return True, "old entries stand elsewhere too and give their room back at night"
    return None, f"nothing is trimmed: {why}"


def look_at_clock(config: Config, synchronised: Path = SYNCHRONISED) -> Told:
    """Tell whether the clock can be right: after this program was made and after the last entry."""
    now = Clock(config.story).now()
    if config.story is not None:
        return True, f"{to_iso(now)}, a story's clock as the configuration says"
    if now < BUILT:
        return False, f"{to_iso(now)}: this clock was never set; set it, and let NTP keep it"
    last = _last_entry(config.ledger)
    if last is not None and seconds_between(now, last) > BACK_S_MAX:
        return False, f"{to_iso(now)} is before the last entry of {to_iso(last)}; set the clock, and let NTP keep it"
    if synchronised.exists():
        return True, f"{to_iso(now)}, kept by NTP"
    return None, f"{to_iso(now)}; whether NTP keeps it is not known: look at timedatectl"


def look_at_ledger(path: Path) -> Told:
    """Tell whether the ledger is there, of this version, and whose it is."""
    if not path.exists():
        return None, f"{path}: none yet; the first start makes it"
    try:
        with open_to_read(path) as connection:
            check_known(connection, str(path))
            seen, pending = applied_steps(connection), pending_steps(connection)
            status = read_status(connection)
    except EdgeError as error:
        return False, str(error)
    more = f"; {', '.join(pending)} is added at the next start" if pending else ""
    return True, f"{path}: of {status.device}, {status.entries} entries, schema {seen[-1]}{more}"


def look_at_files(config: Config) -> Told:
    """Tell whether the files that a configuration names can be used; that of an opening until it is written."""
    opened = False
    with suppress(EdgeError), open_to_read(config.ledger) as connection:
        opened = bool(connection.query("SELECT 1 FROM meta WHERE key = ?", (OPENED,)))
    try:
        read_files(config, opened=opened)
    except BadConfig as error:
        return False, str(error).replace("\n", "; ")
    return True, "every file that the configuration names can be used"


def look_at_health(path: Path) -> Told:
    """Tell what the agent last knew to be out of order."""
    if not path.exists():
        return None, "no agent has run yet"
    try:
        with open_to_read(path) as connection:
            health = read_health(connection)
    except EdgeError as error:
        return None, str(error)
    if not health.open:
        return True, f"nothing was out of order when the agent last wrote; {health.outages} outages recorded"
    worst = health.open[0]
    where = f" antenna {worst.antenna}" if worst.antenna else ""
    more = f" and {len(health.open) - 1} more; see status" if len(health.open) > 1 else ""
    named = worst.part if worst.name == worst.part else f"{worst.part} {worst.name}"
    return None, f"{named}{where} since {to_iso(worst.began)}: {worst.reason}{more}"


def _last_entry(path: Path) -> Instant | None:
    if not path.exists():
        return None
    try:
        with open_to_read(path) as connection:
            return read_status(connection).last_wall
    except EdgeError:
        return None  # the ledger's own line says why
