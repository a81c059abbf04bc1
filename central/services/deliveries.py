"""Every order line to a supplier with what became of it: promised for when, whole when, and what is still owed.

It gathers and decides nothing. The rule that must not be broken: what came is told by the ledger, what was promised by
the order's last confirmation, else by the supplier's terms.
"""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, select

from central.core.orders import Ordered, outstanding
from central.core.policy import Rules
from central.core.purchasing import OrderStep
from central.core.reorder.receipts import filled
from central.core.suppliers import Delivered
from central.services.policy import rules_at
from central.services.positions import DAY_S, ORDERS_COUNTED_DAYS
from central.store.queries_book import arrivals_in
from central.store.queries_master import Terms, suppliers, terms
from central.store.queries_suppliers import Case, blocked_suppliers, cases
from central.store.queries_work import ordered
from central.store.tables.purchasing import DOCUMENT_STEP
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, plus

LEAD_DAYS = 7
"""Days taken for a supplier whose terms are gone."""


@dataclass(frozen=True, slots=True)
class Dealings:
    """What suppliers are judged by at one instant, read once for all that is told of them: `dealings_now` makes it."""

    rules: Rules
    names: Mapping[str, tuple[str, str]]
    terms: Mapping[str, Sequence[Terms]]
    lines: Sequence[Delivered]
    cases: Sequence[Case]
    barred: frozenset[str]


def dealings_now(connection: Connection, hospital: HospitalId, now: Instant) -> Dealings:
    """Read what suppliers are judged by at an instant."""
    names, offered = suppliers(connection, hospital), terms(connection, hospital)
    return Dealings(
        rules_at(connection, hospital, now),
        names,
        offered,
        _lines(connection, hospital, now, names, offered),
        cases(connection, hospital),
        blocked_suppliers(connection, hospital),
    )


def delivered_lines(connection: Connection, hospital: HospitalId, now: Instant) -> list[Delivered]:
    """Return the order lines to suppliers that are counted, given-up ones left out."""
    return _lines(connection, hospital, now, suppliers(connection, hospital), terms(connection, hospital))


def _lines(
    connection: Connection,
    hospital: HospitalId,
    now: Instant,
    firms: Container[str],
    offered: Mapping[str, Sequence[Terms]],
) -> list[Delivered]:
    since = plus(now, -ORDERS_COUNTED_DAYS * DAY_S)
    promised = _promised(connection, hospital)
    leads = {(one.item, one.supplier): one.lead_days for of in offered.values() for one in of}
    by_line: dict[tuple[str, str], list[tuple[str, Ordered]]] = {}
    for place, item, source, line in ordered(connection, hospital, since):
        by_line.setdefault((place, item), []).append((source, line))
    arrived = arrivals_in(connection, hospital, sorted({place for place, _ in by_line}), since)
    found = []
    for (place, item), several in sorted(by_line.items()):
        lines, came = [line for _, line in several], arrived[place].get(item, [])
        when, left = filled(lines, came), outstanding(lines, came)
        for source, line in several:
            if source in firms and line.until is None:
                days = leads.get((item, source), LEAD_DAYS)
                due = promised.get(line.key[0], business_day(line.at) + timedelta(days=days))
                found.append(_delivered(source, item, line, due, when, left))
    return found


def _delivered(
    source: str,
    item: str,
    line: Ordered,
    due: date,
    when: Mapping[tuple[str, int], Instant | None],
    left: Mapping[tuple[str, int], int],
) -> Delivered:
    came = when[line.key]
    whole = None if came is None else business_day(came)
    return Delivered(*line.key, source, item, line.qty, left[line.key], due, whole)


def _promised(connection: Connection, hospital: HospitalId) -> dict[str, date]:
    """Return the first day each order was promised for: a later promise does not make a late delivery timely.

    An amendment begins anew: the supplier's word is then on that version, until it comes the day it was wanted for.
    """
    step = DOCUMENT_STEP.c
    rows = connection.execute(
        select(step.document, step.step, step.detail)
        .where(step.hospital == hospital, step.kind == "order", step.step.in_([OrderStep.CONFIRM, OrderStep.AMEND]))
        .order_by(step.document, step.seq)
    )
    found: dict[str, date] = {}
    wanted: dict[str, date] = {}
    for row in rows:
        said = json.loads(row.detail)
        if row.step == OrderStep.AMEND:
            found.pop(row.document, None)
            if said.get("wanted"):
                wanted[row.document] = date.fromisoformat(said["wanted"])
            continue
        try:
            found.setdefault(row.document, date.fromisoformat(str(said.get("promised"))))
        except ValueError:
            continue  # an older step that said it in words
    return wanted | found
