"""A card is one need however often it is read, and a bin that is empty again is another."""

import pytest

from edge_agent.core.kanban import ABSENT_S, AGAIN_S, Bin, Kanban
from protocols.errors import BadValue
from protocols.readers.reads import LinkDown, RoundEnded, TagRead
from protocols.values.ids import Epc, ItemId, epc
from protocols.values.instant import plus
from tests.edge_agent.conftest import START

CARD, OTHER = epc("30340242201D8D40000000C1"), epc("30340242201D8D40000000C2")
GLOVES = Bin(CARD, ItemId("C900"), 200, "S7")
SWABS = Bin("KB-17", ItemId("C901"), 50)
BOX = 7


class Box:
    """The box for cards by antenna 7 of r1."""

    def __init__(self, noted: dict[str, int] | None = None) -> None:
        given = {card: plus(START, -seconds) for card, seconds in (noted or {}).items()}
        self.kanban = Kanban([GLOVES, SWABS], given, {"r1": frozenset({BOX})}, START)
        self.now = START

    def rounds(self, seconds: float, *cards: Epc, antenna: int = BOX) -> list[Bin]:
        empty: list[Bin] = []
        for _ in range(round(seconds / 10)):
            self.now = plus(self.now, 10)
            for card in cards:
                found = self.kanban.hear("r1", TagRead(card, antenna, -50, self.now, self.now))
                empty += [found] if found else []
            self.kanban.hear("r1", RoundEnded(self.now, (1, BOX)))
        return empty


def test_a_card_thrown_into_the_box_is_one_need_until_it_was_taken_away() -> None:
    box = Box()
    assert box.rounds(20_000, CARD, OTHER) == [GLOVES]
    box.rounds(ABSENT_S / 2)
    assert box.rounds(100, CARD) == []
    box.rounds(ABSENT_S + 10)
    assert box.rounds(100, CARD) == [GLOVES]


def test_a_card_on_its_full_bin_is_no_need_whatever_shelf_antenna_reads_it() -> None:
    assert Box().rounds(1_000, CARD, antenna=1) == []


def test_an_outage_takes_no_card_away() -> None:
    box = Box()
    box.rounds(100, CARD)
    box.kanban.hear("r1", LinkDown("cut"))
    box.now = plus(box.now, 10 * ABSENT_S)
    assert box.rounds(100, CARD) == []


def test_after_a_restart_a_card_that_was_noted_today_lies_there_still() -> None:
    assert Box({CARD: 3600}).rounds(100, CARD) == []
    assert Box({CARD: int(AGAIN_S)}).rounds(100, CARD) == [GLOVES]


def test_a_scanned_card_is_the_same_need_for_a_day() -> None:
    box = Box()
    assert box.kanban.of("KB-17") is not None
    assert box.kanban.of("KB-18") is None
    box.kanban.note("KB-17", START)
    assert box.kanban.noted_within("KB-17", plus(START, AGAIN_S - 1)) == START
    assert box.kanban.noted_within("KB-17", plus(START, AGAIN_S)) is None


@pytest.mark.parametrize(("card", "qty"), [("", 1), ("x" * 129, 1), ("a\rb", 1), ("a", 0), ("a", 1_000_001)])
def test_a_bin_is_checked_when_it_is_made(card: str, qty: int) -> None:
    with pytest.raises(BadValue):
        Bin(card, ItemId("C900"), qty)
