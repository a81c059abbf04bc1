"""What is reported by itself: supply every month, volume-based procurement every quarter, each signed and kept.

It reckons nothing of its own. The rules that must not be broken: a report says what stood when it was made and is made
once; whoever has the public key can check it from the file alone.

Source: G3 (S4), reported monthly and told quarterly.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Any

from sqlalchemy import Connection, select

from central.core.agreements import quarter_of
from central.core.statement import seal
from central.core.suppliers import CaseKind
from central.errors import NotThere
from central.services.deliveries import dealings_now
from central.services.statements import Signer
from central.services.suppliers import firms_now, shortages_now
from central.services.vbp_pack import OFF, alert_rows, data_of, pack_of
from central.store.engine import Store
from central.store.merge import add_new
from central.store.tables.reports import SUPPLY_REPORT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, day_start, to_iso

FORM = "wardstock-report-1"
REPORTS_S = 86_400
"""How often it is looked whether a month or a quarter is over."""
LISTED_MAX = 120
"""Ten years of both kinds are listed."""


class ReportKind(StrEnum):
    """What is reported."""

    SUPPLY = "supply"
    VBP = "vbp"


@dataclass(frozen=True, slots=True)
class Report:
    """One report that was made."""

    kind: ReportKind
    period: str
    made_at: Instant
    key_id: str


def make_due(store: Store, hospital: HospitalId, now: Instant, signer: Signer) -> str:
    """Make the reports of the month and the quarter before today that were not made yet; says how many."""
    last = business_day(now).replace(day=1) - timedelta(days=1)
    made = _make(
        store, hospital, now, signer, ReportKind.SUPPLY, f"{last:%Y-%m}", lambda one: _supply(one, hospital, now)
    )
    before = quarter_of(business_day(now))
    ended = _quarter_before(before)
    made += _make(
        store, hospital, now, signer, ReportKind.VBP, ended, lambda one: data_of(pack_of(one, hospital, ended, now))
    )
    return f"{made} reports made"


def reports(connection: Connection, hospital: HospitalId) -> list[Report]:
    """Return the reports that were made, the newest first."""
    row = SUPPLY_REPORT.c
    chosen = select(row.kind, row.period, row.made_at, row.key_id).where(row.hospital == hospital)
    rows = connection.execute(chosen.order_by(row.made_at.desc(), row.kind).limit(LISTED_MAX))
    return [Report(ReportKind(one.kind), one.period, Instant(one.made_at), one.key_id) for one in rows]


def report_text(connection: Connection, hospital: HospitalId, kind: str, period: str) -> str:
    """Return a report as the text of its file. Raises `NotThere`."""
    row = SUPPLY_REPORT.c
    found = connection.execute(
        select(row.text).where(row.hospital == hospital, row.kind == kind, row.period == period)
    ).first()
    if found is None:
        raise NotThere(f"report: expected one that was made, got {kind!r:.20} {period!r:.20}")
    return str(found.text)


def _make(
    store: Store,
    hospital: HospitalId,
    now: Instant,
    signer: Signer,
    kind: ReportKind,
    period: str,
    content: Callable[[Connection], Mapping[str, Any]],
) -> int:
    with store.read() as connection:
        if any((one.kind, one.period) == (kind, period) for one in reports(connection, hospital)):
            return 0
        said = {"form": FORM, "hospital": hospital, "kind": kind.value, "period": period, "made_at": to_iso(now)}
        try:
            whole = said | {"content": _plain(content(connection))}
        except NotThere:
            return 0  # a quarter before the hospital's rules began has nothing to report
    row = {"hospital": hospital, "kind": kind.value, "period": period, "made_at": now, "key_id": signer.key_id}
    with store.write() as connection:
        return add_new(connection, SUPPLY_REPORT, [row | {"text": seal(whole, signer.key_id, signer.sign)}])


def _supply(connection: Connection, hospital: HospitalId, now: Instant) -> Mapping[str, Any]:
    """Return the month's supply: what runs short, who delivers how much, what was cut off, and off the platform."""
    last = business_day(now).replace(day=1) - timedelta(days=1)
    first = last.replace(day=1)
    since, until = day_start(first), day_start(last + timedelta(days=1))
    dealt = dealings_now(connection, hospital, now)
    firms = firms_now(connection, hospital, now, dealt)
    cut = [one for one in dealt.cases if one.kind is CaseKind.DISRUPTION]
    return {
        "first": first,
        "last": last,
        "shortages": [
            {"item": one.supply.item, "level": str(one.level), "points": one.points}
            for one in shortages_now(connection, hospital, now, dealt)
        ],
        "deliveries": [
            {
                "supplier": one.supplier,
                "ordered": one.rate.ordered,
                "delivered": one.rate.delivered,
                "rate": one.rate.by_qty,
            }
            for one in firms
        ],
        "disruptions": [
            {"case": one.case_no, "supplier": one.supplier, "item": one.item, "state": str(one.state)}
            for one in cut
            if since <= one.opened_at < until
        ],
        "off_platform": [
            {"order": one.alert.order_no, "item": one.item, "qty": one.qty}
            for one in alert_rows(connection, hospital, first, last, OFF)
        ],
    }


def _quarter_before(quarter: str) -> str:
    year, number = int(quarter[:4]), int(quarter[-1])
    return f"{year}Q{number - 1}" if number > 1 else f"{year - 1}Q4"


def _plain(value: object) -> object:
    """Return a value as signed text holds it: days as ISO 8601, shares as decimals in words, no number with a point."""
    match value:
        case Mapping():
            return {str(name): _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case date():
            return value.isoformat()
        case Fraction() | float():
            return f"{float(value):.6f}"
        case _:
            return json.loads(json.dumps(value))
