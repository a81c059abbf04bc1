"""Policy rules as people set them: the changes proposed, and the rows they became. No rule lives here.

The rule that must not be broken: every query names the hospital, and nothing is changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, func, select

from central.store.queries_purchasing import states
from central.store.tables.work import POLICY_CHANGE, POLICY_RULE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

KIND = "policy"
"""Kind of a rule change's steps among the documents' steps."""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """One change of a rule: what it is to say, from when to when (exclusive), why, and where it stands."""

    change: str
    code: str
    scope: str
    value: str
    effective_from: date
    effective_to: date | None
    source_doc: str
    reason: str
    loosens: bool
    proposed_at: Instant
    proposed_by: str
    state: str


def rule_changes(
    connection: Connection, hospital: HospitalId, *, code: str = "", change: str = "", state: str = ""
) -> list[RuleChange]:
    """Return the changes of the rules, of one code, one of them or those that stand in a state, the newest first."""
    row = POLICY_CHANGE.c
    chosen = POLICY_CHANGE.select().where(row.hospital == hospital)
    for column, wanted in ((row.code, code), (row.change, change)):
        chosen = chosen.where(column == wanted) if wanted else chosen
    stand = states(connection, hospital, KIND, standing=[state] if state else None)
    if state:
        chosen = chosen.where(row.change.in_(sorted(stand)))
    return [
        RuleChange(
            one.change, one.code, one.scope, one.value, one.effective_from, one.effective_to, one.source_doc,
            one.reason, bool(one.loosens), Instant(one.proposed_at), one.proposed_by, stand.get(one.change, ""),
        )
        for one in connection.execute(chosen.order_by(row.proposed_at.desc(), row.change))
    ]  # fmt: skip


def count_changes(connection: Connection, hospital: HospitalId, code: str) -> int:
    """Return how many changes of a rule there ever were."""
    row = POLICY_CHANGE.c
    chosen = select(func.count()).where(row.hospital == hospital, row.code == code)
    return int(connection.execute(chosen).scalar_one())


def add_change(connection: Connection, hospital: HospitalId, row: Mapping[str, Any]) -> None:
    """Add a change; its steps say what became of it."""
    connection.execute(POLICY_CHANGE.insert().values(hospital=hospital, **row))


def add_rule(connection: Connection, hospital: HospitalId, one: RuleChange, effective_from: date) -> None:
    """Let a change hold, behind every other row from the same day."""
    row = POLICY_RULE.c
    newest = connection.scalar(
        select(func.max(row.seq)).where(
            row.hospital == hospital, row.code == one.code, row.scope == one.scope, row.effective_from == effective_from
        )
    )
    connection.execute(
        POLICY_RULE.insert().values(
            hospital=hospital, code=one.code, scope=one.scope, effective_from=effective_from,
            seq=0 if newest is None else int(newest) + 1, effective_to=one.effective_to, value=one.value,
            source_doc=one.source_doc, change=one.change,
        )
    )  # fmt: skip
