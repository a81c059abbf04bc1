"""Lights follow answers and go out; a door that opens and closes behind a person ends the visit."""

import io

from edge_agent.agent.signals import Signals
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.config.readers import Door, Lights, ReaderConfig
from protocols.readers.reads import CommandRefused, InputChanged
from protocols.readers.scanner import Beep
from protocols.values.instant import Instant


class Room:
    """One reader with a contact on input 2, open when low, and lights 1 (ok) and 3 (no)."""

    def __init__(self) -> None:
        self.ns = 1_000_000_000
        self.switched: list[tuple[int, bool]] = []
        self.left: list[Instant] = []
        self.log = io.StringIO()
        clock = Clock(monotonic_ns=lambda: self.ns)
        config = ReaderConfig(
            "r1", None, 1.0, 1.0, (1,), contact=Door(2, open_high=False), lights=Lights(ok=1, no=3, seconds=2.0)
        )
        self.signals = Signals(
            [config],
            switch=lambda name, port, on: self.switched.append((port, on)),
            leave=self.left.append,
            clock=clock,
            voice=Voice(clock, self.log),
        )

    def door(self, *levels: bool, port: int = 2) -> None:
        for high in levels:
            self.signals.hear("r1", InputChanged(port, high, Instant(0)))


def test_a_light_shows_for_its_time_and_another_answer_puts_it_out() -> None:
    room = Room()
    room.signals.show(Beep.OK)
    room.signals.show(Beep.OK)
    room.ns += 1_900_000_000
    room.signals.tick()
    assert room.switched == [(1, True)]
    room.signals.show(Beep.NO)
    room.signals.show(Beep.LOOK)  # this reader has no light for it
    assert room.switched[1:] == [(1, False), (3, True), (3, False)]
    room.signals.show(Beep.OK)
    room.ns += 2_000_000_000
    room.signals.tick()
    room.signals.tick()
    assert room.switched[4:] == [(1, True), (1, False)]


def test_a_door_lets_out_once_for_each_time_it_opened() -> None:
    room = Room()
    room.door(True)  # how it stands at the beginning
    assert room.left == []
    room.door(False, False, True, True)
    assert len(room.left) == 1
    room.door(False, True, port=3)
    assert len(room.left) == 1
    assert "door of r1: is open" in room.log.getvalue()


def test_an_output_the_reader_does_not_switch_is_told() -> None:
    room = Room()
    room.signals.hear("r1", CommandRefused("output 9", "no such port"))
    assert "reader r1 output 9: not done: no such port" in room.log.getvalue()
