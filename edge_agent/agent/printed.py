"""Labels that were printed beside the agent: each good one's tag is bound in the ledger, which only the agent writes.

The printing tool leaves them in the file beside the ledger (`store.labels`); here they are looked for once that file
has changed. The rule that must not be broken: a label is struck off that file only after its `bind_tag` entry is on the
disk, and a tag that the book knows is not bound a second time.
"""

import math
from contextlib import suppress
from pathlib import Path

from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.recognise import Draft
from edge_agent.errors import StoreFault
from edge_agent.store.catalogue import product_of
from edge_agent.store.connection import Connection
from edge_agent.store.labels import SUFFIX, Good, open_labels
from edge_agent.store.ledger import Ledger
from protocols.entry import ChainedEntry
from protocols.movements.bodies import write_body
from protocols.movements.tags import BindBody, Binding
from protocols.values.ids import ActorId, Epc

LOOK_EVERY_S = 1.0
"""Link seconds between two looks whether the file has changed."""
AGAIN_S = 300.0
"""Link seconds after which labels of an unknown product are tried again: the hospital's data may tell by now."""
DEVICE = ActorId("")


class PrintedLabels:
    """The labels printed for one storeroom."""

    def __init__(self, ledger: Path, *, clock: Clock, voice: Voice) -> None:
        self._ledger = ledger
        self._files = [ledger.with_name(ledger.name + SUFFIX + end) for end in ("", "-wal")]
        self._clock, self._voice = clock, voice
        self._looked_s, self._again_s = -math.inf, math.inf
        self._seen: tuple[int, ...] = ()

    @property
    def due(self) -> bool:
        """Tell whether labels may wait."""
        link_s = self._clock.link_s()
        if link_s - self._looked_s < LOOK_EVERY_S:
            return False
        self._looked_s = link_s
        return self._marks() not in ((), self._seen) or link_s >= self._again_s

    def write(self, ledger: Ledger, pen: Pen) -> list[ChainedEntry]:
        """Bind what waits, one entry a turn. Raises `StoreFault` for the ledger; then it is due again.

        A fault of the labels' own file is told and waited out: nobody at the shelf is kept for it.
        """
        self._seen, self._again_s = self._marks(), math.inf
        try:
            with open_labels(self._ledger) as labels:
                waiting = labels.waiting()
        except StoreFault as fault:
            return self._wait(str(fault))
        fresh = [one for one in waiting if not _is_bound(ledger.connection, one)]
        named = {one.epc: _binding(ledger.connection, one) for one in fresh}
        bindings = [binding for binding in named.values() if binding is not None]
        written: list[ChainedEntry] = []
        if bindings:
            self._seen = ()  # whatever follows fails: look again
            written = ledger.append([pen.entry(Draft("bind_tag", write_body(BindBody(tuple(bindings))), DEVICE))])
            self._voice.say("labels", f"{len(bindings)} printed labels bound to their tags")
        self._strike_off([one.epc for one in waiting if named.get(one.epc, one) is not None])
        nameless = len(named) - len(bindings)
        if nameless:
            self._wait(f"{nameless} printed labels are of products not known here yet")
        return written

    def _strike_off(self, epcs: list[Epc]) -> None:
        if not epcs:
            return
        try:
            with open_labels(self._ledger) as labels:
                labels.bound(epcs)
        except StoreFault as fault:
            self._wait(str(fault))

    def _wait(self, said: str) -> list[ChainedEntry]:
        self._voice.say_counted("labels", f"{said}; tried again in {AGAIN_S:g} s")
        self._again_s = self._clock.link_s() + AGAIN_S
        return []

    def _marks(self) -> tuple[int, ...]:
        """Return what changes whenever the file does; empty while nothing was ever printed."""
        marks = []
        for file in self._files:
            with suppress(OSError):
                marks.append(file.stat().st_mtime_ns)
        return tuple(marks)


def _is_bound(connection: Connection, label: Good) -> bool:
    return bool(connection.query("SELECT 1 FROM binding WHERE epc = ?", (label.epc,)))


def _binding(connection: Connection, label: Good) -> Binding | None:
    product = product_of(connection, label.gtin)
    if product is None:
        return None
    return Binding(label.epc, product[0], label.gtin, label.lot, label.serial, label.expiry)
