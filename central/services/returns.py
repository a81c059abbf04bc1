"""Send goods back to a supplier, claim money of one, and enter the credit note that answers.

The rules are in core. The rules that must not be broken: goods leave the book in the transaction that says they were
handed out; three people meet, of whom one asks, one approves, one hands out; a credit note never gives more for goods
than they came at, and takes back of the accruals exactly that.

Sources: H1 (S0, S4); recalls and damaged goods of the receipts they came by.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from central.core.purchasing import check_printed, plain_number
from central.core.returns import (
    SAID_MAX,
    Back,
    Claimed,
    ReturnKind,
    ReturnState,
    ReturnStep,
    check_left,
    check_people,
    return_after,
)
from central.core.rights import Caller, Right, Scope
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.documents import Documents, check_seen, check_text, number_of
from central.services.own_chain import Draft, append_within
from central.store import queries_returns as kept
from central.store.queries_purchasing import DocumentStep, history
from central.store.queries_returns import KIND, Return, ReturnLine
from central.store.queries_work import orders
from central.store.turns import one_at_a_time
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import HOSPITAL_OWNED, PlaceId, virtual_place
from protocols.values.instant import business_day
from protocols.values.money import Money

NUMBER_MAX = 64
NOTHING = Money(0)
ASKS = (Right.RECEIVE, Right.PURCHASE)
NEEDED: Mapping[ReturnStep, tuple[Right, ...]] = {
    ReturnStep.APPROVE: (Right.APPROVE,),
    ReturnStep.REFUSE: (Right.APPROVE,),
    ReturnStep.WITHDRAW: ASKS,
    ReturnStep.SHIP: (Right.RECEIVE,),
    ReturnStep.CREDIT: (Right.INVOICE,),
    ReturnStep.CLOSE: (Right.PURCHASE,),
}
"""Of which rights each step asks for one; only who asked withdraws."""


@dataclass(frozen=True, slots=True)
class Credit:
    """What a credit note says: its number and day, and how much it gives for the claim."""

    number: str
    dated: date
    claim: Money = NOTHING


@dataclass(frozen=True, slots=True)
class Returns:
    """The returns and claims of one hospital."""

    documents: Documents

    def ask(self, caller: Caller, wanted: Claimed) -> Return:
        """Ask that goods of receipts go back, or that money be claimed of their supplier.

        Raises `NotAllowed`, `NotThere`, `BadInput`; `NotNow` where more would go back than was accepted.
        """
        scope = _reach(caller, ASKS)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        number = number_of(
            "RT", caller.person, str(now), *(f"{one.receipt}/{one.line_no}/{one.qty}" for one in wanted.lines)
        )
        with self.documents.store.write() as connection:
            one_at_a_time(connection, hospital, KIND)
            lines = [self._line(connection, one, wanted.kind, scope) for one in wanted.lines]
            found = {one.order_no: one for one in orders(connection, hospital, named={row.order_no for row in lines})}
            if len({(one.supplier, one.place) for one in found.values()}) != 1:
                raise BadInput("return: expected receipts of one supplier in one storeroom; ask for each apart")
            order = next(iter(found.values()))
            head = {"hospital": hospital, "return_no": number, "kind": str(wanted.kind), "supplier": order.supplier}
            head |= {"place": order.place, "why": str(wanted.why), "said": wanted.said.strip()}
            rows = [self._row(number, at, line) for at, line in enumerate(lines, 1)]
            kept.add(connection, {**head, "claim": wanted.claim, "asked_at": now, "asked_by": caller.person}, rows)
            told = {"why": str(wanted.why), "supplier": order.supplier}
            self.documents.write(connection, caller, number, KIND, "ask", ReturnState.ASKED, told)
            return self._one(connection, number)

    def step(
        self,
        caller: Caller,
        return_no: str,
        event: ReturnStep,
        *,
        said: str = "",
        credit: Credit | None = None,
        seen: int | None = None,
    ) -> Return:
        """Approve, refuse, withdraw, hand out to the supplier, enter the credit note, or close without one.

        Raises `NotAllowed`, `NotThere`, `ChangedSince`, `NotNow`, `BadInput`.
        """
        scope = _reach(caller, NEEDED[event])
        check_text("reason", said, SAID_MAX, empty=event not in {ReturnStep.REFUSE, ReturnStep.CLOSE})
        hospital = self.documents.hospital
        with self.documents.store.write() as connection:
            one_at_a_time(connection, hospital, KIND)
            one = self._in_scope(connection, return_no, scope)
            steps = history(connection, hospital, return_no)
            check_seen(return_no, seen, len(steps))
            after = return_after(one.kind, one.state, event)
            check_people(event, caller.person, one.asked_by, approver(steps))
            told: dict[str, Any] = {"reason": said.strip()} if said.strip() else {}
            if event is ReturnStep.SHIP:
                told["event"] = self._ship(connection, caller, one)
            if event is ReturnStep.CREDIT:
                told["credit"] = self._credit(connection, caller, one, credit)
            self.documents.write(connection, caller, return_no, KIND, event, after, told)
            return self._one(connection, return_no)

    def one(self, connection: Connection, caller: Caller, return_no: str) -> Return:
        """Return one that the caller may see. Raises `NotThere`."""
        return self._in_scope(connection, return_no, caller.scope(Right.SEE_ORDERS))

    def _line(self, connection: Connection, one: Back, kind: ReturnKind, scope: Scope) -> ReturnLine:
        hospital, name = self.documents.hospital, f"{one.receipt}/{one.line_no}"
        row = kept.receipt_line(connection, hospital, one.receipt, one.line_no)
        reached = [] if row is None else orders(connection, hospital, scope, named=[row["order_no"]])
        if row is None or not reached:
            raise NotThere(f"return: expected a line of a receipt of your storerooms, got {name:.80}")
        before = kept.asked_back(connection, hospital, one.receipt)[one.line_no] if kind is ReturnKind.RETURN else 0
        check_left(name, one.qty, row["accepted"], before)
        price = next(line.price for line in reached[0].lines if line.line_no == row["order_line"])
        own = row["owner"] == HOSPITAL_OWNED
        return ReturnLine(
            one.receipt, one.line_no, row["order_no"], row["order_line"], row["item"], row["lot"], row["owner"],
            one.qty, price if own else Money(0),
        )  # fmt: skip

    def _row(self, number: str, at: int, line: ReturnLine) -> dict[str, Any]:
        return {
            "hospital": self.documents.hospital, "return_no": number, "line_no": at, "receipt": line.receipt,
            "receipt_line": line.receipt_line, "order_no": line.order_no, "order_line": line.order_line,
            "item": line.item, "lot": line.lot, "owner": line.owner, "qty": line.qty, "price": line.price,
        }  # fmt: skip

    def _ship(self, connection: Connection, caller: Caller, one: Return) -> str:
        """Take the goods out of the book; returns the entry's event."""
        place, posted = PlaceId(one.place), list[PostingLine]()
        taken = Counter[tuple[str, str, str, str]]()
        for line in one.lines:
            left = line.qty
            for position, held in kept.lying_loose(connection, self.documents.hospital, one.place, line):
                goods = (line.item, line.lot, line.owner, position)  # several receipts may have brought them
                part = min(left, held - taken[goods])
                taken[goods] += part
                left -= part
                if part:
                    outside = virtual_place("supplier", place)
                    posted.append(
                        PostingLine(line.item, part, place, outside, line.lot, line.owner, source_position=position)
                    )
            if left:
                raise NotNow(
                    f"return {one.return_no}: expected {line.qty} of {line.item} lot {line.lot} in {place}, {left} are "
                    "not there by the book; fetch them back or ask for fewer"
                )
        body = write_body(MovementBody(lines=tuple(posted), refs=(one.return_no, one.lines[0].receipt)))
        (entry,) = append_within(
            connection,
            self.documents.hospital,
            [Draft("return_to_supplier", body, caller.person)],
            self.documents.clock,
        )
        return bytes(entry.entry.event_id).hex()

    def _credit(self, connection: Connection, caller: Caller, one: Return, credit: Credit | None) -> str:
        """Enter the credit note; returns its document."""
        if credit is None:
            raise BadInput("credit: expected the credit note's number and day, got nothing")
        check_text("credit note", credit.number, NUMBER_MAX)
        if not 0 <= credit.claim <= one.claim:
            raise BadInput(f"credit: expected 0 to the {one.claim} (1e-4 yuan) claimed, got {credit.claim}")
        hospital, now = self.documents.hospital, self.documents.clock.now()
        named = orders(connection, hospital, named={line.order_no for line in one.lines})
        check_printed(credit.dated, [business_day(order.created_at) for order in named], business_day(now))
        document = number_of("CN", one.supplier, plain_number(credit.number))
        if history(connection, hospital, document):
            raise NotNow(f"credit note {credit.number} of {one.supplier}: expected a new one, it was entered before")
        row: dict[str, Any] = {
            "hospital": hospital,
            "supplier": one.supplier,
            "number": credit.number,
            "document": document,
        }
        row |= {"return_no": one.return_no, "dated": credit.dated, "goods": one.goods, "claim": credit.claim}
        kept.add_credit(connection, {**row, "entered_at": now, "entered_by": caller.person})
        told = {"return": one.return_no, "amount": one.goods + credit.claim}
        self.documents.write(connection, caller, document, kept.CREDIT, "enter", kept.OPEN, told)
        return document

    def _in_scope(self, connection: Connection, return_no: str, scope: Scope) -> Return:
        found = kept.one_return(connection, self.documents.hospital, return_no, scope)
        if found is None:
            raise NotThere(f"return: expected one of your storerooms, got {return_no!r:.40}")
        return found

    def _one(self, connection: Connection, return_no: str) -> Return:
        found = kept.one_return(connection, self.documents.hospital, return_no)
        assert found is not None
        return found


def _reach(caller: Caller, rights: Sequence[Right]) -> Scope:
    """Return the storerooms where somebody holds one of some rights. Raises `NotAllowed` where that is nowhere."""
    scopes = [caller.scope(right) for right in rights]
    if all(one.is_empty for one in scopes):
        caller.need(rights[-1])
    return Scope(any(one.everywhere for one in scopes), frozenset().union(*(one.places for one in scopes)))


def approver(steps: list[DocumentStep]) -> str:
    """Return who approved; empty where nobody did."""
    return next((one.actor for one in steps if one.step == ReturnStep.APPROVE), "")


def steps_for(one: Return, caller: Caller, approved_by: str) -> list[ReturnStep]:
    """Return the steps that a page may offer somebody now."""
    found = []
    for event, rights in NEEDED.items():
        try:
            return_after(one.kind, one.state, event)
            check_people(event, caller.person, one.asked_by, approved_by)
            reached = PlaceId(one.place) in _reach(caller, rights)
        except (NotNow, NotAllowed):
            continue
        found += [event] if reached else []
    return found
