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
    due_on,
    invoice_after,
    three_way_match,
)
from central.core.rights import Caller, Right
from central.errors import NotAllowed, NotNow, NotThere
from central.services.documents import Documents, check_seen, check_text, number_of
from central.services.orders import arrived_in
from central.services.policy import rules_at
from central.services.purchasing import NUMBER_MAX
from central.store import queries_purchasing as kept
from central.store.queries_consignment import accepted_consigned, notes
from central.store.queries_work import orders
from protocols.values.instant import Instant, business_day


@dataclass(frozen=True, slots=True)
class Entered:
    """An invoice that was entered: its document, how it stands, and what of it does not match."""

    document: str
    state: InvoiceState
    differences: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class Invoices:
    """The invoices of one hospital."""

    documents: Documents

    def enter_invoice(
        self, caller: Caller, supplier: str, number: str, dated: date, lines: Sequence[InvoicedLine]
    ) -> Entered:
        """Enter a supplier's invoice and match it with orders and receipts; what does not match is disputed."""
        caller.need(Right.INVOICE)
        check_text("invoice number", number, NUMBER_MAX)
        document = number_of("IV", supplier, number)
        with self.documents.store.write() as connection:
            if kept.has_invoice(connection, self.documents.hospital, supplier, number):
                raise NotNow(f"invoice {number} of {supplier}: expected a new one, it was entered before")
            differences = three_way_match(lines, self._ordered_lines(connection, supplier, lines))
            now = self.documents.clock.now()
            rules = rules_at(connection, self.documents.hospital, now)
            due = due_on(self._accepted_on(connection, lines, dated), rules.whole("payment.days"))
            row: dict[str, Any] = {
                "hospital": self.documents.hospital,
                "supplier": supplier,
                "invoice": number,
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
            found = kept.invoices(connection, self.documents.hospital, document=document)
            if not found:
                raise NotThere(f"invoice: expected one that was entered, got {document!r:.40}")
            (one,) = found
            check_seen(document, seen, len(kept.history(connection, self.documents.hospital, document)))
            after = invoice_after(one.state, event)
            if event is InvoiceStep.MATCH:
                self._match_again(connection, one)
            if event is InvoiceStep.PAY:
                self._check_payer(connection, caller, one)
            self.documents.write(
                connection, caller, document, "invoice", event, after, {"reason": reason} if reason else {}
            )
        return after

    def _match_again(self, connection: Connection, one: kept.Invoice) -> None:
        ordered_lines = self._ordered_lines(connection, one.supplier, one.lines, without=one.lines)
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
        if caller.person in approvers | {one.entered_by}:
            raise NotAllowed("payment: expected somebody who neither approved the order nor entered the invoice")

    def _invoice_row(self, document: str, no: int, line: InvoicedLine) -> dict[str, Any]:
        row = {"hospital": self.documents.hospital, "document": document, "line_no": no}
        return row | {"order_no": line.order_no, "order_line": line.line_no, "qty": line.qty, "price": line.price}

    def _ordered_lines(
        self,
        connection: Connection,
        supplier: str,
        lines: Sequence[InvoicedLine],
        *,
        without: Sequence[InvoicedLine] = (),
    ) -> dict[tuple[str, int], OrderedLine]:
        """Return the order lines an invoice names, of its supplier; `without` were asked for by this same invoice."""
        hospital, now = self.documents.hospital, self.documents.clock.now()
        asked = kept.invoiced(connection, hospital)
        for line in without:
            asked[line.order_no, line.line_no] -= line.qty
        named = orders(connection, hospital, named={line.order_no for line in lines})
        of_supplier = [order for order in named if order.supplier == supplier]
        came = {place: arrived_in(connection, hospital, place, now) for place in {one.place for one in of_supplier}}
        laid_in = accepted_consigned(connection, hospital, {order.order_no for order in of_supplier})
        found: dict[tuple[str, int], OrderedLine] = {}
        for order in of_supplier:
            for each in order.lines:
                key = (order.order_no, each.line_no)
                accepted = came[order.place][key] - laid_in[key]
                found[key] = OrderedLine(*key, each.qty, each.price, accepted, asked.get(key, 0))
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
