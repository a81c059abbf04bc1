"""Close discrepancies by hand: one person what is cheap, two people what is dear or changes the book.

It decides nothing itself; `core.settling` does. The rule that must not be broken: the closing, the entry in central's
own chain and the record of acts are one transaction, and a discrepancy is closed once.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.causes import Why
from central.core.discrepancies import Kind
from central.core.reconcile import Line, lines_by
from central.core.rights import Caller, Right
from central.core.settling import Proposed, Step, Verdict, adjustment, check_cause, needs_two, waiting_for_second
from central.errors import NotAllowed, NotNow, NotThere
from central.services.causes import Account, account_of
from central.services.documents import Documents, check_seen, check_text, number_of
from central.services.own_chain import Draft, append_within
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.store import queries_settling as kept
from central.store.queries_book import units_against
from central.store.queries_master import Item, Place, items, places
from central.store.queries_rooms import book_in
from central.store.queries_work import Discrepancy
from protocols.movements.bodies import write_body
from protocols.movements.reports import DiscrepancyBody
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import business_day
from protocols.values.money import Money, yuan

REMARK_MAX = 500
CLOSED, WAITING, OPEN = "closed", "waiting", "open"
PROPOSED = "proposed"
"""Said of a list: what waits for somebody else than who asks for it."""


@dataclass(frozen=True, slots=True)
class Case:
    """One discrepancy with all that is known of it, whose it is, and what people have done about it.

    `named` are the items its evidence speaks of; `line` what book and shelf say now of its own item and lot.
    """

    one: Discrepancy
    account: Account
    steps: tuple[kept.Taken, ...]
    waits: Proposed | None
    owner_role: str
    owners: tuple[tuple[str, str], ...]
    needs_two: bool
    may_settle: bool
    item: Item | None
    named: dict[str, Item]
    rooms: dict[str, Place]
    line: Line


@dataclass(frozen=True, slots=True)
class Settling:
    """The discrepancies of one hospital, as people close them."""

    documents: Documents

    def case(self, caller: Caller, id: str) -> Case:
        """Return a discrepancy with its evidence. Raises `NotThere` for one that is not of the caller's storerooms."""
        hospital, scope = self.documents.hospital, caller.scope(Right.SEE_STOCK)
        caller.need(Right.SEE_STOCK)
        with self.documents.store.read() as connection:
            one = kept.one_discrepancy(connection, hospital, id, scope)
            if one is None:
                raise NotThere(f"discrepancy: expected one of your storerooms, got {id!r:.40}")
            steps = kept.steps_of(connection, hospital, id)
            role, people = kept.owners(connection, hospital, one.place)
            account = account_of(connection, hospital, one)
            moved = {thing.item for moment in account.moments for thing in moment.things}
            named = items(connection, hospital, {one.item, *moved})
            return Case(
                one=one,
                account=account,
                steps=tuple(steps),
                waits=_waits(one, steps),
                owner_role=role,
                owners=tuple(people),
                needs_two=self._needs_two(connection, one, adjust=False),
                may_settle=one.status == OPEN and caller.may(Right.SETTLE, PlaceId(one.place)),
                item=named.get(one.item),
                named=named,
                rooms={room.place: room for room in places(connection, hospital)},
                line=self._line(connection, one),
            )

    def settle(self, caller: Caller, id: str, cause: str, remark: str, *, adjust: bool, seen: int | None = None) -> str:
        """Close a discrepancy, or propose to where a second person must agree; returns `closed` or `waiting`.

        `seen` is the number of steps its caller saw. Raises `NotThere`, `NotAllowed`, `ChangedSince`, `NotNow` when it
        is closed or already waits, `BadInput`.
        """
        check_text("remark", remark, REMARK_MAX)
        with self.documents.store.write() as connection:
            one, steps = self._open(connection, caller, id, seen)
            verdict = Verdict(check_cause(Kind(one.kind), cause), remark.strip(), adjust)
            if _waits(one, steps) is not None:
                raise NotNow("discrepancy: expected one that nobody has judged yet; approve or refuse what is proposed")
            said = Proposed(verdict, caller.person)
            if self._needs_two(connection, one, adjust=adjust):
                self._note(connection, caller, one, Step.PROPOSE, said, len(steps))
                return WAITING
            self._finish(connection, caller, one, Step.CLOSE, said, len(steps))
            return CLOSED

    def approve(self, caller: Caller, id: str, seen: int | None = None) -> str:
        """Agree to what another person proposed, which closes the discrepancy. Raises as `settle`."""
        with self.documents.store.write() as connection:
            one, steps = self._open(connection, caller, id, seen)
            waits = _waiting(one, steps)
            if waits.person == caller.person:
                raise NotAllowed("settling: expected a second person, you proposed it yourself; ask a colleague")
            self._finish(connection, caller, one, Step.APPROVE, Proposed(waits.verdict, caller.person), len(steps))
            return CLOSED

    def refuse(self, caller: Caller, id: str, remark: str, seen: int | None = None) -> str:
        """Turn down what was proposed; whoever proposed it may take it back so. Raises as `settle`."""
        check_text("remark", remark, REMARK_MAX)
        with self.documents.store.write() as connection:
            one, steps = self._open(connection, caller, id, seen)
            verdict = _waiting(one, steps).verdict
            said = Proposed(Verdict(verdict.cause, remark.strip(), verdict.adjust), caller.person)
            self._note(connection, caller, one, Step.REFUSE, said, len(steps))
            return OPEN

    def _open(
        self, connection: Connection, caller: Caller, id: str, seen: int | None
    ) -> tuple[Discrepancy, list[kept.Taken]]:
        caller.need(Right.SETTLE)
        one = kept.one_discrepancy(connection, self.documents.hospital, id, caller.scope(Right.SEE_STOCK))
        if one is None:
            raise NotThere(f"discrepancy: expected one of your storerooms, got {id!r:.40}")
        caller.need(Right.SETTLE, PlaceId(one.place))
        steps = kept.steps_of(connection, self.documents.hospital, id)
        check_seen(id, seen, len(steps))
        if one.status != OPEN:
            raise NotNow(f"discrepancy: expected an open one, it was closed as {one.cause}")
        return one, steps

    def _line(self, connection: Connection, one: Discrepancy) -> Line:
        """Return what book and shelf say now of the piece's item and lot in its storeroom."""
        hospital = self.documents.hospital
        bounds = bounds_of(rules_at(connection, hospital, self.documents.clock.now()))
        against = units_against(connection, hospital, one.place, bounds)
        lines = lines_by(one.place, book_in(connection, hospital, one.place), against, bounds.here)
        own = (line for line in lines if (line.item, line.lot) == (one.item, one.lot))
        return next(own, Line(one.item, one.lot, 0, 0))

    def _needs_two(self, connection: Connection, one: Discrepancy, *, adjust: bool) -> bool:
        hospital = self.documents.hospital
        rules = rules_at(connection, hospital, self.documents.clock.now())
        return needs_two(
            item_class=kept.classes(connection, hospital).get(one.item, ""),
            price=kept.prices(connection, hospital).get(one.item, Money(0)),
            limit=yuan(str(rules.whole("settle.alone_yuan"))),
            adjust=adjust,
        )

    def _note(
        self, connection: Connection, caller: Caller, one: Discrepancy, step: Step, said: Proposed, seq: int
    ) -> None:
        kept.add_step(connection, self.documents.hospital, one.id, step, said, self.documents.clock.now(), seq)
        verdict = said.verdict
        detail = {"cause": verdict.cause, "remark": verdict.remark, "adjust": verdict.adjust, "unit": one.unit}
        self.documents.note(connection, caller, f"settle-{step}", one.id, detail)

    def _finish(
        self, connection: Connection, caller: Caller, one: Discrepancy, step: Step, said: Proposed, seq: int
    ) -> None:
        self._note(connection, caller, one, step, said, seq)
        hospital, verdict, actor = self.documents.hospital, said.verdict, ActorId(caller.person)
        drafts = []
        if verdict.adjust:
            held = kept.where_booked(connection, hospital, one.unit)
            place = PlaceId(one.place)
            cites = (one.found_event,)
            kind, body = adjustment(Kind(one.kind), place, one.item, one.lot, one.unit, held, cites)
            drafts.append(Draft(kind, write_body(body), actor))
        said_so = f"{verdict.cause}: {verdict.remark}"
        closing = DiscrepancyBody("settled", one.item, one.lot, one.unit, one.found_event, said_so, one.id)
        drafts.append(Draft("discrepancy", write_body(closing), actor))
        entry = append_within(connection, hospital, drafts, self.documents.clock)[-1].entry
        if not kept.close(connection, hospital, one.id, verdict.cause, entry.wall, entry.event_id):
            raise NotNow("discrepancy: expected an open one, it has just been closed; look again")
        if verdict.cause is Why.DEAD_TAG and one.kind == Kind.MISSING and not verdict.adjust:
            self._ask_label(connection, one)

    def _ask_label(self, connection: Connection, one: Discrepancy) -> None:
        """A dead tag asks for a new label: a task of the storeroom until a tag is bound to the piece."""
        now = self.documents.clock.now()
        id, day = number_of("LB", one.id), business_day(now)
        reason = {"discrepancy": one.id}
        task = kept.Task(id, "relabel", one.place, one.item, one.lot, one.unit, day, reason, OPEN, None)
        kept.add_tasks(connection, self.documents.hospital, [task], now)


def _waits(one: Discrepancy, steps: list[kept.Taken]) -> Proposed | None:
    return waiting_for_second([(each.step, each.proposed) for each in steps]) if one.status == OPEN else None


def _waiting(one: Discrepancy, steps: list[kept.Taken]) -> Proposed:
    waits = _waits(one, steps)
    if waits is None:
        raise NotNow("discrepancy: expected a proposal that waits for a second person, there is none")
    return waits
