"""The hospital information system's side of a use: one scan on either side, said again, undone, late, contradicted."""

from pathlib import Path

import pytest

from central.core.charging import ChargeState, patient_ref
from central.core.rights import Caller, Grant, Role
from central.errors import BadInput, NotAllowed, NotNow, NotReady, NotThere
from central.services.charges import differences, pieces
from central.services.his import Consume as _Consume
from central.services.his import His, Outcome
from central.services.his import Unconsume as _Unconsume
from central.services.verify import verify
from central.store import queries_charges as kept
from central.store.engine import Store
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import ActorId, PlaceId
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, STORY_DAY, Ward, hospital, tags

KEY = b"a key that hides patients"
HIS = Caller(ActorId("his"), "HIS", (Grant(Role.HIS),))
NURSE = Caller(ActorId("20001"), "N", (Grant(Role.NURSE, frozenset({PlaceId("ward-01")})),))
UNITS = tags(4)
WARD = PlaceId("ward-01")


def consume(charge: str, code: str, patient: str = "P1", **more: object) -> _Consume:
    return _Consume(charge, code, WARD, patient, **more)  # type: ignore[arg-type] # what a test says besides


class Room:
    """A ward with four kits on its shelf, and the two sides that may scan."""

    def __init__(self, folder: Path) -> None:
        self.store: Store = hospital(folder / "files", {})
        self.ward = Ward(self.store)
        self.ward.open(KIT, "K1", UNITS)
        self.desk = desk(self.store, Watch(START))
        self.his: His = self.desk.his

    def lies(self, unit: str) -> dict[str, int]:
        with self.store.read() as connection:
            lying = kept.lying(connection, HOSPITAL, unit=unit)
        beyond = {"opening", "supplier", "owner"}
        return {one.place: one.qty for one in lying if one.place.partition("@")[0] not in beyond}

    def use(self, unit: str, patient: str = "P1", at_s: float = 60) -> str:
        self.ward.issue(KIT, "K1", unit, at_s)
        line = PostingLine(KIT, 1, "issued@ward-01", "patient@ward-01", lot="K1", unit=unit)
        body = MovementBody((line,), patient=patient_ref(KEY, patient))
        return self.ward.say("use", write_body(body), at_s + 1, actor="N1001")

    def states(self) -> dict[str, ChargeState]:
        return {one.unit: one.state for one in pieces(self.desk, NURSE, STORY_DAY, "ward-01", KIT)}


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def test_a_label_is_told_with_where_its_piece_is_and_what_is_against_it(room: Room) -> None:
    one = room.his.resolve(HIS, UNITS[0], "ward-01")
    assert (one.item.item, one.lot, one.unit, one.place, one.charged, one.used_at) == (
        KIT, "K1", UNITS[0], "ward-01", False, None,
    )  # fmt: skip
    assert room.his.resolve(HIS, GAUZE).warnings == ("not-chargeable",)


def test_E2_what_the_other_side_scans_first_is_used_once_and_charged_once(room: Room) -> None:  # noqa: N802
    first = room.his.consume(HIS, consume("F1", UNITS[0]))
    assert (first.outcome, first.side, room.lies(UNITS[0])) == (Outcome.USED, "his", {"patient@ward-01": 1})
    again = room.his.consume(HIS, consume("F1", UNITS[0]))
    assert (again.outcome, again.event) == (Outcome.USED, first.event)
    assert room.states() == {UNITS[0]: ChargeState.MATCHED} | dict.fromkeys(UNITS[1:], ChargeState.ON_SHELF)
    assert verify(room.store).ok


def test_E2_what_the_storeroom_scanned_first_is_answered_with_what_stands(room: Room) -> None:  # noqa: N802
    event = room.use(UNITS[0])
    answer = room.his.consume(HIS, consume("F1", UNITS[0]))
    assert (answer.outcome, answer.side, answer.event, answer.actor) == (Outcome.ALREADY, "storeroom", event, "N1001")
    assert room.lies(UNITS[0]) == {"patient@ward-01": 1}
    assert room.states()[UNITS[0]] is ChargeState.MATCHED


def test_the_same_number_with_another_content_is_refused(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    with pytest.raises(NotNow, match="F1"):
        room.his.consume(HIS, consume("F1", UNITS[1]))
    with pytest.raises(NotNow, match="charged already, by F1"):
        room.his.consume(HIS, consume("F2", UNITS[0]))


def test_a_piece_used_on_one_patient_is_not_charged_to_another(room: Room) -> None:
    room.use(UNITS[0], "P1")
    with pytest.raises(NotNow, match="another patient"):
        room.his.consume(HIS, consume("F1", UNITS[0], "P2"))
    assert room.states()[UNITS[0]] is ChargeState.ISSUED_NOT_CHARGED


def test_both_sides_at_once_settle_to_the_storerooms_use(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    event = room.use(UNITS[0])  # the ward had not heard yet
    assert room.his.settle(room.ward.touched) == 1
    assert room.lies(UNITS[0]) == {"patient@ward-01": 1}
    answer = room.his.consume(HIS, consume("F1", UNITS[0]))
    assert (answer.outcome, answer.event, answer.side) == (Outcome.ALREADY, event, "storeroom")
    assert room.his.settle(room.ward.touched) == 0
    assert verify(room.store).ok


def test_a_piece_in_hand_that_the_other_side_used_from_the_shelf_is_used_from_the_hand(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    room.ward.issue(KIT, "K1", UNITS[0], 60)
    assert room.lies(UNITS[0])["ward-01"] == -1
    assert room.his.settle(room.ward.touched) == 1
    assert room.lies(UNITS[0]) == {"patient@ward-01": 1}
    assert verify(room.store).ok


def test_undoing_gives_the_goods_and_the_money_back_once(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    undone = room.his.unconsume(HIS, _Unconsume("R1", "F1", reason="not opened"))
    assert (undone.outcome, room.lies(UNITS[0])) == (Outcome.UNDONE, {"ward-01": 1})
    assert room.his.unconsume(HIS, _Unconsume("R1", "F1", reason="not opened")).event == undone.event
    with pytest.raises(NotNow, match="at most 0 left"):
        room.his.unconsume(HIS, _Unconsume("R2", "F1"))
    assert room.states()[UNITS[0]] is ChargeState.RETURNED
    assert room.his.consume(HIS, consume("F3", UNITS[0])).outcome is Outcome.USED


def test_a_refund_without_the_goods_leaves_the_piece_used_and_not_charged(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    assert room.his.unconsume(HIS, _Unconsume("R1", "F1", goods_back=False)).outcome is Outcome.REFUNDED
    assert room.lies(UNITS[0]) == {"patient@ward-01": 1}
    assert room.states()[UNITS[0]] is ChargeState.ISSUED_NOT_CHARGED


def test_a_refund_said_again_is_answered_alike_after_the_sides_were_settled(room: Room) -> None:
    room.his.consume(HIS, consume("F1", UNITS[0]))
    room.ward.issue(KIT, "K1", UNITS[0], 120)
    assert room.his.settle(room.ward.touched) == 1
    asked = _Unconsume("R1", "F1", goods_back=False)
    first = room.his.unconsume(HIS, asked)
    again = room.his.unconsume(HIS, asked)
    assert (first.outcome, first.event) == (again.outcome, again.event) == (Outcome.REFUNDED, "")


def test_a_suppliers_goods_become_the_hospitals_when_the_other_side_uses_them(room: Room) -> None:
    unit = tags(1, start=50)[0]
    brought = PostingLine(KIT, 1, "supplier@ward-01", "ward-01", lot="K2", owner="S01", unit=unit)
    room.ward.say("ward_receipt", write_body(MovementBody((brought,))), 5, actor="N1001")
    room.his.consume(HIS, consume("F1", unit))  # known by its unit alone: no tag was bound
    with room.store.read() as connection:
        owners = {(one.place, one.owner): one.qty for one in kept.lying(connection, HOSPITAL, unit=unit)}
    assert owners["patient@ward-01", "hospital"] == 1
    assert owners["owner@ward-01", "S01"] == -owners["owner@ward-01", "hospital"] == 1
    room.his.unconsume(HIS, _Unconsume("R1", "F1"))
    assert room.lies(unit) == {"ward-01": 1}
    assert verify(room.store).ok


def test_a_partial_refund_of_loose_goods_said_again_is_answered_with_its_event(room: Room) -> None:
    room.ward.receive(KIT, "K2", 5, 10)
    room.his.consume(HIS, consume("F1", KIT, qty=3))
    asked = [_Unconsume("R1", "F1", qty=1), _Unconsume("R2", "F1", qty=2)]
    first = [room.his.unconsume(HIS, one) for one in asked]
    again = [room.his.unconsume(HIS, one) for one in asked]
    assert [one.outcome for one in again] == [Outcome.UNDONE, Outcome.UNDONE]
    assert [one.event for one in again] == [one.event for one in first]
    assert len({one.event for one in again} - {""}) == 2


def test_loose_goods_go_with_what_the_storeroom_used_and_the_rest_is_written(room: Room) -> None:
    room.ward.receive(KIT, "K2", 5, 10)
    line = PostingLine(KIT, 2, "ward-01", "issued@ward-01", lot="K2")
    room.ward.say("issue", write_body(MovementBody((line,))), 20, actor="N1001")
    line = PostingLine(KIT, 2, "issued@ward-01", "patient@ward-01", lot="K2")
    room.ward.say("use", write_body(MovementBody((line,))), 30, actor="N1001")
    assert room.his.consume(HIS, consume("F1", KIT)).outcome is Outcome.ALREADY
    assert room.his.consume(HIS, consume("F2", KIT, qty=3)).outcome is Outcome.USED
    (day,) = differences(room.desk, NURSE, STORY_DAY, STORY_DAY)
    assert (day.item, day.used, day.charged, day.difference) == (KIT, 4, 4, 0)
    assert room.his.unconsume(HIS, _Unconsume("R1", "F2", qty=1)).outcome is Outcome.UNDONE
    (day,) = differences(room.desk, NURSE, STORY_DAY, STORY_DAY)
    assert (day.used, day.charged) == (3, 3)
    assert verify(room.store).ok


def test_what_cannot_be_used_is_charged_and_shows(room: Room) -> None:
    room.ward.move("scrap", KIT, "K1", UNITS[0], "ward-01", "scrap@ward-01", 20)
    assert room.his.consume(HIS, consume("F1", UNITS[0])).outcome is Outcome.CHARGED_ONLY
    assert room.states()[UNITS[0]] is ChargeState.CHARGED_NOT_ISSUED


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (consume("F1", "nothing-of-ours"), NotThere),
        (consume("F1", GAUZE), BadInput),
        (consume("F1", UNITS[0], qty=2), BadInput),
        (consume("F1", UNITS[0], charge_code="X"), BadInput),
        (_Consume("F1", UNITS[0], PlaceId("ward-99"), "P1"), NotThere),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_written(
    room: Room, said: _Consume, error: type[Exception]
) -> None:
    with pytest.raises(error, match="expected"):
        room.his.consume(HIS, said)
    assert room.lies(UNITS[0]) == {"ward-01": 1}


def test_only_who_may_charge_does_and_never_without_the_patients_key(room: Room) -> None:
    with pytest.raises(NotAllowed):
        room.his.consume(NURSE, consume("F1", UNITS[0]))
    bare = His(room.desk.purchasing.documents)
    with pytest.raises(NotReady, match="patient_key"):
        bare.consume(HIS, consume("F1", UNITS[0]))
