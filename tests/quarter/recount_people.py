"""What people asked for and put right in the quarter, told from raw rows by code that shares none with central."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from sqlalchemy import Connection

from tests.quarter.recount import day_of, ledger_lines, rows

HOUR = 3_600_000_000
ANSWER_H, SUPPLY_H = 2, 72
"""G2: an emergency is answered within 2 h and supplied within 72 h."""


@dataclass
class Step:
    """One step of a document."""

    name: str
    state: str
    at: int
    actor: str


@dataclass
class Asked:
    """A requisition as its rows have it: pieces asked for, ordered and received, by item."""

    place: str
    by: str
    at: int
    emergency: bool
    steps: list[Step] = field(default_factory=list)
    wanted: Counter[str] = field(default_factory=Counter)
    ordered: Counter[str] = field(default_factory=Counter)
    came: Counter[str] = field(default_factory=Counter)
    orders: dict[str, str] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)

    @property
    def state(self) -> str:
        """The state its last step led to."""
        return self.steps[-1].state

    def at_step(self, name: str) -> int | None:
        """When a step was made."""
        return next((one.at for one in self.steps if one.name == name), None)


def steps(connection: Connection) -> dict[str, list[Step]]:
    found: defaultdict[str, list[Step]] = defaultdict(list)
    for row in rows(connection, "SELECT document, step, state, at, actor FROM document_step ORDER BY document, seq"):
        found[row.document].append(Step(row.step, row.state, row.at, row.actor))
    return found


def asked(connection: Connection) -> dict[str, Asked]:
    """Every requisition, with what the ledger says of its orders."""
    found = {
        row.requisition: Asked(row.place, row.asked_by, row.asked_at, bool(row.emergency))
        for row in rows(connection, "SELECT requisition, place, asked_by, asked_at, emergency FROM requisition")
    }
    for name, several in steps(connection).items():
        if name in found:
            found[name].steps = several
    for row in rows(connection, "SELECT requisition, item, qty FROM requisition_line"):
        found[row.requisition].wanted[row.item] += row.qty
    of_order: dict[str, Asked] = {}
    for row in rows(
        connection,
        "SELECT l.order_no, l.item, l.qty, l.requisition, o.supplier FROM order_line l "
        "JOIN purchase_order o ON o.order_no = l.order_no WHERE l.requisition <> ''",
    ):
        one = of_order[row.order_no] = found[row.requisition]
        one.ordered[row.item] += row.qty
        one.orders[row.item] = row.order_no
        one.outside |= {row.order_no} if row.supplier else set()
    for line in ledger_lines(connection):
        if line.names in of_order and line.target == of_order[line.names].place:
            of_order[line.names].came[line.item] += line.qty
    return found


def clocks(connection: Connection) -> dict[str, dict[str, tuple[float, bool]]]:
    """Of each emergency: hours until the answer, the goods (or the end of waiting) and the papers, and if in time."""
    told, found = steps(connection), {}
    arrived: dict[str, int] = {}
    for line in sorted(ledger_lines(connection), key=lambda one: one.at):
        arrived.setdefault(line.names, line.at)
    for name, one in asked(connection).items():
        if not one.emergency:
            continue
        (order,) = one.orders.values()
        closed = next((each.at for each in told[order] if each.state == "closed"), 0)
        confirmed = next(each.at for each in told[order] if each.name == "confirm")
        placed, completed = one.at_step("place"), one.at_step("complete")
        assert placed is not None
        assert completed is not None
        supplied = (arrived.get(order, closed) - one.at) / HOUR
        answered = (confirmed - one.at) / HOUR
        found[name] = {
            "answer": (answered, answered <= ANSWER_H),
            "supply": (supplied, supplied <= SUPPLY_H),
            "papers": ((completed - placed) / HOUR, True),
        }
    return found


def answered_in_time(connection: Connection, supplier: str) -> tuple[int, int]:
    """Emergencies a supplier was asked in, and those it answered within two hours."""
    told = steps(connection)
    cases = rows(
        connection, f"SELECT case_no, opened_at FROM supplier_case WHERE kind = 'emergency' AND supplier = '{supplier}'"
    )
    taken = [next(one.at for one in told[row.case_no] if one.name == "confirm") - row.opened_at for row in cases]
    return sum(one <= ANSWER_H * HOUR for one in taken), len(taken)


def credited(connection: Connection) -> Counter[tuple[str, str]]:
    """What credit notes gave, by supplier and month: for goods at the price of their order, and of what was claimed."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows(
        connection,
        "SELECT n.return_no, n.supplier, n.claim, n.entered_at, r.kind FROM credit_note n "
        "JOIN supplier_return r ON r.return_no = n.return_no",
    ):
        goods = rows(
            connection,
            "SELECT l.qty, o.price FROM supplier_return_line l JOIN order_line o ON o.order_no = l.order_no "
            f"WHERE l.return_no = '{row.return_no}'",
        )
        value = sum(one.qty * one.price for one in goods) if row.kind == "return" else 0
        found[row.supplier, str(day_of(row.entered_at))[:7]] += value + row.claim
    return found


def gone_back(connection: Connection) -> Counter[tuple[str, str]]:
    """Pieces that left for a supplier by returns, by item and lot, as the ledger has them."""
    events = {
        row.event
        for row in rows(
            connection, "SELECT json_extract(detail, '$.event') AS event FROM document_step WHERE step = 'ship'"
        )
    }
    found: Counter[tuple[str, str]] = Counter()
    for line in ledger_lines(connection):
        if bytes(line.event).hex() in events:
            found[line.item, line.lot] += line.qty
    return found
