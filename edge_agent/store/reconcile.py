"""What the weekly reconcile holds side by side, read from the ledger since the last signature."""

from edge_agent.core.duties import Duty
from edge_agent.core.work.reconciling import SIGNED
from edge_agent.core.work.scene import Week
from edge_agent.store.catalogue import rows_of
from edge_agent.store.connection import Connection
from protocols.entry import decode_body
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody
from protocols.values.ids import PlaceId, virtual_place
from protocols.values.instant import Instant

KINDS = ("ward_receipt", "issue", "use", "pack_open", "set_used", "return_to_store", "reversal")


def week_of(connection: Connection, ward: PlaceId) -> Week:
    """Return what the storeroom's documents come to since the last reconcile was signed."""
    hand, patient = virtual_place("issued", ward), virtual_place("patient", ward)
    taken = used = back = 0
    notes: set[str] = set()
    for kind, body in _bodies(connection, KINDS, _last_signed(connection)):
        notes.update(body.refs if kind == "ward_receipt" else ())
        for line in body.lines:
            out, home = line.qty * (line.target == hand), line.qty * (line.source == hand and line.target == ward)
            taken += out * (line.source == ward) - (home if kind == "reversal" else 0)
            back += home if kind != "reversal" else 0
            used += line.qty * ((line.target == patient) - (line.source == patient))
    ((held,),) = connection.query("SELECT coalesce(sum(qty), 0) FROM balance WHERE place = ?", (hand,))
    ((open_now,),) = connection.query("SELECT COUNT(*) FROM discrepancy WHERE closed_event_id = x''")
    return Week(len(notes), _waiting(connection), taken, used, back, int(held), int(open_now))


def signatures(connection: Connection, duty: str, since: Instant) -> list[tuple[Instant, str]]:
    """Return when somebody signed a duty and by which event (hex), oldest first."""
    rows = connection.query(
        "SELECT wall, event_id, body FROM ledger WHERE kind = 'duty' AND actor <> '' AND wall >= ? ORDER BY seq",
        (since,),
    )
    said = [(Instant(wall), event.hex(), decode_body(raw)) for wall, event, raw in rows]
    return [(wall, event) for wall, event, body in said if (body.get("duty"), body.get("state")) == (duty, SIGNED)]


def _last_signed(connection: Connection) -> Instant:
    return max((at for at, _ in signatures(connection, Duty.WEEKLY_RECONCILE.value, Instant(0))), default=Instant(0))


def _bodies(connection: Connection, kinds: tuple[str, ...], since: Instant) -> list[tuple[str, MovementBody]]:
    marks = ", ".join("?" * len(kinds))
    rows = connection.query(f"SELECT kind, body FROM ledger WHERE wall > ? AND kind IN ({marks})", (since, *kinds))
    found = []
    for kind, raw in rows:
        try:
            found.append((kind, read_body(raw, MovementBody)))
        except ProtocolsError:
            continue  # what cannot be read was told where it was posted
    return found


def _waiting(connection: Connection) -> int:
    """Return how many delivery notes nobody has taken in."""
    notes = [key for key, body in rows_of(connection, "document") if body.get("sort", "delivery") == "delivery"]
    taken = {ref for _, body in _bodies(connection, ("ward_receipt",), Instant(0)) for ref in body.refs}
    return sum(note not in taken for note in notes)
