"""Conflicts as people see and close them: their own storerooms' only, once, with a remark that is kept."""

import pytest

from central.core.conflicts import Sort
from central.core.rights import Caller, Grant, Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.conflict_desk import Conflicts
from central.services.conflicts import settle_conflicts
from central.services.documents import Documents
from central.store.paging import PageAsked
from central.store.queries_conflicts import Standing
from protocols.values.ids import ActorId, PlaceId
from tests.central.services.parties import Central, Device, a_central, issue

KEEPER, OTHERS = (
    Caller(ActorId(number), "K", (Grant(Role.WARD_KEEPER, frozenset({PlaceId(ward)})),))
    for number, ward in (("30001", "ward-01"), ("30002", "ward-02"))
)
AUDITOR = Caller(ActorId("20001"), "A", (Grant(Role.AUDITOR),))


@pytest.fixture
def central() -> Central:
    made = a_central()
    device = Device(made)
    device.greet()
    device.write(issue(2, qty=5))
    device.say(device.frame(0, 1))
    settle_conflicts(made.store, made.hospital, made.clock)
    return made


@pytest.fixture
def conflicts(central: Central) -> Conflicts:
    return Conflicts(Documents(central.store, central.hospital, central.clock))


def open_to(conflicts: Conflicts, caller: Caller) -> tuple[Standing, ...]:
    return conflicts.page(caller, PageAsked()).items


def test_a_keeper_sees_the_conflicts_of_the_own_storeroom_and_nobody_elses(conflicts: Conflicts) -> None:
    (one,) = open_to(conflicts, KEEPER)
    assert (one.sort, one.place) == (Sort.NEGATIVE, "ward-01")
    assert open_to(conflicts, OTHERS) == ()
    assert len(open_to(conflicts, AUDITOR)) == 1


def test_a_conflict_is_closed_once_by_who_may_and_its_remark_is_kept_while_the_book_stays(
    conflicts: Conflicts, central: Central
) -> None:
    (one,) = open_to(conflicts, KEEPER)
    before = central.balance()
    with pytest.raises(NotThere):
        conflicts.close(OTHERS, one.id, "mine")
    with pytest.raises(NotAllowed):
        conflicts.close(AUDITOR, one.id, "seen")
    with pytest.raises(BadInput):
        conflicts.close(KEEPER, one.id, "")
    conflicts.close(KEEPER, one.id, "counted: two were in the other drawer")
    assert open_to(conflicts, KEEPER) == ()
    with pytest.raises(NotNow):
        conflicts.close(KEEPER, one.id, "again")
    settle_conflicts(central.store, central.hospital, central.clock)
    assert open_to(conflicts, KEEPER) == ()
    assert central.balance() == before
