"""Judges proposals and orders: the driven line became one order, for a reason and a quantity of our own reckoning.

A policy's run reads the store a moment after the instant it is stamped with, and entries are stamped a moment before
their COMMIT. So each state of the store around that instant is reckoned, and central must agree with one of them in
everything. The rule that must not be broken: the quantity is reckoned from the ledger and the imported rows alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import msgspec

from hardware_sim.evidence.case import Case
from hardware_sim.evidence.picture import Picture
from hardware_sim.evidence.reorder import Wanted, use90, wanted
from hardware_sim.evidence.tables import OrderLineRow, OrderRow, ProposalRow, TermsRow
from hardware_sim.judges.shelves import last_picture
from protocols.values.instant import Instant, business_day, plus, to_iso

Papers = TypeVar("Papers", OrderRow, ProposalRow)

POLICY = "3x"
WARD_LEVEL = 2
SHOWN_WITHIN = 0.001
"""A trigger is shown with three decimals."""


@dataclass(frozen=True, slots=True)
class OrderedLine:
    """One line of an order, base units, and central's reason as data."""

    item: str
    qty: int
    reason: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Ordered:
    """One order."""

    order_no: str
    supplier: str
    ward: str
    lines: tuple[OrderedLine, ...]


def judge_orders(case: Case) -> tuple[tuple[Ordered, ...], list[str]]:
    """Return the orders and what is wrong with them and with the proposals."""
    central, drive = case.central, case.truth.drive
    judged = _of_the_story(case, central.orders)
    lines = {row.order_no: _lines_of(case, row.order_no) for row in judged}
    problems = [*_proposal_faults(case), *_never_proposed(case)]
    mine = [
        row for row in judged if row.place == drive.ward and drive.item in {one.item for one in lines[row.order_no]}
    ]
    if len(mine) != 1 and not _left_to_a_person(case):
        problems.append(f"{drive.ward}: {drive.item} was driven below its trigger; {len(mine)} orders were made of it")
    problems += [f"order {row.order_no} for {row.place} was not called for" for row in judged if row not in mine]
    for row in mine:
        problems += [f"order {row.order_no}: {wrong}" for wrong in _order_faults(case, row, lines[row.order_no])]
    return tuple(
        Ordered(
            row.order_no,
            row.supplier,
            row.place,
            tuple(OrderedLine(one.item, one.qty, _reason(one.reason)) for one in lines[row.order_no]),
        )
        for row in judged
    ), problems


def _of_the_story(case: Case, rows: Sequence[Papers]) -> list[Papers]:
    """Return the papers that are judged: all, or the wards' where a person looks around, whose office has its own."""
    return [row for row in rows if case.truth.answered_here or row.place in case.wards]


def _left_to_a_person(case: Case) -> bool:
    """Tell whether the driven line was proposed to a person, who has not made an order of it."""
    drive = case.truth.drive
    proposed = [row for row in case.central.proposals if (row.place, row.item) == (drive.ward, drive.item)]
    return not case.truth.answered_here and any(row.status != "ordered" for row in proposed)


def _lines_of(case: Case, order_no: str) -> list[OrderLineRow]:
    return sorted((row for row in case.central.order_lines if row.order_no == order_no), key=lambda row: row.line_no)


def _proposal_faults(case: Case) -> Iterator[str]:
    """Only the driven line may have been proposed, and its proposal must have become an order."""
    drive = case.truth.drive
    for row in _of_the_story(case, case.central.proposals):
        if (row.place, row.item) != (drive.ward, drive.item):
            yield f"{row.place}: {row.item} was proposed; only {drive.item} of {drive.ward} reached its trigger"
        elif row.status == "open" and case.truth.answered_here:
            yield f"{row.place}: the proposal of {row.item} was never approved"
    orders = {row.order_no for row in case.central.orders}
    for row in case.central.proposals:
        if (row.status == "ordered") != bool(row.order_no) or (row.order_no and row.order_no not in orders):
            yield f"{row.place}: the proposal of {row.item} is {row.status} and names order '{row.order_no}'"


def _never_proposed(case: Case) -> Iterator[str]:
    """No other line may stand below its trigger at the end."""
    picture, today, imported = last_picture(case), business_day(case.truth.end), imported_use(case)
    levels = {row.place: row.level for row in case.central.storerooms}
    for place in case.wards:
        for item in sorted(item for where, item in imported if where == place):
            main = main_terms(case, item)
            if main is None or (place, item) == (case.truth.drive.ward, case.truth.drive.item):
                continue
            used = use90(today, imported.get((place, item), {}), picture.asked.get((place, item), {}))
            said = wanted(used, picture.position(place, item), main, levels.get(place, WARD_LEVEL))
            if said.due:
                yield f"{place}: {item} is at {said.position}, below its trigger of {float(said.trigger):.3f}"


def _order_faults(case: Case, row: OrderRow, lines: list[OrderLineRow]) -> Iterator[str]:
    drive = case.truth.drive
    main = main_terms(case, drive.item)
    if len(lines) != 1:
        yield f"expected one line, {drive.item}; found {len(lines)}"
        return
    line, proposal = lines[0], next((one for one in case.central.proposals if one.proposal == lines[0].proposal), None)
    if proposal is None or proposal.order_no != row.order_no:
        yield "it comes from no proposal that names it"
        return
    approved = (proposal.qty, proposal.reason, proposal.source, proposal.price)
    if approved != (line.qty, line.reason, row.supplier, line.price):
        yield "it does not say what was approved: quantity, reason, supplier or price differ from its proposal's"
    if not row.approved_by or row.created_at < proposal.renewed_at:
        yield f"it was approved by '{row.approved_by}' at {to_iso(Instant(row.created_at))}, its proposal is younger"
    if main is None or (row.supplier, line.price) != (main.supplier, main.price):
        yield f"it goes to {row.supplier} at {line.price}; the first supplier of {drive.item} is {main}"
        return
    yield from _quantity_faults(case, proposal, main)


def main_terms(case: Case, item: str) -> TermsRow | None:
    """Return the terms of an item's first supplier."""
    return min((row for row in case.central.terms if row.item == item), key=lambda row: row.rank, default=None)


def imported_use(case: Case) -> dict[tuple[str, str], dict[date, int]]:
    """Return the imported use of each day by place and item."""
    found: dict[tuple[str, str], dict[date, int]] = {}
    for row in case.central.use:
        found.setdefault((row.place, row.item), {})[date.fromisoformat(row.day)] = row.qty
    return found


def _quantity_faults(case: Case, proposal: ProposalRow, main: TermsRow) -> Iterator[str]:
    """Compare what was proposed with each state of the store the run may have seen."""
    if proposal.policy != POLICY:
        yield f"it was proposed by {proposal.policy}; the demo's policy is {POLICY}"
    reason, seen = _reason(proposal.reason), list(dict.fromkeys(_reckoned(case, proposal, main)))
    if not any(_agrees(proposal.qty, reason, one) for one in seen):
        ours = "; or ".join(
            f"position {one.position} of trigger {float(one.trigger):.3f}, up to {one.order_up_to}, order {one.qty}"
            for one in seen
        )
        stated = f"position {_total(reason)} of trigger {reason.get('trigger')}, up to {reason.get('order_up_to')}"
        yield f"central says {stated}, order {proposal.qty}; reckoned from its ledger: {ours}"
    elif not any(one.due and _agrees(proposal.qty, reason, one) for one in seen):
        yield f"{proposal.item} was not below its trigger when it was proposed"


def _agrees(qty: int, reason: Mapping[str, Any], one: Wanted) -> bool:
    stated: object = reason.get("trigger")
    return (
        qty == one.qty
        and reason.get("order_up_to") == one.order_up_to
        and _total(reason) == one.position
        and isinstance(stated, (int, float))
        and abs(stated - float(one.trigger)) <= SHOWN_WITHIN
    )


def _reckoned(case: Case, proposal: ProposalRow, main: TermsRow) -> Iterator[Wanted]:
    """Give what `3x` says after each entry that central received around the run's instant."""
    at = Instant(proposal.renewed_at)
    sure, latest = plus(at, -case.slack_s), plus(at, case.slack_s)
    level = next((row.level for row in case.central.storerooms if row.place == proposal.place), WARD_LEVEL)
    picture = Picture({row.device: row.place for row in case.central.devices})
    received = sorted(case.central.entries, key=lambda one: (one.received_at, one.device, one.seq))
    line = (proposal.place, proposal.item)
    imported, today = imported_use(case).get(line, {}), business_day(at)

    def now() -> Wanted:
        return wanted(use90(today, imported, picture.asked.get(line, {})), picture.position(*line), main, level)

    for entry in received:
        if entry.received_at > latest:
            break
        if entry.received_at > sure:
            yield now()
        picture.take(entry)
    yield now()


def _total(reason: Mapping[str, Any]) -> object:
    position = reason.get("position")
    return position.get("total") if isinstance(position, dict) else None


def _reason(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError):
        return {}
