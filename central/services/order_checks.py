"""Hold every line to a supplier against what is known of its item, its supplier and its price, and write what was said.

The checks are in core; here their facts are read. The rules that must not be broken: a line is checked in the
transaction that orders it, and what was found stands with the order, whoever approves it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from central.core.agreements import FrameworkPrice, Group, groups_in_force, selected_for, winning_prices
from central.core.order_checks import MODES, Finding, Judged, Key, Known, Mode
from central.core.policy import Rules
from central.errors import NotAllowed, Stopped
from central.services.policy import rules_at
from central.services.suppliers import lapsed_on, papers_on
from central.store import queries_agreements as kept
from central.store.merge import add_new
from central.store.queries_catalogue import inactive_items
from central.store.queries_master import terms
from central.store.queries_suppliers import blocked_suppliers, grades_on
from central.store.tables.agreements import ORDER_ALERT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money


def modes_of(rules: Rules) -> dict[Finding, Mode]:
    """Return what each finding does under the rules in force."""
    return {
        finding: MODES[rules.whole(f"check.{finding}")] for finding in Finding if finding is not Finding.WINNING_PRICE
    }


def known_at(connection: Connection, hospital: HospitalId, now: Instant, *, item: str = "") -> Known:
    """Gather what the checks know on the business day of an instant, of one item alone where it is named."""
    day, rules = business_day(now), rules_at(connection, hospital, now)
    winning, selected = vbp_prices(connection, hospital, day)
    listed = kept.platform_items(connection, hospital, item=item)
    keeps_list = bool(listed) or kept.keeps_platform_list(connection, hospital)
    frameworks: dict[Key, list[FrameworkPrice]] = {}
    for one in kept.framework_prices(connection, hospital, item=item):
        frameworks.setdefault((one.item, one.agreement.supplier), []).append(one)
    return Known(
        day,
        modes_of(rules),
        rules.number("vbp.price_factor"),
        winning,
        selected,
        listed if keeps_list else None,
        frameworks,
        kept.waivers(connection, hospital),
        lapsed_on(papers_on(connection, hospital, day, rules, item=item)),
        blocked_suppliers(connection, hospital),
        {supplier: str(one.grade) for supplier, one in grades_on(connection, hospital, day).items()},
        inactive_items(connection, hospital),
    )


def vbp_prices(connection: Connection, hospital: HospitalId, day: date) -> tuple[dict[str, Money], dict[str, Money]]:
    """Return winning prices by item, and by item not selected the lowest winning price of its group, on a day."""
    return winning_prices(_groups_on(connection, hospital, day))


def _groups_on(connection: Connection, hospital: HospitalId, day: date) -> list[Group]:
    return groups_in_force(kept.agreements(connection, hospital), kept.groups(connection, hospital), day)


def let_pass(judged: Sequence[Judged], approver: str) -> None:
    """Raise where a line may not be ordered: `Stopped` names what stops it, `NotAllowed` a waiver of one's own."""
    stopping = [one.found for one in judged if one.stops]
    if stopping:
        said = "; ".join(f"{one.finding} {json.dumps(dict(one.detail))}" for one in stopping)
        raise Stopped(
            f"order: expected nothing in its way, found {said}; choose another product, or have it waived",
            tuple(one.finding for one in stopping),
        )
    if any(one.waiver is not None and one.waiver.person == approver for one in judged):
        raise NotAllowed("order: expected somebody who did not give the waiver; another person approves it")


def keep_alerts(
    connection: Connection,
    hospital: HospitalId,
    order_no: str,
    judged: Sequence[Judged],
    now: Instant,
    *,
    line_no: int = 1,
) -> None:
    """Write what was found of a line of an order with it; what was found before stands as it was."""
    rows = [
        {
            "hospital": hospital,
            "order_no": order_no,
            "line_no": line_no,
            "finding": str(one.found.finding),
            "mode": str(one.found.mode),
            "waiver": one.waiver.id if one.waiver is not None else "",
            "detail": json.dumps(dict(one.found.detail), sort_keys=True),
            "at": now,
        }
        for one in judged
    ]
    add_new(connection, ORDER_ALERT, rows)


def alerted(known: Known, item: str, supplier: str, price: Money) -> tuple[str, ...]:
    """Return the names of what is found of a line."""
    return tuple(one.found.finding for one in known.of(item, supplier, price))


@dataclass(frozen=True, slots=True)
class OfferOver:
    """A supplier's terms over the winning price: they are never ordered at."""

    item: str
    supplier: str
    price: Money
    winning: Money


def offers_over(connection: Connection, hospital: HospitalId, now: Instant) -> list[OfferOver]:
    """Return every supplier's terms that ask more than the winning price (A7)."""
    winning, _ = vbp_prices(connection, hospital, business_day(now))
    return [
        OfferOver(one.item, one.supplier, one.price, winning[item])
        for item, offers in terms(connection, hospital).items()
        for one in offers
        if item in winning and one.price > winning[item]
    ]


def selected_instead(connection: Connection, hospital: HospitalId, day: date) -> dict[str, list[str]]:
    """Return for each product that was not selected the selected ones of its groups on a day (C8)."""
    return selected_for(_groups_on(connection, hospital, day))
