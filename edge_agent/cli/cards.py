"""`cards`: the page of cards that people scan, to be printed from any browser."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from edge_agent.core.cards import Card, badge_card, bin_card, command_cards, shelf_card, storeroom_card
from edge_agent.errors import BadConfig
from protocols.errors import BadValue

Names = list[str] | None


def cards(
    out: Annotated[Path, typer.Option(metavar="FILE", help="The page, a .html; print it from a browser.")],
    badge: Annotated[Names, typer.Option(metavar="STAFF", help="A person's badge, as often as wanted.")] = None,
    shelf: Annotated[Names, typer.Option(metavar="CODE", help="A shelf's card.")] = None,
    storeroom: Annotated[Names, typer.Option(metavar="NAME", help="A storeroom's card, for transfers to it.")] = None,
    empty_bin: Annotated[Names, typer.Option("--bin", metavar="CODE", help="The card of an empty bin.")] = None,
) -> None:
    """Write the cards that were asked for, those of every command where none was."""
    asked = ((badge_card, badge), (shelf_card, shelf), (storeroom_card, storeroom), (bin_card, empty_bin))
    try:
        drawn = [card for make, names in asked for card in _made(make, names or ())] or command_cards()
    except BadValue as error:
        raise BadConfig(str(error)) from error
    if out.suffix.lower() != ".html":
        raise BadConfig(f"--out: expected a name that ends in .html, got {out.name!r:.60}")
    from edge_agent.links.card_page import page_of  # only who draws pays for it

    try:
        out.write_text(page_of(drawn), "utf-8")
    except OSError as error:
        raise BadConfig(f"--out {out}: expected a file one may write; {error.strerror}") from error
    print(f"drew {len(drawn)} cards: {out}; open it in a browser and print it at its full size")


def _made(make: Callable[[str], Card], names: Sequence[str]) -> list[Card]:
    return [make(name) for name in names]
