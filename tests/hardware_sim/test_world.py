"""Truth is asked for an instant, and antennas hear only what is there."""

import random

import pytest

from hardware_sim.errors import BadSample, WrongUse
from hardware_sim.noise import Radio, Steady
from hardware_sim.sample.catalogue import read_sample
from hardware_sim.scenario.draw import START, tags_of
from hardware_sim.world import ANTENNAS, DOOR_ANTENNAS, Move, Shift, Storeroom, Tag, read_room, write_room
from protocols.errors import BadValue
from protocols.values.ids import Epc, ItemId, LotNo, PlaceId, Position
from protocols.values.instant import plus


def _room() -> Storeroom:
    return Storeroom(PlaceId("ward-01"), tags_of(read_sample(), 1))


def test_a_piece_is_on_its_shelf_until_the_instant_it_leaves() -> None:
    room = _room()
    tag = next(iter(room.tags.values()))
    room.take(Move(tag.epc, plus(START, 60), "scanned"))
    assert room.is_here(tag.epc, plus(START, 59.9))
    assert not room.is_here(tag.epc, plus(START, 60))
    assert len(room.on_shelf(plus(START, 60))) == len(room.tags) - 1


def test_a_piece_cannot_leave_twice_and_a_foreign_piece_cannot_leave() -> None:
    room = _room()
    epc = next(iter(room.tags))
    room.take(Move(epc, START, "scanned"))
    for wrong in (epc, Epc("3000")):
        with pytest.raises(BadValue, match="expected a piece on the shelf"):
            room.take(Move(wrong, START, "scanned"))


def test_a_shelf_that_no_antenna_faces_is_refused() -> None:
    with pytest.raises(BadSample, match="expected a shelf"):
        Tag(Epc("3000"), ItemId("A"), "", LotNo(""), "", "1", Position("S9"))


def test_a_round_hears_nearly_all_that_is_there_and_nothing_that_is_gone() -> None:
    room = _room()
    gone = next(iter(room.tags))
    room.take(Move(gone, plus(START, 60), "unscanned"))
    radio = Radio(room, random.Random(1))
    before = {heard.epc for heard in radio.inventory(START, ANTENNAS)}
    after = {heard.epc for heard in radio.inventory(plus(START, 60), ANTENNAS)}
    assert gone not in after
    assert len(before) > 0.95 * len(room.tags)


def test_a_piece_that_leaves_is_heard_at_the_door_for_two_minutes_and_by_no_other_antenna() -> None:
    room = _room()
    gone = next(iter(room.tags))
    room.take(Move(gone, plus(START, 60), "unscanned"))
    for seed in range(20):
        radio = Radio(room, random.Random(seed))
        heard = {n: radio.inventory(plus(START, 60.0 * n), ANTENNAS + DOOR_ANTENNAS) for n in range(5)}
        at_door = {(n, one.epc) for n, those in heard.items() for one in those if one.antenna in DOOR_ANTENNAS}
        assert at_door <= {(1, gone), (2, gone)}
        assert at_door
        assert not any(one.epc == gone and one.antenna in ANTENNAS for n in (1, 2, 3, 4) for one in heard[n])


def test_an_antenna_that_is_not_asked_hears_nothing() -> None:
    heard = Radio(_room(), random.Random(1)).inventory(START, (2,))
    assert {one.antenna for one in heard} == {2}


def test_the_same_seed_hears_the_same() -> None:
    rounds = [
        [Radio(_room(), random.Random(5)).inventory(plus(START, 60.0 * n), ANTENNAS) for n in range(3)]
        for _ in range(2)
    ]
    assert rounds[0] == rounds[1]


def test_no_piece_that_is_there_stays_unheard_for_ten_rounds() -> None:
    room = _room()
    for seed in range(20):
        radio = Radio(room, random.Random(seed))
        heard = {one.epc for n in range(10) for one in radio.inventory(plus(START, 60.0 * n), ANTENNAS)}
        assert heard == set(room.tags)


def test_a_room_is_the_same_after_it_was_a_file() -> None:
    room = _room()
    again = read_room(write_room(room.place, room.tags.values()))
    assert (again.place, again.tags) == (room.place, room.tags)


@pytest.mark.parametrize("raw", [b"", b"[]", b'{"place": "ward-01"}', b'{"place": "Ward 1", "tags": []}'])
def test_a_file_that_is_no_room_is_refused_in_one_line(raw: bytes) -> None:
    with pytest.raises(BadSample, match="world: expected"):
        read_room(raw)


def test_a_steady_field_is_read_at_its_rate_and_all_over() -> None:
    field = Steady(tags=20, reads_a_s=100, rng=random.Random(1))
    field.inventory(START, ANTENNAS)
    heard = [one for n in range(1, 11) for one in field.inventory(plus(START, n * 0.5), ANTENNAS)]
    assert len(heard) == 500
    assert len({one.epc for one in heard}) == 20
    assert {one.antenna for one in heard} == set(ANTENNAS)
    assert field.inventory(plus(START, 6), ()) == []


def test_a_steady_field_owes_at_most_a_second_after_a_pause() -> None:
    field = Steady(tags=1, reads_a_s=50, rng=random.Random(1))
    field.inventory(START, (1,))
    assert len(field.inventory(plus(START, 3600), (1,))) == 50


@pytest.mark.parametrize(("tags", "rate"), [(0, 1.0), (1, 0.0), (100_001, 1.0)])
def test_a_field_that_cannot_be_is_refused(tags: int, rate: float) -> None:
    with pytest.raises(WrongUse, match=r"--(tags|rate): expected"):
        Steady(tags=tags, reads_a_s=rate, rng=random.Random(1))


def test_a_piece_on_another_shelf_is_heard_by_the_antennas_that_face_that_one() -> None:
    room = _room()
    tag = next(tag for tag in room.tags.values() if tag.position == "S1")
    room.put(Shift(tag.epc, plus(START, 60), Position("S6")))
    radio = Radio(room, random.Random(3))

    def antennas(at_s: float) -> set[int]:
        rounds = [radio.inventory(plus(START, at_s + more), ANTENNAS) for more in range(9)]
        return {heard.antenna for one in rounds for heard in one if heard.epc == tag.epc}

    assert (antennas(50), antennas(60)) == ({1, 2}, {3, 4})
    assert (room.position_of(tag.epc, plus(START, 59)), room.position_of(tag.epc, plus(START, 60))) == ("S1", "S6")
    assert room.is_here(tag.epc, plus(START, 99))
    with pytest.raises(BadValue, match="where it always did"):
        room.put(Shift(tag.epc, plus(START, 70), Position("S1")))
    with pytest.raises(BadValue, match="expected a shelf"):
        Shift(tag.epc, START, Position("S9"))
