"""Carry an order from its approval to its receipt: send, confirm, announce, receive with inspection, close, cancel.

Each act checks the right, moves the order by its state table, and is written with the record of acts in one
transaction; accepted goods of the level-1 storeroom go through the ledger, those on consignment as their supplier's.
The rules that must not be broken: who approved an order does not accept its goods (the database refuses it too), and
never more than is owed is accepted, and nothing whose last day is over.

Sources: A8, A9 (S0, S3); separation of purchase and acceptance: 行政事业单位内部控制规范（试行）, article 15.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from central.core.purchasing import TEXT_MAX, OrderState, OrderStep, order_after, promised_day
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow
from central.services.documents import Documents, check_seen, check_text, number_of
from central.services.order_checks import known_at
from central.services.orders import arrived_in, owed_in
from central.services.own_chain import Draft, append_within
from central.services.suppliers import note_answer
from central.store import queries_purchasing as kept
from central.store.merge import merge
from central.store.queries_consignment import terms_on
from central.store.queries_master import LEVEL_STORE, expiries, having_lots, places
from central.store.queries_work import Order
from central.store.tables.master import LOT
from central.store.turns import one_at_a_time
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import HOSPITAL_OWNED, HospitalId, PlaceId, virtual_place
from protocols.values.instant import Instant, business_day

NUMBER_MAX = 64
PENDING = "PENDING"
"""Where goods lie whose certificate is over when they come: they are taken in, and not put away until it is renewed."""


@dataclass(frozen=True, slots=True)
class Inspected:
    """What came of one order line: base units accepted and refused, with the lot printed on them."""

    line_no: int
    lot: str
    expiry: date | None
    accepted: int
    refused: int
    why: str = ""

    def __post_init__(self) -> None:
        if self.accepted < 0 or self.refused < 0 or not self.accepted + self.refused:
            raise BadInput(f"receipt line {self.line_no}: expected quantities of 0 or more that are not both 0")
        if self.refused and not self.why.strip():
            raise BadInput(f"receipt line {self.line_no}: expected why {self.refused} were refused, got nothing")


@dataclass(frozen=True, slots=True)
class Purchasing:
    """The purchasing desk of one hospital."""

    documents: Documents

    def step(
        self, caller: Caller, order_no: str, event: OrderStep, detail: Mapping[str, Any], seen: int | None = None
    ) -> OrderState:
        """Move an order, e.g. `send` with its platform number; `seen` is the number of steps its caller saw.

        Raises `NotAllowed`, `NotThere`, `ChangedSince`, `NotNow`, `BadInput`.
        """
        caller.need(Right.PURCHASE)
        _check_detail(event, detail)
        with self.documents.store.write() as connection:
            one_at_a_time(connection, self.documents.hospital, kept.ORDERING)
            order = self.documents.order(connection, caller, Right.PURCHASE, order_no)
            if not order.supplier:
                raise NotNow(f"order {order_no}: expected one to a supplier, it is a requisition to the central store")
            check_seen(order_no, seen, len(kept.history(connection, self.documents.hospital, order_no)))
            detail = self._of_version(connection, order_no, event, detail)
            state = order_after(kept.order_state(connection, self.documents.hospital, order_no), event)
            now = self.documents.clock.now()
            if event is OrderStep.CANCEL and has_come(connection, self.documents.hospital, order, now):
                raise NotNow(f"goods: expected nothing of order {order_no} to have come yet; close it instead")
            if event is OrderStep.CONFIRM:
                day = promised_day(str(detail["promised"]), business_day(order.created_at), business_day(now))
                detail["promised"] = day.isoformat()
            self.documents.write(connection, caller, order_no, "order", event, state, detail)
            if event in {OrderStep.CONFIRM, OrderStep.ANNOUNCE}:
                note_answer(self.documents, connection, caller, order_no)
        return state

    def _of_version(
        self, connection: Connection, order_no: str, event: OrderStep, detail: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Say which version is sent or confirmed. Raises `NotNow` where the supplier spoke of another than in force."""
        if event not in {OrderStep.SEND, OrderStep.CONFIRM}:
            return dict(detail)
        in_force = kept.version_in_force(connection, self.documents.hospital, order_no)
        said = detail.get("version", in_force)
        if said != in_force:
            raise NotNow(
                f"order {order_no}: expected the supplier's word on version {in_force}, which is in force, got {said}; "
                "send that one"
            )
        return {**detail, "version": in_force} if in_force > 1 else dict(detail)

    def receive(
        self, caller: Caller, order_no: str, delivery_note: str, lines: Sequence[Inspected], seen: int | None = None
    ) -> str:
        """Accept and refuse what a delivery brought for the level-1 storeroom; returns the receipt's number.

        Accepted goods are posted to the ledger, refused ones never enter it; those whose certificate is over go to the
        pending area (B6). A lot nobody knew expires from then on the day it is said to. `seen` is the number of receipt
        lines its caller saw. Raises as `step` does, and `NotAllowed` for who approved the order.
        """
        caller.need(Right.RECEIVE)
        check_text("delivery note", delivery_note, NUMBER_MAX)
        with self.documents.store.write() as connection:
            one_at_a_time(connection, self.documents.hospital, kept.ORDERING)
            order = self.documents.order(connection, caller, Right.RECEIVE, order_no)
            check_seen(order_no, seen, len(kept.receipts_of(connection, self.documents.hospital, order_no)))
            self._check_receipt(connection, caller, order, lines)
            self._check_lots(connection, order, lines)
            now = self.documents.clock.now()
            self._know_lots(connection, order, lines, business_day(now))
            event = self._post(connection, caller, order, delivery_note, lines)
            number = number_of("GR", order_no, delivery_note, str(now))
            rows = [
                self._receipt_row(number, order, delivery_note, no, one, caller, now, event)
                for no, one in enumerate(lines, 1)
            ]
            kept.add_receipt(connection, rows)
            told = {"receipt": number, "accepted": sum(one.accepted for one in lines)}
            told |= {"refused": sum(one.refused for one in lines)}
            self.documents.note(connection, caller, "receive", order_no, told)
        return number

    def _check_receipt(self, connection: Connection, caller: Caller, order: Order, lines: Sequence[Inspected]) -> None:
        amenders = kept.amenders(connection, self.documents.hospital, [order.order_no])
        if caller.person in amenders | {order.approved_by}:
            raise NotAllowed("receipt: expected somebody who did not approve the order or a version of it")
        if not lines:
            raise BadInput("receipt: expected at least one line, got none")
        state = kept.order_state(connection, self.documents.hospital, order.order_no)
        if state in {OrderState.APPROVED, OrderState.CLOSED, OrderState.CANCELLED}:
            raise NotNow(f"order: cannot receive one that is {state}; it must have been sent and not closed")
        levels = {room.place: room.level for room in places(connection, self.documents.hospital)}
        if levels.get(order.place) != LEVEL_STORE:
            raise NotNow(f"order {order.order_no}: goods for {order.place} are received there, by one scan of the note")
        owed = owed_in(connection, self.documents.hospital, order.place, self.documents.clock.now())
        for line_no in {one.line_no for one in lines}:
            left = owed.get((order.order_no, line_no))
            taken = sum(one.accepted for one in lines if one.line_no == line_no)
            if left is None:
                raise BadInput(f"receipt: expected a line of order {order.order_no}, got {line_no}")
            if taken > left:
                raise NotNow(
                    f"receipt line {line_no}: expected at most {left} still owed, got {taken}; refuse the rest"
                )

    def _check_lots(self, connection: Connection, order: Order, lines: Sequence[Inspected]) -> None:
        """Raise `BadInput` where an item of which lots are known is accepted without one: nobody could recall it."""
        items = {line.line_no: line.item for line in order.lines}
        kept_by_lot = having_lots(connection, self.documents.hospital, items.values())
        for one in lines:
            if one.accepted and not one.lot and items[one.line_no] in kept_by_lot:
                raise BadInput(f"lot: expected the one printed on {items[one.line_no]:.40}, which is kept by lot")

    def _know_lots(self, connection: Connection, order: Order, lines: Sequence[Inspected], today: date) -> None:
        """Keep on which day each accepted lot expires. Raises `BadInput` for one whose last day is over."""
        items = {line.line_no: line.item for line in order.lines}
        known = expiries(connection, self.documents.hospital, items.values())
        for one in lines:
            key = (items[one.line_no], one.lot)
            day = known.get(key, one.expiry)
            if not one.accepted or day is None:
                continue
            if day < today:
                raise BadInput(f"expiry: expected a day from {today} on, lot {one.lot!r:.40} ended {day}; refuse it")
            if one.lot and key not in known:
                row = {"hospital": self.documents.hospital, "item": key[0], "lot": one.lot, "made": None, "expiry": day}
                merge(connection, LOT, [row])
                known[key] = day

    def _post(
        self, connection: Connection, caller: Caller, order: Order, note_no: str, lines: Sequence[Inspected]
    ) -> bytes | None:
        items = {line.line_no: line.item for line in order.lines}
        place = PlaceId(order.place)
        now = self.documents.clock.now()
        known = known_at(connection, self.documents.hospital, now)
        laid_in = terms_on(connection, self.documents.hospital, business_day(now))
        accepted = tuple(
            PostingLine(
                item=items[one.line_no],
                qty=one.accepted,
                source=virtual_place("supplier", place),
                target=place,
                lot=one.lot,
                owner=order.supplier if (items[one.line_no], order.supplier) in laid_in else HOSPITAL_OWNED,
                target_position=PENDING if known.lapsed_for(items[one.line_no], order.supplier) else "",
            )
            for one in lines
            if one.accepted
        )
        if not accepted:
            return None
        body = write_body(MovementBody(lines=accepted, refs=(order.order_no, note_no)))
        (entry,) = append_within(
            connection, self.documents.hospital, [Draft("receive", body, caller.person)], self.documents.clock
        )
        return bytes(entry.entry.event_id)

    def _receipt_row(
        self,
        number: str,
        order: Order,
        delivery_note: str,
        no: int,
        one: Inspected,
        caller: Caller,
        now: Instant,
        event: bytes | None,
    ) -> dict[str, Any]:
        items = {line.line_no: line.item for line in order.lines}
        return {
            "hospital": self.documents.hospital,
            "receipt": number,
            "line_no": no,
            "order_no": order.order_no,
            "order_line": one.line_no,
            "delivery_note": delivery_note,
            "item": items[one.line_no],
            "lot": one.lot,
            "expiry": one.expiry,
            "delivered": one.accepted + one.refused,
            "accepted": one.accepted,
            "refused": one.refused,
            "refused_why": one.why,
            "at": now,
            "actor": caller.person,
            "event_id": event,
        }


def _check_detail(event: OrderStep, detail: Mapping[str, Any]) -> None:
    """Check what a step must say: its supplier's day, its note, its reason."""
    wanted = {
        OrderStep.CONFIRM: ("promised", "the day the supplier promises"),
        OrderStep.ANNOUNCE: ("delivery_note", "the number of the delivery note"),
        OrderStep.CLOSE: ("reason", "why what is still owed is given up"),
        OrderStep.CANCEL: ("reason", "why it is cancelled"),
    }.get(event)
    if wanted is not None and not str(detail.get(wanted[0], "")).strip():
        raise BadInput(f"{wanted[0]}: expected {wanted[1]}, got nothing")
    for name, value in detail.items():
        if isinstance(value, str):
            check_text(name, value, TEXT_MAX, empty=True)


def has_come(connection: Connection, hospital: HospitalId, order: Order, now: Instant) -> bool:
    """Tell whether goods of an order were taken in: they are kept, returned or paid, and the order is closed."""
    came = arrived_in(connection, hospital, order.place, now)
    accepted = any(row["accepted"] for row in kept.receipts_of(connection, hospital, order.order_no))
    return accepted or any(came[order.order_no, line.line_no] for line in order.lines)
