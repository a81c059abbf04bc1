"""What people ask for, on a real store: asked, decided by another, ordered; suspended wards, emergencies, records."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.orders import Progress
from central.core.purchasing import OrderStep
from central.core.requisitions import RequisitionState, RequisitionStep, Wanted, Wish
from central.core.rights import Caller, Grant, Role
from central.core.suppliers import CaseKind, CaseState
from central.errors import BadInput, ChangedSince, NotAllowed, NotNow, NotThere
from central.services.approvals import AUTOMATIC
from central.services.askable import askable
from central.services.cycle import cycle_of
from central.services.desk import Desk
from central.services.emergencies import emergencies
from central.services.needs import needs_of
from central.services.orders import progress_of
from central.services.reasons import names_now
from central.services.requisitions import Said, placer, steps_for
from central.services.verify import verify
from central.store.audit import acts
from central.store.merge import merge
from central.store.queries_purchasing import history
from central.store.queries_requisitions import Requisition
from central.store.queries_suppliers import cases
from central.store.queries_work import Order, open_proposals, orders
from central.store.tables.catalogue import CATALOGUE_ITEM
from central.store.tables.purchasing import DOCUMENT_STEP
from central.store.tables.work import POLICY_RULE, STOREROOM_MATCH
from protocols.permits import Audit
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, STORY_DAY, VALVE, Ward, frozen_clock, hospital
from tests.central.purchases import DEAR, buying_hospital

WARD = PlaceId("ward-01")


def person(number: str, role: Role, *places: str) -> Caller:
    return Caller(ActorId(number), number, (Grant(role, frozenset(map(PlaceId, places))),))


NURSE, KEEPER = person("nurse-1", Role.NURSE, WARD), person("keeper-1", Role.WARD_KEEPER, WARD)
BUYER, OTHER_BUYER = person("buyer-1", Role.PURCHASER), person("buyer-2", Role.PURCHASER)
HEAD, STORE = person("head-1", Role.HEAD_OF_CONSUMABLES), person("store-1", Role.STOREKEEPER)
AUDITOR, NURSING = person("audit-1", Role.AUDITOR), person("nursing-1", Role.NURSING_DEPARTMENT)
APPROVE, PLACE, COMPLETE = RequisitionStep.APPROVE, RequisitionStep.PLACE, RequisitionStep.COMPLETE


@pytest.fixture
def at_desk(tmp_path: Path) -> Desk:
    return desk(hospital(tmp_path), Watch(plus(START, 3600)))


def asked(at_desk: Desk, *lines: tuple[str, int], caller: Caller = NURSE, emergency: bool = False) -> Requisition:
    wishes = tuple(Wish(item, qty) for item, qty in lines or ((GAUZE, 30),))
    return at_desk.requisitions.ask(caller, Wanted(WARD, wishes, "three dressings more a day", emergency))


def ordered(at_desk: Desk, one: Requisition) -> dict[str, Order]:
    with at_desk.store.read() as connection:
        return {order.lines[0].item: order for order in orders(connection, HOSPITAL, named=set(one.orders.values()))}


def suspend(at_desk: Desk) -> None:
    at_desk.permits.move(AUDITOR, WARD, Audit.FAILED, "shelves in disorder")
    at_desk.permits.move(AUDITOR, WARD, Audit.FAILED, "three pieces missing")
    at_desk.permits.decide(NURSING, WARD, "confirmed")


def test_a9_what_a_nurse_asks_for_becomes_a_transfer_and_a_purchase_once_a_buyer_approves(at_desk: Desk) -> None:
    one = asked(at_desk, (GAUZE, 30), (KIT, 3))
    assert (one.state, one.orders) == (RequisitionState.ASKED, {})
    done = at_desk.requisitions.step(BUYER, one.requisition, APPROVE, Said())
    found = ordered(at_desk, done)
    assert done.state is RequisitionState.ORDERED
    assert {item: (order.source, order.lines[0].qty, order.approved_by) for item, order in found.items()} == {
        GAUZE: ("main-store", 30, "buyer-1"),
        KIT: ("S02", 5, "buyer-1"),
    }
    assert {order.lines[0].requisition for order in found.values()} == {one.requisition}
    with at_desk.store.read() as connection:
        said = names_now(connection, HOSPITAL).said(KIT, "S02", found[KIT].lines[0].reason)
        noted = [(act.act, act.person) for act in acts(connection, HOSPITAL) if act.subject == one.requisition]
        assert open_proposals(connection, HOSPITAL) == []
    assert said[1] == (
        "nurse-1 asked for 3 kit: three dressings more a day. From Chengjiang Medical (fictional), 5 by whole packs or "
        "its minimum."
    )
    assert "nurse-1 申领 3 包" in said[0]
    assert set(noted) == {("requisition-ask", "nurse-1"), ("requisition-approve", "buyer-1")}
    assert verify(at_desk.store).faults == []


def test_nobody_approves_what_they_asked_for_and_the_database_refuses_it_too(at_desk: Desk) -> None:
    both = Caller(ActorId("both-1"), "both", (Grant(Role.PURCHASER), Grant(Role.NURSE, frozenset({WARD}))))
    one = asked(at_desk, caller=both)
    with pytest.raises(NotAllowed, match="did not ask"):
        at_desk.requisitions.step(both, one.requisition, APPROVE, Said())
    row = {"hospital": HOSPITAL, "document": one.requisition, "seq": 1, "kind": "requisition", "step": "approve"}
    row |= {"state": "ordered", "at": 0, "actor": "both-1", "detail": "{}"}
    with pytest.raises(IntegrityError, match="two people"), at_desk.store.write() as connection:
        connection.execute(DOCUMENT_STEP.insert().values(**row))


def test_who_asked_sees_how_far_it_has_come(at_desk: Desk) -> None:
    one = at_desk.requisitions.step(BUYER, asked(at_desk).requisition, APPROVE, Said())
    order = ordered(at_desk, one)[GAUZE]
    Ward(at_desk.store).receive(GAUZE, "G1", 30, 5000)
    with at_desk.store.read() as connection:
        seen = at_desk.requisitions.one(connection, NURSE, one.requisition)
        come = progress_of(connection, HOSPITAL, [order], plus(START, 6000))
    assert seen.orders == {GAUZE: order.order_no}
    assert come[order.order_no] is Progress.RECEIVED
    with pytest.raises(NotThere), at_desk.store.read() as connection:
        at_desk.requisitions.one(connection, person("nurse-2", Role.NURSE, "ward-02"), one.requisition)


def test_the_store_promises_the_same_goods_once(at_desk: Desk) -> None:
    first = at_desk.requisitions.step(BUYER, asked(at_desk, (GAUZE, 400)).requisition, APPROVE, Said())
    second = at_desk.requisitions.step(BUYER, asked(at_desk, (GAUZE, 200), caller=KEEPER).requisition, APPROVE, Said())
    assert ordered(at_desk, first)[GAUZE].source == "main-store"
    assert (ordered(at_desk, second)[GAUZE].source, ordered(at_desk, second)[GAUZE].lines[0].qty) == ("S01", 200)


def test_an_approver_may_grant_less_but_not_more(at_desk: Desk) -> None:
    one = asked(at_desk, (GAUZE, 30), (KIT, 3))
    with pytest.raises(BadInput, match="line 1"):
        at_desk.requisitions.step(BUYER, one.requisition, APPROVE, Said(quantities={1: 31}))
    for silent in (Said(quantities={1: 10}), Said(quantities={1: 10}, cut="other")):
        with pytest.raises(BadInput, match=r"expected one of more-use|expected why in a few words"):
            at_desk.requisitions.step(BUYER, one.requisition, APPROVE, silent)
    said = Said("first aid rooms first", quantities={1: 10, 2: 0}, cut="stock-short")
    done = at_desk.requisitions.step(BUYER, one.requisition, APPROVE, said)
    made = ordered(at_desk, done)
    assert {item: order.lines[0].qty for item, order in made.items()} == {GAUZE: 10}
    with at_desk.store.read() as connection:
        (_, decided) = history(connection, HOSPITAL, one.requisition)
        told = names_now(connection, HOSPITAL).said(GAUZE, "main-store", made[GAUZE].lines[0].reason)
    assert (decided.actor, decided.detail["why"], decided.detail["reason"]) == (
        "buyer-1", "stock-short", "first aid rooms first",
    )  # fmt: skip
    assert decided.detail["cuts"] == [
        {"item": GAUZE, "asked": 30, "granted": 10},
        {"item": KIT, "asked": 3, "granted": 0},
    ]
    assert "asked for 30 piece, was granted 10" in told[1]
    assert "批准 10" in told[0]


def test_e6_a_suspended_ward_asks_in_an_emergency_only_and_the_head_approves(at_desk: Desk) -> None:
    before = asked(at_desk)
    suspend(at_desk)
    with pytest.raises(NotNow, match="ward-01 is suspended"):
        asked(at_desk, caller=KEEPER)
    urgent = asked(at_desk, caller=KEEPER, emergency=True)
    for one in (before, urgent):
        with pytest.raises(NotAllowed, match="expected the head of consumables"):
            at_desk.requisitions.step(BUYER, one.requisition, APPROVE, Said())
        assert at_desk.requisitions.step(HEAD, one.requisition, APPROVE, Said()).state is RequisitionState.ORDERED


def test_g2_an_emergency_is_ordered_first_and_completed_by_a_third_person(at_desk: Desk) -> None:
    calm = asked(at_desk)
    with pytest.raises(NotNow, match="expected an emergency"):
        at_desk.requisitions.step(BUYER, calm.requisition, PLACE, Said())
    one = asked(at_desk, (KIT, 3), caller=KEEPER, emergency=True)
    placed = at_desk.requisitions.step(BUYER, one.requisition, PLACE, Said())
    assert (placed.state, ordered(at_desk, placed)[KIT].source) == (RequisitionState.PLACED, "S02")
    with pytest.raises(BadInput, match="paper"):
        at_desk.requisitions.step(OTHER_BUYER, one.requisition, COMPLETE, Said())
    with pytest.raises(NotAllowed, match="did not order it"):
        at_desk.requisitions.step(BUYER, one.requisition, COMPLETE, Said(paper="JY-12"))
    with at_desk.store.read() as connection:
        steps = history(connection, HOSPITAL, one.requisition)
    assert steps_for(placed, OTHER_BUYER, placer(steps)) == [COMPLETE]
    assert steps_for(placed, BUYER, placer(steps)) == []
    done = at_desk.requisitions.step(OTHER_BUYER, one.requisition, COMPLETE, Said(paper="JY-12"))
    assert (done.state, done.orders) == (RequisitionState.ORDERED, placed.orders)


def test_a13_an_item_on_request_is_ordered_because_somebody_asked(tmp_path: Path) -> None:
    at_desk = desk(hospital(tmp_path), Watch(plus(START, 3600)))
    plain = {"tier": "", "registration": "", "udi_di": "", "insurance": "", "platform": "", "middle_unit": ""}
    counts = {"middle": 1, "purchase_unit": "", "purchase": 1, "exempt": False}
    with at_desk.store.write() as connection:
        merge(
            connection, CATALOGUE_ITEM, [{"hospital": HOSPITAL, "item": KIT, "mode": "on-request", **plain, **counts}]
        )
    one = at_desk.requisitions.step(BUYER, asked(at_desk, (KIT, 1)).requisition, APPROVE, Said())
    assert ordered(at_desk, one)[KIT].lines[0].reason["policy"] == "requisition"


def test_a8_what_lies_within_every_limit_is_approved_by_itself(at_desk: Desk) -> None:
    rows = [("approval.automatic", "1"), ("approval.change", "3")]
    rule = {"hospital": HOSPITAL, "scope": "", "effective_from": STORY_DAY, "source_doc": "the hospital"}
    match = {"hospital": HOSPITAL, "place": WARD, "at": 0, "lines": 10, "lines_right": 10, "book": 10, "differing": 0}
    match["unobserved"] = 0
    with at_desk.store.write() as connection:
        for code, value in rows:
            connection.execute(POLICY_RULE.insert().values(**rule, code=code, value=value))
        connection.execute(STOREROOM_MATCH.insert().values(**match))
    first = asked(at_desk)
    assert first.state is RequisitionState.ASKED  # the first order of an item here is always looked at
    at_desk.requisitions.step(BUYER, first.requisition, APPROVE, Said())
    second = asked(at_desk, caller=KEEPER)
    assert second.state is RequisitionState.ORDERED
    assert ordered(at_desk, second)[GAUZE].approved_by == AUTOMATIC
    assert verify(at_desk.store).faults == []


def test_a8_the_cycle_begins_when_somebody_asked(at_desk: Desk) -> None:
    one = asked(at_desk, (KIT, 3))
    later = desk(at_desk.store, Watch(plus(START, 86_400)), clock=frozen_clock(plus(START, 86_400)))
    later.requisitions.step(BUYER, one.requisition, APPROVE, Said())
    with at_desk.store.read() as connection:
        (timed,) = cycle_of(connection, HOSPITAL, plus(START, 86_400)).orders
        (waiting,) = cycle_of(connection, HOSPITAL, plus(START, 4 * 86_400)).unsent
    assert waiting.waits == 4  # from Monday to Friday, over the limit of 3
    assert (timed.requested, timed.stages.request_to_approval) == (STORY_DAY, 1)


def test_a_requisition_that_changed_since_it_was_seen_is_not_decided(at_desk: Desk) -> None:
    one = asked(at_desk)
    with pytest.raises(ChangedSince):
        at_desk.requisitions.step(BUYER, one.requisition, APPROVE, Said(), seen=0)
    at_desk.requisitions.step(NURSE, one.requisition, RequisitionStep.WITHDRAW, Said(), seen=1)
    with pytest.raises(NotNow, match="cannot approve one that is withdrawn"):
        at_desk.requisitions.step(BUYER, one.requisition, APPROVE, Said())


def test_what_nobody_can_supply_or_nobody_knows_is_refused_by_name(at_desk: Desk) -> None:
    with pytest.raises(NotThere, match="HC-NONE"):
        asked(at_desk, ("HC-NONE", 1))
    lonely = asked(at_desk, (VALVE, 1))
    with pytest.raises(NotNow, match="expected a source for HC-VALVE"):
        at_desk.requisitions.step(BUYER, lonely.requisition, APPROVE, Said())
    with pytest.raises(NotAllowed):
        at_desk.requisitions.ask(BUYER, Wanted(WARD, (Wish(GAUZE, 1),), "for myself"))


def test_c8_at_a_requisition_the_selected_product_stands_first(tmp_path: Path) -> None:
    at_desk = buying_hospital(tmp_path)
    found = askable(at_desk, NURSE, WARD, "imported")
    assert [one.item.item for one in found] == [KIT, DEAR]
    assert found[1].instead == (KIT,)
    assert json.dumps([one.above for one in askable(replace(at_desk), NURSE, WARD, GAUZE)]) == "[500]"


def at_hour(at_desk: Desk, hours: float) -> Desk:
    now = plus(START, hours * 3600)
    return desk(at_desk.store, Watch(now), clock=frozen_clock(now))


def clocks(at_desk: Desk, hours: float) -> dict[str, tuple[bool, bool]]:
    """Return of the one emergency which clock runs and which is in time."""
    with at_desk.store.read() as connection:
        (one,) = emergencies(connection, HOSPITAL, plus(START, hours * 3600))
    return {name: (each.running, each.in_time) for name, each in one.clocks.items()}


def test_g2_the_clocks_of_an_emergency_are_those_of_its_documents(at_desk: Desk) -> None:
    one = at_hour(at_desk, 0).requisitions.ask(KEEPER, Wanted(WARD, (Wish(KIT, 3),), "none left", emergency=True))
    placed = at_hour(at_desk, 1).requisitions.step(BUYER, one.requisition, PLACE, Said())
    order = placed.orders[KIT]
    running, done, late = (True, True), (False, True), (True, False)
    assert clocks(at_desk, 2) == {"answer": running, "supply": running, "papers": running}
    assert clocks(at_desk, 2.1)["answer"] == late
    with at_desk.store.read() as connection:
        (case,) = cases(connection, HOSPITAL)
    need = {need.kind: need.count for need in needs_of(at_hour(at_desk, 2.1), BUYER)}
    assert (case.kind, case.state, case.supplier) == (CaseKind.EMERGENCY, CaseState.OPEN, "S02")
    theirs = {need.kind: need.count for need in needs_of(at_hour(at_desk, 2.1), OTHER_BUYER)}
    assert (need["late-emergencies"], theirs["decide-requisitions"]) == (1, 1)
    assert "decide-requisitions" not in need, "who ordered it does not complete its paperwork"
    buyer = at_hour(at_desk, 1.5).purchasing
    buyer.step(BUYER, order, OrderStep.SEND, {})
    buyer.step(BUYER, order, OrderStep.CONFIRM, {"promised": "2026-03-04"})
    with at_desk.store.read() as connection:
        (case,) = cases(connection, HOSPITAL)
    assert case.state is CaseState.CONFIRMED
    assert clocks(at_desk, 80) == {"answer": done, "supply": late, "papers": late}
    at_hour(at_desk, 80).requisitions.step(HEAD, one.requisition, COMPLETE, Said(paper="JY-12"))
    assert clocks(at_desk, 99) == {"answer": done, "supply": late, "papers": (False, False)}
    Ward(at_desk.store).receive(KIT, "K2", 5, 71 * 3600)
    assert clocks(at_desk, 99)["supply"] == done
    assert verify(at_desk.store).faults == []


def test_g2_an_order_that_was_given_up_is_waited_for_no_longer(at_desk: Desk) -> None:
    one = at_hour(at_desk, 0).requisitions.ask(KEEPER, Wanted(WARD, (Wish(KIT, 3),), "none left", emergency=True))
    placed = at_hour(at_desk, 0.5).requisitions.step(BUYER, one.requisition, PLACE, Said())
    at_hour(at_desk, 1).purchasing.step(BUYER, placed.orders[KIT], OrderStep.CANCEL, {"reason": "borrowed next door"})
    assert clocks(at_desk, 70)["supply"] == clocks(at_desk, 70)["answer"] == (False, True)
