"""Move the storerooms' permits, and tell how each stands and whether its edge knows it.

It decides nothing; `core.permits` does. The rule that must not be broken: a step and its record are one transaction,
and what closes a storeroom is confirmed by a second person.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.permits import Phase, Standing, Step, choices, decide, move, standing
from central.core.rights import Caller, Right
from central.errors import BadInput, NotThere
from central.services.documents import Documents, check_seen, check_text
from central.store.feeds import checksums_of, held_by
from central.store.queries_master import LEVEL_WARD, Place, places
from central.store.queries_permits import add_step, policies, steps_by_place, steps_of
from protocols.permits import Audit
from protocols.policy import PolicyText
from protocols.sync.feed import DEVICE
from protocols.values.ids import DeviceId, PlaceId

WHY_MAX = 500
_AUDITS = frozenset({Audit.FAILED, Audit.PASSED})


@dataclass(frozen=True, slots=True)
class Room:
    """One storeroom: how it stands, the policy last issued, and whether its edge has taken that in.

    `known` is None where no device watches the storeroom or none has said yet what it holds.
    """

    place: Place
    standing: Standing
    steps: tuple[Step, ...]
    policy: PolicyText | None
    known: bool | None
    choices: tuple[Audit, ...]


@dataclass(frozen=True, slots=True)
class Permits:
    """The permits of one hospital; `changed` makes the feed look at once."""

    documents: Documents
    changed: Callable[[], None] = lambda: None

    def rooms(self, caller: Caller) -> list[Room]:
        """Return the wards the caller may see."""
        caller.need(Right.SEE_STOCK)
        scope, hospital = caller.scope(Right.SEE_STOCK), self.documents.hospital
        with self.documents.store.read() as connection:
            issued, held = policies(connection, hospital), held_by(connection, hospital)
            wards = [
                one for one in places(connection, hospital) if one.level == LEVEL_WARD and PlaceId(one.place) in scope
            ]
            newest = checksums_of(connection, hospital, [f"device:{one.device}" for one in wards if one.device])
            steps = steps_by_place(connection, hospital)
        rooms = []
        for one in wards:
            taken = steps.get(one.place, [])
            stand = standing(taken)
            last = newest.get(f"device:{one.device}")
            said = held.get((DeviceId(one.device), DEVICE))
            policy = issued[one.place][0] if one.place in issued else None
            known = None if last is None or said is None else said[0] == last[0]
            may = tuple(audit for audit in choices(stand) if _may(caller, audit, PlaceId(one.place)))
            rooms.append(Room(one, stand, tuple(taken), policy, known, may))
        return rooms

    def move(self, caller: Caller, place: str, audit: str, why: str, seen: int | None = None) -> Step:
        """Note an audit or an accepted plan; returns the step, which waits where it closes the storeroom.

        `seen` is the number of steps its caller saw. Raises `NotAllowed`, `NotThere`, `ChangedSince`, `NotNow`,
        `BadInput`.
        """
        check_text("why", why, WHY_MAX)
        if not _may(caller, audit, PlaceId(place)):
            caller.need(Right.JUDGE_WARDS, PlaceId(place))
        return self._step(
            caller,
            place,
            lambda now, seq: move(now, audit, caller.person, why.strip(), self.documents.clock.now(), seq),
            seen,
        )

    def decide(self, caller: Caller, place: str, phase: str, why: str = "", seen: int | None = None) -> Step:
        """Confirm or refuse what another person proposed. Raises as `move` does."""
        check_text("why", why, WHY_MAX, empty=True)
        if phase not in {Phase.CONFIRMED, Phase.REFUSED}:
            raise BadInput(f"permit: expected {Phase.CONFIRMED} or {Phase.REFUSED}, got {phase!r:.40}")
        caller.need(Right.JUDGE_WARDS, PlaceId(place))
        at = self.documents.clock.now()
        return self._step(
            caller, place, lambda now, seq: decide(now, Phase(phase), caller.person, why.strip(), at, seq), seen
        )

    def _step(self, caller: Caller, place: str, make: Callable[[Standing, int], Step], seen: int | None) -> Step:
        hospital = self.documents.hospital
        with self.documents.store.write() as connection:
            self._ward(connection, caller, place)
            steps = steps_of(connection, hospital, place)
            check_seen(place, seen, len(steps))
            step = make(standing(steps), len(steps))
            add_step(connection, hospital, place, step)
            detail = {"audit": step.audit, "phase": step.phase, "permit": step.permit, "why": step.why}
            self.documents.note(connection, caller, "permit", place, detail)
        self.changed()
        return step

    def _ward(self, connection: Connection, caller: Caller, place: str) -> None:
        known = {one.place for one in places(connection, self.documents.hospital) if one.level == LEVEL_WARD}
        if place not in known or PlaceId(place) not in caller.scope(Right.SEE_STOCK):
            raise NotThere(f"permit: expected one of your wards, got {place!r:.40}")


def _may(caller: Caller, audit: str, place: PlaceId) -> bool:
    """Tell whether somebody may note this there: audits are the auditors' too, a plan is accepted by who judges."""
    return caller.may(Right.JUDGE_WARDS, place) or (audit in _AUDITS and caller.may(Right.WRITE_AUDIT, place))
