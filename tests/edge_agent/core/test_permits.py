"""E6: two audits failed in a row suspend a storeroom; the table says what that means for each act."""

import pytest

from edge_agent.core.permits import NO_POLICY, Policy, Standing, standing_of
from protocols.permits import ANSWERS, TRANSITIONS, Answer, Audit, Gated, Permit, audited
from protocols.values.instant import plus
from tests.edge_agent.conftest import START


@pytest.mark.parametrize(
    ("audits", "permit"),
    [
        ("F", Permit.WARNED),
        ("FP", Permit.NORMAL),
        ("FF", Permit.SUSPENDED),
        ("FPF", Permit.WARNED),
        ("FFP", Permit.SUSPENDED),
        ("FFA", Permit.RECTIFYING),
        ("FFAF", Permit.SUSPENDED),
        ("FFAP", Permit.NORMAL),
    ],
)
def test_e6_the_permit_follows_the_audits(audits: str, permit: Permit) -> None:
    now = Permit.NORMAL
    for letter in audits:
        now = audited(now, {"F": Audit.FAILED, "P": Audit.PASSED, "A": Audit.PLAN}[letter])
    assert now is permit


def test_every_permit_is_reached_and_left() -> None:
    assert set(TRANSITIONS.values()) == set(Permit) == {permit for permit, _ in TRANSITIONS}


def test_e6_every_permit_answers_every_act_and_none_refuses_a_take_or_an_emergency() -> None:
    assert set(ANSWERS) == {(permit, act) for permit in Permit for act in Gated}
    assert all(ANSWERS[permit, Gated.TAKE] is not Answer.ASK for permit in Permit)
    assert all(ANSWERS[permit, Gated.EMERGENCY] is Answer.GO for permit in Permit)
    asks = {act for act in Gated if ANSWERS[Permit.SUSPENDED, act] is Answer.ASK}
    assert asks == {Gated.REQUISITION, Gated.REPLENISHMENT, Gated.TRANSFER_IN}


def test_a_policy_holds_from_its_day_until_its_lease_is_over() -> None:
    policy = Policy("7", Permit.SUSPENDED, since=START, lease_until=plus(START, 60))
    assert standing_of(None, START) == standing_of(policy, plus(START, -1)) == NO_POLICY
    assert standing_of(policy, plus(START, 59)) == Standing(Permit.SUSPENDED, "7")
    assert standing_of(policy, plus(START, 60)) == Standing(Permit.NORMAL, "7", stale=True)
