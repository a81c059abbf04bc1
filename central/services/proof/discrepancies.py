"""Proof of discrepancies: each that stands rests on real entries, and each that book and beliefs call for stands.

It asks the same rules of the core that open and close them. A difference whose entries came after its storeroom was
last compared is no fault: it waits for the next comparison. What it cannot see: a discrepancy that was closed long ago
and removed past the triggers. The rule that must not be broken: it reads, it mends nothing.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from central.core.causes import Why
from central.core.claims import CLAIMED
from central.core.discrepancies import Cause, Finding, finding_id, resolved
from central.core.match import match_of
from central.core.reconcile import UnitState
from central.errors import CentralError
from central.services.match import observed_in
from central.services.policy import rules_at
from central.services.proof.followed import ROWS_AT_ONCE, Followed
from central.services.proof.report import Report
from central.services.reconcile import bounds_of, due_findings, is_claim
from central.store.chains import OWN_DEVICE
from central.store.queries_book import units_of
from central.store.queries_master import places
from central.store.queries_work import matches, standing
from central.store.tables.ledger import EVENT, LEDGER, POSTING_LINE
from central.store.tables.master import PLACE
from central.store.tables.work import DISCREPANCY, JOB_RUN
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.reports import DiscrepancyBody
from protocols.movements.tags import ObserveBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

KEYS_AT_ONCE = 500
"""Events or units asked for in one query."""


def compare_discrepancies(connection: Connection, followed: Followed, report: Report) -> None:
    """Check every discrepancy that stands, then look for those that should."""
    for rows in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(select(DISCREPANCY)).partitions():
        report.discrepancies += len(rows)
        witness = _Witness(connection, followed, rows)
        for row in rows:
            for wrong in witness.faults(row):
                report.fault(f"discrepancy {row.discrepancy} of {row.unit} in {row.place}: expected {wrong}")
    for hospital in connection.scalars(select(PLACE.c.hospital).distinct()).all():
        hers = HospitalId(hospital)
        for place in places(connection, hers):
            try:
                _Room(connection, hers, place.place, followed, report).compare()
            except CentralError as error:
                report.fault(f"storeroom {place.place}: expected to be compared again; {error}")


@dataclass(frozen=True, slots=True)
class _Told:
    """One event of the ledger that a discrepancy names."""

    device: str
    kind: str
    at: int
    belief: ObserveBody | None
    claim: bool
    closes: str


class _Witness:
    """What the ledger says about the discrepancies of one batch."""

    def __init__(self, connection: Connection, followed: Followed, rows: Iterable[Row[Any]]) -> None:
        self._followed = followed
        self._told: dict[tuple[str, bytes], _Told] = {}
        self._moved: set[tuple[str, bytes, str]] = set()
        self._units: dict[tuple[str, str], set[tuple[str, str]]] = {}
        listed = list(rows)
        for hospital in {row.hospital for row in listed}:
            hers = [row for row in listed if row.hospital == hospital]
            self._read_events(connection, hospital, [event for row in hers for event in _events_of(row)])
            self._read_units(connection, hospital, [row.unit for row in hers])

    def _read_events(self, connection: Connection, hospital: str, events: list[bytes]) -> None:
        same = and_(
            LEDGER.c.hospital == EVENT.c.hospital,
            LEDGER.c.incarnation == EVENT.c.incarnation,
            LEDGER.c.seq == EVENT.c.seq,
        )
        for part in _parts(events):
            query = select(EVENT, LEDGER.c.body).join(LEDGER, same)
            for row in connection.execute(query.where(EVENT.c.hospital == hospital, EVENT.c.event_id.in_(part))):
                belief = _belief(row.body) if row.kind == "observe" else None
                claim, closes = is_claim(row.body), _closes(row.body) if row.kind == "discrepancy" else ""
                self._told[hospital, row.event_id] = _Told(row.device, row.kind, row.at, belief, claim, closes)

    def _read_units(self, connection: Connection, hospital: str, units: list[str]) -> None:
        line = POSTING_LINE.c
        for part in _parts(units):
            query = select(line.event_id, line.unit, line.item, line.lot)
            for row in connection.execute(query.where(line.hospital == hospital, line.unit.in_(part))):
                self._moved.add((hospital, row.event_id, row.unit))
                self._units.setdefault((hospital, row.unit), set()).add((row.item, row.lot))
        for unit in units:
            bound = self._followed.bindings.get((hospital, unit))
            said = [] if bound is None else bound.said
            self._units.setdefault((hospital, unit), set()).update((one["item"], one["lot"]) for one in said)

    def faults(self, row: Row[Any]) -> Iterator[str]:
        """Return what one discrepancy should be and is not."""
        found = self._told.get((row.hospital, row.found_event_id))
        if found is None or found.belief is None:
            yield f"an observe entry with the event id {row.found_event_id.hex()}, there is none"
            return
        belief, evidence = found.belief, json.loads(row.evidence)
        if row.discrepancy != finding_id(row.kind, row.unit, row.found_event_id.hex()):
            yield "the id that follows from its kind, unit and entry"
        wanted = {
            "p": belief.p, "model": belief.model, "since": belief.since, "at": found.at, "device": found.device,
        }  # fmt: skip
        if (belief.epc.upper(), evidence.get("belief")) != (row.unit, wanted):
            yield f"the unit and the belief of its entry ({belief.epc.upper()}, p {belief.p}), got another"
        if (row.device, row.found_at, row.since) != (found.device, found.at, belief.since):
            yield f"device, found_at and since of its entry ({found.device}, {found.at}, {belief.since}), got others"
        if row.place not in self._followed.rooms.get((row.hospital, row.device), ()):
            yield f"a storeroom that {row.device} speaks for"
        if (row.item, row.lot) not in self._units[row.hospital, row.unit]:
            yield f"an item and lot that this unit ever had, got {row.item} {row.lot}"
        yield from self._book_faults(row, evidence.get("book"))
        yield from self._closing_faults(row)

    def _book_faults(self, row: Row[Any], book: Mapping[str, Any] | None) -> Iterator[str]:
        if book is None:
            return
        moved = self._told.get((row.hospital, bytes.fromhex(book["event"])))
        if moved is None or (moved.kind, moved.at) != (book["kind"], book["at"]):
            yield "the movement that its evidence names as the book's"

    def _closing_faults(self, row: Row[Any]) -> Iterator[str]:
        if row.status == "open":
            if (row.closed_at, row.cause, row.closed_event_id) != (None, "", None):
                yield "nothing said of its closing while it is open"
            return
        closing = self._told.get((row.hospital, row.closed_event_id or b""))
        if row.status != "closed" or closing is None:
            yield "either open, or closed by an entry of the ledger"
            return
        if row.cause in {Cause.SEEN_AGAIN, Cause.GONE_AGAIN}:
            concerns = closing.belief is not None and closing.belief.epc.upper() == row.unit
        elif row.cause in set(Why):
            concerns = closing.device == OWN_DEVICE and closing.closes == row.discrepancy
        else:
            fits = closing.claim if row.cause == CLAIMED else closing.kind == row.cause
            concerns = fits and (row.hospital, row.closed_event_id, row.unit) in self._moved
        if not concerns or closing.at != row.closed_at:
            yield f"closed by an entry about this unit that says {row.cause!r}, the one it names does not"


class _Room:
    """One storeroom compared again, as of the moment it was last compared."""

    def __init__(
        self, connection: Connection, hospital: HospitalId, place: str, followed: Followed, report: Report
    ) -> None:
        self._connection, self._hospital, self._place = connection, hospital, place
        self._followed, self._report = followed, report

    def compare(self) -> None:
        """Look for what should stand open, what should not, and whether the last comparison's figures are right."""
        looked, match = matches(self._connection, self._hospital).get(self._place, (None, None))
        last, heard = self._compared_last(looked), self._received_last()
        if not heard:
            return
        rules = rules_at(self._connection, self._hospital, last or heard)
        bounds = bounds_of(rules)
        open_now = standing(self._connection, self._hospital, self._place)
        units = units_of(self._connection, self._hospital, self._place, {one.unit for one in open_now})
        newest = self._newest(units)
        stands = {(one.kind, one.unit) for one in open_now}
        for finding in due_findings(self._connection, self._hospital, self._place, units, rules, last or heard):
            if (finding.kind, finding.unit) not in stands:
                self._lacking(finding, waits=last is None or newest[finding.unit] >= last)
        of_unit = {one.id: one.unit for one in open_now}
        for closing in resolved(open_now, {state.unit: state for state in units}, bounds):
            if last is not None and newest[of_unit[closing.id]] < last:
                self._fault(f"expected discrepancy {closing.id} closed by {closing.cause}, it is open")
        if match is not None and looked is not None and heard < looked:
            again = match_of(observed_in(self._connection, self._hospital, self._place, units, rules, looked))
            if again != match:
                self._fault(f"expected the last comparison to say {again}, it says {match}")

    def _lacking(self, finding: Finding, *, waits: bool) -> None:
        """Count a difference without a discrepancy that stands open: it waits, was closed rightly, or is a fault."""
        if waits:
            self._report.waiting += 1
        elif not self._was_closed(finding):
            said = f"{finding.unit} is {finding.kind} since entry {finding.event}"
            self._fault(f"expected an open discrepancy, for {said}; there is none")

    def _fault(self, line: str) -> None:
        self._report.fault(f"storeroom {self._place}: {line}")

    def _compared_last(self, looked: Instant | None) -> Instant | None:
        job = select(func.max(JOB_RUN.c.started_at)).where(
            JOB_RUN.c.hospital == self._hospital, JOB_RUN.c.job == "reconcile", JOB_RUN.c.outcome != ""
        )
        return max(filter(None, (looked, self._connection.scalar(job))), default=None)

    def _newest(self, units: list[UnitState]) -> dict[str, int]:
        """Return when central took in the last entry that bears on each unit: belief, movement or binding."""
        newest = dict.fromkeys((state.unit for state in units), 0)
        believed = {state.belief.event: state.unit for state in units if state.belief is not None}
        line, event = POSTING_LINE.c, EVENT.c
        on = and_(
            LEDGER.c.hospital == event.hospital, LEDGER.c.incarnation == event.incarnation, LEDGER.c.seq == event.seq
        )
        for part in _parts([bytes.fromhex(one) for one in believed]):
            query = select(event.event_id, LEDGER.c.received_at).select_from(EVENT.join(LEDGER, on))
            for row in self._connection.execute(
                query.where(event.hospital == self._hospital, event.event_id.in_(part))
            ):
                unit = believed[row.event_id.hex()]
                newest[unit] = max(newest[unit], row.received_at)
        for names in _parts(list(newest)):
            joined = POSTING_LINE.join(EVENT, and_(event.hospital == line.hospital, event.event_id == line.event_id))
            query = select(line.unit, func.max(LEDGER.c.received_at).label("at")).select_from(joined.join(LEDGER, on))
            query = query.where(line.hospital == self._hospital, line.unit.in_(names)).group_by(line.unit)
            for row in self._connection.execute(query):
                newest[row.unit] = max(newest[row.unit], row.at)
        for unit in newest:
            bound = self._followed.bindings.get((self._hospital, unit))
            newest[unit] = max(newest[unit], -1 if bound is None else bound.received_at)
        return newest

    def _was_closed(self, finding: Finding) -> bool:
        """Tell whether a movement that came in late had closed this very finding: then nothing opens it again."""
        row = self._connection.execute(
            select(DISCREPANCY.c.status, DISCREPANCY.c.closed_event_id).where(
                DISCREPANCY.c.hospital == self._hospital, DISCREPANCY.c.discrepancy == finding.id
            )
        ).one_or_none()
        if row is None or row.status != "closed" or row.closed_event_id is None:
            return False
        return self._received(row.closed_event_id) > self._received(bytes.fromhex(finding.event))

    def _received(self, event: bytes) -> int:
        query = select(LEDGER.c.received_at).where(LEDGER.c.hospital == self._hospital, LEDGER.c.event_id == event)
        return self._connection.scalar(query.order_by(LEDGER.c.received_at).limit(1)) or 0

    def _received_last(self) -> Instant:
        query = select(func.max(LEDGER.c.received_at)).where(LEDGER.c.hospital == self._hospital)
        return Instant(self._connection.scalar(query) or 0)


def _events_of(row: Row[Any]) -> Iterator[bytes]:
    yield row.found_event_id
    if row.closed_event_id is not None:
        yield row.closed_event_id
    book = json.loads(row.evidence).get("book")
    if book is not None:
        yield bytes.fromhex(book["event"])


def _belief(body: bytes) -> ObserveBody | None:
    try:
        return read_body(body, ObserveBody)
    except ProtocolsError:
        return None


def _closes(body: bytes) -> str:
    try:
        return read_body(body, DiscrepancyBody).closes
    except ProtocolsError:
        return ""


def _parts(keys: list[Any]) -> Iterator[list[Any]]:
    unique = sorted(set(keys))
    for start in range(0, len(unique), KEYS_AT_ONCE):
        yield unique[start : start + KEYS_AT_ONCE]
