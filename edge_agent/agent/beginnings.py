"""What a configuration and its files give an agent before its first turn: opening, items, room, bins, panel.

It reads files and makes values; it runs nothing. The rule that must not be broken: an opening is posted once in a
ledger's life, in one transaction, under the event ids that a lost ledger gave it.
"""

from typing import TYPE_CHECKING

from edge_agent.clock import Pen
from edge_agent.config import Config
from edge_agent.core.kanban import Kanban
from edge_agent.core.opening import opening_drafts, opening_id
from edge_agent.core.work.scene import Mode, Room
from edge_agent.store.feed import FILE, checksum_at, checksum_of, take_snapshot, version_of
from edge_agent.store.ledger import Ledger
from edge_agent.store.master import item_rows, read_bins, read_items, read_opening, read_patient_key
from edge_agent.store.needs import noted_cards
from edge_agent.store.queries import bound_epcs
from protocols.values.instant import Instant

if TYPE_CHECKING:
    from edge_agent.links.panel import Panel

OPENED = "opening"
"""The word in the ledger's file that says its opening was written."""


def write_opening(ledger: Ledger, pen: Pen, config: Config) -> int:
    """Bind and post the pieces of the opening once in a ledger's life, in one transaction; returns how many."""
    if config.opening is None or ledger.noted(OPENED) is not None:
        return 0
    items = None if config.items is None else read_items(config.items)
    bound = bound_epcs(ledger.connection)
    pieces = [piece for piece in read_opening(config.opening, items) if piece.epc not in bound]
    with ledger.group():
        for draft in opening_drafts(pieces, config.device.place):
            ledger.append([pen.entry(draft, opening_id(config.device.place, draft))])
        ledger.note(OPENED, str(len(pieces)))
    return len(pieces)


def take_items(ledger: Ledger, config: Config, now: Instant) -> None:
    """Take the list of items beside the configuration into the master data, unless it stands there already."""
    if config.items is None:
        return
    rows = item_rows(config.items)
    checksum = checksum_of(rows)
    if checksum != checksum_at(ledger.connection, FILE):
        version = version_of(ledger.connection, FILE) + 1
        take_snapshot(ledger.connection, FILE, version, rows, checksum=checksum, now=now)


def make_room(config: Config) -> Room:
    """Return what the configuration says of the storeroom. Raises `BadConfig`."""
    key = b"" if config.patient_key is None else read_patient_key(config.patient_key)
    return Room(config.device.place, mode=Mode(config.device.mode), patient_key=key, blind_counts=config.blind_counts)


def make_kanban(config: Config, ledger: Ledger, now: Instant) -> Kanban:
    """Return the bins that are filled by card, as the ledger last noted them. Raises `BadConfig`, `StoreFault`."""
    bins = [] if config.bins is None else read_bins(config.bins)
    antennas = {each.name: frozenset(each.kanban) for each in config.readers if each.kanban}
    return Kanban(bins, noted_cards(ledger.connection) if bins else {}, antennas, now)


def open_panel(config: Config) -> "Panel | None":
    """Return the ward panel's server where one is configured; only then its library is loaded. Raises `LinkFault`."""
    if config.panel is None:
        return None
    from edge_agent.links.panel import Panel

    return Panel(config.panel.host, config.panel.port)
