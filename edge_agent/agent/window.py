"""When the ward panel is shown what stands now: at once after a scan, else now and then, and to nobody for nothing.

What it shows is `board`'s, how it is served `links/panel`'s. The rule that must not be broken: nobody waits for the
panel; a look that takes long is followed by a longer pause.
"""

import math
from typing import TYPE_CHECKING

from edge_agent.agent.board import board
from edge_agent.agent.counter import Counter
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.store.ledger import Ledger

if TYPE_CHECKING:
    from edge_agent.links.panel import Panel

PANEL_SHARE = 20.0
"""A look that takes long is followed by a pause so many times as long: the panel holds nobody up."""
PANEL_EVERY_S = 0.5
"""Link seconds between two looks of the panel at the book while nobody scans."""


class Window:
    """The agent's side of the panel; None where no panel is configured."""

    def __init__(self, panel: "Panel | None", *, clock: Clock, voice: Voice) -> None:
        self._panel, self._clock, self._voice = panel, clock, voice
        self._due_s = -math.inf

    def open(self) -> None:
        """Begin to serve."""
        if self._panel is not None:
            self._panel.start()
            self._voice.say("panel", f"http://{self._panel.address}")

    def close(self) -> None:
        """Serve no more."""
        if self._panel is not None:
            self._panel.stop()

    def show(self, ledger: Ledger, counter: Counter, *, after_scans: bool) -> None:
        """Show what stands now, if somebody looks and it is time. Raises `StoreFault`."""
        panel, began_s = self._panel, self._clock.link_s()
        if panel is None or not panel.watched or (began_s < self._due_s and not after_scans):
            return
        panel.publish(
            board(ledger, counter.room, counter.visits, counter.answers, self._clock.now(), counter.lease_now())
        )
        ended_s = self._clock.link_s()
        self._due_s = ended_s + max(PANEL_EVERY_S, PANEL_SHARE * (ended_s - began_s))
