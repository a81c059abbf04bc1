"""A storeroom's permit as the hospital moves it: by audits and accepted plans, two people where it closes. Pure.

The table of steps is `protocols.permits`. The rules that could not be put into it: a step that closes a storeroom waits
for a second person; a permit is what its last step that counts led to; a policy is issued anew when the permit moved,
or when half of its lease is over, so that an edge in touch never runs out of it.

Source: requirement E6 (S0), two audits failed in a row; E3, audits are signed by two.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from central.errors import BadInput, NotAllowed, NotNow
from protocols.permits import CLOSED, TRANSITIONS, Audit, Permit, audited
from protocols.policy import PolicyText
from protocols.values.ids import ActorId
from protocols.values.instant import Instant, plus

DAY_S = 86_400
AFTER_LEASE = Permit.NORMAL
"""What holds where an edge has heard nothing for a whole lease: a storeroom so long cut off must get its stock."""


class Phase(StrEnum):
    """How far a step is: done at once, or proposed by one and confirmed or refused by another."""

    DONE = "done"
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a permit: `permit` is what holds after it, or would when it is only proposed."""

    seq: int
    audit: Audit
    phase: Phase
    permit: Permit
    at: Instant
    person: ActorId
    why: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a storeroom stands: its permit, the step that led to it, None before the first, and the one that waits."""

    permit: Permit
    last: Step | None
    waits: Step | None

    @property
    def version(self) -> int:
        """The number of the policy: that of the step it follows from, 0 before the first."""
        return 0 if self.last is None else self.last.seq + 1

    @property
    def is_closed(self) -> bool:
        """Whether stock comes in only with an approval."""
        return self.permit in CLOSED


def standing(steps: Sequence[Step]) -> Standing:
    """Return how a storeroom stands after its steps, oldest first."""
    counted = [step for step in steps if step.phase in {Phase.DONE, Phase.CONFIRMED}]
    last = counted[-1] if counted else None
    waits = steps[-1] if steps and steps[-1].phase is Phase.PROPOSED else None
    return Standing(Permit.NORMAL if last is None else last.permit, last, waits)


def choices(now: Standing) -> tuple[Audit, ...]:
    """Return what may move a permit from where it stands; nothing while a step waits."""
    return () if now.waits is not None else tuple(audit for audit in Audit if (now.permit, audit) in TRANSITIONS)


def move(now: Standing, audit: str, person: ActorId, why: str, at: Instant, seq: int) -> Step:
    """Return the step that an audit or an accepted plan makes; one that closes is only proposed.

    Raises `BadInput` for a word that is none, `NotNow` where it changes nothing or another step waits.
    """
    if audit not in set(Audit):
        raise BadInput(f"permit: expected one of {', '.join(Audit)}, got {audit!r:.40}")
    said = Audit(audit)
    if now.waits is not None:
        raise NotNow("permit: expected a storeroom where no step waits; confirm or refuse the one that does")
    if said not in choices(now):
        raise NotNow(f"permit: expected one of {', '.join(choices(now))} for a storeroom that is {now.permit}")
    after = audited(now.permit, said)
    phase = Phase.PROPOSED if after is Permit.SUSPENDED else Phase.DONE
    return Step(seq, said, phase, after, at, person, why)


def decide(now: Standing, phase: Phase, person: ActorId, why: str, at: Instant, seq: int) -> Step:
    """Return the step by which a second person confirms or refuses what waits. Raises `NotNow`, `NotAllowed`."""
    waits = now.waits
    if waits is None:
        raise NotNow("permit: expected a step that waits for a second person, there is none; reload the page")
    if phase is Phase.CONFIRMED and waits.person == person:
        raise NotAllowed("permit: expected a second person, you proposed it yourself; ask a colleague")
    after = waits.permit if phase is Phase.CONFIRMED else now.permit
    return Step(seq, waits.audit, phase, after, at, person, why or waits.why)


def policy_for(hospital: str, place: str, now: Standing, issued_at: Instant, lease_days: int) -> PolicyText:
    """Return the policy that says how a storeroom stands."""
    since = Instant(0) if now.last is None else now.last.at
    return PolicyText(
        hospital=hospital,
        place=place,
        version=now.version,
        permit=now.permit,
        since=since,
        issued_at=issued_at,
        lease_until=plus(issued_at, lease_days * DAY_S),
        after_lease=AFTER_LEASE,
        why="" if now.last is None else now.last.why,
    )


def is_spent(policy: PolicyText, now: Standing, at: Instant) -> bool:
    """Tell whether a policy must be issued anew: the permit moved, half of the lease is over, or time went back."""
    half = policy.issued_at + (policy.lease_until - policy.issued_at) // 2
    return policy.version != now.version or policy.permit is not now.permit or not policy.issued_at <= at < half
