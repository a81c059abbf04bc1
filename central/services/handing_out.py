"""Hand goods of the hospital's own store out for a ward's order, where that store has no device of its own.

What goes out is on its way from then on: the ward receives it by one scan of the paper, at its device or on the page At
the ward. The rules that must not be broken: a store with a device is written by that device; an order is handed out at
most once in full, however often the form is sent.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.handing_out import Loose, Shelves, lines_for
from central.core.notes import LINES_MAX
from central.core.purchasing import OrderState
from central.core.rights import Caller, Right
from central.errors import BadInput, ChangedSince, NotNow, NotThere
from central.services.awaited import OVER
from central.services.documents import Documents
from central.services.orders import progress_of
from central.services.own_chain import Draft, append_within
from central.services.purchasing import PENDING
from central.store.feeds import recalls
from central.store.queries_master import LEVEL_STORE, Place, expiries, places
from central.store.queries_notes import loose_goods, sent_for
from central.store.queries_purchasing import ORDERING
from central.store.queries_work import Order, orders
from central.store.turns import one_at_a_time
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import PlaceId
from protocols.values.instant import business_day


@dataclass(frozen=True, slots=True)
class ToGo:
    """What an order is still owed of one item, and the lots that would go out for it now."""

    item: str
    owed: int
    lines: tuple[PostingLine, ...]

    @property
    def ready(self) -> int:
        """The base units that may go out now."""
        return sum(line.qty for line in self.lines)


@dataclass(frozen=True, slots=True)
class HandingOut:
    """The orders between storerooms of one hospital that its own store fills by hand."""

    documents: Documents

    def waiting(self, connection: Connection, order: Order) -> tuple[ToGo, ...]:
        """Return what is still to be handed out for an order; nothing where its store has a device, or it is over."""
        hospital, now = self.documents.hospital, self.documents.clock.now()
        if order.supplier or not _by_hand(places(connection, hospital), order.source):
            return ()
        if progress_of(connection, hospital, [order], now)[order.order_no] in OVER:
            return ()
        source, ward = PlaceId(order.source), PlaceId(order.place)
        owed = Counter[str]()
        for line in order.lines:
            owed[line.item] += line.qty
        owed -= sent_for(connection, hospital, source, ward, order.order_no, now)
        shelves = self._shelves(connection, source, owed)
        return tuple(ToGo(item, qty, tuple(lines_for(shelves, item, qty, ward))) for item, qty in owed.items())

    def hand_out(self, caller: Caller, order_no: str, wanted: Mapping[str, int], seen: int) -> str:
        """Put so much of each item on its way; returns the entry's event. `seen` is what its caller saw as still owed.

        Raises `NotThere`, `NotAllowed`, `ChangedSince`, `BadInput`, and `NotNow` where the store lacks it.
        """
        hospital = self.documents.hospital
        with self.documents.store.write() as connection:
            one_at_a_time(connection, hospital, ORDERING)
            order = self._order(connection, caller, order_no)
            waiting = {one.item: one for one in self.waiting(connection, order)}
            if not waiting:
                raise NotNow(f"handing out: nothing of order {order_no} is to be handed out by hand")
            left = sum(one.owed for one in waiting.values())
            if seen != left:
                raise ChangedSince(f"handing out: expected {left} still owed of {order_no}, you saw {seen}; look again")
            lines = self._checked(connection, order, waiting, wanted)
            body = write_body(MovementBody(lines, refs=(order_no,)))
            draft = Draft("transfer_out", body, caller.person)
            (entry,) = append_within(connection, hospital, [draft], self.documents.clock)
            told = {"qty": sum(line.qty for line in lines), "event": entry.entry.event_id.hex()}
            self.documents.write(connection, caller, order_no, "order", "hand-out", OrderState.APPROVED, told)
        return str(told["event"])

    def _order(self, connection: Connection, caller: Caller, order_no: str) -> Order:
        found = orders(connection, self.documents.hospital, named=[order_no])
        if not found:
            raise NotThere(f"order: expected one of your storerooms, got {order_no!r:.40}")
        caller.need(Right.RECEIVE, PlaceId(found[0].source))
        return found[0]

    def _checked(
        self, connection: Connection, order: Order, waiting: Mapping[str, ToGo], wanted: Mapping[str, int]
    ) -> tuple[PostingLine, ...]:
        """Return the lines that go out for the quantities asked for."""
        shelves = self._shelves(connection, PlaceId(order.source), waiting)
        lines = list[PostingLine]()
        for item, qty in sorted(wanted.items()):
            known = waiting.get(item)
            if known is None or not 0 <= qty <= known.owed:
                raise BadInput(f"handing out: expected 0 to what is owed of {item:.40}, got {qty}")
            if qty > known.ready:
                raise NotNow(f"stock: expected {qty} of {item} in {order.source} that may go out, it has {known.ready}")
            lines += lines_for(shelves, item, qty, PlaceId(order.place))
        if not lines or len(lines) > LINES_MAX:
            raise BadInput(f"handing out: expected 1 to {LINES_MAX} lots, got {len(lines)}")
        return tuple(lines)

    def _shelves(self, connection: Connection, source: PlaceId, items: Mapping[str, object]) -> Shelves:
        hospital = self.documents.hospital
        goods = [Loose(*row) for row in loose_goods(connection, hospital, source, sorted(items))]
        held = {(item, lot) for item, lot, _ in recalls(connection, hospital)}
        today = business_day(self.documents.clock.now())
        return Shelves(source, goods, expiries(connection, hospital, sorted(items)), held, PENDING, today)


def _by_hand(rooms: Sequence[Place], source: str) -> bool:
    """Tell whether a storeroom is the hospital's own store and has no device."""
    return any(one.place == source and one.level == LEVEL_STORE and not one.device for one in rooms)
