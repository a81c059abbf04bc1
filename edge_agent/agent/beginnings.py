"""What a configuration and its files give an agent before its first turn: opening, items, room, bins, panel.

It reads files and makes values; it runs nothing. The rule that must not be broken: an opening is posted once in a
ledger's life, in one transaction, under the event ids that a lost ledger gave it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from edge_agent.clock import Pen
from edge_agent.config import Config
from edge_agent.core.kanban import Bin, Kanban
from edge_agent.core.opening import Piece, opening_drafts, opening_id
from edge_agent.core.work.scene import Mode, Room
from edge_agent.errors import BadConfig
from edge_agent.store.feed import FILE, Row, checksum_at, checksum_of, take_snapshot, version_of
from edge_agent.store.ledger import Ledger
from edge_agent.store.master import item_rows, read_bins, read_cards, read_opening, read_patient_key
from edge_agent.store.needs import noted_cards
from edge_agent.store.queries import bound_epcs
from protocols.values.ids import ActorId
from protocols.values.instant import Instant

if TYPE_CHECKING:
    from edge_agent.links.panel import Panel

T = TypeVar("T")

OPENED = "opening"
"""The word in the ledger's file that says its opening was written."""


@dataclass(frozen=True, slots=True)
class Files:
    """What the files say that a configuration names; `items` None where it names none, `pieces` once opened."""

    items: list[Row] | None
    pieces: list[Piece] | None
    holders: dict[str, ActorId]
    bins: list[Bin]
    patient_key: bytes


def read_files(config: Config, *, opened: bool) -> Files:
    """Read every file that a configuration names; that of an opening only until the ledger is `opened`.

    Raises `BadConfig` with the faults of all of them, each under its key.
    """
    faults: list[str] = []

    def read(key: str, path: Path | None, reader: Callable[[Path], T], none: T) -> T:
        try:
            return none if path is None else reader(path)
        except BadConfig as error:
            faults.extend(f"{key}: {line}" for line in str(error).splitlines())
            return none

    items: list[Row] | None = read("master.items", config.items, item_rows, None)
    known = None if items is None else {row.key for row in items}
    opening = None if opened else config.opening
    files = Files(
        items=items,
        pieces=read("master.opening", opening, lambda path: read_opening(path, known), None),
        holders=read("master.cards", config.cards, read_cards, {}),
        bins=read("master.bins", config.bins, read_bins, []),
        patient_key=read("visit.patient_key", config.patient_key, read_patient_key, b""),
    )
    if faults:
        raise BadConfig("\n".join(faults))
    return files


def is_opened(ledger: Ledger) -> bool:
    """Tell whether the opening stands in the ledger."""
    return ledger.noted(OPENED) is not None


def write_opening(ledger: Ledger, pen: Pen, config: Config, files: Files) -> int:
    """Bind and post the pieces of an opening that is not written yet, in one transaction; returns how many."""
    if files.pieces is None:
        return 0
    bound = bound_epcs(ledger.connection)
    pieces = [piece for piece in files.pieces if piece.epc not in bound]
    with ledger.group():
        for draft in opening_drafts(pieces, config.device.place):
            ledger.append([pen.entry(draft, opening_id(config.device.place, draft))])
        ledger.note(OPENED, str(len(pieces)))
    return len(pieces)


def take_items(ledger: Ledger, files: Files, now: Instant) -> None:
    """Take the list of items beside the configuration into the master data, unless it stands there already."""
    if files.items is None:
        return
    checksum = checksum_of(files.items)
    if checksum != checksum_at(ledger.connection, FILE):
        version = version_of(ledger.connection, FILE) + 1
        take_snapshot(ledger.connection, FILE, version, files.items, checksum=checksum, now=now)


def make_room(config: Config, files: Files) -> Room:
    """Return what the configuration says of the storeroom."""
    mode = Mode(config.device.mode)
    return Room(config.device.place, mode=mode, patient_key=files.patient_key, blind_counts=config.blind_counts)


def make_kanban(config: Config, files: Files, ledger: Ledger, now: Instant) -> Kanban:
    """Return the bins that are filled by card, as the ledger last noted them. Raises `StoreFault`."""
    antennas = {each.name: frozenset(each.kanban) for each in config.readers if each.kanban}
    return Kanban(files.bins, noted_cards(ledger.connection) if files.bins else {}, antennas, now)


def open_panel(config: Config) -> "Panel | None":
    """Return the ward panel's server where one is configured; only then its library is loaded. Raises `LinkFault`."""
    if config.panel is None:
        return None
    from edge_agent.links.panel import Panel

    return Panel(config.panel.host, config.panel.port)
