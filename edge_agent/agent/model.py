"""Which model of presence the agent runs, what the ledger tells it at the start, and its memory on the disk.

The memory is a file beside the ledger, written anew every quarter of an hour of the story, soon after the door has
heard a piece, and at the end, whole or not at all. It is a cache: one that is missing, damaged or of another version is
told and left, and the model learns anew. The rule that must not be broken: a model of presence never keeps the agent
from serving a scan.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from edge_agent.agent.voice import Voice
from edge_agent.config import Config
from edge_agent.core.book import effect_of
from edge_agent.core.presence import Presence
from edge_agent.core.presence.window import Window
from edge_agent.store.connection import Connection
from edge_agent.store.ledger import Ledger
from edge_agent.store.queries import known_tags, sighted_tags, tags_of_units
from protocols.entry import Entry
from protocols.errors import BadValue, ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.counts import CountBody
from protocols.movements.tags import SIGHTED, ObserveBody
from protocols.values.ids import DeviceId, Epc, PlaceId

if TYPE_CHECKING:
    from edge_agent.core.presence.live import Filter

KEEP_EVERY_S = 900.0
"""Story seconds between two writings: what is lost by a crash is learned again within as long."""
KEEP_SOON_S = 60.0
"""The same after the door has heard a piece: silence alone does not tell a piece that left from one that is hidden."""
KEEP_LEAST_S = 1.0
"""Link seconds that they are apart at least, however fast the story runs."""
MEMORY = "presence.mem"
HERE_FROM = 0.5
"""From this probability a stranger was said to stand here."""
COUNTS = frozenset({"count_daily", "count_monthly"})
MEMORY_BYTES_MAX = 200_000_000


def make_presence(config: Config) -> Presence:
    """Return the configured model of presence."""
    round_s = max((reader.round_s for reader in config.readers), default=1.0)
    fixed = {epc for reader in config.readers for _, epc in reader.reference}
    if config.presence == "filter":
        from edge_agent.core.presence.live import Filter  # only who uses it pays for it at the start

        return Filter(
            {reader.name: (*reader.antennas, *reader.door, *reader.next) for reader in config.readers},
            round_s=round_s,
            door=[(reader.name, antenna) for reader in config.readers for antenna in reader.door],
            beside=[(reader.name, antenna) for reader in config.readers for antenna in reader.next],
            fixed=frozenset(fixed),
        )
    antennas = {reader.name: reader.antennas for reader in config.readers}
    return Window(antennas, round_s=round_s, window_s=config.window_s, fixed=fixed)


def remember(presence: Presence, ledger: Ledger, config: Config) -> None:
    """Tell a fresh model of presence what the ledger knows."""
    for tag in known_tags(ledger.connection, config.device.place):
        presence.book(tag.epc, tag.here, tag.booked_at, tag.position)
        if tag.p is not None:
            presence.believed(tag.epc, tag.p, tag.since)
    for epc, p, since in sighted_tags(ledger.connection, HERE_FROM):
        presence.believed(epc, p, since)


def hear(
    presence: Presence, connection: Connection, facts: Iterable[tuple[DeviceId, Entry]], device: DeviceId, ward: PlaceId
) -> None:
    """Tell the model what came from central: where units are now, and which of them other storerooms hear.

    Own entries are among it after a disk was lost.
    """
    for who, entry in facts:
        try:
            tell(presence, connection, [entry], ward)
            said = read_body(entry.body, ObserveBody) if entry.kind == "observe" else None
        except ProtocolsError:
            continue  # kept with the reason, and posted by none
        if said is not None and said.model == SIGHTED and who != device:
            presence.sighted(Epc(said.epc), said.p)


def tell(presence: Presence, connection: Connection, entries: Sequence[Entry], ward: PlaceId) -> None:
    """Tell the model what was just written: where units are now, and what a person who counted saw.

    A count by the device itself is the model's own word and is not told.
    """
    moved = {one.unit for entry in entries for one in effect_of(entry.kind, entry.body).moved}
    for tag in tags_of_units(connection, moved, ward):
        presence.book(tag.epc, tag.here, tag.booked_at, tag.position)
    counts = [entry for entry in entries if entry.kind in COUNTS and entry.actor]
    seen = [(line, entry.wall) for entry in counts for line in read_body(entry.body, CountBody).lines if line.unit]
    for line, at in seen:
        for tag in tags_of_units(connection, [line.unit], ward):
            presence.seen(tag.epc, line.qty > 0, at)


class Memory:
    """The memory of a model that has one; every other model needs none."""

    def __init__(self, presence: Presence, ledger: Path, voice: Voice, *, story_rate: float = 1.0) -> None:
        self._filter = None if isinstance(presence, Window) else cast("Filter", presence)
        self._every_s, self._soon_s = (max(KEEP_LEAST_S, each / story_rate) for each in (KEEP_EVERY_S, KEEP_SOON_S))
        self._path, self._voice = ledger.with_name(MEMORY), voice
        self._kept_s: float | None = None

    def recall(self) -> None:
        """Give the model what the last run kept."""
        if self._filter is None or not self._path.exists():
            return
        from edge_agent.core.presence.memory import recall

        try:
            with self._path.open("rb") as file:
                tags = recall(self._filter, file.read(MEMORY_BYTES_MAX))
            self._voice.say("presence", f"goes on with what was learned of {tags} tags")
        except (OSError, BadValue) as fault:
            self._voice.say("presence", f"learns anew: {fault}")

    def keep(self, link_s: float) -> None:
        """Write when it is time."""
        if self._kept_s is None:
            self._kept_s = link_s
        soon = self._filter is not None and self._filter.door_spoke
        if link_s >= self._kept_s + (self._soon_s if soon else self._every_s):
            self._kept_s = link_s
            self.write()

    def write(self) -> None:
        """Write now; a disk that refuses is told, and the old memory stays."""
        if self._filter is None:
            return
        from edge_agent.core.presence.memory import remembered

        new = self._path.with_suffix(".new")
        try:
            new.write_bytes(remembered(self._filter))
            os.replace(new, self._path)
            self._filter.door_spoke = False
        except OSError as fault:
            self._voice.say_counted("presence", f"its memory is not kept: {fault.strerror}")
