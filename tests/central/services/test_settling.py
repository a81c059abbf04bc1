"""Discrepancies closed by people: one where it is cheap, two where it is dear or changes the book."""

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from central.core.rights import Caller, Grant, Role
from central.core.settling import Step
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.documents import Documents
from central.services.reconcile import reconcile
from central.services.settling import Settling
from central.services.verify import verify
from central.store import queries_settling as kept
from central.store.audit import acts
from central.store.engine import Store
from central.store.queries_trace import moved
from central.store.queries_work import discrepancies
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.hospital import HOSPITAL, KIT, START, VALVE, Ward, frozen_clock, hospital, tags

UNIT, OTHER, CHEAP = tags(3)
HERE = frozenset({PlaceId("ward-01")})


def person(number: str, role: Role = Role.WARD_KEEPER, places: frozenset[PlaceId] = HERE) -> Caller:
    return Caller(ActorId(number), number, (Grant(role, places),))


KEEPER, HEAD = person("10001"), person("10002", Role.HEAD_NURSE)
ELSEWHERE, NURSE = person("10003", places=frozenset({PlaceId("ward-02")})), person("10004", Role.NURSE)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = hospital(tmp_path)
    ward = Ward(store)
    ward.open(KIT, "K1", [UNIT, OTHER])
    ward.open(VALVE, "V1", [CHEAP])
    ward.issue(KIT, "K1", OTHER, 100)
    ward.observe(UNIT, 0.02, 900, since_s=300)
    ward.observe(CHEAP, 0.02, 900, since_s=300)
    ward.observe(OTHER, 0.99, 2000, since_s=1500)
    reconcile(store, HOSPITAL, plus(START, 2001))
    return store


@pytest.fixture
def settling(store: Store) -> Settling:
    return Settling(Documents(store, HOSPITAL, frozen_clock(plus(START, 3000))))


def id_of(store: Store, unit: str) -> str:
    with store.read() as connection:
        return next(one.id for one in discrepancies(connection, HOSPITAL) if one.unit == unit)


def test_I1_one_person_closes_a_cheap_piece_with_a_cause_and_its_words(store: Store, settling: Settling) -> None:  # noqa: N802 # the row's id
    assert settling.settle(KEEPER, id_of(store, CHEAP), "unscanned_take", "used in bay 3", adjust=False) == "closed"
    case = settling.case(KEEPER, id_of(store, CHEAP))
    assert (case.one.status, case.one.cause, case.may_settle) == ("closed", "unscanned_take", False)
    assert [(one.step, one.proposed.person) for one in case.steps] == [("close", "10001")]
    with pytest.raises(NotNow):
        settling.settle(KEEPER, id_of(store, CHEAP), "unscanned_take", "again", adjust=False)
    assert reconcile(store, HOSPITAL, plus(START, 3100)).opened == 0
    assert verify(store).faults == []


def test_I1_a_high_value_piece_needs_a_second_person(store: Store, settling: Settling) -> None:  # noqa: N802 # the row's id
    id = id_of(store, UNIT)
    assert settling.settle(KEEPER, id, "unscanned_take", "asked everybody", adjust=True) == "waiting"
    with pytest.raises(NotAllowed):
        settling.approve(KEEPER, id)
    with pytest.raises(NotNow):
        settling.settle(HEAD, id, "dead_tag", "no", adjust=False)
    assert settling.approve(HEAD, id) == "closed"
    with store.read() as connection:
        newest = moved(connection, HOSPITAL, unit=UNIT)[0]
        named = [one.act for one in acts(connection, HOSPITAL)]
    assert (newest.kind, newest.target, newest.actor) == ("adjust", "unknown@ward-01", "10002")
    assert named[:2] == ["settle-approve", "settle-propose"]
    assert reconcile(store, HOSPITAL, plus(START, 3100)).opened == 0
    assert verify(store).faults == []


def test_a_proposal_that_is_turned_down_leaves_it_open_for_another(store: Store, settling: Settling) -> None:
    id = id_of(store, UNIT)
    settling.settle(KEEPER, id, "unscanned_take", "gone", adjust=True)
    assert settling.refuse(HEAD, id, "look behind the cabinet") == "open"
    with pytest.raises(NotNow):
        settling.approve(HEAD, id)
    assert settling.settle(HEAD, id, "dead_tag", "it lies there, silent", adjust=False) == "waiting"
    assert settling.approve(KEEPER, id) == "closed"


def test_a_dead_tag_asks_for_a_new_label(store: Store, settling: Settling) -> None:
    settling.settle(KEEPER, id_of(store, CHEAP), "dead_tag", "it lies there, silent", adjust=False)
    with store.read() as connection:
        (task,) = kept.tasks(connection, HOSPITAL)
    assert (task.kind, task.place, task.unit, task.status) == ("relabel", "ward-01", CHEAP, "open")


def test_an_issue_of_a_piece_that_never_left_is_reversed(store: Store, settling: Settling) -> None:
    id = id_of(store, OTHER)
    settling.settle(KEEPER, id, "double_issue", "still in its drawer", adjust=True)
    settling.approve(HEAD, id)
    with store.read() as connection:
        newest = moved(connection, HOSPITAL, unit=OTHER)[0]
    assert (newest.kind, newest.source, newest.target) == ("reversal", "issued@ward-01", "ward-01")
    assert verify(store).faults == []


def test_who_may_not_settle_here_does_not(store: Store, settling: Settling) -> None:
    id = id_of(store, CHEAP)
    with pytest.raises(NotThere):
        settling.settle(ELSEWHERE, id, "dead_tag", "x", adjust=False)
    with pytest.raises(NotAllowed):
        settling.settle(NURSE, id, "dead_tag", "x", adjust=False)
    with pytest.raises(NotThere):
        settling.case(ELSEWHERE, id)
    assert not settling.case(NURSE, id).may_settle


@pytest.mark.parametrize(("cause", "remark"), [("double_issue", "x"), ("bad luck", "x"), ("dead_tag", " ")])
def test_a_cause_that_cannot_be_or_no_word_why_is_refused(
    store: Store, settling: Settling, cause: str, remark: str
) -> None:
    with pytest.raises(BadInput):
        settling.settle(KEEPER, id_of(store, CHEAP), cause, remark, adjust=False)


def test_the_store_itself_lets_nobody_approve_what_they_proposed(store: Store, settling: Settling) -> None:
    id = id_of(store, UNIT)
    settling.settle(KEEPER, id, "unscanned_take", "asked everybody", adjust=True)
    (step,) = settling.case(KEEPER, id).steps
    with pytest.raises(IntegrityError, match="two people"), store.write() as connection:
        kept.add_step(connection, HOSPITAL, id, Step.APPROVE, step.proposed, step.at, 1)
