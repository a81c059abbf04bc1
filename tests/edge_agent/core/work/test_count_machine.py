"""Counts under any order of counting, taking and adjusting, by two people, against an oracle of plain lists.

The oracle keeps the book as a dictionary and what happened since the sheet was opened as a list. Laws: a line says what
its last counter saw and what the book was at that moment; what moved after it says recount; an adjustment moves exactly
the lines that differ, cites the count, and changes nothing else; counting alone moves nothing; the ledger stays sound.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_agent.core.counts import LineKey
from edge_agent.store.counts import open_lines
from protocols.readers.scanner import Beep
from protocols.values.ids import PlaceId
from tests.edge_agent.desk import KEEPER, NURSE, OTHER, STENT, SYRINGE, SYRINGE_GTIN, Desk, card, epc_of, loose, stent

WARD = PlaceId("ward-01")
LOTS = ("A1", "B2")
UNITS = (1, 2, 3)
OK, NO = Beep.OK, Beep.NO
Told = tuple[int, int, bool, bool]
"""Counted, the book then, recount, seen."""


def loose_key(lot: str) -> LineKey:
    return LineKey(SYRINGE, lot, "")


def unit_key(serial: int) -> LineKey:
    return LineKey(STENT, "S1", epc_of(serial))


class CountMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.desk = Desk()
        self.desk.stock_stents(*UNITS)
        self.book = {unit_key(serial): 1 for serial in UNITS}
        for lot in LOTS:
            self.desk.stock_loose(SYRINGE, lot, 30)
            self.book[loose_key(lot)] = 30
        self.since: list[tuple[str, str, LineKey, int]] = []
        self.open, self.closed = False, False

    # --- the oracle ---

    def line(self, key: LineKey) -> Told:
        """Return what a line must say, from what happened since the sheet was opened."""
        counted, who, at = 0, "", -1
        for place, (sort, actor, what, qty) in enumerate(self.since):
            if sort == "count" and what == key:
                counted = qty if key.unit or actor != who else counted + qty
                who, at = actor, place
        moves = [qty for sort, _, what, qty in self.since[at + 1 :] if sort == "move" and what == key]
        return counted, self.book[key] - sum(moves), bool(moves), at >= 0

    def expected(self) -> dict[LineKey, Told]:
        seen = {what for sort, _, what, _ in self.since if sort == "count"}
        return {key: self.line(key) for key in seen | {key for key, qty in self.book.items() if qty}}

    def heard(self, *texts: str) -> list[Beep]:
        return self.desk.scan(*texts)

    def move(self, key: LineKey, qty: int) -> None:
        self.book[key] += qty
        self.since.append(("move", "", key, qty))

    # --- what people do ---

    @rule(badge=st.sampled_from([KEEPER, NURSE]), lot=st.sampled_from(LOTS), times=st.sampled_from(["", "X5", "X10"]))
    def loose_pieces_are_counted(self, badge: str, lot: str, times: str) -> None:
        self.count(badge)
        cards = [card(times)] if times else []
        assert NO not in self.heard(*cards, loose(SYRINGE_GTIN, lot))
        self.since.append(("count", badge, loose_key(lot), int(times[1:] or 1)))

    @rule(badge=st.sampled_from([KEEPER, NURSE]), serial=st.sampled_from(UNITS))
    def a_piece_is_counted(self, badge: str, serial: int) -> None:
        self.count(badge)
        again = any(sort == "count" and key == unit_key(serial) for sort, _, key, _ in self.since)
        assert self.heard(stent(serial)) == [Beep.LOOK if again else OK]
        if not again:
            self.since.append(("count", badge, unit_key(serial), 1))

    def count(self, badge: str) -> None:
        if not self.open:
            self.since, self.open, self.closed = [], True, False
        assert self.heard(badge, card("COUNT")) == [OK, OK]

    @rule(lot=st.sampled_from(LOTS), five=st.booleans())
    def somebody_takes(self, lot: str, five: bool) -> None:
        assert NO not in self.heard(OTHER, *([card("X5")] if five else []), loose(SYRINGE_GTIN, lot))
        self.move(loose_key(lot), -5 if five else -1)

    @rule(serial=st.sampled_from(UNITS))
    def a_piece_is_taken(self, serial: int) -> None:
        (_, beep) = self.heard(OTHER, stent(serial))
        assert (beep is NO) == (not self.book[unit_key(serial)])
        if beep is not NO:
            self.move(unit_key(serial), -1)

    @precondition(lambda self: self.open)
    @rule()
    def the_count_is_closed(self) -> None:
        recount = sum(self.line(key)[2] for key in {what for sort, _, what, _ in self.since if sort == "count"})
        assert self.heard(KEEPER, card("COUNT"), card("COUNT"))[-1] is (Beep.LOOK if recount else OK)
        self.open, self.closed = False, True

    @precondition(lambda self: not self.open)
    @rule()
    def the_keeper_adjusts(self) -> None:
        lines = self.expected() if self.closed else {}
        due = {key: told for key, told in lines.items() if told[3] and not told[2] and told[0] != told[1]}
        unseen = [key for key, told in lines.items() if not told[3]]
        beep = self.heard(KEEPER, card("ADJUST"))[-1]
        assert (beep is NO) == (not due and not unseen)
        for key, (counted, then, _, _) in due.items():
            self.book[key] += counted - then
        if due or unseen:
            self.closed, self.since = False, []  # a count is worked on once, citing it

    # --- what must hold ---

    @invariant()
    def the_sheet_says_what_was_seen_at_its_cut(self) -> None:
        _, lines = open_lines(self.desk.ledger.connection, WARD)
        told = {line.key: (line.counted, line.book, line.recount, line.seen) for line in lines}
        assert told == (self.expected() if self.open else {})

    @invariant()
    def the_book_moves_only_by_takes_and_adjustments(self) -> None:
        rows = self.desk.ledger.connection.query(
            "SELECT item, lot, unit, sum(qty) FROM balance WHERE place = 'ward-01' GROUP BY 1, 2, 3"
        )
        book = {LineKey(item, lot, unit): qty for item, lot, unit, qty in rows if qty}
        assert book == {key: qty for key, qty in self.book.items() if qty}

    def teardown(self) -> None:
        if hasattr(self, "desk"):
            self.desk.check()


TestCountMachine = CountMachine.TestCase
TestCountMachine.settings = settings(max_examples=25, stateful_step_count=25, deadline=None)
