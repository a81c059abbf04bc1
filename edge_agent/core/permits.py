"""What a storeroom may draw by itself: its permit under a policy with a lease. Pure.

The permit's states and how audits move it are one table; the hospital's policy says which state holds, the storeroom
obeys it also when it is cut off, for as long as the lease lasts. The rules that could not be put into the table: a take
for a patient is recorded with the policy's version and never refused; an emergency always passes; what was done before
the device knew of a policy stays valid.

Source: requirement E6: two audits failed in a row suspend a ward's own drawing until it is put right.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from protocols.values.instant import Instant


class Permit(StrEnum):
    """How far a storeroom is trusted."""

    NORMAL = "normal"
    WARNED = "warned"
    SUSPENDED = "suspended"
    RECTIFYING = "rectifying"


class Audit(StrEnum):
    """What moves a permit."""

    FAILED = "audit failed"
    PASSED = "audit passed"
    PLAN = "plan accepted"


class Gated(StrEnum):
    """What a permit is asked for."""

    REQUISITION = "requisition"
    REPLENISHMENT = "replenishment"
    TRANSFER_IN = "transfer in"
    TAKE = "take"
    EMERGENCY = "emergency"


class Answer(StrEnum):
    """What a permit says: go on, go on and say so, or only with an approval."""

    GO = "go"
    TELL = "tell"
    ASK = "ask"


_P, _A = Permit, Audit
TRANSITIONS = MappingProxyType(
    {
        (_P.NORMAL, _A.PASSED): _P.NORMAL,
        (_P.NORMAL, _A.FAILED): _P.WARNED,
        (_P.WARNED, _A.PASSED): _P.NORMAL,
        (_P.WARNED, _A.FAILED): _P.SUSPENDED,
        (_P.SUSPENDED, _A.PLAN): _P.RECTIFYING,
        (_P.RECTIFYING, _A.PASSED): _P.NORMAL,
        (_P.RECTIFYING, _A.FAILED): _P.SUSPENDED,
    }
)
"""Every step a permit may take; an audit of a suspended storeroom changes nothing before a plan is accepted."""

_CLOSED = (Permit.SUSPENDED, Permit.RECTIFYING)
_STOCK = (Gated.REQUISITION, Gated.REPLENISHMENT, Gated.TRANSFER_IN)
ANSWERS = MappingProxyType(
    {(permit, act): Answer.GO for permit in Permit for act in Gated}
    | {(permit, act): Answer.ASK for permit in _CLOSED for act in _STOCK}
    | {(permit, Gated.TAKE): Answer.TELL for permit in _CLOSED}
)


ALWAYS = Instant(0)


@dataclass(frozen=True, slots=True)
class Policy:
    """What the hospital decided for one storeroom: its permit, since when, and until when that may be relied on.

    `after_lease` holds once the lease has run out and nothing newer came.
    """

    version: str
    permit: Permit
    since: Instant = ALWAYS
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


def audited(permit: Permit, audit: Audit) -> Permit:
    """Return the permit after an audit or an accepted plan; what the table does not know changes nothing."""
    return TRANSITIONS.get((permit, audit), permit)


def standing_of(policy: Policy | None, now: Instant) -> Standing:
    """Return what holds at an instant. Before its day a policy does not hold, after its lease `after_lease` does."""
    if policy is None or now < policy.since:
        return NO_POLICY
    if policy.lease_until is not None and now >= policy.lease_until:
        return Standing(policy.after_lease, policy.version, stale=True)
    return Standing(policy.permit, policy.version)
