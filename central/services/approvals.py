"""Find out who must approve each proposal, and approve those that nobody needs to look at.

The rule is in core; here its facts are read. The rules that must not be broken: what is approved automatically is
approved by `AUTOMATIC` under limits that the record of acts names, and nobody approves what they asked for themselves.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from sqlalchemy import Connection, select

from central.core.approval import Asked, Limits, Route, Routed, route
from central.core.orders import State, Step, step, version_of
from central.core.policy import Rules
from central.core.purchasing import check_value
from central.core.refusals import altered, refused
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.order_checks import alerted, known_at
from central.services.orders import Approved, approve
from central.services.policy import rules_at
from central.services.positions import DAY_S
from central.store.audit import note
from central.store.engine import Store
from central.store.queries_permits import closed_places
from central.store.queries_work import Proposal, matches, open_proposals, proposals
from central.store.tables.master import ITEM
from central.store.tables.work import ORDER_LINE, PROPOSAL, PURCHASE_ORDER
from protocols.values.ids import ActorId, HospitalId
from protocols.values.instant import Instant, plus
from protocols.values.money import UNITS_A_YUAN, Money
from protocols.values.quantity import LINE_QTY_MAX

AUTOMATIC = ActorId("automatic")
"""Who approves what lies within every limit."""
PAST_DAYS = 90
HIGH_GRADES = frozenset({"high", "implant"})


def routes(connection: Connection, hospital: HospitalId, asked: Sequence[Proposal], now: Instant) -> dict[str, Routed]:
    """Return who must approve each proposal, by its id."""
    rules = rules_at(connection, hospital, now)
    limits = limits_of(rules)
    grades = {
        row.item: row[1]
        for row in connection.execute(select(ITEM.c.item, ITEM.c["class"]).where(ITEM.c.hospital == hospital))
    }
    past = _past(connection, hospital, plus(now, -PAST_DAYS * DAY_S))
    matched = matches(connection, hospital)
    closed = closed_places(connection, hospital)
    known = known_at(connection, hospital, now, item=asked[0].item if len(asked) == 1 else "")
    found = {}
    for one in asked:
        before = past.get((one.place, one.item), [])
        match = matched.get(one.place)
        found[one.id] = route(
            Asked(
                qty=one.qty,
                price=one.price,
                past=[qty for qty, _ in before],
                last_price=before[-1][1] if before else None,
                high_grade=grades.get(one.item, "") in HIGH_GRADES,
                line_match=None if match is None else match[1].line_match,
                observed=None if match is None else match[1].share_observed,
                suspended=one.place in closed,
                alerts=() if one.internal else alerted(known, one.item, one.source, one.price),
            ),
            limits,
        )
    return found


def words_above(rules: Rules) -> Money:
    """Return the amount above which a refusal, or another quantity, needs words."""
    return Money(int(rules.number("approval.text_yuan") * UNITS_A_YUAN))


def limits_of(rules: Rules) -> Limits:
    """Return the limits in force."""

    def money(code: str) -> Money:
        return Money(int(rules.number(code) * UNITS_A_YUAN))

    return Limits(
        automatic=bool(rules.whole("approval.automatic")),
        amount=money("approval.amount_yuan"),
        head_amount=money("approval.head_yuan"),
        change=rules.number("approval.change"),
        trust=Fraction(rules.number("match.line_gate")),
        observed=Fraction(rules.number("match.observed_min")),
    )


def approve_as(caller: Caller, store: Store, hospital: HospitalId, proposal: str, now: Instant, seen: str) -> Approved:
    """Approve as somebody who holds the right where the order goes to, and the head's where the rule asks for it.

    Raises `NotAllowed`, and as `approve` does.
    """
    caller.need(Right.APPROVE)
    with store.read() as connection:
        found = proposals(connection, hospital, id=proposal, scope=caller.scope(Right.APPROVE))
        asked = routes(connection, hospital, found, now)
    if not found:
        raise NotThere(f"proposal: expected one of your storerooms, got {proposal!r:.40}; reload the page")
    if asked[proposal].route is Route.HEAD and not caller.may(Right.APPROVE_HIGH):
        why = ", ".join(asked[proposal].failed)
        raise NotAllowed(f"approval: expected the head of consumables for this one ({why}), got {caller.person}")
    return approve(store, hospital, proposal, caller.person, now, seen=seen)


@dataclass(frozen=True, slots=True)
class Another:
    """Another quantity than proposed, in base units, and why: a code, and words where it is much."""

    qty: int
    why: str
    text: str


def change_qty(
    caller: Caller, store: Store, hospital: HospitalId, proposal: str, another: Another, now: Instant, seen: str
) -> str:
    """Let a person set another quantity on an open proposal; returns its new version, to be approved next.

    What was proposed and its explanation stay as they were; who changed it and why stands beside. Raises `NotAllowed`,
    `NotThere`, `NotNow` when it has changed since it was seen, `BadInput` for a quantity that is no whole number of
    packs or under the supplier's minimum, and for one without its reason.
    """
    caller.need(Right.APPROVE)
    with store.write() as connection:
        one = _open(connection, hospital, caller, proposal, seen)
        qty = another.qty
        check_value(qty, one.price)
        check_packs(qty, int(one.reason.get("pack", 1)), int(one.reason.get("moq", 1)))
        proposed = proposed_qty(one)
        told = {name: value for name, value in one.reason.items() if name != "changed"}
        why: dict[str, str] = {}
        if qty != proposed:
            worth = Money(abs(qty - proposed) * one.price)
            limit = words_above(rules_at(connection, hospital, now))
            why = altered(another.why, another.text, amount=worth, limit=limit).detail
            told["changed"] = {"from": proposed, "to": qty, "by": caller.person, **why}
        connection.execute(
            PROPOSAL.update()
            .where(PROPOSAL.c.hospital == hospital, PROPOSAL.c.proposal == one.id)
            .values(qty=qty, reason=json.dumps(told, sort_keys=True), renewed_at=now)
        )
        detail = {"from": one.qty, "to": qty, "item": one.item, "place": one.place, **why}
        note(connection, hospital, now, person=caller.person, act="change-proposal", subject=one.id, detail=detail)
    return version_of(one.source, qty, one.price)


def check_packs(qty: int, pack: int, least: int) -> None:
    """Check a quantity of base units that a person set against the supplier's terms. Raises `BadInput`."""
    if qty < max(least, 1) or qty % max(pack, 1) or qty > LINE_QTY_MAX:
        raise BadInput(f"quantity: expected whole packs of {pack}, {least} or more, got {qty}")


def proposed_qty(one: Proposal) -> int:
    """Return what was proposed, whatever a person made of it since."""
    changed = one.reason.get("changed")
    return int(changed["from"]) if changed else one.qty


def approve_in(
    caller: Caller, store: Store, hospital: HospitalId, proposal: str, another: Another, now: Instant, seen: str
) -> Approved:
    """Approve a proposal in a quantity of one's own; one that is another is set first, and the limits hold for it.

    Raises as `change_qty` and `approve_as` do.
    """
    with store.read() as connection:
        standing = [one for one in proposals(connection, hospital, id=proposal) if one.status is State.OPEN]
    if standing and standing[0].qty != another.qty:
        seen = change_qty(caller, store, hospital, proposal, another, now, seen)
    return approve_as(caller, store, hospital, proposal, now, seen)


def reject(
    caller: Caller, store: Store, hospital: HospitalId, proposal: str, why: tuple[str, str], now: Instant, seen: str
) -> None:
    """Refuse a proposal, by a code and words; the same need is not proposed again for some days.

    Raises as `change_qty` does, and `BadInput` for a refusal of much without words.
    """
    caller.need(Right.APPROVE)
    with store.write() as connection:
        one = _open(connection, hospital, caller, proposal, seen)
        limit = words_above(rules_at(connection, hospital, now))
        said = refused(*why, amount=Money(one.qty * one.price), limit=limit)
        after = step(one.status, Step.REJECT)
        connection.execute(
            PROPOSAL.update()
            .where(PROPOSAL.c.hospital == hospital, PROPOSAL.c.proposal == one.id)
            .values(status=str(after), closed_at=now, refusal=str(said.code), refusal_text=said.text)
        )
        detail = {**said.detail, "item": one.item, "place": one.place, "qty": one.qty}
        note(connection, hospital, now, person=caller.person, act="reject", subject=one.id, detail=detail)


def _open(connection: Connection, hospital: HospitalId, caller: Caller, proposal: str, seen: str) -> Proposal:
    found = proposals(connection, hospital, id=proposal, scope=caller.scope(Right.APPROVE))
    if not found:
        raise NotThere(f"proposal: expected one of your storerooms, got {proposal!r:.40}; reload the page")
    (one,) = found
    if one.status is not State.OPEN or one.version != seen:
        raise NotNow("proposal: expected one that is open and as you saw it; reload the page")
    return one


def approve_automatically(store: Store, hospital: HospitalId, now: Instant) -> int:
    """Approve every open proposal that lies within all limits; returns how many. Off, it does nothing."""
    with store.read() as connection:
        waiting = open_proposals(connection, hospital)
        asked, version = routes(connection, hospital, waiting, now), rules_at(connection, hospital, now).version
    within = [one for one in waiting if asked[one.id].route is Route.AUTOMATIC]
    for one in within:
        approve(store, hospital, one.id, AUTOMATIC, now, seen=one.version)
        with store.write() as connection:
            detail = {"rules": version, "item": one.item, "place": one.place, "qty": one.qty}
            note(connection, hospital, now, person=AUTOMATIC, act="approve-by-rule", subject=one.id, detail=detail)
    return len(within)


def _past(
    connection: Connection, hospital: HospitalId, since: Instant
) -> dict[tuple[str, str], list[tuple[int, Money]]]:
    """Return quantity and price of the orders made since an instant by place and item, the oldest first."""
    order, line = PURCHASE_ORDER.c, ORDER_LINE.c
    rows = connection.execute(
        select(order.place, line.item, line.qty, line.price)
        .join(ORDER_LINE, (line.hospital == order.hospital) & (line.order_no == order.order_no))
        .where(order.hospital == hospital, order.created_at >= since)
        .order_by(order.created_at, order.order_no)
    )
    found: dict[tuple[str, str], list[tuple[int, Money]]] = {}
    for row in rows:
        found.setdefault((row.place, row.item), []).append((row.qty, Money(row.price)))
    return found
