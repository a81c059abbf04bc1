"""Amend an order before anything of it has come: a new version, approved by who makes it, to be sent and confirmed.

Rights, limits and checks are those of every approval. The rules that must not be broken: version and line change in one
transaction (the database refuses a line that its newest version does not say); who amended an order neither accepts its
goods nor pays for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from central.core.amendments import Change, Version, VersionLine, amended
from central.core.approval import Check, Route
from central.core.orders import State
from central.core.purchasing import PROMISED_DAYS_MAX, OrderStep, order_after
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow
from central.services.approvals import check_packs, routes
from central.services.documents import Documents, check_seen, check_text
from central.services.order_checks import keep_alerts, known_at, let_pass
from central.services.orders import owed_in
from central.store import queries_purchasing as kept
from central.store.queries_master import terms
from central.store.queries_requisitions import requisitions
from central.store.queries_work import Order, OrderLine, Proposal
from central.store.tables.work import ORDER_LINE
from central.store.turns import one_at_a_time
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day

REASON_MAX = 500
TOLD = frozenset({Check.PRICE, Check.CHANGE, Check.HEAD_AMOUNT, Check.SUSPENDED, Check.ALERT})
"""What a version says of itself; the other checks only send a proposal from the machine to a person."""


@dataclass(frozen=True, slots=True)
class Amendments:
    """The versions of one hospital's orders."""

    documents: Documents

    def amend(
        self,
        caller: Caller,
        order_no: str,
        changes: Sequence[Change],
        wanted: date | None,
        reason: str,
        seen: int | None = None,
    ) -> Version:
        """Make a new version of an order to a supplier; it is then sent and confirmed anew.

        Raises `NotAllowed`, `NotThere`, `ChangedSince`, `BadInput`; `NotNow` once anything of it has come or it is too
        old to be waited for; `Stopped` where a check stands in the way of the new price.
        """
        caller.need(Right.PURCHASE)
        check_text("reason", reason, REASON_MAX)
        _check_wanted(wanted, business_day(self.documents.clock.now()))
        hospital, now = self.documents.hospital, self.documents.clock.now()
        with self.documents.store.write() as connection:
            one_at_a_time(connection, hospital, kept.ORDERING)
            order = self.documents.order(connection, caller, Right.PURCHASE, order_no)
            if not order.supplier:
                raise NotNow(f"order {order_no}: expected one to a supplier, it is a transfer from the central store")
            check_seen(order_no, seen, len(kept.history(connection, hospital, order_no)))
            after = order_after(kept.order_state(connection, hospital, order_no), OrderStep.AMEND)
            owed = owed_in(connection, hospital, order.place, now)
            if any(owed.get((order_no, line.line_no)) != line.qty for line in order.lines):
                raise NotNow(
                    f"order {order_no}: expected one that is waited for and of which nothing has come; close it and "
                    "order the rest"
                )
            before = versions_of(connection, hospital, order)
            version = amended(before[-1], changes, wanted, at=now, by=caller.person, reason=reason.strip())
            checks = self._approve(connection, caller, order, version, now)
            self._write(connection, caller, order, before, version)
            told = {"version": version.version, "reason": version.reason, **({"checks": checks} if checks else {})}
            told |= {} if version.wanted is None else {"wanted": version.wanted.isoformat()}
            self.documents.write(connection, caller, order_no, "order", OrderStep.AMEND, after, told)
        return version

    def _approve(
        self, connection: Connection, caller: Caller, order: Order, version: Version, now: Instant
    ) -> list[str]:
        """Hold each changed line against limits and checks, as if it were approved now; returns what was unusual."""
        hospital = self.documents.hospital
        asked = {line.requisition for line in order.lines if line.requisition}
        if caller.person in {one.asked_by for one in requisitions(connection, hospital, named=asked)}:
            raise NotAllowed("amendment: expected somebody who did not ask for it")
        unusual: set[Check] = set()
        for line, new in zip(order.lines, version.lines, strict=True):
            if (line.qty, line.price) == (new.qty, new.price):
                continue
            if line.qty != new.qty:
                check_packs(new.qty, *self._packs(connection, order, line))
            proposed = _as_proposed(order, line, new, now)
            routed = routes(connection, hospital, [proposed], now)[proposed.id]
            if routed.route is Route.HEAD and not caller.may(Right.APPROVE_HIGH):
                why = ", ".join(routed.failed)
                raise NotAllowed(
                    f"head: expected the head of consumables for {order.order_no} ({why}), got {caller.person}"
                )
            unusual |= TOLD & set(routed.failed)
            judged = known_at(connection, hospital, now, item=line.item).of(line.item, order.supplier, new.price)
            let_pass(judged, caller.person)
            keep_alerts(connection, hospital, order.order_no, judged, now, line_no=line.line_no)
        return sorted(unusual)

    def _packs(self, connection: Connection, order: Order, line: OrderLine) -> tuple[int, int]:
        """Return pack and least order of a line: as it was ordered by, else as its supplier's terms say."""
        if "pack" in line.reason:
            return int(line.reason["pack"]), int(line.reason.get("moq", 1))
        offers = terms(connection, self.documents.hospital, line.item).get(line.item, [])
        return next(((one.pack, one.moq) for one in offers if one.supplier == order.supplier), (1, 1))

    def _write(
        self, connection: Connection, caller: Caller, order: Order, before: Sequence[Version], version: Version
    ) -> None:
        hospital, row = self.documents.hospital, ORDER_LINE.c
        for one in (*(before if len(before) == 1 else ()), version):
            kept.add_version(connection, hospital, order.order_no, one)
        for line in version.lines:
            connection.execute(
                ORDER_LINE.update()
                .where(row.hospital == hospital, row.order_no == order.order_no, row.line_no == line.line_no)
                .values(qty=line.qty, price=line.price)
            )


def _check_wanted(wanted: date | None, today: date) -> None:
    """Check the day an order is wanted for. Raises `BadInput`."""
    last = today + timedelta(days=PROMISED_DAYS_MAX)
    if wanted is not None and not today <= wanted <= last:
        raise BadInput(f"wanted: expected a day from {today} to {last}, got {wanted}")


def _as_proposed(order: Order, line: OrderLine, new: VersionLine, now: Instant) -> Proposal:
    """Return a line as the proposal it would be now, also of an order that never was one."""
    return Proposal(
        line.proposal or f"{order.order_no}/{line.line_no}", "", order.place, line.item, order.supplier, False,
        new.qty, new.price, line.reason, "", "", State.ORDERED, now, order.order_no,
    )  # fmt: skip


def versions_of(connection: Connection, hospital: HospitalId, order: Order) -> list[Version]:
    """Return every version of an order, the first first; one that was never amended is its version 1."""
    found = kept.versions(connection, hospital, order.order_no)
    if found:
        return found
    lines = tuple(VersionLine(line.line_no, line.item, line.qty, line.price) for line in order.lines)
    return [Version(1, lines, None, order.created_at, order.approved_by, "")]
