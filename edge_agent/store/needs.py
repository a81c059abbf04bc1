"""When the ledger last noted each bin's card as empty."""

from edge_agent.core.kanban import BINS_MAX
from edge_agent.store.connection import Connection
from protocols.movements.bodies import read_body
from protocols.movements.reports import NeedBody
from protocols.values.instant import Instant


def noted_cards(connection: Connection) -> dict[str, Instant]:
    """Return each card and the instant of its newest need, of the newest `BINS_MAX` needs. Raises `StoreFault`."""
    rows = connection.query(
        "SELECT body, wall FROM ledger WHERE kind = 'need' ORDER BY rowid DESC LIMIT ?", (BINS_MAX,)
    )
    noted: dict[str, Instant] = {}
    for body, wall in rows:
        noted.setdefault(read_body(body, NeedBody).card, Instant(wall))
    return noted
