"""What the book and the hospital's data say about one scan: every question `core.work` asks, each by an index.

It decides nothing. The rule that must not be broken: everything is asked on the connection of the transaction that
writes the answer, so that a scan sees what the scan before it did.
"""

from collections.abc import Sequence
from datetime import date

from msgspec.structs import replace

from edge_agent.core.book import HOLDS
from edge_agent.core.presence.window import GONE
from edge_agent.core.recognise import Meaning, unit_name
from edge_agent.core.stock import Item, Stock
from edge_agent.core.work.scene import Closed, Document, Facts, Sheet, Unclaimed, Visit
from edge_agent.core.work.states import Doing
from edge_agent.store.catalogue import (
    day_of,
    document_of,
    expiry_of,
    is_recalled,
    item_of,
    place_of,
    product_of,
    roles_of,
)
from edge_agent.store.connection import Connection
from edge_agent.store.counts import counted_on, last_closed, open_sheet
from edge_agent.store.queries import custody_of
from edge_agent.store.reconcile import week_of
from protocols.codes.label import Badge, Command, CommandName, Label, Ticket, TicketSort
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody, PostingLine, lines_of
from protocols.movements.table import Custody, movement_of
from protocols.movements.tags import Binding
from protocols.values.ids import PlaceId, UnitId, virtual_place
from protocols.values.instant import Instant

STOCK_MAX = 500
"""Lines of one item's stock that a scan looks at."""
UNCLAIMED_MAX = 100
RECALL = "hold_recall"
"""Why a lot is not to be taken that the hospital has recalled, also before it is held here."""
SET_KINDS = ("set_brought", "set_used", "set_returned")


def facts_for(connection: Connection, meaning: Meaning, visit: Visit | None, ward: PlaceId) -> Facts:
    """Return what is known about one scan, as far as its deed may ask."""
    match meaning:
        case Label():
            return _label(connection, meaning, visit, ward)
        case Badge():
            return Facts(roles=roles_of(connection, meaning.staff))
        case Ticket():
            return _ticket(connection, meaning, visit, ward)
        case Command():
            return _command(connection, meaning, visit, ward)
    return Facts()


def _command(connection: Connection, command: Command, visit: Visit | None, ward: PlaceId) -> Facts:
    if command.name is CommandName.CLAIM:
        return Facts(unclaimed=unclaimed(connection, ward))
    if command.name is CommandName.COUNT:
        return Facts(sheet=open_sheet(connection, ward), head=head_of(connection))
    if command.name is CommandName.RECONCILE:
        return Facts(week=week_of(connection, ward))
    if command.name is CommandName.ADJUST:
        return Facts(closed=_closed(connection, ward))
    if command.name is CommandName.RETURN and visit is not None and visit.doing is Doing.SET_OPEN:
        return Facts(document=_document(connection, visit.document))
    return Facts()


def _closed(connection: Connection, ward: PlaceId) -> Closed | None:
    found = last_closed(connection, ward)
    if found is None:
        return None
    sheet, event, lines = found
    items = dict.fromkeys(line.key.item for line in lines if line.differs)
    stock = tuple(one for item in items for one in stock_of(connection, ward, item))
    return Closed(sheet, event, tuple(lines), stock)


def _ticket(connection: Connection, ticket: Ticket, visit: Visit | None, ward: PlaceId) -> Facts:
    if ticket.sort is TicketSort.DOCUMENT:
        return Facts(document=_document(connection, ticket.code))
    if ticket.sort is TicketSort.PLACE:
        return Facts(place=place_of(connection, ticket.code) or "")
    waits = visit is not None and not visit.done
    return Facts(unclaimed=_claimed_by_patient(connection, ward) if waits else ())


def _claimed_by_patient(connection: Connection, ward: PlaceId) -> tuple[Unclaimed, ...]:
    """Return what a patient's code alone may claim: not what a shift has ended on, which takes the card CLAIM."""
    told = connection.query("SELECT unit FROM discrepancy WHERE sort = 'unclaimed' AND closed_event_id = x''")
    late = {unit for (unit,) in told}
    return tuple(one for one in unclaimed(connection, ward) if one.stock.unit not in late)


def head_of(connection: Connection) -> str:
    """Return the hex event id of the last entry written, empty when there is none: the cut of a count made now."""
    rows = connection.query("SELECT event_id FROM ledger ORDER BY rowid DESC LIMIT 1")
    return rows[0][0].hex() if rows else ""


# --- a product's label ---


def _label(connection: Connection, label: Label, visit: Visit | None, ward: PlaceId) -> Facts:
    if label.product is None:
        return Facts()
    bound = bindings_of(connection, label.product, label.serial) if label.serial is not None else ()
    known = product_of(connection, label.product)
    code = bound[0].item if bound else known[0] if known else _only_bound(connection, label.product)
    item = item_of(connection, code) if code else None
    if item is None and code and (bound or label.serial is None):
        item = Item(code)  # known by its tags alone
    unit = _unit(label, bound, item)
    facts = Facts(
        unit=unit,
        bindings=bound,
        custody=custody_of(connection, UnitId(unit)) if unit else None,
        item=item,
        factor=known[1] if known else 1,
        expiry=_expiry(connection, label, bound, code),
        lot=label.lot,
        recalled=is_recalled(connection, code, bound[0].lot if bound else label.lot or ""),
    )
    if not code:
        return facts
    sheet = None
    if visit is not None and visit.doing is Doing.COUNTING:
        sheet = Sheet(visit.sheet, counted=bool(unit) and counted_on(connection, visit.sheet, unit))
    return replace(
        facts,
        stock=stock_of(connection, ward, code),
        hand=stock_of(connection, virtual_place("issued", ward), code),
        sheet=sheet,
        head=head_of(connection) if sheet is not None else "",
        home=_home(connection, unit) if unit and visit is not None and visit.doing is Doing.RETURNING else "",
        document=_document(connection, visit.document) if visit is not None and visit.document else None,
    )


def _home(connection: Connection, unit: str) -> str:
    """Return the shelf that the last movement took a piece from."""
    rows = connection.query(
        "SELECT kind, ledger.body FROM custody JOIN ledger ON ledger.event_id = custody.event_id WHERE unit = ?",
        (unit,),
    )
    lines = [line for kind, raw in rows if movement_of(kind).posts for line in lines_of(kind, raw)]
    return next((line.source_position for line in lines if line.unit == unit), "")


def _unit(label: Label, bound: Sequence[Binding], item: Item | None) -> str:
    if bound:
        return bound[0].names
    named = item is not None and label.serial is not None and label.product is not None
    return unit_name(str(label.product), str(label.serial)) if named else ""


def _only_bound(connection: Connection, product: str) -> str:
    """Return the item of pieces that carry a product code without the hospital's data telling of it."""
    rows = connection.query("SELECT item FROM binding WHERE gtin = ? LIMIT 1", (product,))
    return str(rows[0][0]) if rows else ""


def bindings_of(connection: Connection, product: str, serial: str) -> tuple[Binding, ...]:
    """Return every tag bound to a product's serial number; there should be one."""
    rows = connection.query(
        "SELECT epc, item, gtin, lot, serial, expiry, unit FROM binding WHERE gtin = ? AND serial = ? LIMIT 9",
        (product, serial),
    )
    return tuple(Binding(*row) for row in rows)


def _expiry(connection: Connection, label: Label, bound: Sequence[Binding], code: str) -> date | None:
    if bound:
        return day_of(bound[0].expiry) or label.expiry
    return label.expiry or (expiry_of(connection, code, label.lot) if code and label.lot else None)


def stock_of(connection: Connection, place: PlaceId, item: str) -> tuple[Stock, ...]:
    """Return what the book has of an item at a place, tagged pieces with their expiry, and what of it is held."""
    rows = connection.query(
        """
        SELECT balance.lot, balance.qty, balance.position, balance.owner, balance.unit, binding.expiry,
               lot_held.kind, custody.state,
               CASE custody.state WHEN 'held' THEN
                   (SELECT kind FROM ledger WHERE ledger.event_id = custody.event_id LIMIT 1) END
        FROM balance
        LEFT JOIN binding ON balance.unit <> '' AND binding.epc = balance.unit
        LEFT JOIN lot_held ON lot_held.item = balance.item AND lot_held.lot = balance.lot
        LEFT JOIN custody ON balance.unit <> '' AND custody.unit = balance.unit
        WHERE balance.place = ? AND balance.item = ? AND balance.qty > 0 LIMIT ?
        """,
        (place, item, STOCK_MAX),
    )
    lots = {row[0] for row in rows if not row[5]}
    days = {lot: expiry_of(connection, item, lot) for lot in lots}
    recalled = {lot for lot in {row[0] for row in rows} if is_recalled(connection, item, lot)}
    found = []
    for lot, qty, position, owner, unit, expiry, held, state, holds in rows:
        day = day_of(expiry) if expiry else days.get(lot)
        why = held or (RECALL if lot in recalled else "")
        if state == Custody.HELD.value:
            why = holds if holds in HOLDS else state
        found.append(Stock(item, lot, qty, position, owner, day, why, unit))
    return tuple(found)


def unclaimed(connection: Connection, ward: PlaceId) -> tuple[Unclaimed, ...]:
    """Return the pieces that the book has here and the readers say have left, longest gone first."""
    rows = connection.query(
        """
        SELECT balance.item, balance.lot, balance.position, balance.owner, balance.unit, belief.since
        FROM balance CROSS JOIN custody ON custody.unit = balance.unit
        CROSS JOIN binding ON binding.epc = balance.unit AND binding.unit = ''
            OR binding.unit = balance.unit AND binding.unit <> ''
        CROSS JOIN belief ON belief.epc = binding.epc
        WHERE balance.place = ? AND balance.qty > 0 AND custody.state IN ('in_stock', 'held') AND belief.p < ?
        ORDER BY belief.since, balance.unit LIMIT ?
        """,
        (ward, GONE, UNCLAIMED_MAX),
    )
    return tuple(
        Unclaimed(Stock(item, lot, 1, position, owner, unit=unit), Instant(since))
        for item, lot, position, owner, unit, since in rows
    )


# --- documents ---


def _document(connection: Connection, number: str) -> Document | None:
    """Return a document with what was done with it: when it was taken in, and what is left of a set."""
    document = document_of(connection, number)
    if document is None:
        return None
    if document.sort == "delivery":
        document = replace(document, lines=tuple(_shelved(connection, line) for line in document.lines))
    kinds = SET_KINDS if document.sort == "set" else ("ward_receipt",)
    marks = ", ".join("?" * len(kinds))
    rows = connection.query(
        f"SELECT event_id, kind, body FROM ledger WHERE kind IN ({marks}) AND instr(body, CAST(? AS BLOB)) "
        "AND event_id NOT IN (SELECT event_id FROM undone) ORDER BY seq",
        (*kinds, f'"{number}"'),
    )
    entries = [(event.hex(), kind, body) for event, kind, raw in rows if (body := _named(raw, number)) is not None]
    brought = next((event for event, kind, _ in entries if kind in ("set_brought", "ward_receipt")), "")
    return replace(document, brought=brought, rest=_rest(entries))


def _shelved(connection: Connection, line: PostingLine) -> PostingLine:
    """Return a line of a note that names no shelf with the one where its like lie."""
    if line.target_position:
        return line
    rows = connection.query(
        "SELECT position FROM balance WHERE place = ? AND item = ? AND qty > 0 AND position <> '' "
        "ORDER BY lot <> ?, qty DESC, position LIMIT 1",
        (line.target, line.item, line.lot),
    )
    return replace(line, target_position=rows[0][0]) if rows else line


def _named(raw: bytes, number: str) -> MovementBody | None:
    try:
        body = read_body(raw, MovementBody)
    except ProtocolsError:
        return None
    return body if number in body.refs else None


def _rest(entries: Sequence[tuple[str, str, MovementBody]]) -> tuple[PostingLine, ...]:
    """Return what was brought by a set and neither used nor returned, in the lines that brought it."""
    left: dict[tuple[str, str, str, str], int] = {}
    for _, kind, body in entries:
        for line in body.lines if kind != "set_brought" else ():
            if not line.source.startswith("owner@"):
                key = (line.item, line.lot, line.owner, line.unit)
                left[key] = left.get(key, 0) + line.qty
    rest = []
    for _, kind, body in entries:
        for line in body.lines if kind == "set_brought" else ():
            key = (line.item, line.lot, line.owner, line.unit)
            gone = min(line.qty, left.get(key, 0))
            left[key] = left.get(key, 0) - gone
            if line.qty > gone:
                rest.append(_of(line, line.qty - gone))
    return tuple(rest)


def _of(line: PostingLine, qty: int) -> PostingLine:
    return PostingLine(
        item=line.item,
        qty=qty,
        source=line.source,
        target=line.target,
        lot=line.lot,
        owner=line.owner,
        unit=line.unit,
        source_position=line.source_position,
        target_position=line.target_position,
    )
