"""How full the ledger's disk is, and what follows: somebody is told, then only people's acts are still written.

The rule that must not be broken: what is shed comes back or is said again; a person's act is never shed.
"""

import os
from pathlib import Path

from edge_agent.agent.health import Watch
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config.upkeep import DiskConfig
from edge_agent.core.outages import Key
from edge_agent.store.connection import Connection

LOOK_EVERY_S = 10.0
"""Link seconds between two looks while nothing is written."""
BACK_SHARE = 0.02
"""An alarm ends only so far below its limit: a disk at the limit does not ring all day."""
FULL = Key("disk", "disk", 0, "full")


def share_of_disk(folder: Path) -> float:
    """Return which share of a folder's disk is in use, as df(1) counts; 0 where it cannot be asked."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0.0
    used = found.f_blocks - found.f_bfree
    return used / (used + found.f_bavail) if used + found.f_bavail else 0.0


def share_of_file(connection: Connection, max_pages: int | None) -> float:
    """Return which share of its own limit a ledger's file has taken; 0 without one. Raises `StoreFault`."""
    if max_pages is None:
        return 0.0
    ((pages,),) = connection.query("PRAGMA page_count")
    ((free,),) = connection.query("PRAGMA freelist_count")
    return float((pages - free) / max_pages)


class Disk:
    """The disk under one ledger. `share` is as last looked; `sheds` tells that only people's acts are written."""

    def __init__(
        self, folder: Path, max_pages: int | None, config: DiskConfig, *, watch: Watch, clock: Clock, voice: Voice
    ) -> None:
        self._folder, self._max_pages, self._config = folder, max_pages, config
        self._watch, self._clock, self._voice = watch, clock, voice
        self._due_s = 0.0
        self._alarm = False
        self.share, self.sheds = 0.0, False

    def tick(self, connection: Connection) -> None:
        """Look now and then. Raises `StoreFault`."""
        if self._clock.link_s() >= self._due_s:
            self.look(connection)

    def look(self, connection: Connection) -> None:
        """Look now, and say what changed. Raises `StoreFault`."""
        self._due_s = self._clock.link_s() + LOOK_EVERY_S
        self.share = max(share_of_disk(self._folder), share_of_file(connection, self._max_pages))
        shed, alarm = self._config.shed_share, self._config.alarm_share
        sheds = self.share >= (shed - BACK_SHARE if self.sheds else shed)
        alarmed = self.share >= (alarm - BACK_SHARE if self._alarm else alarm)
        if alarmed and not self._alarm:
            self._watch.down(FULL, f"{self._folder}: {self.share:.0%} in use, the limit is {alarm:.0%}; free some room")
            self._voice.alarm("disk", f"{self.share:.0%} in use; at {shed:.0%} only what people do is written")
        if self._alarm and not alarmed:
            self._watch.up(FULL)
            self._voice.say("disk", f"{self.share:.0%} in use, there is room again")
        if sheds != self.sheds:
            said = "what readers believe and the tap wait, people's acts go on" if sheds else "everything is written"
            self._voice.alarm("disk", f"{self.share:.0%} in use: {said}")
        self._alarm, self.sheds = alarmed, sheds
