"""The table of work: everything somebody can be doing is reached and left, and every scan has an outcome."""

import pytest

from edge_agent.core.work.machine import DEEDS, event_of
from edge_agent.core.work.states import PRESENT, TABLE, Deed, Doing, Event, expected
from edge_agent.core.work.words import Word
from protocols.codes.label import Command, CommandName, Ticket, TicketSort

ALWAYS = (Event.BADGE, Event.DONE, Event.IDLE, Event.DOOR, Event.EMERGENCY, Event.UNREADABLE)


def test_everything_is_reached_from_nobody_and_leads_back_to_it() -> None:
    reached = {Doing.NOBODY}
    for _ in Doing:
        reached |= {then for (doing, _), (then, _) in TABLE.items() if doing in reached}
    assert reached == set(Doing)
    assert all(TABLE[doing, Event.DONE][0] is Doing.NOBODY for doing in PRESENT)


@pytest.mark.parametrize("doing", PRESENT)
@pytest.mark.parametrize("event", ALWAYS)
def test_badge_end_and_emergency_are_never_out_of_order(doing: Doing, event: Event) -> None:
    assert (doing, event) in TABLE


def test_every_deed_is_in_the_table_and_has_its_function() -> None:
    assert {deed for _, deed in TABLE.values()} == set(Deed) == set(DEEDS)


def test_nobody_can_do_nothing_but_come() -> None:
    assert {event for doing, event in TABLE if doing is Doing.NOBODY} == {Event.BADGE, Event.EMERGENCY}
    assert expected(Doing.NOBODY) == [Event.BADGE, Event.EMERGENCY]


@pytest.mark.parametrize("name", CommandName)
def test_every_card_is_an_event_that_somebody_can_scan(name: CommandName) -> None:
    assert any(event is event_of(Command(name)) for _, event in TABLE)


@pytest.mark.parametrize("sort", TicketSort)
def test_every_ticket_is_an_event(sort: TicketSort) -> None:
    assert event_of(Ticket(sort, "A1")) in Event


@pytest.mark.parametrize("word", Word)
def test_every_sentence_is_said_in_both_languages(word: Word) -> None:
    assert word.en
    assert any("一" <= letter <= "鿿" for letter in word.zh)
