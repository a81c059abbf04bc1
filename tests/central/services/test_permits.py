"""E6 over the store: permits moved by people, two for a closing; and what a closed storeroom's orders then ask for."""

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.approval import Check, Route
from central.core.rights import Caller, Grant, Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.approvals import approve_as, approve_automatically, routes
from central.services.documents import Documents
from central.services.permits import Permits
from central.services.recalls import Recalls
from central.services.replenish import replenish
from central.store.audit import acts
from central.store.engine import Store
from central.store.feeds import recalls
from central.store.merge import merge
from central.store.queries_work import Proposal, open_proposals
from central.store.tables.feed import PERMIT_STEP
from central.store.tables.work import POLICY_RULE
from protocols.permits import Audit, Permit
from protocols.values.ids import ActorId, PlaceId
from tests.central.hospital import HOSPITAL, KIT, START, STORY_DAY, Ward, frozen_clock, hospital, tags


def person(number: str, role: Role, *places: str) -> Caller:
    return Caller(ActorId(number), number, (Grant(role, frozenset(map(PlaceId, places))),))


AUDITOR, NURSING = person("audit-1", Role.AUDITOR), person("nursing-1", Role.NURSING_DEPARTMENT)
HEAD, BUYER = person("head-1", Role.HEAD_OF_CONSUMABLES), person("buyer-1", Role.PURCHASER)
KEEPER = person("keeper-1", Role.WARD_KEEPER, "ward-01")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return hospital(tmp_path)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def permits(store: Store, told: list[str]) -> Permits:
    return Permits(Documents(store, HOSPITAL, frozen_clock()), lambda: told.append("changed"))


def suspend(permits: Permits, place: str = "ward-01") -> None:
    permits.move(AUDITOR, place, Audit.FAILED, "shelves in disorder")
    permits.move(AUDITOR, place, Audit.FAILED, "three pieces missing")
    permits.decide(NURSING, place, "confirmed")


def test_e6_an_auditor_notes_two_failed_audits_and_somebody_else_suspends_the_ward(
    store: Store, permits: Permits, told: list[str]
) -> None:
    suspend(permits)
    rooms = {room.place.place: room for room in permits.rooms(KEEPER)}
    assert list(rooms) == ["ward-01"]
    room = rooms["ward-01"]
    assert (room.standing.permit, room.known, room.choices) == (Permit.SUSPENDED, None, ())
    assert [(step.person, step.phase) for step in room.steps] == [
        ("audit-1", "done"), ("audit-1", "proposed"), ("nursing-1", "confirmed"),
    ]  # fmt: skip
    assert [one.choices for one in permits.rooms(NURSING) if one.place.place == "ward-01"] == [(Audit.PLAN,)]
    assert told == ["changed"] * 3
    with store.read() as connection:
        assert [act.act for act in acts(connection, HOSPITAL)].count("permit") == 3


def test_e6_nobody_confirms_their_own_step_not_even_past_the_program(store: Store, permits: Permits) -> None:
    for _ in range(2):
        permits.move(NURSING, "ward-01", Audit.FAILED, "shelves")
    with pytest.raises(NotAllowed, match="second person"):
        permits.decide(NURSING, "ward-01", "confirmed")
    row = {"hospital": HOSPITAL, "place": "ward-01", "seq": 2, "audit": "audit failed", "phase": "confirmed"}
    with pytest.raises(IntegrityError, match="two people"), store.write() as connection:
        connection.execute(
            PERMIT_STEP.insert().values(**row, permit="suspended", at=START, person="nursing-1", why="shelves")
        )


def test_who_may_not_is_told_so_and_nothing_changes(permits: Permits) -> None:
    with pytest.raises(NotAllowed):
        permits.move(KEEPER, "ward-01", Audit.PASSED, "all well")
    with pytest.raises(NotAllowed):
        permits.move(AUDITOR, "ward-01", Audit.PLAN, "a plan")
    with pytest.raises(NotThere, match="one of your wards"):
        permits.move(AUDITOR, "main-store", Audit.FAILED, "x")
    with pytest.raises(NotNow):
        permits.decide(NURSING, "ward-01", "confirmed")
    with pytest.raises(BadInput, match="expected confirmed or refused"):
        permits.decide(NURSING, "ward-01", "maybe")
    with pytest.raises(BadInput, match="why"):
        permits.move(AUDITOR, "ward-01", Audit.FAILED, " ")


def test_who_sees_every_ward_and_judges_one_moves_that_one_only(permits: Permits) -> None:
    grants = (Grant(Role.SPD_OPERATOR), Grant(Role.NURSING_DEPARTMENT, frozenset({PlaceId("ward-02")})))
    half = Caller(ActorId("nursing-2"), "nursing-2", grants)
    with pytest.raises(NotAllowed, match="in ward-01"):
        permits.move(half, "ward-01", Audit.FAILED, "not my ward")
    for _ in range(2):
        permits.move(AUDITOR, "ward-01", Audit.FAILED, "shelves")
    with pytest.raises(NotAllowed, match="in ward-01"):
        permits.decide(half, "ward-01", "confirmed")
    choices = {room.place.place: room.choices for room in permits.rooms(half)}
    assert choices["ward-01"] == ()
    assert choices["ward-02"] != ()
    assert permits.move(half, "ward-02", Audit.FAILED, "mine").permit is Permit.WARNED


def proposed(store: Store) -> Proposal:
    Ward(store).open(KIT, "K1", tags(3))
    replenish(store, HOSPITAL, START, policy="3x", run="r1")
    with store.read() as connection:
        return next(one for one in open_proposals(connection, HOSPITAL) if one.place == "ward-01")


def test_e6_a_suspended_wards_requisition_waits_for_the_head_whatever_is_automatic(
    store: Store, permits: Permits
) -> None:
    automatic = {"hospital": HOSPITAL, "code": "approval.automatic", "scope": "", "effective_from": STORY_DAY}
    with store.write() as connection:
        merge(connection, POLICY_RULE, [{**automatic, "effective_to": None, "value": "1", "source_doc": "test"}])
    one = proposed(store)
    suspend(permits)
    with store.read() as connection:
        routed = routes(connection, HOSPITAL, [one], START)[one.id]
    assert routed.route is Route.HEAD
    assert Check.SUSPENDED in routed.failed
    assert approve_automatically(store, HOSPITAL, START) == 0
    with pytest.raises(NotAllowed, match="suspended"):
        approve_as(BUYER, store, HOSPITAL, one.id, START, one.version)
    assert approve_as(HEAD, store, HOSPITAL, one.id, START, one.version).fresh


def test_a_recalled_lot_is_told_until_it_is_lifted(store: Store, told: list[str]) -> None:
    service = Recalls(Documents(store, HOSPITAL, frozen_clock()), lambda: told.append("changed"))
    service.recall(BUYER, KIT, "K1", "the maker's letter of today")
    with store.read() as connection:
        assert recalls(connection, HOSPITAL) == [(KIT, "K1", "the maker's letter of today")]
    service.lift(BUYER, KIT, "K1")
    with store.read() as connection:
        assert recalls(connection, HOSPITAL) == []
    assert service.every(KEEPER)[0].lifted_by == "buyer-1"
    with pytest.raises(NotNow):
        service.lift(BUYER, KIT, "K1")
    with pytest.raises(NotAllowed):
        service.recall(KEEPER, KIT, "K1", "I say so")
    with pytest.raises(NotThere, match="catalogue"):
        service.recall(BUYER, "HC-NONE", "K1", "why")
    assert told == ["changed"] * 2
