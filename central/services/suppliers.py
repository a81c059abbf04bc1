"""Work with suppliers: open a case, move it, do what a grade asks; and see every supplier as it stands.

The rules are in core. The rules that must not be broken: who opened an incident does not block by it, and only the head
blocks and lifts; a case is only ever added to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from sqlalchemy import Connection

from central.core.agreements import quarter_of
from central.core.policy import Rules
from central.core.rights import Caller, Right
from central.core.suppliers import (
    CaseKind,
    CaseState,
    CaseStep,
    Clock,
    Delivered,
    Grade,
    Level,
    Offer,
    Rate,
    Standing,
    Supply,
    Tallies,
    case_after,
    clock_of,
    delivery_rate,
    shortage_level,
    shortage_points,
    standing,
    uncovered,
)
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.deliveries import Dealings, dealings_now
from central.services.documents import Documents, check_text, number_of
from central.services.supplier_scores import tallies_of
from central.store import queries_suppliers as kept
from central.store import queries_volumes as volumes
from central.store.audit import note
from central.store.queries_master import Terms, items, suppliers
from central.store.queries_purchasing import DocumentStep, add_step
from central.store.tables.master import ITEM
from central.store.tables.suppliers import PURCHASE_TASK, SUPPLIER_CASE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day

TEXT_MAX = 500
AUTOMATIC = "automatic"
"""Who notes what the ledger shows."""
RATE_DAYS = 90
"""The delivery rate and short deliveries are those of the last 90 days."""
HIGH_RISK = frozenset({"implant"})
"""Classes whose items need a backup supplier (B3), besides vital items of high value."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate and how it stands today."""

    certificate: kept.Certificate
    standing: Standing


@dataclass(frozen=True, slots=True)
class Matter:
    """A case and its clock; None for one without a limit."""

    case: kept.Case
    clock: Clock | None


@dataclass(frozen=True, slots=True)
class Firm:
    """One supplier as it stands: grade in force, this quarter's tallies so far, delivery rate, papers, matters."""

    supplier: str
    name_zh: str
    name_en: str
    profile: kept.Profile | None
    score: kept.Score | None
    tallies: Tallies
    rate: Rate
    papers: tuple[Paper, ...]
    matters: tuple[Matter, ...]
    offers: tuple[Terms, ...]
    blocked: bool

    @property
    def warnings(self) -> list[Paper]:
        """The papers that end soon or have lapsed."""
        return [one for one in self.papers if one.standing is not Standing.VALID]

    @property
    def grade(self) -> Grade | None:
        """The grade in force."""
        return self.score.grade if self.score is not None else None


def papers_on(
    connection: Connection, hospital: HospitalId, day: date, rules: Rules, *, item: str = "", of_suppliers: bool = False
) -> list[Paper]:
    """Return every certificate with how it stands on a day; none of another item, or those of suppliers alone."""
    warn, again = rules.whole("certificate.warn_days"), rules.whole("certificate.warn_days_again")
    return [
        Paper(one, standing(one.first, one.last, day, warn, again))
        for one in kept.certificates(connection, hospital, item=item, of_suppliers=of_suppliers)
    ]


def lapsed_on(papers: Sequence[Paper]) -> dict[tuple[str, str], list[str]]:
    """Return the certificates without which an (item, supplier) stands, each side empty where it is of every one.

    One number that lapsed does not count where another of its kind holds for the same item and supplier.
    """
    held = {(one.certificate.kind, one.certificate.item, one.certificate.supplier) for one in papers if _holds(one)}
    found: dict[tuple[str, str], list[str]] = {}
    for one in papers:
        paper = one.certificate
        if not _holds(one) and (paper.kind, paper.item, paper.supplier) not in held:
            found.setdefault((paper.item, paper.supplier), []).append(paper.number)
    return found


def _holds(one: Paper) -> bool:
    return one.standing not in {Standing.LAPSED, Standing.NOT_YET}


def firms_now(
    connection: Connection, hospital: HospitalId, now: Instant, dealt: Dealings | None = None, *, only: str = ""
) -> list[Firm]:
    """Return every supplier as it stands, or the one named."""
    dealt = dealt or dealings_now(connection, hospital, now)
    today, rules, lines = business_day(now), dealt.rules, dealt.lines
    papers = papers_on(connection, hospital, today, rules, of_suppliers=True)
    tallies = tallies_of(connection, hospital, quarter_of(today), now, dealt)
    graded = kept.grades_on(connection, hospital, today)
    of_items = [one for several in dealt.terms.values() for one in several]
    matters = [Matter(one, _clock(one, rules, now)) for one in dealt.cases]
    about = kept.profiles(connection, hospital)
    return [
        Firm(
            supplier,
            *names,
            about.get(supplier),
            graded.get(supplier),
            tallies[supplier],
            rate_of(lines, supplier, today),
            tuple(one for one in papers if one.certificate.supplier == supplier),
            tuple(one for one in matters if one.case.supplier == supplier),
            tuple(one for one in of_items if one.supplier == supplier),
            supplier in dealt.barred,
        )
        for supplier, names in sorted(dealt.names.items())
        if only in {"", supplier}
    ]


def rate_of(lines: Sequence[Delivered], supplier: str, today: date) -> Rate:
    """Return a supplier's delivery rate over the lines promised in the last 90 days."""
    mine = [one for one in lines if one.supplier == supplier]
    return delivery_rate(mine, today - timedelta(days=RATE_DAYS), today - timedelta(days=1))


def _clock(one: kept.Case, rules: Rules, now: Instant) -> Clock | None:
    limit = rules.whole("case.hours", one.kind)
    return clock_of(one.opened_at, one.ended_at, now, limit) if limit else None


@dataclass(frozen=True, slots=True)
class Watched:
    """One item whose supply is watched."""

    supply: Supply
    points: int
    level: Level


def _offers(connection: Connection, hospital: HospitalId, day: date, dealt: Dealings) -> dict[str, list[Offer]]:
    """Return the suppliers of each item with why one does not count as a source: blocked, or without its papers."""
    lapsed = lapsed_on(papers_on(connection, hospital, day, dealt.rules))

    def unfit(item: str, supplier: str) -> tuple[str, ...]:
        gone = [*lapsed.get(("", supplier), []), *lapsed.get((item, supplier), []), *lapsed.get((item, ""), [])]
        return (*(("blocked",) if supplier in dealt.barred else ()), *gone)

    return {
        item: [Offer(one.supplier, one.rank, unfit(item, one.supplier)) for one in several]
        for item, several in dealt.terms.items()
    }


def uncovered_now(
    connection: Connection, hospital: HospitalId, now: Instant, dealt: Dealings | None = None
) -> dict[str, list[str]]:
    """Return the high-risk items with fewer than two sources that count (B3)."""
    dealt = dealt or dealings_now(connection, hospital, now)
    offers = _offers(connection, hospital, business_day(now), dealt)
    return uncovered(offers, high_risk_items(connection, hospital))


def high_risk_items(connection: Connection, hospital: HospitalId) -> set[str]:
    """Return the items that need a backup: implants, and vital items of high value."""
    rows = connection.execute(ITEM.select().where(ITEM.c.hospital == hospital)).mappings()
    return {
        row["item"]
        for row in rows
        if row["class"] in HIGH_RISK or (row["class"] == "high" and row["criticality"] == "vital")
    }


def shortages_now(
    connection: Connection, hospital: HospitalId, now: Instant, dealt: Dealings | None = None
) -> list[Watched]:
    """Return the items whose supply is watched or warned of, the worst first (G1)."""
    dealt, today = dealt or dealings_now(connection, hospital, now), business_day(now)
    first, yesterday = today - timedelta(days=RATE_DAYS), today - timedelta(days=1)
    held, used = volumes.held(connection, hospital), volumes.used(connection, hospital, first, yesterday)
    offers, leads = _offers(connection, hospital, today, dealt), dealt.terms
    due = [one for one in dealt.lines if first <= one.promised <= yesterday]
    found = []
    for item, several in leads.items():
        mine = [one for one in due if one.item == item]
        short = Fraction(sum(not one.in_time for one in mine), len(mine)) if mine else Fraction(0)
        daily = Fraction(used[item], RATE_DAYS)
        supply = Supply(
            item,
            max(0, held[item]) / daily if daily > 0 else None,
            min(one.lead_days for one in several),
            short,
            sum(not one.unfit for one in offers[item]),
        )
        found.append(Watched(supply, shortage_points(supply), shortage_level(supply)))
    return sorted((one for one in found if one.level is not Level.NONE), key=lambda one: (-one.points, one.supply.item))


@dataclass(frozen=True, slots=True)
class SupplierDesk:
    """The suppliers of one hospital."""

    documents: Documents

    def open_case(self, caller: Caller, kind: CaseKind, supplier: str, item: str, said: str) -> str:
        """Open a case with a supplier; its clock starts. Raises `NotAllowed`, `NotThere`, `BadInput`."""
        caller.need(Right.PURCHASE)
        check_text("what happened", said, TEXT_MAX)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        if kind in {CaseKind.DISRUPTION, CaseKind.EMERGENCY} and not item:
            raise BadInput(f"item: expected the one the {kind} is about, got nothing")
        case_no = number_of("SC", kind, supplier, item, said, str(now))
        with self.documents.store.write() as connection:
            if supplier not in suppliers(connection, hospital) or (item and item not in items(connection, hospital)):
                raise NotThere(f"case: expected a supplier and an item that are known, got {supplier!r} {item!r}")
            row = {"case_no": case_no, "kind": str(kind), "supplier": supplier, "item": item, "said": said.strip()}
            whole = row | {"hospital": hospital, "opened_at": now, "opened_by": caller.person}
            connection.execute(SUPPLIER_CASE.insert().values(**whole))
            self.documents.note(connection, caller, "case-open", case_no, row)
        return case_no

    def move_case(self, caller: Caller, case_no: str, event: CaseStep, said: str = "") -> CaseState:
        """Move a case; what it was closed with is said. Raises as `open_case` does, and `NotNow`."""
        caller.need(Right.APPROVE_HIGH if event in {CaseStep.BLOCK, CaseStep.LIFT} else Right.PURCHASE)
        check_text("what was done", said, TEXT_MAX, empty=event not in {CaseStep.LIFT, CaseStep.WITHDRAW})
        with self.documents.store.write() as connection:
            found = kept.cases(connection, self.documents.hospital, case_no=case_no)
            if not found:
                raise NotThere(f"case: expected one that was opened, got {case_no!r:.40}")
            after = case_after(found[0].kind, found[0].state, event)
            if event is CaseStep.BLOCK and found[0].opened_by == caller.person:
                raise NotAllowed("incident: expected somebody who did not open it; another person blocks")
            detail = {"said": said.strip()} if said.strip() else {}
            self.documents.write(connection, caller, case_no, found[0].kind, event, after, detail)
        return after

    def finish_task(self, caller: Caller, task: str) -> None:
        """Note that a task is done. Raises `NotAllowed`, `NotThere`, `NotNow`."""
        caller.need(Right.PURCHASE)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        row = PURCHASE_TASK.c
        with self.documents.store.write() as connection:
            found = connection.execute(PURCHASE_TASK.select().where(row.hospital == hospital, row.task == task)).first()
            if found is None:
                raise NotThere(f"task: expected one that was made, got {task!r:.40}")
            if found.done_at is not None:
                raise NotNow(f"task {task}: it was done before")
            connection.execute(
                PURCHASE_TASK.update()
                .where(row.hospital == hospital, row.task == task)
                .values(done_at=now, done_by=caller.person)
            )
            self.documents.note(connection, caller, "task-done", task, {"kind": found.kind, "item": found.item})


def ask_answer(
    documents: Documents, connection: Connection, caller: Caller, supplier: str, item: str, order_no: str, why: str
) -> None:
    """Open the matter of an emergency order with its supplier: its clock runs until the order is confirmed (B1)."""
    now = documents.clock.now()
    row = {"case_no": number_of("SC", CaseKind.EMERGENCY, order_no), "kind": str(CaseKind.EMERGENCY)}
    row |= {"supplier": supplier, "item": item, "said": why, "order_no": order_no}
    whole = row | {"hospital": documents.hospital, "opened_at": now, "opened_by": caller.person}
    connection.execute(SUPPLIER_CASE.insert().values(**whole))
    documents.note(connection, caller, "case-open", row["case_no"], row)


def note_answer(documents: Documents, connection: Connection, caller: Caller, order_no: str) -> None:
    """Close the matter of an emergency order, where it is open: its supplier has answered."""
    case_no = number_of("SC", CaseKind.EMERGENCY, order_no)
    for one in kept.cases(connection, documents.hospital, case_no=case_no):
        if one.state is CaseState.OPEN:
            after = case_after(one.kind, one.state, CaseStep.CONFIRM)
            documents.write(connection, caller, case_no, one.kind, CaseStep.CONFIRM, after, {"order": order_no})


def restore_supplied(connection: Connection, hospital: HospitalId, now: Instant) -> int:
    """Close the disruptions whose item came again, at the moment it came; returns how many (B3)."""
    closed = 0
    for one in kept.cases(connection, hospital):
        if one.kind is not CaseKind.DISRUPTION or one.state is not CaseState.OPEN:
            continue
        came = volumes.first_arrival(connection, hospital, one.item, one.opened_at)
        if came is None:
            continue
        after = case_after(one.kind, one.state, CaseStep.RESTORE)
        detail = {"said": "first receipt"}
        step = DocumentStep(0, one.kind, CaseStep.RESTORE, after, came, AUTOMATIC, detail)
        add_step(connection, hospital, one.case_no, one.kind, step)
        note(connection, hospital, now, person=AUTOMATIC, act="disruption-restore", subject=one.case_no, detail=detail)
        closed += 1
    return closed
