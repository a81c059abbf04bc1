"""Permits at central, read and written: steps, policies as they were issued, recalls. No rule lives here.

The rule that must not be broken: every query names the hospital, and a step is only ever added.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from central.core.permits import Phase, Standing, Step, standing
from central.store.merge import merge
from central.store.tables.feed import PERMIT_POLICY, PERMIT_STEP, RECALL
from protocols.permits import Audit, Permit
from protocols.policy import PolicyText, SignedText, read_text
from protocols.values.ids import ActorId, HospitalId, PlaceId
from protocols.values.instant import Instant


def steps_of(connection: Connection, hospital: HospitalId, place: str) -> list[Step]:
    """Return the steps of a storeroom's permit, oldest first."""
    rows = connection.execute(
        PERMIT_STEP.select()
        .where(PERMIT_STEP.c.hospital == hospital, PERMIT_STEP.c.place == place)
        .order_by(PERMIT_STEP.c.seq)
    )
    return [_step(row) for row in rows]


def steps_by_place(connection: Connection, hospital: HospitalId) -> dict[str, list[Step]]:
    """Return the steps of every storeroom that has any, oldest first."""
    step = PERMIT_STEP.c
    rows = connection.execute(PERMIT_STEP.select().where(step.hospital == hospital).order_by(step.place, step.seq))
    found: dict[str, list[Step]] = {}
    for row in rows:
        found.setdefault(row.place, []).append(_step(row))
    return found


def _step(row: Any) -> Step:  # noqa: ANN401 # a row of Core has no type of its own
    who = Instant(row.at), ActorId(row.person), row.why
    return Step(row.seq, Audit(row.audit), Phase(row.phase), Permit(row.permit), *who)


def add_step(connection: Connection, hospital: HospitalId, place: str, step: Step) -> None:
    """Write one step."""
    connection.execute(
        PERMIT_STEP.insert().values(
            hospital=hospital,
            place=place,
            seq=step.seq,
            audit=str(step.audit),
            phase=str(step.phase),
            permit=str(step.permit),
            at=step.at,
            person=step.person,
            why=step.why,
        )
    )


def standings(connection: Connection, hospital: HospitalId) -> dict[PlaceId, Standing]:
    """Return how each storeroom with a step stands; one without is normal."""
    return {PlaceId(place): standing(steps) for place, steps in steps_by_place(connection, hospital).items()}


def closed_places(connection: Connection, hospital: HospitalId) -> frozenset[str]:
    """Return the storerooms where stock comes in only with an approval."""
    return frozenset(place for place, one in standings(connection, hospital).items() if one.is_closed)


def policies(connection: Connection, hospital: HospitalId) -> dict[str, tuple[PolicyText, SignedText]]:
    """Return the policy last issued to each storeroom, read and as it was signed."""
    last = (
        select(PERMIT_POLICY.c.place, func.max(PERMIT_POLICY.c.issued_at).label("issued_at"))
        .where(PERMIT_POLICY.c.hospital == hospital)
        .group_by(PERMIT_POLICY.c.place)
        .subquery()
    )
    rows = connection.execute(
        select(PERMIT_POLICY)
        .join(last, (PERMIT_POLICY.c.place == last.c.place) & (PERMIT_POLICY.c.issued_at == last.c.issued_at))
        .where(PERMIT_POLICY.c.hospital == hospital)
    )
    return {
        row.place: (read_text(PolicyText, row.text), SignedText(row.text, row.key_id, row.signature.hex()))
        for row in rows
    }


def add_policy(
    connection: Connection, hospital: HospitalId, policy: PolicyText, text: str, key_id: str, signature: bytes
) -> None:
    """Write one issued policy."""
    connection.execute(
        PERMIT_POLICY.insert().values(
            hospital=hospital,
            place=policy.place,
            issued_at=policy.issued_at,
            version=policy.version,
            lease_until=policy.lease_until,
            text=text,
            key_id=key_id,
            signature=signature,
        )
    )


@dataclass(frozen=True, slots=True)
class Recalled:
    """One recall of a lot; `lifted_at` None while it is in force."""

    item: str
    lot: str
    at: Instant
    person: str
    why: str
    lifted_at: Instant | None
    lifted_by: str


def recalled(connection: Connection, hospital: HospitalId) -> list[Recalled]:
    """Return every recall, the newest first."""
    rows = connection.execute(RECALL.select().where(RECALL.c.hospital == hospital).order_by(RECALL.c.at.desc()))
    return [
        Recalled(
            row.item,
            row.lot,
            Instant(row.at),
            row.person,
            row.why,
            None if row.lifted_at is None else Instant(row.lifted_at),
            row.lifted_by,
        )
        for row in rows
    ]


def keep_recall(connection: Connection, hospital: HospitalId, item: str, lot: str, **said: object) -> None:
    """Write or bring up to date one recall."""
    merge(connection, RECALL, [{"hospital": hospital, "item": item, "lot": lot, **said}])
