"""The quarter's figures counted again from documents and ledger, piece by piece, by code that shares none with central.

It reads raw rows by SQL text and lays every single piece into a list with its price on it; nothing here imports a rule
of the product. Instants are microseconds UTC, money is whole 1e-4 yuan, months are text.
"""

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from sqlalchemy import Connection

ZONE = timezone(timedelta(hours=8))
MONTHS = ("2026-01", "2026-02", "2026-03")

Row = tuple[str, str, str, bool]
"""Month, place, item, consigned."""


def day_of(micros: int) -> date:
    return datetime.fromtimestamp(micros / 1e6, UTC).astimezone(ZONE).date()


def month_of(micros: int) -> str:
    return day_of(micros).strftime("%Y-%m")


@dataclass
class Line:
    """One ledger line as it stands in the tables, with the order it names."""

    at: int
    device: str
    seq: int
    line_no: int
    event: bytes
    item: str
    lot: str
    owner: str
    qty: int
    source: str
    target: str
    received: int
    names: str


@dataclass
class Recount:
    """What the quarter comes to."""

    opening: Counter[Row] = field(default_factory=Counter)
    came: Counter[Row] = field(default_factory=Counter)
    went: Counter[Row] = field(default_factory=Counter)
    opening_value: Counter[Row] = field(default_factory=Counter)
    came_value: Counter[Row] = field(default_factory=Counter)
    went_value: Counter[Row] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    owed: defaultdict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    """By month: what was accrued of each purchase in it, less returned; value."""
    settled: defaultdict[tuple[str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By month and supplier: pieces of its goods used, by item."""
    lines: int = 0


def rows(connection: Connection, sql: str) -> list[Any]:
    return list(connection.exec_driver_sql(sql).all())


def ledger_lines(connection: Connection) -> list[Line]:
    found = []
    for row in rows(
        connection,
        "SELECT p.at, e.device, e.seq, p.line_no, p.event_id, p.item, p.lot, p.owner, p.qty, p.source, p.target, "
        "l.received_at, l.kind, l.body FROM posting_line p JOIN event e ON e.event_id = p.event_id "
        "JOIN ledger l ON l.incarnation = e.incarnation AND l.seq = e.seq",
    ):
        names = ""
        if row.kind == "ward_receipt":
            names = (json.loads(bytes(row.body)).get("refs") or [""])[0]
        found.append(
            Line(
                at=row.at, device=row.device, seq=row.seq, line_no=row.line_no, event=row.event_id, item=row.item,
                lot=row.lot, owner=row.owner, qty=row.qty, source=row.source, target=row.target,
                received=row.received_at, names=names,
            )
        )  # fmt: skip
    return found


def order_prices(connection: Connection) -> dict[str, tuple[int, str]]:
    """Price and supplier of the one line of each order to a supplier."""
    sql = "SELECT o.order_no, l.price, o.supplier FROM purchase_order o JOIN order_line l ON l.order_no = o.order_no"
    return {row.order_no: (row.price, row.supplier) for row in rows(connection, f"{sql} WHERE o.supplier <> ''")}


def is_stock(place: str) -> bool:
    return "@" not in place or place.startswith(("transit@", "issued@"))


def shelf(place: str) -> str:
    return "transit" if place.startswith("transit@") else place


class Pieces:
    """Every piece of the hospital's own, in lists by place, item and lot, each with its price and its purchase."""

    def __init__(self, connection: Connection) -> None:
        self.connection, self.told = connection, Recount()
        self.orders = order_prices(connection)
        self.receipts = {
            (bytes(row.event_id), row.item): row.order_no
            for row in rows(connection, "SELECT event_id, item, order_no FROM receipt_line WHERE accepted > 0")
        }
        self.terms = {
            row.item: row.price for row in rows(connection, "SELECT item, price FROM item_supplier WHERE rank = 1")
        }
        self.lists: defaultdict[tuple[str, str, str], list[tuple[int, str, str]]] = defaultdict(list)
        self.lent: Counter[tuple[str, str]] = Counter()
        self.last: dict[tuple[str, str], tuple[int, str, str]] = {}

    def month(self, month: str, lines: list[Line], changes: list[Any], opened_at: dict[str, int]) -> None:
        """Go through one month."""
        for (place, item, _), pieces in self.lists.items():
            self.told.opening[month, place, item, False] += len(pieces)
            self.told.opening_value[month, place, item, False] += sum(one[0] for one in pieces)
        for (place, item), qty in self.lent.items():
            self.told.opening[month, place, item, True] += qty
        acts: list[tuple[Any, ...]] = [(one.at, 0, one.device, one.seq, one.line_no, one) for one in lines]
        acts += [(one.at, 1, one.change, 0, 0, one) for one in changes]
        for *_, one in sorted(acts, key=lambda act: act[:5]):
            if isinstance(one, Line):
                self.move(month, one, opened_at)
                self.told.late[month] += month_of(one.at) != month and shelf(one.source) != shelf(one.target)
            else:
                self.reprice(month, one)

    def move(self, month: str, line: Line, opened_at: dict[str, int]) -> None:
        order = self.receipts.get((line.event, line.item)) or (line.names if line.names in self.orders else "")
        source = "supplier@" if order and "@" in line.source else shelf(line.source)
        target = shelf(line.target)
        if source == target:
            return
        if line.owner != "hospital":
            self.lend(month, line, source, target)
            return
        pieces = self.pieces(line, source, order, opened_at)
        value = sum(one[0] for one in pieces)
        if is_stock(source) and not source.startswith("supplier@"):
            self.told.went[month, source, line.item, False] += line.qty
            self.told.went_value[month, source, line.item, False] += value
        if is_stock(target):
            self.told.came[month, target, line.item, False] += line.qty
            self.told.came_value[month, target, line.item, False] += value
            self.lists[target, line.item, line.lot] += pieces
        owes = source.startswith(("supplier@", "owner@")) - target.startswith(("supplier@", "owner@"))
        for price, document, supplier in pieces if owes else ():
            self.told.owed[month][document, supplier] += owes * price

    def pieces(self, line: Line, source: str, order: str, opened_at: dict[str, int]) -> list[tuple[int, str, str]]:
        if source.startswith("supplier@") and order:
            price, supplier = self.orders[order]
            one = (price, f"{order}/1", supplier)
        elif source.startswith("owner@"):
            ((supplier, price),) = rows(
                self.connection, f"SELECT supplier, price FROM consignment_term WHERE item = '{line.item}'"
            )
            self.told.settled[month_posted(line), supplier][line.item] += line.qty
            return [(price, "consigned", supplier)] * line.qty
        elif source.startswith("opening@"):
            one = (opened_at[line.item], "opening", "")
        elif is_stock(source):
            held = self.lists[source, line.item, line.lot]
            taken, self.lists[source, line.item, line.lot] = held[: line.qty], held[line.qty :]
            assert len(taken) == line.qty, f"the story took what was not there: {line}"
            return taken
        else:
            return [self.last[line.item, line.lot]] * line.qty
        self.last[line.item, line.lot] = one
        return [one] * line.qty

    def lend(self, month: str, line: Line, source: str, target: str) -> None:
        if is_stock(source):
            self.lent[source, line.item] -= line.qty
            self.told.went[month, source, line.item, True] += line.qty
        if is_stock(target):
            self.lent[target, line.item] += line.qty
            self.told.came[month, target, line.item, True] += line.qty

    def reprice(self, month: str, change: Any) -> None:  # noqa: ANN401 # a raw row
        for (place, item, lot), pieces in self.lists.items():
            if item == change.item and lot == change.lot:
                rise = sum(change.price - price for price, _, _ in pieces)
                self.told.came_value[month, place, item, False] += rise
                self.lists[place, item, lot] = [(change.price, document, firm) for _, document, firm in pieces]
        if (change.item, change.lot) in self.last:
            _, document, firm = self.last[change.item, change.lot]
            self.last[change.item, change.lot] = (change.price, document, firm)


_closed: dict[str, int] = {}


def month_posted(line: Line) -> str:
    """The month a line is told in: its own, or the first that was not closed when it was heard of."""
    month = month_of(min(line.at, line.received))
    return next(one for one in (*MONTHS, "2026-04") if one >= month and _closed.get(one, 1 << 62) > line.received)


def recount(connection: Connection, opening_prices: dict[str, int]) -> Recount:
    """Count the quarter again."""
    _closed.clear()
    _closed.update({row.month: row.closed_at for row in rows(connection, "SELECT month, closed_at FROM month_close")})
    by_month: defaultdict[str, list[Line]] = defaultdict(list)
    lines = ledger_lines(connection)
    for line in lines:
        by_month[month_posted(line)].append(line)
    approved = rows(
        connection,
        "SELECT c.change, c.item, c.lot, c.price, s.at FROM price_change c JOIN document_step s "
        "ON s.document = c.change AND s.step = 'approve'",
    )
    pieces = Pieces(connection)
    for month in MONTHS:
        pieces.month(month, by_month[month], [one for one in approved if month_of(one.at) == month], opening_prices)
    pieces.told.lines = len(lines)
    return pieces.told


# --- papers ---


@dataclass
class Paper:
    """An invoice as its rows and steps have it."""

    document: str
    supplier: str
    amount: int
    due: date
    matched: int | None
    withdrawn: int | None
    paid: int | None
    lines: list[tuple[str, int, int]]
    """Order or settlement, base units, price."""


def papers(connection: Connection) -> list[Paper]:
    steps: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in rows(
        connection, "SELECT document, state, at FROM document_step WHERE kind = 'invoice' ORDER BY document, seq"
    ):
        steps[row.document].setdefault(row.state, row.at)
    lines: defaultdict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for row in rows(connection, "SELECT document, order_no, qty, price FROM invoice_line"):
        lines[row.document].append((row.order_no, row.qty, row.price))
    return [
        Paper(
            document=row.document,
            supplier=row.supplier,
            amount=row.amount,
            due=date.fromisoformat(str(row.due)),
            matched=steps[row.document].get("matched"),
            withdrawn=steps[row.document].get("withdrawn"),
            paid=steps[row.document].get("paid"),
            lines=lines[row.document],
        )
        for row in rows(connection, "SELECT document, supplier, amount, due FROM invoice")
    ]


def accruals(connection: Connection, told: Recount, month: str) -> Counter[tuple[str, str]]:
    """What stood accrued at a month's end, by purchase: value; those of nothing left out."""
    prices, found = order_prices(connection), Counter[tuple[str, str]]()
    for one in MONTHS:
        if one <= month:
            for key, value in told.owed[one].items():
                found[key] += value
    settled = {row.note: row.price for row in rows(connection, "SELECT note, price FROM consignment_line")}
    for paper in papers(connection):
        matched = paper.matched is not None and month_of(paper.matched) <= month
        back = paper.withdrawn is not None and month_of(paper.withdrawn) <= month
        for order, qty, _ in paper.lines if matched and not back else ():
            consigned = order in settled
            key = ("consigned", paper.supplier) if consigned else (f"{order}/1", paper.supplier)
            found[key] -= qty * (settled[order] if consigned else prices[order][0])
    for one in rows(
        connection,
        "SELECT n.entered_at, n.supplier, l.order_no, l.qty, l.price FROM credit_note n JOIN supplier_return_line l "
        "ON l.return_no = n.return_no WHERE n.goods > 0",
    ):
        found[f"{one.order_no}/1", one.supplier] += one.qty * one.price * (month_of(one.entered_at) <= month)
    return Counter({key: value for key, value in found.items() if value})


def payables(connection: Connection) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in papers(connection):
        if one.matched is not None and one.paid is None and one.withdrawn is None:
            found[one.supplier] += one.amount
    for one in rows(
        connection,
        "SELECT supplier, goods + claim AS amount FROM credit_note WHERE document NOT IN "
        "(SELECT document FROM document_step WHERE step = 'set-off')",
    ):
        found[one.supplier] -= one.amount
    return found


def vbp(connection: Connection, items: set[str]) -> tuple[int, int]:
    """Pieces of some items received from suppliers, less sent back, and taken for use, less given back."""
    prices, received, used = order_prices(connection), 0, 0
    for line in ledger_lines(connection):
        if line.item not in items:
            continue
        bought = line.source.startswith("supplier@") or (line.names in prices and "@" in line.source)
        received += line.qty * (bought - line.target.startswith("supplier@"))
        out, back = line.target.startswith(("patient@", "issued@")), line.source.startswith(("patient@", "issued@"))
        used += line.qty * ((out and "@" not in line.source) - (back and "@" not in line.target))
    return received, used


def on_time(connection: Connection, supplier: str, last: date) -> tuple[int, int]:
    """Orders of a supplier promised in the quarter and not given up: complete by that day, of all."""
    came: defaultdict[str, list[tuple[date, int]]] = defaultdict(list)
    for row in rows(connection, "SELECT order_no, accepted, at FROM receipt_line"):
        came[row.order_no].append((day_of(row.at), row.accepted))
    for line in ledger_lines(connection):
        if line.names:
            came[line.names].append((day_of(line.at), line.qty))
    gone = {row.document for row in rows(connection, "SELECT document FROM document_step WHERE state = 'closed'")}
    words = promises(connection)
    done = asked = 0
    for row in rows(
        connection,
        "SELECT o.order_no, l.qty FROM purchase_order o JOIN order_line l ON l.order_no = o.order_no "
        f"WHERE o.supplier = '{supplier}'",
    ):
        promised = words.get(row.order_no)
        if promised is None or row.order_no in gone or not date(2026, 1, 1) <= promised <= last:
            continue
        asked += 1
        done += sum(qty for day, qty in came[row.order_no] if day <= promised) >= row.qty
    return done, asked


def promises(connection: Connection) -> dict[str, date]:
    """The day each order was first promised for, from its last amendment on."""
    found: dict[str, date] = {}
    steps = "SELECT document, step, detail FROM document_step WHERE kind = 'order' ORDER BY document, seq DESC"
    amended: set[str] = set()
    for row in rows(connection, steps):
        if row.step == "amend":
            amended.add(row.document)
        elif row.step == "confirm" and row.document not in amended:
            found[row.document] = date.fromisoformat(json.loads(row.detail)["promised"])
    return found


def quality(connection: Connection, supplier: str) -> tuple[int, int]:
    """Receipt lines of a supplier's orders without a refused piece, of all."""
    found = rows(
        connection,
        "SELECT r.refused FROM receipt_line r JOIN purchase_order o ON o.order_no = r.order_no "
        f"WHERE o.supplier = '{supplier}'",
    )
    return sum(row.refused == 0 for row in found), len(found)
