"""The permission matrix, and where a right holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.rights import CHANGES, RIGHTS_OF, WARD_ROLES, Caller, Grant, Right, Role, grants_named, grants_of
from central.errors import BadInput, NotAllowed
from protocols.values.ids import ActorId, PlaceId

ICU, SURGERY = PlaceId("ward-01"), PlaceId("ward-02")


def caller(*grants: Grant, read_only: bool = False) -> Caller:
    return Caller(ActorId("10023"), "Wang", grants, read_only)


def test_every_role_has_its_rights_and_no_role_is_forgotten() -> None:
    assert set(RIGHTS_OF) == set(Role)


def test_the_administrator_holds_no_right_over_stock_orders_or_prices() -> None:
    business = {Right.SEE_STOCK, Right.SEE_ORDERS, Right.SEE_PRICES, Right.APPROVE, Right.SETTLE, Right.MANAGE_MASTER}
    assert not RIGHTS_OF[Role.ADMINISTRATOR] & business


def test_the_auditor_changes_nothing_but_own_audit_sheets() -> None:
    assert RIGHTS_OF[Role.AUDITOR] & CHANGES == {Right.WRITE_AUDIT}


def test_only_the_administrator_keeps_the_accounts() -> None:
    assert [role for role in Role if Right.MANAGE_PEOPLE in RIGHTS_OF[role]] == [Role.ADMINISTRATOR]


def test_a_role_of_a_ward_names_its_storerooms() -> None:
    with pytest.raises(BadInput, match="expected the storerooms a nurse is for"):
        Grant(Role.NURSE)


def test_a_nurse_of_one_ward_sees_no_other() -> None:
    nurse = caller(Grant(Role.NURSE, frozenset({ICU})))
    assert nurse.may(Right.SEE_STOCK, ICU)
    assert not nurse.may(Right.SEE_STOCK, SURGERY)
    with pytest.raises(NotAllowed, match="'see-stock' in ward-02"):
        nurse.need(Right.SEE_STOCK, SURGERY)


def test_a_token_that_may_only_look_changes_nothing() -> None:
    buyer = caller(Grant(Role.PURCHASER), read_only=True)
    assert buyer.may(Right.SEE_PRICES)
    assert not buyer.may(Right.APPROVE)


def test_somebody_without_a_role_may_nothing() -> None:
    nobody = caller()
    assert not any(nobody.may(right) for right in Right)


def test_a_role_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(BadInput, match=r"expected one of ward-keeper, .*, got 'boss'"):
        grants_named(["boss"], [])


@given(st.lists(st.tuples(st.sampled_from(sorted(Role)), st.sampled_from([ICU, SURGERY])), max_size=20))
def test_a_caller_may_exactly_what_some_grant_gives(pairs: list[tuple[Role, PlaceId]]) -> None:
    stored = [(str(role), str(place) if role in WARD_ROLES else "") for role, place in pairs]
    one = caller(*grants_of(stored))
    for right in Right:
        for place in (ICU, SURGERY):
            given_by = any(right in RIGHTS_OF[role] and (role not in WARD_ROLES or at == place) for role, at in pairs)
            assert one.may(right, place) == given_by
