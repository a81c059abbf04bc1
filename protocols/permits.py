"""A storeroom's permit: how far it may draw by itself, what moves it, and what it answers to an act. Pure tables.

The hospital decides the permit and each storeroom obeys it, also when it is cut off; both read these tables, so that
they cannot differ. The rules that could not be put into them: a take for a patient is recorded with the policy's
version and never refused; an emergency always passes.

Source: requirement E6: two audits failed in a row suspend a ward's own drawing until it is put right.
"""

from enum import StrEnum
from types import MappingProxyType


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

CLOSED = (Permit.SUSPENDED, Permit.RECTIFYING)
"""Permits under which stock comes in only with an approval."""
_STOCK = (Gated.REQUISITION, Gated.REPLENISHMENT, Gated.TRANSFER_IN)
ANSWERS = MappingProxyType(
    {(permit, act): Answer.GO for permit in Permit for act in Gated}
    | {(permit, act): Answer.ASK for permit in CLOSED for act in _STOCK}
    | {(permit, Gated.TAKE): Answer.TELL for permit in CLOSED}
)


def audited(permit: Permit, audit: Audit) -> Permit:
    """Return the permit after an audit or an accepted plan; what the table does not know changes nothing."""
    return TRANSITIONS.get((permit, audit), permit)
