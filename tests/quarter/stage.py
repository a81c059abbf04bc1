"""The stage of the simulated quarter: what lies where, what is on its way, what is owed, and the acts people do.

Every act goes through the real services; what is kept beside the store is what people would see on shelves and have in
mind. Nothing here reckons a figure.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from random import Random

from central.clock import Clock
from central.core.consignment import NoteStep
from central.core.purchasing import InvoicedLine, InvoiceState, InvoiceStep, OrderStep
from central.core.rights import Role
from central.errors import NotAllowed, Stopped
from central.services.approvals import approve_as, approve_automatically
from central.services.consignment import Consignment
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.own_chain import Draft, append
from central.services.purchasing import Inspected
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.queries_consignment import notes
from central.store.queries_work import Order, OrderLine, open_proposals, orders
from central.store.tables.charges import CHARGE
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.instant import Instant, StoryTime, business_day, day_start, plus, seconds_between
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import HOSPITAL, START, Ward, write_files
from tests.central.purchases import BUYER, HEAD, STORE, person
from tests.quarter.goods import Coming, Held, Owed, taken_back, used
from tests.quarter.town import (
    FIRST,
    MAIN,
    STENT,
    THINGS,
    WARDS,
    lot_of,
    poisson,
    uses,
)

FINANCE, CASHIER = person("30001", Role.FINANCE), person("30002", Role.FINANCE)
POLICY = "engine-item"
AFTER = date(2026, 4, 6)
"""The day on which the last month has closed and the quarter is scored."""
FAILING, BLOCKED_ON = "S03", date(2026, 2, 20)
FAILS_FROM = FIRST + timedelta(weeks=5)
CUT_OFF, CUT_FROM, CUT_TO = "ward-07", date(2026, 1, 29), date(2026, 2, 9)
RECALLED, RECALLED_ON = "Q-SYRINGE", date(2026, 3, 3)
INVOICE_AFTER_DAYS = 3


class StillClock(Clock):
    """A clock that stands at one moment, whatever the machine's does."""

    def __init__(self, at: Instant) -> None:
        super().__init__(StoryTime(at, 1e-9, 0))
        self._at = at

    def now(self) -> Instant:
        """Return the moment."""
        return self._at


class Line(Ward):
    """A ward's device that may be cut off: what it writes then is heard when it is back."""

    def tell(self, said: "Said", heard: Instant | None = None) -> None:
        """Write one entry that happened at an instant and is heard of then or later."""
        kind, lines, at, refs = said
        body = write_body(MovementBody(tuple(lines), occurred_at=None if heard is None else at, refs=refs))
        self.say(kind, body, seconds_between(START, at if heard is None else heard), "N1001")


Said = tuple[str, list[PostingLine], Instant, tuple[str, ...]]
"""Kind, lines, when, and the documents named."""


@dataclass
class Stage:
    """The state of a story beside the store: what people see on shelves and have in mind."""

    store: Store
    chance: Random
    folder: Path
    now: Instant = field(default_factory=lambda: day_start(FIRST))
    held: defaultdict[Held, int] = field(default_factory=lambda: defaultdict(int))
    coming: list[Coming] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    waiting: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """Requisitions of wards to be filled: order -> (ward, item, qty)."""
    sent: dict[str, tuple[str, str, str, Money, date]] = field(default_factory=dict)
    due: list[tuple[date, str]] = field(default_factory=list)
    disputed: list[tuple[date, str, list[InvoicedLine], str]] = field(default_factory=list)
    delivered: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    buffered: list[Said] = field(default_factory=list)
    acted: set[int] = field(default_factory=set)
    """Which acts of people were done."""
    billed: list[Owed] = field(default_factory=list)
    """What was invoiced, the first first."""
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def __post_init__(self) -> None:
        self.wards = {ward: Line(self.store, ward) for ward in WARDS}

    # --- the day ---

    def desk(self) -> Desk:
        """A desk at this moment."""
        return desk(self.store, Watch(self.now), clock=StillClock(self.now))

    def at(self, day: date, hour: int, minute: int = 0) -> Instant:
        """Go on to a time of a day, never back."""
        self.now = max(plus(self.now, 1), plus(day_start(day), hour * 3600 + minute * 60))
        return self.now

    def again(self, name: str, several: dict[str, str]) -> None:
        """Import files."""
        import_folder(self.store, HOSPITAL, write_files(self.folder / name, several), StillClock(self.now))

    # --- goods ---

    def central(self, kind: str, lines: list[PostingLine]) -> None:
        """The central store's own entry."""
        self.now = plus(self.now, 1)
        append(
            self.store,
            HOSPITAL,
            [Draft(kind, write_body(MovementBody(tuple(lines))), STORE.person)],
            StillClock(self.now),
        )
        self.book(lines)

    def ward(self, ward: str, kind: str, lines: list[PostingLine], *refs: str) -> None:
        """A ward's entry; while the ward is cut off it waits on the device."""
        self.now = plus(self.now, 1)
        self.book(lines)
        said = (kind, lines, self.now, refs)
        if ward == CUT_OFF and CUT_FROM <= business_day(self.now) < CUT_TO:
            self.buffered.append(said)
            return
        self.wards[ward].tell(said)

    def book(self, lines: list[PostingLine]) -> None:
        """Take note of what lies where."""
        for one in lines:
            self.held[one.source, one.item, one.lot, one.owner] -= one.qty
            self.held[one.target, one.item, one.lot, one.owner] += one.qty

    def pick(self, place: str, item: str, qty: int) -> list[tuple[str, str, int]]:
        """Return what of an item is taken in a place, the first lot first: lot, owner, pieces."""
        found = []
        for (there, what, lot, owner), held in sorted(self.held.items()):
            if (there, what) == (place, item) and held > 0 and qty > 0:
                found.append((lot, owner, min(held, qty)))
                qty -= found[-1][2]
        return found

    def arrivals(self, day: date) -> None:
        """What is due arrives at the central store and is inspected; now and then a piece is refused."""
        self.at(day, 8)
        for one in [each for each in self.coming if each.day == day]:
            supplier, item, place, price, _ = self.sent[one.order]
            self.delivered[item] += 1
            lot = lot_of(item, self.delivered[item])
            if place != MAIN:
                self.by_note(day, place, one, lot)
                continue
            refused = 1 if self.chance.random() < 0.02 and one.qty > 1 else 0
            self.now = plus(self.now, 1)
            accepted = one.qty - refused
            inspected = Inspected(1, lot, date(2028, 6, 30), accepted, refused, "damaged" if refused else "")
            self.desk().purchasing.receive(STORE, one.order, f"DN-{next(self.numbers)}", [inspected])
            self.held[MAIN, item, lot, supplier if item == STENT else "hospital"] += accepted
            if item != STENT:
                self.owed.append(Owed(supplier, one.order, accepted, price, day))
        self.coming = [each for each in self.coming if each.day > day]

    def by_note(self, day: date, ward: str, one: Coming, lot: str) -> None:
        """A supplier delivers to a ward, which takes it in by one scan of the note."""
        supplier, item, _, price, _ = self.sent[one.order]
        owner = supplier if item == STENT else "hospital"
        self.ward(
            ward, "ward_receipt", [PostingLine(item, one.qty, f"transit@{ward}", ward, lot=lot, owner=owner)], one.order
        )
        if item != STENT:
            self.owed.append(Owed(supplier, one.order, one.qty, price, day))

    def fill_wards(self, day: date) -> None:
        """The central store sends what wards asked for, as far as it has it; they take it in."""
        self.at(day, 10)
        sent: list[tuple[str, str, list[PostingLine]]] = []
        for order, (ward, item, qty) in list(self.waiting.items()):
            lines = [
                PostingLine(item, part, MAIN, f"transit@{ward}", lot=lot, owner=owner)
                for lot, owner, part in self.pick(MAIN, item, qty)
            ]
            if lines:
                self.book(lines)
                sent.append((order, ward, lines))
            left = qty - sum(one.qty for one in lines)
            if left:
                self.waiting[order] = (ward, item, left)
            else:
                del self.waiting[order]
        for ward in sorted({ward for _, ward, _ in sent}):
            several = [one for _, to, lines in sent if to == ward for one in lines]
            self.book([taken_back(one) for one in several])
            self.central("transfer_out", several)
        for order, ward, lines in sent:
            taken = [PostingLine(one.item, one.qty, one.target, ward, lot=one.lot, owner=one.owner) for one in lines]
            self.ward(ward, "ward_receipt", taken, order)

    def use(self, day: date) -> None:
        """Wards use what they have of what they need."""
        self.at(day, 12)
        for ward in WARDS:
            lines: list[PostingLine] = []
            for item in (each for each in THINGS if uses(ward, each)):
                lines += self.taken(ward, item, poisson(self.chance, THINGS[item].daily))
            if lines:
                self.ward(ward, "use", lines)

    def taken(self, ward: str, item: str, qty: int) -> list[PostingLine]:
        """What a ward uses of an item; stents are charged."""
        parts = self.pick(ward, item, qty)
        for lot, _, part in parts if item == STENT else ():
            self.charge(ward, lot, part)
        return [line for lot, owner, part in parts for line in used(ward, item, lot, owner, part)]

    def charge(self, ward: str, lot: str, qty: int) -> None:
        """The other system charges a stent; each fourth time nobody does."""
        number = next(self.numbers)
        if number % 4 == 0:
            return
        row = {"hospital": HOSPITAL, "charge": f"C{number}", "at": self.now, "place": ward, "item": STENT}
        with self.store.write() as connection:
            connection.execute(
                CHARGE.insert().values(**row, lot=lot, qty=qty, source="csv", person="his", received_at=self.now)
            )

    # --- papers ---

    def propose(self, day: date) -> None:
        """The engine proposes; what lies within limits is approved by itself, the rest by the buyer or the head."""
        self.at(day, 15)
        reconcile(self.store, HOSPITAL, self.now)
        replenish(self.store, HOSPITAL, self.now, policy=POLICY, run=f"replenish:{day}")
        approve_automatically(self.store, HOSPITAL, self.now)
        with self.store.read() as connection:
            left = open_proposals(connection, HOSPITAL)
        for one in sorted(left, key=lambda each: (each.place, each.item)):
            try:
                approve_as(BUYER, self.store, HOSPITAL, one.id, self.now, one.version)
            except Stopped:
                continue
            except NotAllowed:
                approve_as(HEAD, self.store, HOSPITAL, one.id, self.now, one.version)
        self.send(day)

    def send(self, day: date) -> None:
        """What was approved today is sent or waits for the central store."""
        with self.store.read() as connection:
            fresh = [one.order_no for one in orders(connection, HOSPITAL) if one.created_at == self.now]
        self.at(day, 16)
        self.send_these(fresh)

    def send_these(self, numbers: Iterable[str]) -> None:
        """Send some orders, or let them wait for the central store; each supplier draws when it will come."""
        for number in sorted(numbers):
            one, line = self.order(number)
            if not one.supplier:
                self.waiting[number] = (one.place, line.item, line.qty)
                continue
            promised = business_day(self.now) + timedelta(days=2 + int(one.supplier[-1]))
            self.tell_supplier(number)
            self.hear_supplier(number, promised)
            self.will_come(number, one.supplier, line.item, line.qty, promised)

    def order(self, number: str) -> tuple[Order, OrderLine]:
        """Return an order as it stands, with its line."""
        with self.store.read() as connection:
            (one,) = orders(connection, HOSPITAL, named=[number])
        (line,) = one.lines
        return one, line

    def tell_supplier(self, number: str) -> None:
        """Send an order."""
        told = {"platform_order_no": f"YPO-{next(self.numbers)}"}
        self.desk().purchasing.step(BUYER, number, OrderStep.SEND, told)

    def hear_supplier(self, number: str, promised: date) -> None:
        """The supplier confirms an order."""
        self.desk().purchasing.step(BUYER, number, OrderStep.CONFIRM, {"promised": promised.isoformat()})
        one, line = self.order(number)
        self.sent[number] = (one.supplier, line.item, one.place, line.price, promised)

    def will_come(self, order: str, supplier: str, item: str, qty: int, promised: date) -> None:
        """Draw when an order comes: mostly in time; the failing supplier brings half late, or nothing."""
        if supplier == FAILING and promised >= FAILS_FROM:
            if self.chance.random() < 0.4 and qty > 1:
                self.coming.append(Coming(promised + timedelta(days=6), order, item, qty // 2))
            return
        late = self.chance.random() < {"S01": 0.02, "S02": 0.12}.get(supplier, 0.1)
        self.coming.append(Coming(promised + timedelta(days=3 if late else 0), order, item, qty))

    def invoice(self, day: date) -> None:
        """Every supplier invoices what was accepted some days ago; now and then cheaper, once a month too dear."""
        self.at(day, 11)
        ripe = [one for one in self.owed if one.since <= day - timedelta(days=INVOICE_AFTER_DAYS)]
        self.owed = [one for one in self.owed if one not in ripe]
        for supplier in ("S01", "S02", "S03"):
            mine = [one for one in ripe if one.supplier == supplier]
            if not mine:
                continue
            lines = [
                InvoicedLine(one.order, 1, one.qty, Money(one.price - (100 if self.chance.random() < 0.1 else 0)))
                for one in mine
            ]
            self.billed += mine
            if day.day <= 7:
                dear = InvoicedLine(lines[0].order_no, 1, lines[0].qty, Money(mine[0].price + 1))
                self.enter(day, supplier, [dear, *lines[1:]])
                self.disputed[-1] = (day + timedelta(days=7), self.disputed[-1][1], lines, supplier)
            else:
                self.enter(day, supplier, lines)

    def enter(self, day: date, supplier: str, lines: list[InvoicedLine]) -> None:
        """Finance enters an invoice; what does not match waits for a better one."""
        self.now = plus(self.now, 1)
        number = f"INV-{supplier}-{next(self.numbers)}"
        done = self.desk().invoices.enter_invoice(FINANCE, supplier, number, day, lines)
        if done.state is InvoiceState.DISPUTED:
            self.disputed.append((day, done.document, lines, supplier))
            return
        self.due.append((day + timedelta(days=25), done.document))

    def settle_and_pay(self, day: date) -> None:
        """Settlements are agreed and invoiced, disputed invoices entered anew, and what is due is paid."""
        self.at(day, 17)
        for until, document, lines, supplier in [one for one in self.disputed if one[0] <= day]:
            self.now = plus(self.now, 1)
            self.desk().invoices.invoice_step(FINANCE, document, InvoiceStep.WITHDRAW)
            self.disputed.remove((until, document, lines, supplier))
            self.enter(day, supplier, lines)
        if day.day == 6:
            self.agree(day)
        for on, document in [one for one in self.due if one[0] <= day]:
            self.now = plus(self.now, 1)
            self.desk().invoices.invoice_step(CASHIER, document, InvoiceStep.PAY)
            self.due.remove((on, document))

    def agree(self, day: date) -> None:
        """The month's settlements are agreed with their suppliers, who invoice them."""
        with self.store.read() as connection:
            open_ = [one for one in notes(connection, HOSPITAL) if one.state == "made"]
        for one in open_:
            self.now = plus(self.now, 1)
            Consignment(self.desk().purchasing.documents).step(BUYER, one.note, NoteStep.AGREE)
            lines = [InvoicedLine(one.note, number, each.used, each.price) for number, each in enumerate(one.lines, 1)]
            self.enter(day, one.supplier, [each for each in lines if each.qty > 0])
