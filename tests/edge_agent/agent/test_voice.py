"""The log is for people: a line each, a change once, a flood counted, and nothing unprintable."""

import io

from edge_agent.agent.voice import COUNTED_EVERY_S, LINE_MAX, Voice
from edge_agent.clock import Clock
from protocols.values.instant import StoryTime
from tests.edge_agent.conftest import START


class Spoken:
    def __init__(self) -> None:
        self.ns, self.stream = 0, io.StringIO()
        self.voice = Voice(Clock(StoryTime(START, 1, 0), lambda: self.ns), self.stream)

    def lines(self) -> list[str]:
        return [line.split(" ", 1)[1] for line in self.stream.getvalue().splitlines()]


def test_a_line_bears_the_time_of_the_story_and_stays_a_line() -> None:
    spoken = Spoken()
    spoken.voice.say("scan", "a\nb\x1b[31m" + "x" * 10_000)
    (line,) = spoken.stream.getvalue().splitlines()
    assert line.startswith("2026-03-02T16:00:00+08:00 scan: a·b·[31m")
    assert len(line) < LINE_MAX + 40


def test_the_same_is_said_once_until_it_changes() -> None:
    spoken = Spoken()
    for text in ("up", "up", "down", "up"):
        spoken.voice.say_change("reader", text)
    assert spoken.lines() == ["reader: up", "reader: down", "reader: up"]


def test_thousands_are_counted() -> None:
    spoken = Spoken()
    for _ in range(1000):
        spoken.voice.say_counted("frames", "bad")
    spoken.ns = round(COUNTED_EVERY_S * 1e9)
    spoken.voice.say_counted("frames", "bad")
    assert spoken.lines() == ["frames: bad", "frames: bad (and 999 more before)"]


def test_some_of_many_may_be_said_before_they_are_counted() -> None:
    spoken = Spoken()
    for number in range(5):
        spoken.voice.say_counted("scan", f"no {number}", burst=3)
    spoken.ns = round(COUNTED_EVERY_S * 1e9)
    spoken.voice.say_counted("scan", "no 5", burst=3)
    assert spoken.lines() == ["scan: no 0", "scan: no 1", "scan: no 2", "scan: no 5 (and 2 more before)"]


def test_a_closed_log_stops_nobody() -> None:
    spoken = Spoken()
    spoken.stream.close()
    spoken.voice.say("scan", "x")
