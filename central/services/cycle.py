"""How long each stage of buying takes, in working days, over the orders of the last 90 days: which of them is slow.

The rule is in core. The rule that must not be broken: every day comes from a document: the proposal, the order, its
steps, and the goods as the ledger tells them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from statistics import median

from sqlalchemy import Connection, select

from central.core.purchasing import OrderState, OrderStep, Stages, share_in_time, stages
from central.core.workdays import OwnDays, is_known, working_days
from central.services.deliveries import delivered_lines
from central.services.policy import rules_at
from central.store.queries_master import own_days
from central.store.tables.purchasing import DOCUMENT_STEP
from central.store.tables.work import ORDER_LINE, PROPOSAL, PURCHASE_ORDER
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, day_start

DAYS = 90
STAGES = ("request_to_approval", "approval_to_sent", "request_to_sent", "sent_to_confirmed", "sent_to_received")
PARTS = ("request_to_approval", "approval_to_sent", "sent_to_confirmed", "sent_to_received")
"""The stages that follow each other; `request_to_sent` is the figure that has a limit."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: the working days that orders took for it, and its limit, where it has one."""

    stage: str
    taken: tuple[int, ...]
    limit: int | None

    @property
    def median(self) -> float | None:
        """The middle of what it took; None before an order ended it."""
        return float(median(self.taken)) if self.taken else None

    @property
    def in_time(self) -> Fraction | None:
        """The share within the limit (A8); None without a limit or an order."""
        return None if self.limit is None else share_in_time(self.taken, self.limit)


@dataclass(frozen=True, slots=True)
class Timed:
    """One order with its stages."""

    order_no: str
    supplier: str
    place: str
    requested: date
    stages: Stages
    waits: int | None = None
    """Working days since it was asked for, or amended after it was sent, where it is still to be sent."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """Every stage and every order, the longest from request to sending first; years whose holidays are not known."""

    since: date
    stages: tuple[Stage, ...]
    orders: tuple[Timed, ...]
    unsent: tuple[Timed, ...]
    """Those still to be sent, the longest waiting first: their clock runs."""
    unknown_years: tuple[int, ...]

    @property
    def slowest(self) -> str:
        """The stage that takes longest in the middle; empty before any."""
        known = [one for one in self.stages if one.stage in PARTS and one.median is not None]
        return max(known, key=lambda one: one.median or 0).stage if known else ""


def cycle_of(connection: Connection, hospital: HospitalId, now: Instant) -> Cycle:
    """Return the cycle of the orders to suppliers that were asked for in the last 90 days."""
    today = business_day(now)
    since = today - timedelta(days=DAYS)
    limit = rules_at(connection, hospital, now).whole("purchase.days_to_sent")
    own = own_days(connection, hospital)
    timed = _timed(connection, hospital, since, now, own)
    found = tuple(Stage(name, _taken(timed, name), limit if name == "request_to_sent" else None) for name in STAGES)
    slow_first = sorted(timed, key=lambda one: (-(one.stages.request_to_sent or 0), one.order_no))
    years = tuple(year for year in sorted({since.year, today.year}) if not is_known(year, own))
    unsent = sorted((one for one in timed if one.waits is not None), key=lambda one: (-(one.waits or 0), one.order_no))
    return Cycle(since, found, tuple(slow_first), tuple(unsent), years)


def _taken(timed: Sequence[Timed], name: str) -> tuple[int, ...]:
    return tuple(days for one in timed if (days := getattr(one.stages, name)) is not None)


def _timed(connection: Connection, hospital: HospitalId, since: date, now: Instant, own: OwnDays) -> list[Timed]:
    order, line, asked = PURCHASE_ORDER.c, ORDER_LINE.c, PROPOSAL.c
    rows = connection.execute(
        select(order.order_no, order.supplier, order.place, order.created_at, asked.made_at)
        .join(ORDER_LINE, (line.hospital == order.hospital) & (line.order_no == order.order_no) & (line.line_no == 1))
        .join(PROPOSAL, (asked.hospital == line.hospital) & (asked.proposal == line.proposal))
        .where(order.hospital == hospital, order.supplier != "", asked.made_at >= day_start(since))
    ).all()
    steps, to_send = _steps(connection, hospital)
    whole: dict[str, date | None] = {}
    for one in delivered_lines(connection, hospital, now):
        before = whole.get(one.order_no, one.whole)
        whole[one.order_no] = None if before is None or one.whole is None else max(before, one.whole)
    return [
        Timed(
            row.order_no,
            row.supplier,
            row.place,
            business_day(Instant(row.made_at)),
            stages(
                requested=business_day(Instant(row.made_at)),
                approved=business_day(Instant(row.created_at)),
                sent=steps.get((row.order_no, OrderStep.SEND.value)),
                confirmed=steps.get((row.order_no, OrderStep.CONFIRM.value)),
                received=whole.get(row.order_no),
                own=own,
            ),
            _waited(to_send.get(row.order_no, business_day(Instant(row.made_at))), business_day(now), own),
        )
        for row in rows
    ]


def _waited(since: date | None, today: date, own: OwnDays) -> int | None:
    return None if since is None else working_days(since, today, own)


def _steps(connection: Connection, hospital: HospitalId) -> tuple[dict[tuple[str, str], date], dict[str, date | None]]:
    """Return the day of each order's first step of each kind, and since when it waits to be sent again.

    The second leaves out what never went; it is None where it is with its supplier, or over.
    """
    step = DOCUMENT_STEP.c
    rows = connection.execute(
        select(step.document, step.step, step.state, step.at)
        .where(step.hospital == hospital, step.kind == "order")
        .order_by(step.document, step.seq)
    )
    first: dict[tuple[str, str], date] = {}
    to_send: dict[str, date | None] = {}
    for row in rows:
        day = business_day(Instant(row.at))
        first.setdefault((row.document, row.step), day)
        if row.state != OrderState.APPROVED:
            to_send[row.document] = None
        elif to_send.get(row.document, day) is None:
            to_send[row.document] = day
    return first, to_send
