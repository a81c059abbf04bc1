"""What the agent does all day: it waits for what happens, and takes a turn with what has come.

A turn answers people first, then hears readers and central, then writes what nobody waits for. It holds no rule about
stock and writes nothing itself (`writer`). The rule that must not be broken: nothing of a turn comes before its scans.
"""

import os
from collections.abc import Callable, Sequence

from edge_agent.agent.counter import Scan
from edge_agent.agent.inbox import (
    BrokerDown,
    BrokerSaid,
    BrokerUp,
    Happening,
    Inbox,
    ReaderClosed,
    ReaderOpened,
    ReaderSaid,
    ScannerClosed,
    ScannerOpened,
    ScannerSaid,
)
from edge_agent.agent.later import load_what_comes_later
from edge_agent.agent.parts import Parts
from edge_agent.agent.writer import Writer
from edge_agent.config import Config

TURN_WAIT_S = 0.25
"""Longest wait of one turn: how soon a signal is obeyed."""
PAUSE_S = 2.0
"""Link seconds without a scan after which nobody is at a scanner, and the ledger's file may be tidied."""


class Agent:
    """One agent at work. `ready` is called once it serves a scanner."""

    def __init__(
        self, config: Config, parts: Parts, writer: Writer, inbox: Inbox, *, ready: Callable[[], None]
    ) -> None:
        self._folder, self._parts, self._writer, self._inbox = config.ledger.parent, parts, writer, inbox
        self._clock, self._ready = parts.clock, ready
        self._serves = False
        self._scanned_s = self._clock.link_s()

    def live(self) -> None:
        """Take turns until asked to stop. Raises `StoreFault` when the ledger cannot be opened again after a fault."""
        parts = self._parts
        parts.links.open_scanners()
        parts.window.open()
        parts.upkeep.live()
        try:
            self._turn(self._inbox.gather(TURN_WAIT_S))  # whoever stands at a scanner already is served first
            parts.links.open_the_rest()
            load_what_comes_later()
            while not self._inbox.stopped:
                self._turn(self._inbox.gather(self._wait_s()))
            self._writer.finish()
            parts.shelf.stop(self._clock.link_now())
            parts.watch.end(self._writer.ledger)
            parts.memory.write()
            parts.upkeep.end(self._writer.ledger)
        finally:
            parts.upkeep.stop()
            parts.links.stop()
            parts.window.close()
            if parts.tap is not None:
                parts.tap.close()
        parts.voice.say("agent", f"ends: {self._inbox.why_stopped}")

    def _turn(self, happenings: Sequence[Happening]) -> None:
        parts, writer = self._parts, self._writer
        scans: list[Scan] = []
        for happening in happenings:
            if isinstance(happening, ScannerOpened | ScannerSaid | ScannerClosed):
                scans += parts.counter.take(happening)
        scans = parts.bins.sift(scans)
        if scans:
            self._scanned_s = self._clock.link_s()
        writer.write_needs()
        writer.write_scans(scans)
        for happening in happenings:
            self._take(happening)
        self._tick()
        writer.write_the_rest()
        parts.upkeep.tick(writer.ledger, quiet=self._clock.link_s() - self._scanned_s >= PAUSE_S)
        parts.uplink.tick(now=self._clock.now(), free_bytes=self._free_bytes)
        parts.window.show(writer.ledger, parts.counter, after_scans=bool(scans))

    def _take(self, happening: Happening) -> None:
        parts = self._parts
        parts.watch.take(happening)
        parts.bins.take(happening)
        match happening:
            case ReaderOpened() | ReaderSaid() | ReaderClosed():
                parts.shelf.take(happening, self._clock.link_now())
            case BrokerUp():
                parts.uplink.up()
            case BrokerDown():
                parts.uplink.down(happening.reason)
            case BrokerSaid():
                parts.uplink.said(happening.data)
            case ScannerOpened():
                if not self._serves:
                    self._serves = True
                    self._ready()
            case ScannerSaid() | ScannerClosed():
                pass  # answered already

    def _tick(self) -> None:
        """Let every part notice what time it is."""
        parts = self._parts
        parts.shelf.tick(self._clock.link_now())
        parts.watch.tick()
        parts.memory.keep(self._clock.link_s())
        parts.signals.tick()
        if parts.tap is not None:
            parts.tap.flush()

    def _wait_s(self) -> float:
        """Return how long nothing is due."""
        if self._writer.more:
            return 0.0
        link_s = self._clock.link_s()
        reader = self._parts.shelf.due()
        waits = [TURN_WAIT_S, self._parts.uplink.due_s() - link_s]
        if reader is not None:
            waits.append((reader - self._clock.link_now()) / 1_000_000)
        return max(0.0, min(waits))

    @property
    def _free_bytes(self) -> int:
        try:
            disk = os.statvfs(self._folder)
        except OSError:
            return 0
        return disk.f_bavail * disk.f_frsize
