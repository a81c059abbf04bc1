"""Hold every line to a supplier against what is known of its item, its supplier and its price, and write what was said.

The checks are in core; here their facts are read. The rules that must not be broken: a line is checked in the
transaction that orders it, and what was found stands with the order, whoever approves it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from sqlalchemy import Connection

from central.core.agreements import price_on
from central.core.order_checks import MODES, Asked, Finding, Found, Mode, Waiver, findings, lifted_by
from central.core.policy import Rules
from central.errors import NotAllowed, Stopped
from central.services.policy import rules_at
from central.services.suppliers import lapsed_on, papers_on
from central.store import queries_agreements as kept
from central.store.queries_catalogue import inactive_items
from central.store.queries_master import terms
from central.store.queries_suppliers import blocked_suppliers, grades_on
from central.store.tables.agreements import ORDER_ALERT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money

Key = tuple[str, str]
"""Item and supplier."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding, and the waiver that lets it pass."""

    found: Found
    waiver: Waiver | None

    @property
    def stops(self) -> bool:
        """Tell whether the line may not be ordered."""
        return self.found.mode is Mode.BLOCK and self.waiver is None


@dataclass(frozen=True, slots=True)
class Known:
    """What the checks know of one hospital on one day.

    `winning` is by item that was selected, `selected` by item that was not: the lowest winning price of its group.
    `listed` is None where no list of the platform was imported. `lapsed` names certificates that are
    over, by item and supplier, each empty where it is of every one.
    """

    day: date
    modes: Mapping[Finding, Mode]
    factor: Fraction
    winning: Mapping[str, Money] = field(default_factory=dict)
    selected: Mapping[str, Money] = field(default_factory=dict)
    listed: Sequence[kept.Platform] | None = None
    frameworks: Mapping[Key, Sequence[kept.FrameworkPrice]] = field(default_factory=dict)
    waivers: Sequence[Waiver] = ()
    lapsed: Mapping[Key, Sequence[str]] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    grades: Mapping[str, str] = field(default_factory=dict)
    inactive: frozenset[str] = frozenset()

    def of(self, item: str, supplier: str, price: Money) -> list[Judged]:
        """Return what is found of a line, and what lets it pass."""
        asked = self.asked(item, supplier, price)
        return [
            Judged(found, lifted_by(found, asked, self.waivers, self.day))
            for found in findings(asked, self.modes, self.factor)
        ]

    def asked(self, item: str, supplier: str, price: Money) -> Asked:
        """Return a line as the checks see it."""
        on_platform, list_price = self._platform(item, supplier)
        agreed, over = self._framework(item, supplier)
        return Asked(
            item, supplier, price,
            winning_price=self.winning.get(item),
            selected_price=self.selected.get(item),
            on_platform=on_platform,
            list_price=list_price,
            agreement_price=agreed,
            agreement_over=over,
            lapsed=self.lapsed_for(item, supplier),
            supplier_blocked=supplier in self.barred,
            grade=self.grades.get(supplier, ""),
            active=item not in self.inactive,
        )  # fmt: skip

    def _platform(self, item: str, supplier: str) -> tuple[bool | None, Money | None]:
        if self.listed is None:
            return None, None
        mine = [one for one in self.listed if one.item == item and one.supplier in {"", supplier}]
        price = price_on([one.listed for one in mine], self.day)
        return price is not None, price

    def lapsed_for(self, item: str, supplier: str) -> tuple[str, ...]:
        """Return the certificates that an item of a supplier would stand under and that are over."""
        keys = (("", supplier), (item, ""), (item, supplier))
        return tuple(number for key in keys for number in self.lapsed.get(key, ()))

    def _framework(self, item: str, supplier: str) -> tuple[Money | None, bool]:
        mine = self.frameworks.get((item, supplier), ())
        held = [one.dated for one in mine if one.agreement.holds(self.day)]
        price = price_on(held, self.day)
        return price, price is None and bool(mine) and all(_is_over(one, self.day) for one in mine)


def _is_over(one: kept.FrameworkPrice, day: date) -> bool:
    ends = one.agreement.last if one.dated.last is None else min(one.agreement.last, one.dated.last)
    return ends < day


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
    frameworks: dict[Key, list[kept.FrameworkPrice]] = {}
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
    in_force = {one.agreement for one in kept.agreements(connection, hospital) if one.holds(day)}
    winning: dict[str, Money] = {}
    selected: dict[str, Money] = {}
    for group in kept.groups(connection, hospital):
        won = {item: price for item, price in group.products.items() if price is not None}
        if group.agreement not in in_force or not won:
            continue
        for item in group.products:
            if item in won:
                winning[item] = min(won[item], winning.get(item, won[item]))
            else:
                selected[item] = min(won.values())
    return winning, {item: price for item, price in selected.items() if item not in winning}


def let_pass(judged: Sequence[Judged], approver: str) -> None:
    """Raise where a line may not be ordered: `Stopped` names what stops it, `NotAllowed` a waiver of one's own."""
    stopping = [one.found for one in judged if one.stops]
    if stopping:
        said = "; ".join(f"{one.finding} {json.dumps(dict(one.detail))}" for one in stopping)
        raise Stopped(f"order: expected nothing in its way, found {said}; choose another product, or have it waived")
    if any(one.waiver is not None and one.waiver.person == approver for one in judged):
        raise NotAllowed("order: expected somebody who did not give the waiver; another person approves it")


def keep_alerts(
    connection: Connection, hospital: HospitalId, order_no: str, judged: Sequence[Judged], now: Instant
) -> None:
    """Write what was found of the one line of an order with it."""
    rows = [
        {
            "hospital": hospital,
            "order_no": order_no,
            "line_no": 1,
            "finding": str(one.found.finding),
            "mode": str(one.found.mode),
            "waiver": one.waiver.id if one.waiver is not None else "",
            "detail": json.dumps(dict(one.found.detail), sort_keys=True),
            "at": now,
        }
        for one in judged
    ]
    if rows:
        connection.execute(ORDER_ALERT.insert(), rows)


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
    in_force = {one.agreement for one in kept.agreements(connection, hospital) if one.holds(day)}
    found: dict[str, list[str]] = {}
    for group in kept.groups(connection, hospital):
        won = sorted(item for item, price in group.products.items() if price is not None)
        if group.agreement in in_force and won:
            found |= {item: won for item, price in group.products.items() if price is None}
    return found
