"""Proof of what follows from the entries: posting lines, balances, beliefs and bindings, row by row.

It is fed each fact that central posted, in chain order, and compares what must follow with what stands. The rule that
must not be broken: nothing is taken from the tables that are compared; the entries alone say what is right.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Table, func, select

from central.core.facts import Fact
from central.services.proof.report import Report
from central.store.fold import differing, unbalanced
from central.store.postings import belief_row, binding_row, line_row, named
from central.store.tables.ledger import BELIEF, BINDING, DEVICE, POSTING_LINE
from protocols.values.ids import DeviceId, HospitalId, PlaceId

ROWS_AT_ONCE = 1_000
EVENTS_AT_ONCE = 500
"""Events whose lines are compared in one query; bounds what waits in memory."""

Said = Mapping[str, Any]


@dataclass(slots=True)
class Latest:
    """What was last said under one key, and when central took it in.

    `said` holds one row, or several of different chains of which any may stand: those that came in the same
    microsecond, and those of one device, whose chains no clock puts in order.
    """

    received_at: int
    chain: bytes
    device: str
    said: list[Said]


class Followed:
    """Gathers what must follow from the facts and compares it with the tables."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self.bindings: dict[tuple[str, str], Latest] = {}
        self.rooms: dict[tuple[str, str], set[str]] = {}
        """Storerooms each device may speak of: the one it is enrolled for, and those its own movements name."""
        self._connection, self._report = connection, report
        self._beliefs: dict[tuple[str, str, str], Latest] = {}
        self._lines: Counter[str] = Counter()
        self._waiting: dict[tuple[str, bytes], tuple[str, dict[int, Said]]] = {}
        for row in connection.execute(select(DEVICE.c.hospital, DEVICE.c.device, DEVICE.c.place)):
            self.rooms[row.hospital, row.device] = {row.place}

    def take(self, row: Row[tuple[object, ...]], fact: Fact) -> None:
        """Note what must follow from a fact that was posted; `row` is its ledger row."""
        hospital, device = HospitalId(row.hospital), DeviceId(row.device)
        lines = [named(POSTING_LINE, line_row(hospital, fact, no, line)) for no, line in enumerate(fact.lines)]
        self._lines[hospital] += len(lines)
        rooms = self.rooms.setdefault((hospital, device), set())
        rooms.update(end.rpartition("@")[2] for line in fact.lines for end in (line.source, line.target))
        where = f"entry {row.seq} of {device}"
        self._waiting[hospital, fact.event_id] = (where, {line["line_no"]: line for line in lines})
        if len(self._waiting) >= EVENTS_AT_ONCE:
            self._compare_lines()
        if fact.belief is not None:
            said = named(BELIEF, belief_row(hospital, device, PlaceId(""), fact, fact.belief))
            _keep(self._beliefs, (hospital, device, said["epc"]), row, said)
        for binding in fact.bindings:
            said = named(BINDING, binding_row(hospital, binding))
            _keep(self.bindings, (hospital, said["epc"]), row, said)

    def end(self) -> None:
        """Compare everything that was noted."""
        self._compare_lines()
        self._count_lines()
        self._compare_balances()
        self._compare_beliefs()
        self._compare_bindings()

    def _compare_lines(self) -> None:
        stored: dict[tuple[str, bytes], dict[int, Said]] = {key: {} for key in self._waiting}
        for hospital in {hospital for hospital, _ in stored}:
            events = [event for of, event in stored if of == hospital]
            query = select(POSTING_LINE).where(POSTING_LINE.c.hospital == hospital, POSTING_LINE.c.event_id.in_(events))
            for row in self._connection.execute(query):
                stored[hospital, row.event_id][row.line_no] = dict(row._mapping)
        for key, (where, lines) in self._waiting.items():
            if stored[key] != lines:
                wrong = sorted(no for no in lines.keys() | stored[key].keys() if lines.get(no) != stored[key].get(no))
                self._report.fault(f"{where}: expected posting lines as its body says; line {wrong[0]} is not")
        self._waiting.clear()

    def _count_lines(self) -> None:
        counts = select(POSTING_LINE.c.hospital, func.count().label("n")).group_by(POSTING_LINE.c.hospital)
        stored = {row.hospital: row.n for row in self._connection.execute(counts)}
        for hospital in sorted(stored.keys() | self._lines.keys()):
            wanted, found = self._lines[hospital], stored.get(hospital, 0)
            if wanted != found:
                self._report.fault(
                    f"hospital {hospital}: expected {wanted} posting lines in all, as the entries say, got {found}"
                )

    def _compare_balances(self) -> None:
        """Have the database fold the lines, which were held against the entries, and name what differs."""
        for held in differing(self._connection):
            name = f"balance of {held.item} lot {held.lot or '-'} {held.unit}".rstrip()
            said = f"expected {int(held.folded)}, the sum of its entries, got {int(held.stored)}"
            self._report.fault(f"{name} at {held.place}: {said}")
        for kept in unbalanced(self._connection):
            what = " ".join(filter(None, (kept.item, kept.lot, kept.owner, kept.unit)))
            self._report.fault(f"balances of {what}: expected the sum over all places to be 0, got {int(kept.total)}")

    def _compare_beliefs(self) -> None:
        for row in _rows(self._connection, BELIEF):
            where = f"belief of {row.device} in tag {row.epc}"
            latest = self._beliefs.pop((row.hospital, row.device, row.epc), None)
            found = {**row._mapping, "place": ""}
            self._compare_last(where, latest, found, "observe")
            if row.place not in self.rooms.get((row.hospital, row.device), ()):
                self._report.fault(f"{where}: expected a storeroom that {row.device} speaks for, got {row.place!r}")
        for _, device, tag in sorted(self._beliefs):
            self._report.fault(f"belief of {device} in tag {tag}: expected it to stand as last observed, it is missing")

    def _compare_bindings(self) -> None:
        lacking = set(self.bindings)
        for row in _rows(self._connection, BINDING):
            latest = self.bindings.get((row.hospital, row.epc))
            lacking.discard((row.hospital, row.epc))
            self._compare_last(f"binding of tag {row.epc}", latest, dict(row._mapping), "bind_tag")
        for _, tag in sorted(lacking):
            self._report.fault(f"binding of tag {tag}: expected it to stand as last bound, it is missing")

    def _compare_last(self, where: str, latest: Latest | None, found: Said, kind: str) -> None:
        if latest is None:
            self._report.fault(f"{where}: expected an entry that says so, there is none")
        elif found not in latest.said:
            said = latest.said[-1]
            wrong = next(name for name in said if said[name] != found[name])
            self._report.fault(
                f"{where}: expected the last {kind} entry's {wrong} {_shown(said[wrong])}, got {_shown(found[wrong])}"
            )


def _keep(into: dict[Any, Latest], key: tuple[str, ...], row: Row[tuple[object, ...]], said: Said) -> None:
    """Let a newer saying take the place of an older one: within a chain by its order, else by when it was received."""
    known = into.get(key)
    if known is not None and known.chain != row.incarnation and known.device == row.device:
        into[key] = Latest(max(known.received_at, row.received_at), row.incarnation, row.device, [*known.said, said])
    elif known is not None and known.chain == row.incarnation:
        into[key] = Latest(row.received_at, row.incarnation, row.device, [*known.said[:-1], said])
    elif known is None or known.received_at < row.received_at:
        into[key] = Latest(row.received_at, row.incarnation, row.device, [said])
    elif known.received_at == row.received_at:
        known.said.append(said)


def _rows(connection: Connection, table: Table) -> Any:  # noqa: ANN401 # a row of Core has no type of its own
    return connection.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table))


def _shown(value: object) -> str:
    return value.hex() if isinstance(value, bytes) else repr(value)
