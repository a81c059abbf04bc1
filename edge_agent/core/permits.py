"""What a storeroom may draw by itself: its permit under a policy with a lease. Pure.

The hospital's policy says which permit holds (`protocols.permits`), the storeroom obeys it also when it is cut off, for
as long as the lease lasts. The rules that must not be broken: a take for a patient is never refused; what was done
before the device knew of a policy stays valid.
"""

from dataclasses import dataclass

from protocols.permits import ANSWERS, Answer, Gated, Permit
from protocols.values.instant import Instant

ALWAYS = Instant(0)
CLOCK_SLACK_US = 86_400_000_000
"""How far an edge's clock may be behind the hospital's before it counts as bad: a day."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the hospital decided for one storeroom: its permit, since when, and until when that may be relied on.

    `after_lease` holds once the lease has run out and nothing newer came. A clock that shows a time before `issued_at`
    is wrong.
    """

    version: str
    permit: Permit
    since: Instant = ALWAYS
    issued_at: Instant = ALWAYS
    lease_until: Instant | None = None
    after_lease: Permit = Permit.NORMAL


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds now; `stale` says that the lease has run out."""

    permit: Permit
    version: str
    stale: bool = False

    def answer(self, act: Gated) -> Answer:
        """Return what the permit says to an act."""
        return ANSWERS[self.permit, act]


NO_POLICY = Standing(Permit.NORMAL, "")
"""A storeroom that was never told a policy."""


def standing_of(policy: Policy | None, now: Instant) -> Standing:
    """Return what holds at an instant: before its day no policy does, after its lease `after_lease`.

    A clock far behind the policy's issue is bad: nobody knows then whether the lease is over, so it counts as over.
    """
    if policy is None or now < policy.since > policy.issued_at:
        return NO_POLICY
    is_over = policy.lease_until is not None and now >= policy.lease_until
    if is_over or now < policy.issued_at - CLOCK_SLACK_US:
        return Standing(policy.after_lease, policy.version, stale=True)
    return Standing(policy.permit, policy.version)
