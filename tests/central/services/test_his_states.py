"""E2 as a law: whatever both sides scan, undo and refund, in whatever order, each chargeable piece is in one state.

The ward may write before it has heard of the other side's use; the pieces are then settled, and the book stays whole.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from central.core.charging import ChargeState
from central.errors import NotNow
from central.services.his import Consume, Outcome, Unconsume
from central.services.verify import verify
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import PlaceId
from tests.central.hospital import KIT
from tests.central.services.test_his import HIS, UNITS, Room

unit = st.sampled_from(UNITS)


class BothSides(RuleBasedStateMachine):
    """`where` is what really happened to each piece, `charges` which charge of it stands."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.room = Room(Path(self.folder.name))
        self.where = dict.fromkeys(UNITS, "shelf")
        self.by_ward = dict.fromkeys(UNITS, "shelf")
        """What the ward itself has written of each piece."""
        self.charges: dict[str, str] = {}
        self.number = 0

    def teardown(self) -> None:
        self.room.store.close()
        self.folder.cleanup()

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _move(self, kind: str, one: str, source: str, target: str) -> None:
        line = PostingLine(KIT, 1, source, target, lot="K1", unit=one)
        self.room.ward.say(kind, write_body(MovementBody((line,))), 100 + self._next(), actor="N1001")
        self.room.his.settle(self.room.ward.touched)

    @rule(one=unit)
    def the_ward_takes(self, one: str) -> None:
        if self.by_ward[one] == "shelf" and self.where[one] in {"shelf", "back", "used"}:
            self._move("issue", one, "ward-01", "issued@ward-01")
            self.by_ward[one] = "hand"
            self.where[one] = "used" if self.where[one] == "used" else "hand"

    @rule(one=unit)
    def the_ward_uses(self, one: str) -> None:
        if self.by_ward[one] == "hand" and self.where[one] in {"hand", "used"}:
            self._move("use", one, "issued@ward-01", "patient@ward-01")
            self.by_ward[one] = self.where[one] = "used"

    @rule(one=unit)
    def the_ward_gives_back(self, one: str) -> None:
        if self.by_ward[one] == self.where[one] == "hand":
            self._move("return_to_store", one, "issued@ward-01", "ward-01")
            self.by_ward[one], self.where[one] = "shelf", "back"

    @rule(one=unit)
    def the_ward_wastes(self, one: str) -> None:
        if self.by_ward[one] == self.where[one] == "hand":
            self._move("scrap", one, "issued@ward-01", "scrap@ward-01")
            self.by_ward[one] = self.where[one] = "wasted"

    @rule(one=unit)
    def the_other_side_consumes(self, one: str) -> None:
        number = f"F{self._next()}"
        asked = Consume(number, one, PlaceId("ward-01"), "P1")
        if one in self.charges:
            try:
                self.room.his.consume(HIS, asked)
            except NotNow:
                return
            raise AssertionError("a piece was charged twice")
        first = self.room.his.consume(HIS, asked)
        assert self.room.his.consume(HIS, asked).outcome == first.outcome
        expected = {"used": Outcome.ALREADY, "wasted": Outcome.CHARGED_ONLY}
        assert first.outcome is expected.get(self.where[one], Outcome.USED)
        self.charges[one] = number
        if self.where[one] not in expected:
            self.where[one] = "used"

    @precondition(lambda self: bool(self.charges))
    @rule(goods=st.booleans(), pick=st.integers(0, 3))
    def the_other_side_undoes(self, goods: bool, pick: int) -> None:
        one = sorted(self.charges)[pick % len(self.charges)]
        asked = Unconsume(f"R{self._next()}", self.charges.pop(one), goods_back=goods)
        answer = self.room.his.unconsume(HIS, asked)
        assert self.room.his.unconsume(HIS, asked).event == answer.event
        if answer.outcome is Outcome.UNDONE:
            there = next(place for place, qty in self.room.lies(one).items() if qty > 0)
            self.where[one] = "back" if there == "ward-01" else "hand"
            self.by_ward[one] = "hand" if there.startswith("issued") else "shelf"

    @invariant()
    def each_piece_is_in_one_state(self) -> None:
        states = self.room.states()
        for one, lies in self.where.items():
            held = {place: qty for place, qty in self.room.lies(one).items() if qty}
            assert list(held.values()) == [1], held
            charged = one in self.charges
            expected = {
                "shelf": ChargeState.CHARGED_NOT_ISSUED if charged else ChargeState.ON_SHELF,
                "hand": ChargeState.MATCHED if charged else ChargeState.ISSUED_NOT_CHARGED,
                "used": ChargeState.MATCHED if charged else ChargeState.ISSUED_NOT_CHARGED,
                "back": ChargeState.CHARGED_NOT_ISSUED if charged else ChargeState.RETURNED,
                "wasted": ChargeState.CHARGED_NOT_ISSUED if charged else ChargeState.WASTED,
            }
            assert states[one] is expected[lies], (one, lies, charged)

    @invariant()
    def the_book_is_whole(self) -> None:
        assert verify(self.room.store).ok


BothSides.TestCase.settings = settings(
    max_examples=8, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
)
TestBothSides = BothSides.TestCase
