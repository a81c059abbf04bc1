"""What is printed is what the agent reads."""

import pytest

from edge_agent.core.cards import badge_card, bin_card, command_cards, shelf_card, storeroom_card
from protocols.codes.label import Badge, Command, Ticket, TicketSort, read_label
from protocols.codes.own import CommandName
from protocols.errors import BadValue
from protocols.values.ids import ActorId


def test_every_command_has_its_card_in_both_languages() -> None:
    cards = command_cards()
    assert [read_label(card.text) for card in cards] == [read_label(f"]d1{card.text}") for card in cards]
    assert {read_label(card.text) for card in cards} == {Command(name) for name in CommandName}
    assert all(card.zh and card.en and card.then_zh and card.then_en for card in cards)


def test_badges_shelves_storerooms_and_bins_are_read_as_what_they_are() -> None:
    assert read_label(badge_card("1001").text) == Badge(ActorId("1001"))
    assert read_label(shelf_card("S3").text) == Ticket(TicketSort.PLACE, "S3")
    assert read_label(storeroom_card("ward-02").text) == Ticket(TicketSort.PLACE, "WARD02")
    assert read_label(bin_card("K12").text) == Ticket(TicketSort.BIN, "K12")


@pytest.mark.parametrize("make", [badge_card, shelf_card, storeroom_card, bin_card])
@pytest.mark.parametrize("name", ["", "-", "é", "A" * 40])
def test_what_no_card_can_carry_is_refused(make: type, name: str) -> None:
    with pytest.raises(BadValue, match="expected"):
        make(name)
