"""Ask for goods, decide about what was asked for, and see what became of it.

The rules are in core; who must approve is told by the same checks as for every proposal. Approved, each line becomes a
proposal and, in the same transaction, its order: a transfer from the storeroom above or a purchase. The rules that must
not be broken: nobody decides about what they asked for (the database refuses it too); an emergency that was ordered
first is approved after, by a third person.

Sources: A8, A9 (S0, S3); A13 (S0); E6 (S0); G2 (S0).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from central.core.approval import Route
from central.core.orders import State
from central.core.refusals import altered
from central.core.requisitions import (
    PAPER_MAX,
    REASON_MAX,
    RequisitionState,
    RequisitionStep,
    Wanted,
    Wish,
    check_person,
    cuts_of,
    granted,
    requisition_after,
)
from central.core.rights import Caller, Right, Scope
from central.errors import NotAllowed, NotNow, NotThere
from central.services.approvals import AUTOMATIC, routes, words_above
from central.services.documents import Documents, check_seen, check_text, number_of
from central.services.orders import place_order
from central.services.policy import rules_at
from central.services.sourcing import check_orderable, proposed_for
from central.services.suppliers import ask_answer
from central.store import queries_requisitions as kept
from central.store.queries_master import items, places
from central.store.queries_permits import closed_places
from central.store.queries_purchasing import DocumentStep, histories, history
from central.store.queries_requisitions import KIND, Requisition
from central.store.queries_work import Proposal
from central.store.tables.work import PROPOSAL
from central.store.turns import one_at_a_time
from protocols.values.ids import HospitalId, PlaceId
from protocols.values.instant import Instant
from protocols.values.money import Money

NEEDED: Mapping[RequisitionStep, Right] = {
    RequisitionStep.APPROVE: Right.APPROVE,
    RequisitionStep.PLACE: Right.PURCHASE,
    RequisitionStep.COMPLETE: Right.APPROVE,
    RequisitionStep.REFUSE: Right.APPROVE,
    RequisitionStep.WITHDRAW: Right.REQUEST,
}
"""Which right each step asks for."""

WAITING = frozenset({RequisitionState.ASKED, RequisitionState.PLACED})
"""States in which somebody is to decide: to say yes or no, or to complete an emergency's paperwork."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a step says: why, the paper that completes an emergency, and quantities other than those asked for.

    `cut` is the code of why less is granted, `reason` then its words.
    """

    reason: str = ""
    paper: str = ""
    quantities: Mapping[int, int] | None = None
    cut: str = ""


@dataclass(frozen=True, slots=True)
class Requisitions:
    """The requisitions of one hospital."""

    documents: Documents

    def ask(self, caller: Caller, wanted: Wanted) -> Requisition:
        """Write what somebody asks for; what lies within every limit of automatic approval is ordered at once.

        Raises `NotAllowed`, `NotThere`, `BadInput`; `NotNow` for a ward whose right to draw is suspended, unless it is
        an emergency, and for an item that may not be ordered.
        """
        caller.need(Right.REQUEST, PlaceId(wanted.place))
        hospital, now = self.documents.hospital, self.documents.clock.now()
        number = number_of("RQ", wanted.place, caller.person, str(now), *(line.item for line in wanted.lines))
        with self.documents.store.write() as connection:
            one_at_a_time(connection, hospital, KIND)
            self._check_wanted(connection, wanted)
            kept.add(connection, hospital, number, wanted, caller.person, now)
            told: dict[str, Any] = {"place": wanted.place, "emergency": wanted.emergency}
            self._write(connection, caller, number, "ask", RequisitionState.ASKED, told)
            asked = self._one(connection, number)
            if not wanted.emergency:
                self._approve_automatically(connection, asked, now)
            return self._one(connection, number)

    def step(
        self, caller: Caller, requisition: str, event: RequisitionStep, said: Said, seen: int | None = None
    ) -> Requisition:
        """Approve, order in an emergency, complete its paperwork, refuse or withdraw.

        `seen` is the number of steps its caller saw. Raises `NotAllowed`, `NotThere`, `ChangedSince`, `NotNow`,
        `BadInput`, and `Stopped` where a check stands in the way of a line.
        """
        caller.need(NEEDED[event])
        check_text("reason", said.reason, REASON_MAX, empty=event is not RequisitionStep.REFUSE)
        check_text("paper", said.paper, PAPER_MAX, empty=event is not RequisitionStep.COMPLETE)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        with self.documents.store.write() as connection:
            one_at_a_time(connection, hospital, KIND)
            one = self._in_scope(connection, requisition, caller.scope(NEEDED[event]))
            steps = history(connection, hospital, requisition)
            check_seen(requisition, seen, len(steps))
            after = requisition_after(one.state, event, emergency=one.emergency)
            check_person(event, caller.person, one.asked_by, placer(steps))
            told = self._decided(connection, caller, one, event, said, now)
            self._write(connection, caller, requisition, event, after, told)
            return self._one(connection, requisition)

    def one(self, connection: Connection, caller: Caller, requisition: str) -> Requisition:
        """Return a requisition that the caller may see. Raises `NotThere`."""
        return self._in_scope(connection, requisition, seen_by(caller))

    def _check_wanted(self, connection: Connection, wanted: Wanted) -> None:
        hospital = self.documents.hospital
        if wanted.place not in {one.place for one in places(connection, hospital)}:
            raise NotThere(f"requisition: expected a storeroom, got {wanted.place!r:.40}")
        known = items(connection, hospital, [line.item for line in wanted.lines])
        for line in wanted.lines:
            if line.item not in known:
                raise NotThere(f"requisition: expected an item of the catalogue, got {line.item!r:.40}")
            check_orderable(connection, hospital, line.item)
        if wanted.place in closed_places(connection, hospital) and not wanted.emergency:
            raise NotNow(
                f"requisition: expected a ward that may draw, the right of {wanted.place} is suspended (E6); in an "
                "emergency say so, else ask the nursing department"
            )

    def _approve_automatically(self, connection: Connection, asked: Requisition, now: Instant) -> None:
        """Order what lies within every limit; what cannot be sourced waits for a person."""
        hospital = self.documents.hospital
        try:
            lines = [proposed_for(connection, hospital, asked, line.item, line.qty, now) for line in asked.lines]
        except NotNow:
            return
        routed = routes(connection, hospital, lines, now)
        if all(routed[one.id].route is Route.AUTOMATIC for one in lines):
            automatic = Caller(AUTOMATIC, AUTOMATIC, ())
            self._order(connection, asked, lines, automatic, now)
            self._write(connection, automatic, asked.requisition, RequisitionStep.APPROVE, RequisitionState.ORDERED, {})

    def _decided(
        self,
        connection: Connection,
        caller: Caller,
        one: Requisition,
        event: RequisitionStep,
        said: Said,
        now: Instant,
    ) -> dict[str, Any]:
        """Do what a decision asks for; returns what its step tells."""
        hospital, spoken = self.documents.hospital, (("reason", said.reason), ("paper", said.paper))
        told: dict[str, Any] = {name: text.strip() for name, text in spoken if text.strip()}
        if event is RequisitionStep.COMPLETE:
            self._check_route(connection, caller, one, self._ordered(connection, one), now)
        if event in {RequisitionStep.APPROVE, RequisitionStep.PLACE}:
            given = granted(one.lines, said.quantities or {})
            lines = [proposed_for(connection, hospital, one, line.item, line.qty, now) for _, line in given]
            told |= self._cut(connection, one, given, lines, said, now)
            if event is RequisitionStep.APPROVE:
                self._check_route(connection, caller, one, lines, now)
            numbers = self._order(connection, one, lines, caller, now)
            return told | {"orders": " ".join(numbers)}
        return told

    def _check_route(
        self, connection: Connection, caller: Caller, one: Requisition, lines: Sequence[Proposal], now: Instant
    ) -> None:
        routed = routes(connection, self.documents.hospital, lines, now)
        failed = sorted({check for line in lines for check in routed[line.id].failed})
        high = any(routed[line.id].route is Route.HEAD for line in lines)
        if high and not caller.may(Right.APPROVE_HIGH):
            raise NotAllowed(
                f"approval: expected the head of consumables for {one.requisition} ({', '.join(failed)}), got "
                f"{caller.person}"
            )

    def _cut(
        self,
        connection: Connection,
        one: Requisition,
        given: Sequence[tuple[int, Wish]],
        lines: Sequence[Proposal],
        said: Said,
        now: Instant,
    ) -> dict[str, Any]:
        """Return what is told of lines of which less is granted than asked for. Raises `BadInput` without a reason."""
        cuts = cuts_of(one.lines, given)
        if not cuts:
            return {}
        price = {line.item: line.price for line in lines}
        worth = Money(sum(price.get(each.item, 0) * (each.asked - each.granted) for each in cuts))
        limit = words_above(rules_at(connection, self.documents.hospital, now))
        why = altered(said.cut, said.reason, amount=worth, limit=limit)
        return {
            "cuts": [{"item": each.item, "asked": each.asked, "granted": each.granted} for each in cuts],
            "why": why.code.value,
        }

    def _ordered(self, connection: Connection, one: Requisition) -> list[Proposal]:
        return kept.proposals_of(connection, self.documents.hospital, one.requisition)

    def _order(
        self, connection: Connection, one: Requisition, lines: Sequence[Proposal], caller: Caller, now: Instant
    ) -> list[str]:
        """Make proposals and orders of what was granted, in one go."""
        hospital, numbers = self.documents.hospital, []
        for line in lines:
            number = place_order(connection, hospital, line, caller.person, now, one.requisition)
            row = kept.proposal_row(hospital, line, str(State.ORDERED), number, now)
            connection.execute(PROPOSAL.insert().values(**row))
            if one.emergency and not line.internal:
                ask_answer(self.documents, connection, caller, line.source, line.item, number, one.reason)
            numbers.append(str(number))
        return numbers

    def _in_scope(self, connection: Connection, requisition: str, scope: Scope) -> Requisition:
        found = kept.requisitions(connection, self.documents.hospital, scope, named=[requisition])
        if not found:
            raise NotThere(f"requisition: expected one of your storerooms, got {requisition!r:.40}")
        return found[0]

    def _one(self, connection: Connection, requisition: str) -> Requisition:
        (found,) = kept.requisitions(connection, self.documents.hospital, named=[requisition])
        return found

    def _write(
        self, connection: Connection, caller: Caller, document: str, event: str, state: str, told: Mapping[str, Any]
    ) -> None:
        self.documents.write(connection, caller, document, KIND, event, state, told)


def seen_by(caller: Caller) -> Scope:
    """Return the storerooms whose requisitions somebody may see: where they ask, and where they see orders."""
    ask, see = caller.scope(Right.REQUEST), caller.scope(Right.SEE_ORDERS)
    return Scope(ask.everywhere or see.everywhere, ask.places | see.places)


def to_decide(connection: Connection, hospital: HospitalId, caller: Caller) -> list[Requisition]:
    """Return what others asked for and this person may decide about now, the newest first."""
    waiting = kept.requisitions(connection, hospital, caller.scope(Right.APPROVE), standing=WAITING)
    found = [one for one in waiting if one.asked_by != caller.person]
    placed = [one.requisition for one in found if one.state is RequisitionState.PLACED]
    taken = histories(connection, hospital, placed) if placed else {}
    return [one for one in found if placer(taken.get(one.requisition, ())) != caller.person]


def steps_for(one: Requisition, caller: Caller, placed_by: str) -> list[RequisitionStep]:
    """Return the steps that a page may offer somebody now."""
    found = []
    for event, right in NEEDED.items():
        try:
            requisition_after(one.state, event, emergency=one.emergency)
            check_person(event, caller.person, one.asked_by, placed_by)
            caller.need(right, PlaceId(one.place))
        except (NotNow, NotAllowed):
            continue
        found.append(event)
    return found


def placer(steps: Sequence[DocumentStep]) -> str:
    """Return who ordered in an emergency; empty where nobody did."""
    return next((one.actor for one in steps if one.step == RequisitionStep.PLACE), "")


def looks(caller: Caller) -> None:
    """Check that somebody may look at requisitions somewhere. Raises `NotAllowed`."""
    if not caller.may(Right.REQUEST):
        caller.need(Right.SEE_ORDERS)
