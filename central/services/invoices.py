"""Enter a supplier's invoice, match it with order and receipt, pay it when it is due.

The rules that must not be broken: what does not match is disputed and cannot be paid, and who approved the order or
entered the invoice does not pay it.

Sources: H1 (S0, S4) payment within 30 days, three-way match; 行政事业单位内部控制规范（试行）, article 15.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from central.core.consignment import NoteState
from central.core.purchasing import (
    Difference,
    InvoicedLine,
    InvoiceState,
    InvoiceStep,
    OrderedLine,
    check_printed,
    check_value,
    due_on,
    invoice_after,
    plain_number,
    three_way_match,
)
from central.core.returns import set_off
from central.core.rights import Caller, Right
from central.errors import NotAllowed, NotNow, NotThere
from central.services.documents import Documents, check_seen, check_text, number_of
from central.services.orders import arrived_in
from central.services.policy import rules_at
from central.services.purchasing import NUMBER_MAX
from central.store import queries_purchasing as kept
from central.store.queries_consignment import accepted_consigned, notes
from central.store.queries_returns import CREDIT, USED, open_credits, sent_back
from central.store.queries_work import orders
from central.store.turns import one_at_a_time
from protocols.values.instant import Instant, business_day

VERSIONS_MAX = 50
"""Times one number is entered: a corrected invoice comes once or twice."""


@dataclass(frozen=True, slots=True)
class Entered:
    """An invoice that was entered: its document, how it stands, and what of it does not match."""

    document: str
    state: InvoiceState
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One line of an invoice beside the order's and what was accepted, as they stand now.

    `ordered` is None where its supplier has no such order line; `differences` is what does not match, by name.
    """

    line: InvoicedLine
    item: str
    ordered: OrderedLine | None
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Invoices:
    """The invoices of one hospital."""

    documents: Documents

    def enter_invoice(
        self, caller: Caller, supplier: str, number: str, dated: date, lines: Sequence[InvoicedLine]
    ) -> Entered:
        """Enter a supplier's invoice and match it with orders and receipts; what does not match is disputed.

        A number whose last invoice was withdrawn may be entered again, as its next version. Raises `NotAllowed`,
        `BadInput`, and `NotNow` for a number of its supplier whose invoice stands.
        """
        caller.need(Right.INVOICE)
        check_text("invoice number", number, NUMBER_MAX)
        for line in lines:
            check_value(line.qty, line.price)
        with self.documents.store.write() as connection:
            one_at_a_time(connection, self.documents.hospital, kept.ORDERING)
            document, version = self._next_version(connection, supplier, number)
            now = self.documents.clock.now()
            named = orders(connection, self.documents.hospital, named={line.order_no for line in lines})
            check_printed(dated, [business_day(one.created_at) for one in named], business_day(now))
            differences = three_way_match(lines, self._ordered_lines(connection, supplier, lines))
            rules = rules_at(connection, self.documents.hospital, now)
            due = due_on(self._accepted_on(connection, lines, dated), rules.whole("payment.days"))
            row: dict[str, Any] = {
                "hospital": self.documents.hospital,
                "supplier": supplier,
                "invoice": number,
                "version": version,
                "document": document,
            }
            row |= {"dated": dated, "due": due, "amount": sum(line.amount for line in lines)}
            kept.add_invoice(
                connection,
                row | {"entered_at": now, "entered_by": caller.person},
                [self._invoice_row(document, no, line) for no, line in enumerate(lines, 1)],
            )
            state = InvoiceState.DISPUTED if differences else InvoiceState.MATCHED
            told = {"differences": [_told(one) for one in differences]}
            self.documents.write(connection, caller, document, "invoice", "enter", state, told)
        return Entered(document, state, differences)

    def invoice_step(
        self, caller: Caller, document: str, event: InvoiceStep, reason: str = "", seen: int | None = None
    ) -> InvoiceState:
        """Match again, pay or withdraw an invoice. Raises as `step` does; `NotAllowed` for a payer who approved."""
        caller.need(Right.PAY if event is InvoiceStep.PAY else Right.INVOICE)
        with self.documents.store.write() as connection:
            one_at_a_time(connection, self.documents.hospital, kept.ORDERING)
            one = self.one(connection, document)
            check_seen(document, seen, len(kept.history(connection, self.documents.hospital, document)))
            after = invoice_after(one.state, event)
            if event is InvoiceStep.MATCH:
                self._match_again(connection, one)
            if event is InvoiceStep.PAY:
                self._check_payer(connection, caller, one)
            told: dict[str, Any] = {"reason": reason} if reason else {}
            if event is InvoiceStep.PAY:
                told |= self._take_off(connection, caller, one)
            self.documents.write(connection, caller, document, "invoice", event, after, told)
        return after

    def compared(self, connection: Connection, one: kept.Invoice) -> tuple[Compared, ...]:
        """Return every line of an invoice beside its order and its receipts, without what this invoice asks itself."""
        ordered = self._ordered_lines(connection, one.supplier, one.lines, besides=one.document)
        found = three_way_match(one.lines, ordered)
        named = {line.order_no for line in one.lines}
        items = {
            (order.order_no, line.line_no): line.item
            for order in orders(connection, self.documents.hospital, named=named)
            for line in order.lines
        }
        for note in notes(connection, self.documents.hospital, named=named):
            items |= {(note.note, number): line.item for number, line in enumerate(note.lines, 1)}
        shown = []
        for line in one.lines:
            key = (line.order_no, line.line_no)
            mine = tuple(each for each in found if (each.order_no, each.line_no) == key)
            shown.append(Compared(line, items.get(key, ""), ordered.get(key), mine))
        return tuple(shown)

    def one(self, connection: Connection, document: str) -> kept.Invoice:
        """Return an invoice. Raises `NotThere`."""
        found = kept.invoice(connection, self.documents.hospital, document)
        if found is None:
            raise NotThere(f"invoice: expected one that was entered, got {document!r:.40}")
        return found

    def _next_version(self, connection: Connection, supplier: str, number: str) -> tuple[str, int]:
        """Return the document and version a number is entered as. Raises `NotNow` where its last one stands."""
        for version in range(1, VERSIONS_MAX + 1):
            document = number_of("IV", supplier, plain_number(number), str(version))
            steps = kept.history(connection, self.documents.hospital, document)
            if not steps:
                return document, version
            if steps[-1].state != InvoiceState.WITHDRAWN:
                raise NotNow(f"invoice {number} of {supplier}: expected a new one, it was entered before")
        raise NotNow(f"invoice {number} of {supplier}: expected at most {VERSIONS_MAX} versions, all were withdrawn")

    def _match_again(self, connection: Connection, one: kept.Invoice) -> None:
        ordered_lines = self._ordered_lines(connection, one.supplier, one.lines, besides=one.document)
        left = three_way_match(one.lines, ordered_lines)
        if left:
            said = "; ".join(
                f"{each.order_no}/{each.line_no} {each.why}: {each.came} > {each.allowed}" for each in left
            )
            raise NotNow(f"invoice {one.number}: expected it to match by now, got {said:.200}; ask for a corrected one")

    def _check_payer(self, connection: Connection, caller: Caller, one: kept.Invoice) -> None:
        documents = {line.order_no for line in one.lines}
        approvers = {order.approved_by for order in orders(connection, self.documents.hospital, named=documents)}
        approvers |= {note.agreed_by for note in notes(connection, self.documents.hospital, named=documents)}
        approvers |= kept.amenders(connection, self.documents.hospital, documents)
        if caller.person in approvers | {one.entered_by}:
            raise NotAllowed("payment: expected somebody who neither approved the order nor entered the invoice")

    def _take_off(self, connection: Connection, caller: Caller, one: kept.Invoice) -> dict[str, Any]:
        """Take the supplier's open credit notes off a payment; returns which, and what is paid."""
        notes = open_credits(connection, self.documents.hospital, one.supplier)
        used, paid = set_off([(note.document, note.amount) for note in notes], one.amount)
        for document in used:
            told = {"invoice": one.document}
            self.documents.write(connection, caller, document, CREDIT, "set-off", USED, told)
        return {"credits": " ".join(used), "paid": paid} if used else {}

    def _invoice_row(self, document: str, no: int, line: InvoicedLine) -> dict[str, Any]:
        row = {"hospital": self.documents.hospital, "document": document, "line_no": no}
        return row | {"order_no": line.order_no, "order_line": line.line_no, "qty": line.qty, "price": line.price}

    def _ordered_lines(
        self,
        connection: Connection,
        supplier: str,
        lines: Sequence[InvoicedLine],
        *,
        besides: str = "",
    ) -> dict[tuple[str, int], OrderedLine]:
        """Return the order lines an invoice names, of its supplier, with what others ask for besides this one."""
        hospital, now = self.documents.hospital, self.documents.clock.now()
        asked = kept.invoiced(connection, hospital, besides=besides)
        named = orders(connection, hospital, named={line.order_no for line in lines})
        of_supplier = [order for order in named if order.supplier == supplier]
        came = {place: arrived_in(connection, hospital, place, now) for place in {one.place for one in of_supplier}}
        laid_in = accepted_consigned(connection, hospital, {order.order_no for order in of_supplier})
        gone, credited = sent_back(connection, hospital)
        found: dict[tuple[str, int], OrderedLine] = {}
        for order in of_supplier:
            for each in order.lines:
                key = (order.order_no, each.line_no)
                accepted = came[order.place][key] - laid_in[key] - gone[key]
                found[key] = OrderedLine(*key, each.qty, each.price, accepted, asked.get(key, 0) - credited[key])
        return found | self._settled_lines(connection, supplier, lines, asked)

    def _settled_lines(
        self,
        connection: Connection,
        supplier: str,
        lines: Sequence[InvoicedLine],
        asked: Mapping[tuple[str, int], int],
    ) -> dict[tuple[str, int], OrderedLine]:
        """Return the lines of settlements an invoice names, as ordered and accepted once they are agreed."""
        found: dict[tuple[str, int], OrderedLine] = {}
        for note in notes(connection, self.documents.hospital, named={line.order_no for line in lines}):
            for number, one in enumerate(note.lines, 1):
                used = max(0, one.used) if note.supplier == supplier and note.state is NoteState.AGREED else 0
                key = (note.note, number)
                found[key] = OrderedLine(*key, max(0, one.used), one.price, used, asked.get(key, 0))
        return found

    def _accepted_on(self, connection: Connection, lines: Sequence[InvoicedLine], dated: date) -> date:
        """Return the day of the last acceptance or agreed settlement it asks for, its own date where there is none."""
        days = [
            business_day(Instant(row["at"]))
            for order_no in {line.order_no for line in lines}
            for row in kept.receipts_of(connection, self.documents.hospital, order_no)
            if row["accepted"]
        ]
        settled = notes(connection, self.documents.hospital, named={line.order_no for line in lines})
        days += [note.agreed_on for note in settled if note.agreed_on is not None]
        return max(days, default=dated)


def _told(one: Difference) -> dict[str, Any]:
    return {
        "order_no": one.order_no,
        "line_no": one.line_no,
        "why": str(one.why),
        "allowed": one.allowed,
        "came": one.came,
    }
