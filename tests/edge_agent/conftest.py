"""Entries and ledgers for the edge's tests: real SQLite files, time and chance as values."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from edge_agent.store.ledger import Ledger, open_ledger
from protocols.entry import ClockQuality, Entry, encode_body
from protocols.values.hlc import Hlc, next_hlc
from protocols.values.ids import ActorId, BootId, DeviceId, Incarnation, make_event_id
from protocols.values.instant import Instant, from_iso, plus

WARD = DeviceId("ward-01")
START = from_iso("2026-03-02T16:00:00+08:00")
BORN = Incarnation(bytes(range(16)))


@dataclass
class Scribe:
    """Writes entries one story second apart, each id different."""

    now: Instant = START
    hlc: Hlc = field(default_factory=lambda: Hlc(0))
    count: int = 0
    boot: BootId = field(default_factory=lambda: BootId(b"b" * 16))

    def entry(self, kind: str, body: Mapping[str, object], actor: str = "") -> Entry:
        self.count += 1
        self.now = plus(self.now, 1)
        self.hlc = next_hlc(self.hlc, self.now)
        event = make_event_id(self.now // 1000, self.count.to_bytes(10, "big"))
        return Entry(
            event,
            self.hlc,
            self.now,
            self.count,
            self.boot,
            ClockQuality.FREE,
            kind,
            1,
            encode_body(body),
            ActorId(actor),
        )

    def opening(self, *units: str, item: str = "C001", lot: str = "L1") -> Entry:
        line = {"item": item, "lot": lot, "qty": 1, "source": "opening@ward-01", "target": "ward-01"}
        return self.entry("opening", {"lines": [{**line, "unit": unit, "target_position": "S1"} for unit in units]})

    def issue(self, unit: str, actor: str = "1001", item: str = "C001", lot: str = "L1") -> Entry:
        line = {"item": item, "lot": lot, "qty": 1, "unit": unit, "source": "ward-01", "source_position": "S1"}
        return self.entry("issue", {"lines": [{**line, "target": "issued@ward-01"}]}, actor)

    def bind(self, *epcs: str, item: str = "C001", gtin: str = "09506000134352") -> Entry:
        bindings = [{"epc": epc, "item": item, "gtin": gtin, "lot": "L1", "serial": epc[-4:]} for epc in epcs]
        return self.entry("bind_tag", {"bindings": bindings})

    def visit(self, phase: str = "begin", actor: str = "1001") -> Entry:
        return self.entry("visit", {"phase": phase}, actor)

    def observe(self, epc: str, p: float = 0.99) -> Entry:
        return self.entry("observe", {"epc": epc, "p": p, "model": "window-1", "since": START})


@pytest.fixture
def scribe() -> Scribe:
    return Scribe()


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def open_again(ledger_path: Path) -> Iterator[Callable[..., Ledger]]:
    """Open the same file as often as a test likes; everything is closed at its end."""
    opened: list[Ledger] = []

    def open_one(max_pages: int | None = None) -> Ledger:
        opened.append(open_ledger(ledger_path, WARD, newborn=BORN, now=START, max_pages=max_pages))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def ledger(open_again: Callable[..., Ledger]) -> Ledger:
    return open_again()
