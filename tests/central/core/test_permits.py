"""E6 at central: audits move a permit, two people close a storeroom, and a policy never runs out for who listens."""

import msgspec
import pytest

from central.core.permits import (
    AFTER_LEASE,
    DAY_S,
    Phase,
    Step,
    choices,
    decide,
    is_spent,
    move,
    policy_for,
    standing,
)
from central.errors import BadInput, NotAllowed, NotNow
from protocols.permits import Audit, Permit
from protocols.values.ids import ActorId
from protocols.values.instant import Instant, plus
from tests.central.hospital import START

ONE, OTHER = ActorId("audit-1"), ActorId("audit-2")


def audits(*said: tuple[str, ActorId]) -> list[Step]:
    """Take steps in turn; `confirm` and `refuse` judge what waits."""
    steps: list[Step] = []
    for word, person in said:
        now, seq = standing(steps), len(steps)
        if word in {Phase.CONFIRMED, Phase.REFUSED}:
            steps.append(decide(now, Phase(word), person, "", START, seq))
        else:
            steps.append(move(now, word, person, "shelves", START, seq))
    return steps


def test_e6_two_failed_audits_suspend_once_a_second_person_agrees() -> None:
    steps = audits(("audit failed", ONE), ("audit failed", ONE))
    assert standing(steps).permit is Permit.WARNED
    assert standing(steps).waits is not None
    with pytest.raises(NotAllowed, match="second person"):
        decide(standing(steps), Phase.CONFIRMED, ONE, "", START, 2)
    closed = standing([*steps, decide(standing(steps), Phase.CONFIRMED, OTHER, "", START, 2)])
    assert (closed.permit, closed.waits, closed.is_closed, closed.version) == (Permit.SUSPENDED, None, True, 3)
    assert closed.last is not None
    assert (closed.last.person, closed.last.why) == (OTHER, "shelves")


def test_what_is_refused_changes_nothing_and_its_proposer_may_take_it_back() -> None:
    steps = audits(("audit failed", ONE), ("audit failed", ONE), ("refused", ONE))
    assert (standing(steps).permit, standing(steps).waits) == (Permit.WARNED, None)


def test_e6_a_plan_and_a_passed_audit_lead_back() -> None:
    words = ["audit failed", "audit failed", "confirmed", "plan accepted", "audit passed"]
    steps = audits(*((word, OTHER if word == "confirmed" else ONE) for word in words))
    assert [step.permit for step in steps] == [
        Permit.WARNED, Permit.SUSPENDED, Permit.SUSPENDED, Permit.RECTIFYING, Permit.NORMAL,
    ]  # fmt: skip
    assert standing(steps[:4]).is_closed


def test_only_what_the_table_knows_can_be_chosen() -> None:
    assert choices(standing(())) == (Audit.FAILED, Audit.PASSED)
    waits = standing(audits(("audit failed", ONE), ("audit failed", ONE)))
    assert choices(waits) == ()
    with pytest.raises(NotNow, match="no step waits"):
        move(waits, "audit passed", ONE, "", START, 2)
    with pytest.raises(NotNow, match="expected one of audit failed, audit passed"):
        move(standing(()), "plan accepted", ONE, "", START, 0)
    with pytest.raises(BadInput, match="expected one of audit failed"):
        move(standing(()), "by order", ONE, "", START, 0)
    with pytest.raises(NotNow, match="there is none"):
        decide(standing(()), Phase.CONFIRMED, ONE, "", START, 0)


def test_a_policy_is_issued_anew_at_half_its_lease_or_when_the_permit_moved() -> None:
    now = standing(audits(("audit failed", ONE)))
    policy = policy_for("main", "ward-01", now, START, 30)
    assert (policy.permit, policy.version, policy.since, policy.after_lease) == (
        Permit.WARNED, 1, START, AFTER_LEASE,
    )  # fmt: skip
    assert policy.lease_until == plus(START, 30 * DAY_S)
    assert not is_spent(policy, now, START)
    assert not is_spent(policy, now, plus(START, 15 * DAY_S - 1))
    assert is_spent(policy, now, plus(START, 15 * DAY_S))
    assert is_spent(policy, now, Instant(START - 1))
    assert is_spent(policy, standing(()), START)
    assert is_spent(msgspec.structs.replace(policy, permit=Permit.NORMAL), now, START)
