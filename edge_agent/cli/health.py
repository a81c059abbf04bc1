"""The health of an edge as `status` shows it: what is out of order, what was, and how often each antenna reads."""

from dataclasses import asdict

from edge_agent.store.connection import Connection
from edge_agent.store.health import AntennaHealth, Health, Outage, WeakTag, read_health
from protocols.values.instant import Instant, seconds_between, to_iso

WEAK_RATE = 0.1
"""A tag that its best antenna reads in fewer rounds is told to a person."""
LINES_MAX = 5
"""Past outages told to a person; `--json` tells more, the table `health` all."""


def health_of(connection: Connection) -> Health | None:
    """Return the health, None for a file of an older version that has no such tables. Raises `StoreFault`."""
    there = connection.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'health'")
    return read_health(connection) if there else None


def health_json(health: Health | None) -> object:
    """Return the health for a script; times as ISO text, `seconds` of an outage that is over."""
    if health is None:
        return None
    return {
        "ok": not health.open,
        "open": [_outage(each) for each in health.open],
        "latest": [_outage(each) for each in health.latest],
        "outages": health.outages,
        "weakest": [{**asdict(each), "last_read": _iso(each.last_read)} for each in health.weakest],
        "antennas": [{**asdict(each), "last_read": _iso(each.last_read)} for each in health.antennas],
    }


def health_lines(health: Health | None) -> list[str]:
    """Return the health for a person, one line each."""
    if health is None:
        return []
    lines = [f"{'OUT OF ORDER':<15}{_name(each)} since {to_iso(each.began)}: {each.reason}" for each in health.open]
    lines = lines or [f"{'parts':<15}all in order, {health.outages} outages recorded"]
    lines += [f"{'was out':<15}{_was(each)}" for each in health.latest[:LINES_MAX]]
    lines += [f"{'antenna':<15}{_rate(each)}" for each in health.antennas]
    weak = [each for each in health.weakest if each.rate < WEAK_RATE]
    return lines + [f"{'weak tag':<15}{_weak(each)}" for each in weak[:LINES_MAX]]


def _weak(each: WeakTag) -> str:
    where = f"reader {each.reader} antenna {each.antenna}"
    return f"{each.epc} is read in {each.rate:.0%} of the rounds of {where} at best; look at its label"


def _outage(each: Outage) -> dict[str, object]:
    seconds = None if each.ended is None else seconds_between(each.began, each.ended)
    return {**asdict(each), "began": _iso(each.began), "ended": _iso(each.ended), "seconds": seconds}


def _iso(at: Instant | None) -> str | None:
    return None if at is None else to_iso(at)


def _name(each: Outage) -> str:
    where = f" antenna {each.antenna}" if each.antenna else ""
    named = each.part if each.name == each.part else f"{each.part} {each.name}"
    return f"{'reader ' + each.name if each.part == 'antenna' else named}{where} ({each.cause})"


def _was(each: Outage) -> str:
    ended = each.ended or each.began
    how = "" if each.ended_by == "recovery" else f", ended by {each.ended_by}"
    return f"{_name(each)} from {to_iso(each.began)} for {seconds_between(each.began, ended):.0f} s{how}: {each.reason}"


def _rate(each: AntennaHealth) -> str:
    said = f"{each.reads} reads of {each.tags} known tags in {each.rounds} rounds"
    last = "never" if each.last_read is None else f"last at {to_iso(each.last_read)}"
    return f"reader {each.reader} antenna {each.antenna}: {said}, {last}"
