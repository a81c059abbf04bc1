"""What a hostile or hurried other side does: another body, an undoing of what was undone, odd goods."""

from pathlib import Path

import pytest

from central.core.charging import ChargeState
from central.errors import NotNow, NotThere
from central.services.his import Consume, Outcome, Unconsume
from central.services.verify import verify
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import PlaceId
from tests.central.hospital import KIT
from tests.central.services.test_his import HIS, UNITS, Room, consume
from tests.central.services.test_purchasing import STORE


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def reverse(room: Room, event: str, unit: str, at_s: float) -> None:
    line = PostingLine(KIT, 1, "patient@ward-01", "issued@ward-01", lot="K1", unit=unit)
    room.ward.say("reversal", write_body(MovementBody((line,), reverses=event)), at_s, actor="N1001")


def test_a_use_that_the_storeroom_reversed_is_not_reversed_again_by_a_refund(room: Room) -> None:
    event = room.use(UNITS[0])
    assert room.his.consume(HIS, consume("F1", UNITS[0])).outcome is Outcome.ALREADY
    reverse(room, event, UNITS[0], 200)
    assert room.lies(UNITS[0]) == {"issued@ward-01": 1}
    answer = room.his.unconsume(HIS, Unconsume("R1", "F1"))
    assert (answer.outcome, room.lies(UNITS[0])) == (Outcome.REFUNDED, {"issued@ward-01": 1})
    assert room.his.unconsume(HIS, Unconsume("R1", "F1")).outcome is Outcome.REFUNDED
    assert verify(room.store).ok


def test_a_refunds_number_with_another_wish_for_the_goods_is_refused(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    room.his.consume(HIS, consume("F2", UNITS[1]))
    room.his.unconsume(HIS, Unconsume("R1", "F1", goods_back=False))
    with pytest.raises(NotNow, match="known with another content"):
        room.his.unconsume(HIS, Unconsume("R1", "F1", goods_back=True))
    room.his.unconsume(HIS, Unconsume("R2", "F2", goods_back=True))
    with pytest.raises(NotNow, match="known with another content"):
        room.his.unconsume(HIS, Unconsume("R2", "F2", goods_back=False))
    assert room.lies(UNITS[0]) == {"patient@ward-01": 1}
    assert room.lies(UNITS[1]) == {"ward-01": 1}


def test_what_was_never_charged_or_is_a_refund_is_not_undone(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    room.his.unconsume(HIS, Unconsume("R1", "F1"))
    for of in ("F9", "R1"):
        with pytest.raises(NotThere, match="expected the number of a charge"):
            room.his.unconsume(HIS, Unconsume("R2", of))
    with pytest.raises(NotNow, match="known with another content"):
        room.his.consume(HIS, consume("R1", UNITS[1]))
    assert room.states()[UNITS[0]] is ChargeState.RETURNED


def test_recalled_goods_are_used_and_charged_with_a_warning_each_time_it_is_said(room: Room) -> None:
    room.desk.recalls.recall(STORE, KIT, "K1", "the maker's letter")
    for _ in range(2):
        answer = room.his.consume(HIS, consume("F1", UNITS[0]))
        assert (answer.outcome, answer.warnings) == (Outcome.USED, ("held",))
    assert room.lies(UNITS[0]) == {"patient@ward-01": 1}


def test_a_piece_of_another_storeroom_is_used_from_where_it_lies_and_charged_there(room: Room) -> None:
    elsewhere = Consume("F1", UNITS[0], PlaceId("ward-02"), "P1")
    answer = room.his.consume(HIS, elsewhere)
    assert (answer.outcome, answer.charge.place) == (Outcome.USED, "ward-01")
    assert room.his.consume(HIS, elsewhere).event == answer.event
    assert room.states()[UNITS[0]] is ChargeState.MATCHED


def test_of_two_terminals_with_numbers_of_their_own_one_charges_a_piece(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    with pytest.raises(NotNow, match="charged already, by F1"):
        room.his.consume(HIS, consume("F2", UNITS[0]))
    assert room.lies(UNITS[0]) == {"patient@ward-01": 1}
