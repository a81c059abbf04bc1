"""`doctor --scan NAME`: tells a person which label to scan, waits, and says what the scanner made of it."""

import sys
import threading
from collections.abc import Iterator
from queue import Full, Queue

from edge_agent.agent.doctor import Finding
from edge_agent.agent.scan_trial import TYPED_MAX, how_to_scan, try_scan
from edge_agent.config import Config, ScannerConfig
from edge_agent.config.scanners import CARD
from edge_agent.errors import BadConfig
from edge_agent.store.lock import hold_alone


def examine_scan(config: Config, name: str, *, quiet: bool) -> Iterator[Finding]:
    """Wait for one scan of the test label, and tell what it shows.

    Raises `BadConfig` for a name that is no scanner's, `StoreFault` beside a running agent.
    """
    scanner = _named(config, name)
    if not quiet:
        for line in how_to_scan():
            print(line, flush=True)
    with hold_alone(config.ledger):
        verdict = try_scan(scanner, _typed_lines())
    part = f"scanner {name}"
    if not verdict.faults:
        yield Finding(part, True, "is set right: identifier, separator and suffix came as they should")
    yield from (Finding(part, False, fault) for fault in verdict.faults)


def _named(config: Config, name: str) -> ScannerConfig:
    for each in config.scanners:
        if each.name == name and each.kind != CARD:
            return each
    known = ", ".join(each.name for each in config.scanners if each.kind != CARD)
    raise BadConfig(f"--scan: expected one of the scanners {known}, got {name!r:.40}")


def _typed_lines() -> "Queue[str]":
    """Return what is typed into this window from now on: a scanner that is a keyboard types there."""
    typed: Queue[str] = Queue(TYPED_MAX)

    def read() -> None:
        for line in sys.stdin:
            try:
                typed.put_nowait(line)
            except Full:
                return

    if sys.stdin is not None and not sys.stdin.closed:
        threading.Thread(target=read, name="typed", daemon=True).start()
    return typed
