"""The quarterly score of every supplier, made of documents and made again from them; and the work a grade brings.

The rules are in core. The rules that must not be broken: a quarter is scored once, after its end, under the rules in
force then; a score counted again from the same documents is the same.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from central.core.agreements import quarter_days, quarter_of
from central.core.policy import Rules
from central.core.suppliers import (
    SCORE_UNITS,
    CaseKind,
    CaseState,
    Delivered,
    Dimension,
    Grade,
    Marks,
    Tallies,
    Tally,
    clock_of,
    grade_of,
    punctuality,
    score_of,
    tally_of,
)
from central.errors import BadInput
from central.services.deliveries import Dealings, dealings_now
from central.services.documents import number_of
from central.services.policy import rules_at
from central.store import queries_suppliers as kept
from central.store.merge import add_new
from central.store.queries_master import terms
from central.store.tables.suppliers import PURCHASE_TASK, SUPPLIER_SCORE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, day_start

CASES = {Dimension.EMERGENCY: CaseKind.EMERGENCY, Dimension.SERVICE: CaseKind.TICKET}


def marks_of(rules: Rules) -> Marks:
    """Return the figures in force."""
    return Marks(
        {one: rules.number("score.weight", one) for one in Dimension},
        {one: rules.number("score.gate", one) for one in Dimension},
        rules.number("score.c_below"),
    )


def tallies_of(
    connection: Connection, hospital: HospitalId, quarter: str, now: Instant, dealt: Dealings | None = None
) -> dict[str, Tallies]:
    """Return each supplier's four tallies of a quarter, as far as it has gone by an instant."""
    dealt = dealt or dealings_now(connection, hospital, now)
    first, last = quarter_days(quarter)
    until = min(last, business_day(now) - timedelta(days=1))
    at = min(now, day_start(last + timedelta(days=1)))
    rules = rules_at(connection, hospital, at)
    lines, looked = dealt.lines, kept.inspected(connection, hospital, first, last)
    matters = [one for one in dealt.cases if first <= business_day(one.opened_at) <= last]
    return {
        supplier: {
            Dimension.ON_TIME: _punctual(lines, supplier, first, until),
            Dimension.QUALITY: tally_of((one.name, one.refused == 0) for one in looked if one.supplier == supplier),
            **{
                dimension: _answered([one for one in matters if one.supplier == supplier], kind, rules, at)
                for dimension, kind in CASES.items()
            },
        }
        for supplier in dealt.names
    }


def _punctual(lines: Iterable[Delivered], supplier: str, first: date, until: date) -> Tally:
    return punctuality([one for one in lines if one.supplier == supplier], first, until)


def _answered(matters: list[kept.Case], kind: CaseKind, rules: Rules, at: Instant) -> Tally:
    """Return the tally of a supplier's cases of a kind: in time, or not; those still in time are not counted yet."""
    limit = rules.whole("case.hours", kind)
    outcomes = []
    for one in matters:
        clock = clock_of(one.opened_at, one.ended_at, at, limit)
        if one.kind is kind and one.state is not CaseState.WITHDRAWN and not (clock.running and clock.in_time):
            outcomes.append((one.case_no, clock.in_time))
    return tally_of(outcomes)


def score_quarter(connection: Connection, hospital: HospitalId, now: Instant) -> int:
    """Score the quarter before an instant's, once; returns how many suppliers got a grade."""
    today = business_day(now)
    first, _ = quarter_days(quarter_of(today))
    quarter = quarter_of(first - timedelta(days=1))
    if any(one.quarter == quarter for one in kept.scores(connection, hospital)):
        return 0
    return _grade(connection, hospital, quarter, tallies_of(connection, hospital, quarter, now), now)


def carry_over(connection: Connection, hospital: HospitalId, rows: Sequence[Mapping[str, Any]], now: Instant) -> None:
    """Grade suppliers by what was counted of quarters before this system did, the first quarter first.

    The counts come without documents. Raises `BadInput` for a quarter that is not over; a quarter that a supplier was
    scored for before stays as it is.
    """
    by_quarter: defaultdict[str, dict[str, Tallies]] = defaultdict(dict)
    for row in rows:
        counts = {one: (row[f"{_column(one)}_done"], row[f"{_column(one)}_all"]) for one in Dimension}
        wrong = [one for one, (done, asked) in counts.items() if done > asked]
        if wrong or quarter_days(row["quarter"])[1] >= business_day(now):
            found = f"{wrong[0]} {counts[wrong[0]]}" if wrong else f"{row['quarter']}, which is not over"
            raise BadInput(f"supplier {row['supplier']}: expected done of all of a quarter that is over, got {found}")
        by_quarter[row["quarter"]][row["supplier"]] = {one: Tally(*counts[one]) for one in Dimension}
    for quarter in sorted(by_quarter):
        known = {one.supplier for one in kept.scores(connection, hospital) if one.quarter == quarter}
        fresh = {supplier: told for supplier, told in by_quarter[quarter].items() if supplier not in known}
        _grade(connection, hospital, quarter, fresh, now)


def _grade(
    connection: Connection, hospital: HospitalId, quarter: str, counted: Mapping[str, Tallies], now: Instant
) -> int:
    """Grade a quarter that is over by what was counted; returns how many suppliers got a grade."""
    first = quarter_days(quarter)[1] + timedelta(days=1)
    rules = rules_at(connection, hospital, now)
    before = kept.grades_on(connection, hospital, first)
    rows, work = [], []
    for supplier, tallies in counted.items():
        grade, score = grade_of(tallies, marks_of(rules)), score_of(tallies, marks_of(rules))
        if grade is None or score is None:
            continue
        told: dict[str, object] = {
            "hospital": hospital,
            "supplier": supplier,
            "quarter": quarter,
            "score": int(score * SCORE_UNITS),
        }
        told |= {"grade": str(grade), "effective_from": first, "policy_version": rules.version, "made_at": now}
        rows.append(told | _counts(tallies))
        if supplier not in before or before[supplier].grade is not grade:
            work += _work_of(connection, hospital, supplier, grade, quarter, now)
    add_new(connection, PURCHASE_TASK, work)
    return add_new(connection, SUPPLIER_SCORE, rows)


def _column(dimension: Dimension) -> str:
    return dimension.replace("-", "_")


def _counts(tallies: Tallies) -> dict[str, object]:
    counts: dict[str, object] = {}
    for dimension, one in tallies.items():
        name = _column(dimension)
        counts |= {f"{name}_done": one.done, f"{name}_all": one.asked}
    named = {dimension: list(one.documents) for dimension, one in tallies.items()}
    return counts | {"documents": json.dumps(named, sort_keys=True)}


def _work_of(
    connection: Connection, hospital: HospitalId, supplier: str, grade: Grade, quarter: str, now: Instant
) -> list[dict[str, object]]:
    """Return the work a new grade brings: A is offered pre-settlement, C is replaced item by item (B2)."""
    if grade is Grade.A:
        return [_task(hospital, "offer-presettlement", supplier, "", f"grade A from {quarter}", now)]
    if grade is Grade.C:
        mine = sorted(
            item for item, of in terms(connection, hospital).items() if any(one.supplier == supplier for one in of)
        )
        return [_task(hospital, "find-substitute", supplier, item, f"grade C from {quarter}", now) for item in mine]
    return []


def _task(hospital: HospitalId, kind: str, supplier: str, item: str, reason: str, now: Instant) -> dict[str, object]:
    return {
        "hospital": hospital, "task": number_of("PT", kind, supplier, item, reason), "kind": kind,
        "supplier": supplier, "item": item, "reason": reason, "made_at": now, "done_at": None, "done_by": "",
    }  # fmt: skip
