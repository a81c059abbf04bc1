"""Work agreements: report a group's need, waive a finding, settle a bargained price; and see how every group goes.

The rules are in core; here their facts are read and what people say is written, each with the record of acts. The rule
that must not be broken: what was reported and waived is only ever added to, and a waiver's giver is its signer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import Connection, func, select

from central.core.agreements import (
    Agreement,
    Bargain,
    Bought,
    Goals,
    Group,
    Purchase,
    Report,
    Trouble,
    bought_of,
    check_report,
    half_year,
    half_year_start,
    key_list,
    troubles,
    year_before,
)
from central.core.order_checks import Excuse, Finding, Waiver
from central.core.policy import Rules
from central.core.reorder.vbp import Pace, Product, Volume, in_order, pace_of
from central.core.rights import Caller, Right
from central.errors import BadInput, NotNow, NotThere
from central.services.documents import Documents, number_of
from central.services.policy import rules_at
from central.store import queries_agreements as kept
from central.store import queries_volumes as volumes
from central.store.merge import add_new
from central.store.queries_master import items, suppliers, terms
from central.store.tables.agreements import BARGAIN_LINE, ORDER_WAIVER, VBP_REPORT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day
from protocols.values.money import UNITS_A_YUAN, Money
from protocols.values.quantity import LINE_QTY_MAX

USE_DAYS = 90
"""The mean daily use of a group is that of its last 90 days."""


@dataclass(frozen=True, slots=True)
class GroupView:
    """One product group of a batch as it goes: base units, and what a regulator would find."""

    agreement: Agreement
    group: Group
    last_year: int
    reported: kept.Reported | None
    received: int
    used: int
    held: int
    pace: Pace | None
    bought: Bought
    troubles: tuple[Trouble, ...]


def goals_of(rules: Rules) -> Goals:
    """Return the targets in force."""
    return Goals(
        report=rules.number("vbp.report_share"),
        legal=rules.number("vbp.legal_target"),
        own=rules.number("vbp.own_target"),
        selected=rules.number("vbp.selected_share"),
        stock_days=rules.number("vbp.stock_days"),
    )


def groups_now(
    connection: Connection, hospital: HospitalId, now: Instant, *, known: Instant | None = None
) -> list[GroupView]:
    """Return every group of every batch as it goes, batches that end last first.

    `known` asks for what was known before that instant: of entries, reports and cancellations that came later nothing.
    """
    today, goals = business_day(now), goals_of(rules_at(connection, hospital, now))
    reported = kept.reports(connection, hospital, known=known)
    held = volumes.held(connection, hospital, known=known)
    lately = volumes.used(
        connection, hospital, today - timedelta(days=USE_DAYS), today - timedelta(days=1), known=known
    )
    groups, found = kept.groups(connection, hospital), []
    for agreement in kept.agreements(connection, hospital):
        mine = [one for one in groups if one.agreement == agreement.agreement]
        if not mine:
            continue
        last = min(today, agreement.last)
        came = volumes.received(connection, hospital, agreement.first, last, known=known)
        used = volumes.used(connection, hospital, agreement.first, last, known=known)
        bought = volumes.purchases(connection, hospital, agreement.first, last, known=known)
        for group in mine:
            won = {item for item, price in group.products.items() if price is not None}
            pace = _pace(agreement, group, today, [came, used, lately, held], won)
            report = reported.get((group.agreement, group.group))
            last_year = _last_year(connection, hospital, agreement, group)
            of_group = bought_of(bought, {item: item in won for item in group.products})
            wrong = troubles(report.report if report else None, last_year, pace, of_group, goals)
            came_in, went, there = (sum(one[item] for item in won) for one in (came, used, held))
            found.append(
                GroupView(
                    agreement, group, last_year, report, came_in, went, there, pace, of_group, tuple(wrong)
                )
            )  # fmt: skip
    return found


def _pace(
    agreement: Agreement, group: Group, today: date, counts: Sequence[dict[str, int]], won: set[str]
) -> Pace | None:
    if group.agreed < 1:
        return None
    came, used, lately, held = (max(0, sum(one.get(item, 0) for item in won)) for one in counts)
    volume = Volume(group.agreed, agreement.first, agreement.last, came, used)
    return pace_of(volume, today, daily_use=Fraction(lately, USE_DAYS), stock=held)


def _last_year(connection: Connection, hospital: HospitalId, agreement: Agreement, group: Group) -> int:
    """Return what was bought of a group in the year before its agreement: as told with it, else summed."""
    if group.last_year:
        return group.last_year
    first, last = year_before(agreement.first)
    return sum(one.qty for one in volumes.purchases(connection, hospital, first, last, group.products))


@dataclass(frozen=True, slots=True)
class Agreements:
    """The agreements of one hospital."""

    documents: Documents

    def report(self, caller: Caller, agreement: str, group: str, qty: int, reason: str, evidence: str) -> None:
        """Report what will be needed of a group; below the share wanted with a reason and its evidence (C1).

        Raises `NotAllowed`, `NotThere`, `BadInput`.
        """
        caller.need(Right.PURCHASE)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        if not 0 <= qty <= LINE_QTY_MAX:
            raise BadInput(f"report: expected 0 to {LINE_QTY_MAX} base units, got {qty}")
        with self.documents.store.write() as connection:
            known = {one.agreement: one for one in kept.agreements(connection, hospital)}
            mine = [
                one for one in kept.groups(connection, hospital) if (one.agreement, one.group) == (agreement, group)
            ]
            if not mine or agreement not in known:
                raise NotThere(f"report: expected a product group of a batch, got {agreement!r:.40} {group!r:.40}")
            told = Report(qty, _last_year(connection, hospital, known[agreement], mine[0]), reason, evidence)
            check_report(told, rules_at(connection, hospital, now).number("vbp.report_share"))
            key = {"hospital": hospital, "agreement": agreement, "product_group": group}
            named = [VBP_REPORT.c[name] == value for name, value in key.items()]
            seq = connection.scalar(select(func.count()).select_from(VBP_REPORT).where(*named)) or 0
            said = {"qty": qty, "last_year": told.last_year, "reason": reason.strip(), "evidence": evidence.strip()}
            row = key | said | {"seq": seq, "person": caller.person, "at": now}
            connection.execute(VBP_REPORT.insert().values(**row))
            self.documents.note(connection, caller, "report-volume", f"{agreement}/{group}", said)

    def waive(
        self, caller: Caller, finding: Finding, item: str, supplier: str, reason: Excuse, remark: str, last: date
    ) -> str:
        """Let a finding of an item of a supplier pass until a day; returns the waiver. Raises as `report` does.

        A dear product not selected needs the medical affairs' word, or the head's (C5).
        """
        if finding is Finding.HIGH_PRICE:
            caller.need(Right.GIVE_MEDICAL_REASON)
            if reason not in {Excuse.MEDICAL, Excuse.NO_SUBSTITUTE, Excuse.EMERGENCY}:
                raise BadInput(f"reason: expected a medical one for {finding}, got {reason}")
        else:
            caller.need(Right.PURCHASE)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        waiver = Waiver(
            number_of("WV", finding, item, supplier, str(now)), finding, item, supplier, reason, remark.strip(),
            business_day(now), last, caller.person,
        )  # fmt: skip
        with self.documents.store.write() as connection:
            if item not in items(connection, hospital) or supplier not in suppliers(connection, hospital):
                raise NotThere(f"waiver: expected an item and a supplier that are known, got {item!r} {supplier!r}")
            row = {"waiver": waiver.id, "finding": str(finding), "item": item, "supplier": supplier}
            row |= {"reason": str(reason), "remark": waiver.remark}
            whole = row | {"hospital": hospital, "first": waiver.first, "last": last}
            connection.execute(ORDER_WAIVER.insert().values(**whole, person=caller.person, at=now))
            self.documents.note(connection, caller, "waive", waiver.id, row | {"last": last.isoformat()})
        return waiver.id

    def settle(self, caller: Caller, round_: str, item: str, price: Money) -> None:
        """Note the price a bargain reached. Raises `NotAllowed`, `NotThere`, `NotNow`, `BadInput`."""
        caller.need(Right.PURCHASE)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        line = BARGAIN_LINE.c
        with self.documents.store.write() as connection:
            found = [one for one in kept.bargains(connection, hospital, round_) if one.item == item]
            if not found:
                raise NotThere(f"bargain: expected an item of round {round_!r:.10}, got {item!r:.40}")
            if found[0].after is not None:
                raise NotNow(f"bargain: {item} in {round_} was settled before; the next round is its next chance")
            if not 0 < price <= found[0].before:
                raise BadInput("price: expected one above 0 and not above the price before")
            connection.execute(
                BARGAIN_LINE.update()
                .where(line.hospital == hospital, line.half_year == round_, line.item == item)
                .values(price_after=price, settled_on=business_day(now), person=caller.person)
            )
            detail = {"before": found[0].before, "after": price}
            self.documents.note(connection, caller, "bargain", f"{round_}/{item}", detail)


def list_bargains(connection: Connection, hospital: HospitalId, now: Instant) -> int:
    """Make the list of the half year an instant falls in, once; returns how many items are on it (A5)."""
    today = business_day(now)
    first, last = year_before(half_year_start(today))
    rules = rules_at(connection, hospital, now)
    winning = {
        item
        for group in kept.groups(connection, hospital)
        for item, price in group.products.items()
        if price is not None
    }
    least = Money(int(rules.number("bargain.spent_yuan") * UNITS_A_YUAN))
    bought: list[Purchase] = volumes.purchases(connection, hospital, first, last)
    if kept.bargains(connection, hospital, half_year(today)):
        return 0
    rows = [_bargain_row(hospital, half_year(today), one, now) for one in key_list(bought, winning, least)]
    return add_new(connection, BARGAIN_LINE, rows)


def _bargain_row(hospital: HospitalId, round_: str, one: Bargain, now: Instant) -> dict[str, object]:
    return {
        "hospital": hospital, "half_year": round_, "item": one.item, "qty": one.qty, "spent": one.spent,
        "price_before": one.before, "price_after": None, "settled_on": None, "person": "", "made_at": now,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A product that may be asked for instead: selected ones stand first, a blocked one may not be ordered."""

    item: str
    price: Money
    selected: bool
    blocked: bool


def equivalents(connection: Connection, hospital: HospitalId, item: str, day: date) -> list[Equivalent]:
    """Return the products of an item's groups with itself, selected first, cheap before dear, blocked last (C8).

    A product's price is its main supplier's; one nobody offers is left out. Raises `NotThere` for an unknown item.
    """
    if item not in items(connection, hospital):
        raise NotThere(f"item: expected one of the catalogue, got {item!r:.40}")
    in_force = {one.agreement for one in kept.agreements(connection, hospital) if one.holds(day)}
    offers = terms(connection, hospital)
    winning: dict[str, Money | None] = {item: None}
    for group in kept.groups(connection, hospital):
        if group.agreement in in_force and item in group.products:
            winning |= group.products
    products = [Product(one, offers[one][0].price, price) for one, price in winning.items() if offers.get(one)]
    allowed, blocked = in_order(products)
    return [Equivalent(one.item, one.price, one.winning_price is not None, one.blocked) for one in (*allowed, *blocked)]
