"""The counts that stand in the ledger: the open sheet, its scans, and the book it is compared with."""

from edge_agent.core.counts import Line, LineKey, Moved, Seen, compare
from edge_agent.core.work.scene import Sheet
from edge_agent.store.connection import Connection
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.counts import CountBody
from protocols.movements.posting import MovementBody, lines_of
from protocols.movements.reports import DiscrepancyBody
from protocols.movements.table import MOVEMENTS
from protocols.values.ids import PlaceId

SHEETS_LOOKED_AT = 50_000
"""Count entries looked at, newest first, for the sheet that is open."""
_POSTING = tuple(kind for kind, row in MOVEMENTS.items() if row.posts)


def open_sheet(connection: Connection, ward: PlaceId) -> Sheet | None:
    """Return the count that is open in a storeroom."""
    found = _open(connection, ward)
    if found is None:
        return None
    number, first_seq = found
    lines = sheet_lines(connection, ward, number, first_seq)
    return Sheet(number, len(lines), sum(line.recount for line in lines))


def open_lines(connection: Connection, ward: PlaceId) -> tuple[str, list[Line]]:
    """Return the open sheet's number, empty when there is none, and its lines with those nobody has counted yet."""
    found = _open(connection, ward)
    return ("", []) if found is None else (found[0], sheet_lines(connection, ward, *found, complete=True))


def counted_on(connection: Connection, sheet: str, unit: str) -> bool:
    """Tell whether a unit stands on a sheet already, without reading the sheet: this is asked between two beeps."""
    rows = connection.stream(
        "SELECT body FROM ledger WHERE kind = 'count_monthly' AND instr(body, CAST(? AS BLOB)) ORDER BY seq DESC",
        (f'"{unit}"',),
    )
    bodies = (_read(raw) for (raw,) in rows)
    return any(body.sheet == sheet and any(one.unit == unit for one in body.lines) for body in bodies if body)


def last_closed(connection: Connection, ward: PlaceId) -> tuple[str, str, list[Line]] | None:
    """Return the last closed sheet that nobody has worked on: its number, closing event (hex) and lines."""
    rows = connection.stream(
        "SELECT seq, event_id, body FROM ledger WHERE kind = 'count_monthly' ORDER BY seq DESC LIMIT ?",
        (SHEETS_LOOKED_AT,),
    )
    sheet, event = "", b""
    for seq, event_id, raw in rows:
        body = _read(raw)
        if body is None or body.place != ward:
            continue
        if body.phase == "close" and not sheet:
            sheet, event = body.sheet, event_id
        if body.phase == "open" and body.sheet == sheet:
            lines = sheet_lines(connection, ward, sheet, seq, complete=True)
            return None if _cited(connection, event.hex()) else (sheet, event.hex(), lines)
    return None


def _cited(connection: Connection, event: str) -> bool:
    """Tell whether somebody has worked on a closed count: adjusted by it, or had told what nobody counted."""
    rows = connection.stream(
        "SELECT kind, body FROM ledger WHERE kind IN ('adjust', 'discrepancy') AND instr(body, CAST(? AS BLOB)) "
        "ORDER BY seq DESC",
        (f'"{event}"',),
    )
    return any(
        event in read_body(raw, MovementBody).refs if kind == "adjust" else read_body(raw, DiscrepancyBody).of == event
        for kind, raw in rows
    )


def _open(connection: Connection, ward: PlaceId) -> tuple[str, int] | None:
    rows = connection.stream(
        "SELECT seq, body FROM ledger WHERE kind = 'count_monthly' ORDER BY seq DESC LIMIT ?", (SHEETS_LOOKED_AT,)
    )
    closed = set()
    for seq, raw in rows:
        body = _read(raw)
        if body is None or body.place != ward or body.phase == "line":
            continue
        if body.phase == "open":
            return None if body.sheet in closed else (body.sheet, seq)
        closed.add(body.sheet)
    return None


def sheet_lines(
    connection: Connection, ward: PlaceId, sheet: str, first_seq: int, *, complete: bool = False
) -> list[Line]:
    """Return every line of a sheet that was opened at an entry, against the book of now."""
    seen = []
    rows = connection.stream(
        "SELECT seq, actor, body FROM ledger WHERE kind = 'count_monthly' AND seq > ? ORDER BY seq", (first_seq,)
    )
    for seq, actor, raw in rows:
        body = _read(raw)
        if body is not None and body.sheet == sheet:
            seen += [Seen(LineKey(one.item, one.lot, one.unit), one.qty, actor, seq) for one in body.lines]
    moved = _moved(connection, ward, min((one.seq for one in seen), default=first_seq) if not complete else first_seq)
    return compare(seen, _book(connection, ward), moved, first_seq=first_seq, complete=complete)


def _read(raw: bytes) -> CountBody | None:
    try:
        return read_body(raw, CountBody)
    except ProtocolsError:
        return None


def _book(connection: Connection, ward: PlaceId) -> dict[LineKey, int]:
    rows = connection.stream(
        "SELECT item, lot, unit, sum(qty) FROM balance WHERE place = ? GROUP BY item, lot, unit HAVING sum(qty) <> 0",
        (ward,),
    )
    return {LineKey(item, lot, unit): qty for item, lot, unit, qty in rows}


def _moved(connection: Connection, ward: PlaceId, after_seq: int) -> list[Moved]:
    marks = ", ".join("?" * len(_POSTING))
    rows = connection.stream(
        f"SELECT seq, kind, body FROM ledger WHERE seq > ? AND kind IN ({marks})", (after_seq, *_POSTING)
    )
    moved: list[Moved] = []
    for seq, kind, raw in rows:
        for line in lines_of(kind, raw):
            sign = (line.target == ward) - (line.source == ward)
            if sign:
                moved.append(Moved(LineKey(line.item, line.lot, line.unit), sign * line.qty, seq))
    return moved
