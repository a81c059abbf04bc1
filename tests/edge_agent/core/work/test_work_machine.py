"""A storeroom under any order of scans, against an oracle of lists and dictionaries that knows where everything is.

The oracle moves a piece only when the answer was not no, and knows nothing of custody, FEFO or entries. Laws: what the
book has is what the oracle has (everything here is scanned); a no leaves the ledger as it was; every ok or look of an
item leaves a record; an emergency is never refused a take; the sums over places are zero and the fold agrees.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_agent.core.work.states import Doing
from edge_agent.core.work.words import Word
from protocols.movements.posting import Flag
from protocols.readers.scanner import Beep
from tests.edge_agent.desk import (
    GAUZE,
    GAUZE_GTIN,
    KEEPER,
    NURSE,
    OTHER,
    PATIENT,
    STENT,
    SYRINGE,
    SYRINGE_GTIN,
    Desk,
    card,
    epc_of,
    loose,
    place,
    stent,
)

UNITS = range(1, 5)
JUNK = ["hello", "WSB1BAD", "]d2019999", "]d201069999901010", "(01)09506000134352", "", "A" * 300, "]d2\x1d\x1d10"]
MODES = ["ISSUE", "RETURN", "SCRAP", "TRANSFER", "COUNT", "SET", "RECEIVE"]


class WorkMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.desk = Desk()
        self.desk.stock_stents(*UNITS)
        self.desk.stock_loose(SYRINGE, "A1", 30)
        self.desk.stock_loose(GAUZE, "G1", 100)
        self.where = {epc_of(unit): "ward-01" for unit in UNITS}
        self.loose = {SYRINGE: {"ward-01": 30}, GAUZE: {"ward-01": 100}}
        self.times = 0
        self.acts: list[list[tuple[str, str, str, int]]] = []

    # --- the oracle ---

    def heard(self, text: str) -> tuple[Beep, int]:
        """Scan, and return the answer and how many entries it left."""
        before = self.desk.ledger.head().seq
        (beep,) = self.desk.scan(text)
        written = self.desk.ledger.head().seq - before
        assert beep is not Beep.NO or written == 0, self.desk.last.message
        return beep, written

    def move(self, name: str, to: str) -> tuple[str, str, str, int]:
        """Move a piece (by its tag) in the oracle."""
        source, self.where[name] = self.where[name], to
        return name, source, to, 1

    def shift(self, item: str, source: str, to: str, qty: int) -> tuple[str, str, str, int]:
        """Move loose pieces (by their item) in the oracle."""
        there = self.loose[item]
        there[source] = there.get(source, 0) - qty
        there[to] = there.get(to, 0) + qty
        return item, source, to, qty

    def reset(self) -> None:
        self.acts, self.times = [], 0

    @property
    def doing(self) -> Doing:
        return Doing.NOBODY if self.desk.visit is None else self.desk.visit.doing

    # --- what people do ---

    @rule(badge=st.sampled_from([NURSE, OTHER, KEEPER]))
    def somebody_comes(self, badge: str) -> None:
        assert self.heard(badge)[0] is Beep.OK
        self.reset()

    @rule(mode=st.sampled_from(MODES))
    def a_card(self, mode: str) -> None:
        beep, _ = self.heard(card(mode))
        assert (beep is Beep.NO) == (self.doing is Doing.NOBODY) or mode == "COUNT"
        if beep is not Beep.NO:
            self.times = 0

    @rule(text=st.sampled_from(JUNK))
    def junk_blocks_nothing(self, text: str) -> None:
        before = self.doing
        self.heard(text)
        assert self.doing is before
        self.times = 0

    @precondition(lambda self: self.doing is not Doing.NOBODY)
    @rule(name=st.sampled_from(["X5", "X10"]))
    def a_number(self, name: str) -> None:
        assert self.heard(card(name))[0] is Beep.OK
        self.times += int(name[1:])

    @rule()
    def an_emergency(self) -> None:
        assert self.heard(card("EMERGENCY"))[0] is Beep.OK
        assert self.doing is Doing.TAKING

    @rule(unit=st.sampled_from(UNITS))
    def a_piece_is_scanned(self, unit: int) -> None:
        doing, visit, epc = self.doing, self.desk.visit, epc_of(unit)
        emergency = visit is not None and visit.emergency
        mine = visit is not None and any(line.unit == epc for line in visit.in_hand)
        beep, written = self.heard(stent(unit))
        if emergency and doing is Doing.TAKING:
            assert beep is not Beep.NO or mine, self.desk.last.message
        self.times = 0
        if beep is Beep.NO or not written or self.desk.last.word is Word.COUNTED:
            return
        patient = self.desk.visit is not None and bool(self.desk.visit.patient)
        act = self.move(epc, self.target(doing, patient))
        implied = Flag.IMPLIED in tuple(self.desk.last.about.get("flags", ()))  # type: ignore[arg-type]  # a tuple of flags
        self.acts.append([(act[0], self.came_from(act[1], doing) if implied else act[1], *act[2:])])

    def came_from(self, place: str, doing: Doing) -> str:
        """Return whence a piece came that the book did not have here: what took it is undone to there."""
        if place.startswith("transit@"):
            return place
        return "supplier@ward-01" if doing is Doing.RECEIVING else "transit@ward-01"

    def target(self, doing: Doing, patient: bool) -> str:
        taken = "patient@ward-01" if patient else "issued@ward-01"
        return {
            Doing.TAKING: taken,
            Doing.RETURNING: "ward-01",
            Doing.SCRAPPING: "scrap@ward-01",
            Doing.TRANSFERRING: "ward-01",
            Doing.RECEIVING: "ward-01",
            Doing.SENDING: "transit@ward-02",
        }[doing]

    @rule(pack=st.booleans())
    def loose_pieces_are_scanned(self, pack: bool) -> None:
        doing, (item, text) = self.doing, (GAUZE, loose(GAUZE_GTIN, "G1")) if pack else (SYRINGE, loose(SYRINGE_GTIN))
        qty = (self.times or 1) * (10 if pack else 1)
        patient = self.desk.visit is not None and bool(self.desk.visit.patient)
        beep, written = self.heard(text)
        self.times = 0
        if beep is Beep.NO or not written or self.desk.last.word is Word.COUNTED:
            return
        used = pack or patient
        source, to = {
            Doing.TAKING: ("ward-01", "patient@ward-01" if used else "issued@ward-01"),
            Doing.RETURNING: ("issued@ward-01", "ward-01"),
            Doing.SCRAPPING: ("ward-01", "scrap@ward-01"),
            Doing.TRANSFERRING: ("transit@ward-01", "ward-01"),
            Doing.RECEIVING: ("supplier@ward-01", "ward-01"),
            Doing.SENDING: ("ward-01", "transit@ward-02"),
        }[doing]
        self.acts.append([self.shift(item, source, to, qty)])

    @precondition(lambda self: self.doing is Doing.TRANSFERRING)
    @rule()
    def a_destination(self) -> None:
        assert self.heard(place("WARD02"))[0] is Beep.OK

    @precondition(lambda self: self.doing is Doing.TAKING)
    @rule()
    def for_a_patient(self) -> None:
        assert self.desk.visit is not None
        hand = self.desk.visit.in_hand
        assert self.heard(PATIENT)[0] is Beep.OK
        moved = []
        for line in hand:
            if line.unit:
                moved.append(self.move(line.unit, "patient@ward-01"))
            else:
                moved.append(self.shift(line.item, "issued@ward-01", "patient@ward-01", line.qty))
        if moved:
            self.acts.append(moved)

    @rule()
    def undo(self) -> None:
        beep, _ = self.heard(card("UNDO"))
        self.times = self.times if beep is Beep.NO and self.doing is Doing.NOBODY else 0
        if beep is Beep.NO:
            assert not self.acts, self.desk.last.message
            return
        for name, source, to, qty in reversed(self.acts.pop()):
            if name in self.where:
                self.where[name] = source
            else:
                self.shift(name, to, source, qty)

    @rule()
    def nobody_scans_for_too_long(self) -> None:
        if self.desk.visit is not None:
            self.desk.idle()
            self.reset()

    # --- what must hold ---

    @invariant()
    def the_book_is_where_things_are(self) -> None:
        rows = self.desk.ledger.connection.query(
            "SELECT unit, place FROM custody WHERE unit IN (SELECT epc FROM binding)"
        )
        assert dict(rows) == self.where
        outside = ("opening@", "supplier@", "transit@ward-01")
        for item, there in self.loose.items():
            sql = "SELECT place, sum(qty) FROM balance WHERE item = ? GROUP BY place"
            rows = self.desk.ledger.connection.query(sql, (item,))
            book = {where: qty for where, qty in rows if qty and not where.startswith(outside)}
            assert book == {where: qty for where, qty in there.items() if qty and not where.startswith(outside)}
        assert self.desk.qty("ward-01", STENT) <= len(UNITS)

    @invariant()
    def the_ledger_is_sound(self) -> None:
        self.desk.check()


TestWorkMachine = WorkMachine.TestCase
TestWorkMachine.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
