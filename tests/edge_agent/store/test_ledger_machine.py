"""The ledger's laws under any order of acts, against an oracle of plain lists and dictionaries.

Conservation: the sum over places is zero. Idempotence: an event that comes again changes nothing. Reversal: what is
undone is as if it had not been. Custody: a unit is where the last line brought it, and what could not be has its
discrepancy. Bad input: a body the table does not admit leaves everything as it was, and the next entry goes in.
"""

import sqlite3
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from edge_agent.store.connection import SqliteConnection
from edge_agent.store.ledger import Ledger, ledger_over
from edge_agent.store.schema import bring_up_to_date
from edge_agent.store.verify import verify
from protocols.entry import Entry
from protocols.errors import ProtocolsError
from tests.edge_agent.conftest import BORN, START, WARD, Scribe

UNITS = [f"3034{number:020X}" for number in range(4)]
ROADS = {
    "opening": ("opening@ward-01", "ward-01"),
    "ward_receipt": ("transit@ward-01", "ward-01"),
    "issue": ("ward-01", "issued@ward-01"),
    "use": ("issued@ward-01", "patient@ward-01"),
    "return_to_store": ("issued@ward-01", "ward-01"),
    "transfer_out": ("ward-01", "transit@ward-02"),
    "scrap": ("ward-01", "scrap@ward-01"),
    "adjust": ("unknown@ward-01", "ward-01"),
}
LEGAL = {
    "opening": {"none"},
    "ward_receipt": {"none", "in_transit", "returned"},
    "issue": {"in_stock"},
    "use": {"issued", "in_stock"},
    "return_to_store": {"issued"},
    "transfer_out": {"in_stock", "held"},
    "scrap": {"in_stock", "held", "inspecting", "issued"},
    "adjust": {"none", "missing"},
}
AFTER = {
    "opening": "in_stock",
    "ward_receipt": "in_stock",
    "issue": "issued",
    "use": "used",
    "return_to_store": "in_stock",
    "transfer_out": "in_transit",
    "scrap": "gone",
    "adjust": "in_stock",
}
BAD = [("issue", {}), ("issue", {"lines": []}), ("teleport", {}), ("use", {"lines": [{"item": "", "qty": -1}]})]

Line = dict[str, Any]


def new_ledger() -> Ledger:
    connection = SqliteConnection(sqlite3.connect(":memory:", isolation_level=None), "memory")
    bring_up_to_date(connection, "memory")
    return ledger_over(connection, WARD, newborn=BORN, now=START)


class LedgerMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.ledger, self.scribe = new_ledger(), Scribe()
        self.posted: list[tuple[Entry, list[Line]]] = []
        self.undone: set[bytes] = set()
        self.custody: dict[str, tuple[str, str]] = {}
        self.owed: set[bytes] = set()
        self.together: list[Entry] | None = None

    def teardown(self) -> None:
        self.ledger.close()

    def write(self, kind: str, lines: list[Line], **more: object) -> Entry:
        """Write an entry, or keep it for the end of an act of several."""
        entry = self.scribe.entry(kind, {"lines": lines, **more}, "1001")
        if self.together is None:
            self.ledger.append([entry])
        else:
            self.together.append(entry)
        self.posted.append((entry, lines))
        return entry

    @rule(acts=st.lists(st.tuples(st.sampled_from(sorted(ROADS)), st.sampled_from([*UNITS, "", "L1"])), max_size=8))
    def several_entries_are_one_act(self, acts: list[tuple[str, str]]) -> None:
        self.together = []
        for kind, what in acts:
            if what in UNITS:
                self.move_a_unit(kind, what)
            else:
                self.move_loose_pieces(kind, what, 2)
        self.ledger.append(self.together)
        self.together = None

    @rule(kind=st.sampled_from(sorted(ROADS)), unit=st.sampled_from(UNITS))
    def move_a_unit(self, kind: str, unit: str) -> None:
        source, target = ROADS[kind]
        entry = self.write(
            kind, [{"item": "C1", "lot": "L1", "qty": 1, "unit": unit, "source": source, "target": target}]
        )
        state, place = self.custody.get(unit, ("none", ""))
        short = source == "ward-01" and self.oracle().get(("ward-01", "C1", "L1", unit), 0) == -1
        if state not in LEGAL[kind] or (state != "none" and place != source) or short:
            self.owed.add(entry.event_id)
        self.custody[unit] = (AFTER[kind], target)

    @rule(kind=st.sampled_from(sorted(ROADS)), lot=st.sampled_from(["", "L1"]), qty=st.integers(1, 9))
    def move_loose_pieces(self, kind: str, lot: str, qty: int) -> None:
        source, target = ROADS[kind]
        was = self.oracle().get(("ward-01", "C2", lot, ""), 0)
        entry = self.write(kind, [{"item": "C2", "lot": lot, "qty": qty, "source": source, "target": target}])
        if source == "ward-01" and was >= 0 > was - qty:
            self.owed.add(entry.event_id)

    @rule(which=st.integers(0, 200))
    def undo(self, which: int) -> None:
        if not self.posted:
            return
        entry, lines = self.posted[which % len(self.posted)]
        back = [{**line, "source": line["target"], "target": line["source"]} for line in reversed(lines)]
        loose = [line for line in back if "unit" not in line]
        if not loose or entry.kind == "reversal":
            return
        was = self.oracle().get(("ward-01", "C2", loose[0]["lot"], ""), 0)
        new = self.write("reversal", back, reverses=entry.event_id.hex())
        if entry.event_id in self.undone or (loose[0]["source"] == "ward-01" and was >= 0 > was - int(loose[0]["qty"])):
            self.owed.add(new.event_id)
        self.undone.add(entry.event_id)

    @rule(which=st.integers(0, 200))
    def the_same_event_comes_again(self, which: int) -> None:
        if self.posted:
            before = self.tables()
            self.ledger.append([self.posted[which % len(self.posted)][0]])
            assert self.tables() == before

    @rule(bad=st.sampled_from(BAD))
    def bad_input_blocks_nothing(self, bad: tuple[str, Mapping[str, object]]) -> None:
        before, head = self.tables(), self.ledger.head()
        with pytest.raises(ProtocolsError):
            self.ledger.append([self.scribe.entry(bad[0], bad[1])])
        assert (self.tables(), self.ledger.head()) == (before, head)

    # --- what must hold ---

    def oracle(self) -> dict[tuple[str, str, str, str], int]:
        total: dict[tuple[str, str, str, str], int] = {}
        for _, lines in self.posted:
            for line in lines:
                for place, sign in ((line["source"], -1), (line["target"], 1)):
                    key = (place, line["item"], line["lot"], line.get("unit", ""))
                    total[key] = total.get(key, 0) + sign * line["qty"]
        return {key: qty for key, qty in total.items() if qty}

    def tables(self) -> list[list[Any]]:
        names = ("balance", "custody", "discrepancy", "undone", "applied")
        return [sorted(self.ledger.connection.query(f"SELECT * FROM {name}")) for name in names]

    @invariant()
    def the_tables_are_the_oracles(self) -> None:
        rows = self.ledger.connection.query("SELECT place, item, lot, unit, qty FROM balance")
        assert {tuple(row[:4]): row[4] for row in rows} == self.oracle()
        sums = self.ledger.connection.query("SELECT sum(qty) FROM balance GROUP BY item, lot, owner, unit")
        assert all(total == 0 for (total,) in sums)
        custody = self.ledger.connection.query("SELECT unit, state, place FROM custody")
        assert {unit: (state, place) for unit, state, place in custody} == self.custody

    @invariant()
    def what_could_not_be_has_its_discrepancy_and_nothing_else_has(self) -> None:
        rows = self.ledger.connection.query("SELECT DISTINCT event_id FROM discrepancy")
        assert {event for (event,) in rows} == self.owed

    @invariant()
    def the_fold_says_the_same(self) -> None:
        report = verify(self.ledger.connection)
        assert report.sound, report.problems


TestLedgerMachine = LedgerMachine.TestCase
TestLedgerMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
