"""A drawn storeroom heard by a live reader: the same room as its trace, at any instant, in any order."""

import pytest

from hardware_sim.errors import BadSample
from hardware_sim.storeroom.live import LiveRoom, live_room
from hardware_sim.storeroom.rates import QUIET, from_table
from hardware_sim.storeroom.script import Event, Script
from hardware_sim.storeroom.stock import Where
from hardware_sim.storeroom.ward import START, Plan, draw_ward
from hardware_sim.storeroom.world_file import is_world, read_world, write_world
from hardware_sim.world import write_room
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, from_iso, plus

ROOM = (1, 2, 3, 4)
RATES = from_table({"visits_a_day": 0.0, "ghost": 0.0, "next_share": 0.0, "read_mean": 0.9}, base=QUIET)
SCRIPT = Script(
    (
        Event(60, "take", "gone"),
        Event(90, "return", "gone"),
        Event(60, "dead", "dead"),
        Event(60, "shield", "hidden"),
        Event(120, "blind", antenna=2, bins=30),
    )
)
PLAN = Plan(seed=3, days=2, tags=60, rates=RATES, script=SCRIPT)


@pytest.fixture(scope="module")
def room() -> LiveRoom:
    return LiveRoom(draw_ward(PLAN), from_iso(START))


def minute(number: float) -> Instant:
    return plus(from_iso(START), number * 60)


def heard(room: LiveRoom, since: float, antennas: tuple[int, ...] = ROOM) -> set[str]:
    return {each.epc for turn in range(20) for each in room.inventory(minute(since + turn / 30), antennas)}


def test_the_same_instant_is_heard_alike_in_whatever_order_one_asks(room: LiveRoom) -> None:
    early, late = room.inventory(minute(10), ROOM), room.inventory(minute(100), ROOM)
    assert room.inventory(minute(100), ROOM) == late
    assert room.inventory(minute(10), ROOM) == early
    assert early != late


def test_a_piece_is_heard_while_it_is_here_and_only_then(room: LiveRoom) -> None:
    ward = draw_ward(PLAN)
    gone, dead, hidden = (ward.stock.pieces[ward.cast[word]].epc for word in ("gone", "dead", "hidden"))
    assert {gone, dead, hidden} <= heard(room, 58)
    assert not {gone, dead, hidden} & heard(room, 62)
    assert gone in heard(room, 92)
    assert not {dead, hidden} & heard(room, 92)


def test_only_what_is_here_and_references_are_heard(room: LiveRoom) -> None:
    ward = draw_ward(PLAN)
    here = {piece.epc for piece in ward.stock.tags if piece.first == Where.HERE}
    assert heard(room, 5) <= here
    assert len(heard(room, 5)) > 0.9 * len(here)


def test_a_blind_antenna_hears_nothing(room: LiveRoom) -> None:
    assert heard(room, 100, (2,))
    assert not heard(room, 125, (2,))
    assert heard(room, 152, (2,))


def test_the_door_hears_a_piece_as_it_is_carried_through() -> None:
    script = Script(tuple(Event(60 + turn, "take", f"p{turn}") for turn in range(20)))
    ward = draw_ward(Plan(seed=3, days=2, tags=60, rates=from_table({"door_capture": 1.0}, base=RATES), script=script))
    room = LiveRoom(ward, from_iso(START))
    seen = {each.epc for tenth in range(20 * 600) for each in room.inventory(minute(60 + tenth / 600), (5, 6))}
    assert seen == {ward.stock.pieces[tag].epc for tag in ward.cast.values()}
    assert not room.inventory(minute(30), (5, 6))


def test_a_world_file_is_told_from_a_room_of_the_demo_and_read_back() -> None:
    assert is_world(write_world(PLAN))
    assert read_world(write_world(PLAN)) == PLAN
    assert not is_world(write_room(PlaceId("ward-01"), ()))
    assert not is_world(b"nothing")


@pytest.mark.parametrize(
    "raw", [b"{}", b'{"form":"x","seed":1,"days":1,"tags":1,"rates":{}}', write_world(PLAN).replace(b"60", b"0", 1)]
)
def test_a_world_file_that_is_wrong_is_one_clear_error(raw: bytes) -> None:
    with pytest.raises(BadSample, match="world: expected"):
        read_world(raw)


def test_days_begin_when_the_reader_does_unless_it_is_those_days() -> None:
    plan = Plan(seed=3, days=1, tags=10, rates=RATES)
    inside, later = from_iso("2026-03-02T10:00:00+08:00"), from_iso("2030-01-01T00:00:00+08:00")
    own = LiveRoom(draw_ward(plan), from_iso(START)).inventory(inside, ROOM)
    assert live_room(plan, inside).inventory(inside, ROOM) == own
    first = LiveRoom(draw_ward(plan), from_iso(START)).inventory(from_iso(START), ROOM)
    assert live_room(plan, later).inventory(later, ROOM) == first
