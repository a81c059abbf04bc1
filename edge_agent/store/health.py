"""Outages and read rates in the edge's own file, beside the ledger: what was out of order, from when to when.

It is a diary for people and tools, not part of the chain: central never sees it, and it may be cut. The rule that must
not be broken: its rows have a limit, and an interval that was open when a run ended is closed when the next begins.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from edge_agent.core.outages import Began, Change, Ended
from edge_agent.core.rates import Rates
from edge_agent.store.connection import Connection, transaction
from protocols.values.ids import Epc
from protocols.values.instant import Instant

OUTAGES_MAX = 10_000
"""Outages that are kept, the newest: years of a quiet storeroom, a week of one with a loose cable."""
REASON_MAX = 300
BY_RECOVERY, BY_RESTART = "recovery", "restart"
WEAK_SHOWN_MAX = 10
"""Tags that are read most seldom, shown at a glance: labels to look at."""
SHOWN_MAX = 20
"""Closed outages that a glance shows."""


@dataclass(frozen=True, slots=True)
class Outage:
    """One row: `ended` None while it lasts, `ended_by` says why it is over."""

    part: str
    name: str
    antenna: int
    cause: str
    reason: str
    began: Instant
    ended: Instant | None
    ended_by: str


@dataclass(frozen=True, slots=True)
class AntennaHealth:
    """One antenna's counts as last written."""

    reader: str
    antenna: int
    rounds: int
    reads: int
    tags: int
    last_read: Instant | None


@dataclass(frozen=True, slots=True)
class WeakTag:
    """One tag at the antenna that reads it best: `rate` is its share of that antenna's rounds."""

    epc: str
    reader: str
    antenna: int
    rate: float
    rssi_dbm: float | None
    last_read: Instant | None


@dataclass(frozen=True, slots=True)
class Health:
    """What a glance shows: outages that last, the latest that are over, how many there were, antennas, weakest tags."""

    open: tuple[Outage, ...]
    latest: tuple[Outage, ...]
    outages: int
    antennas: tuple[AntennaHealth, ...]
    weakest: tuple[WeakTag, ...]


def close_left_open(connection: Connection, now: Instant) -> None:
    """End what the last run left open: nobody watched since. Raises `StoreFault`."""
    with transaction(connection):
        connection.execute(
            "UPDATE health SET ended = max(began, ?), ended_by = ? WHERE ended IS NULL", (now, BY_RESTART)
        )


def write_changes(connection: Connection, changes: Iterable[Change]) -> None:
    """Write outages that began or ended, in order, and cut the oldest beyond the limit. Raises `StoreFault`."""
    with transaction(connection):
        for change in changes:
            match change:
                case Began():
                    connection.execute(
                        "INSERT INTO health (part, name, antenna, cause, reason, began) VALUES (?, ?, ?, ?, ?, ?)",
                        (*change.key, change.reason[:REASON_MAX], change.at),
                    )
                case Ended():
                    connection.execute(
                        "UPDATE health SET ended = max(began, ?), ended_by = ? "
                        "WHERE part = ? AND name = ? AND antenna = ? AND cause = ? AND ended IS NULL",
                        (change.at, BY_RECOVERY, *change.key),
                    )
        connection.execute(
            "DELETE FROM health WHERE ended IS NOT NULL AND outage <= (SELECT max(outage) FROM health) - ?",
            (OUTAGES_MAX,),
        )


def bound_or(connection: Connection, more: Iterable[Epc]) -> Callable[[Epc], bool]:
    """Return what tells whether a tag belongs here: it is bound, or one of `more`. Raises `StoreFault`."""
    known = {Epc(epc) for (epc,) in connection.query("SELECT epc FROM binding")} | set(more)
    return known.__contains__


def write_rates(connection: Connection, rates: Rates) -> None:
    """Write the counts of this run over those of the last time. Raises `StoreFault`."""
    with transaction(connection):
        connection.execute("DELETE FROM antenna_rate")
        connection.execute("DELETE FROM tag_rate")
        connection.executemany(
            "INSERT INTO antenna_rate (reader, antenna, rounds, reads, last_read) VALUES (?, ?, ?, ?, ?)",
            [(*key, rate.rounds, rate.reads, rate.last_read) for key, rate in rates.antennas.items()],
        )
        connection.executemany(
            "INSERT INTO tag_rate (reader, antenna, epc, rounds, rssi_dbm, last_read) VALUES (?, ?, ?, ?, ?, ?)",
            [(*key, rate.rounds, rate.rssi_dbm, rate.last_read) for key, rate in rates.tags.items()],
        )


def read_health(connection: Connection) -> Health:
    """Return what a glance shows. Raises `StoreFault`."""
    columns = "SELECT part, name, antenna, cause, reason, began, ended, ended_by FROM health"
    lasting = connection.query(f"{columns} WHERE ended IS NULL ORDER BY outage")
    latest = connection.query(f"{columns} WHERE ended IS NOT NULL ORDER BY outage DESC LIMIT ?", (SHOWN_MAX,))
    ((outages,),) = connection.query("SELECT COUNT(*) FROM health")
    antennas = connection.query(
        "SELECT a.reader, a.antenna, a.rounds, a.reads, COUNT(t.epc), a.last_read FROM antenna_rate a "
        "LEFT JOIN tag_rate t USING (reader, antenna) GROUP BY a.reader, a.antenna ORDER BY a.reader, a.antenna"
    )
    weakest = connection.query(
        "SELECT t.epc, t.reader, t.antenna, MAX(1.0 * t.rounds / a.rounds) AS rate, t.rssi_dbm, t.last_read "
        "FROM tag_rate t JOIN antenna_rate a USING (reader, antenna) WHERE a.rounds > 0 "
        "GROUP BY t.epc ORDER BY rate, t.epc LIMIT ?",
        (WEAK_SHOWN_MAX,),
    )
    return Health(
        open=tuple(Outage(*row) for row in lasting),
        latest=tuple(Outage(*row) for row in latest),
        outages=outages,
        antennas=tuple(AntennaHealth(*row) for row in antennas),
        weakest=tuple(WeakTag(*row) for row in weakest),
    )
