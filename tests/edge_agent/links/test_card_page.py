"""The page of cards holds each card's symbol, module by module, and its words."""

import re

from zint import Symbol, Symbology

from edge_agent.core.cards import Card, command_cards
from edge_agent.links.card_page import QUIET, page_of


def drawn(page: str) -> list[set[tuple[int, int]]]:
    """Return the dark modules of each symbol, by column and row."""
    symbols = []
    for path in re.findall(r'<path d="([^"]+)"', page):
        runs = [tuple(map(int, run)) for run in re.findall(r"M(\d+) (\d+)\.5h(\d+)", path)]
        symbols.append({(x + at - QUIET, y - QUIET) for x, y, length in runs for at in range(length)})
    return symbols


def pictured(text: str) -> set[tuple[int, int]]:
    """Return the dark modules of the picture that zint draws, a dot for each."""
    symbol = Symbol()
    symbol.symbology, symbol.option_3, symbol.scale = Symbology.DATAMATRIX, 100, 0.5
    symbol.encode(text)
    symbol.buffer()
    dots = symbol.bitmap
    assert dots is not None
    assert dots.shape is not None
    raw, (height, width) = dots.tobytes(), dots.shape[:2]
    return {(x, y) for y in range(height) for x in range(width) if raw[3 * (y * width + x)] == 0}


def test_each_card_is_drawn_module_by_module() -> None:
    cards = command_cards()
    assert drawn(page_of(cards)) == [pictured(card.text) for card in cards]


def test_words_are_no_markup() -> None:
    page = page_of([Card("WSB11001X", "<b>", "a&b", "", "")])
    assert "&lt;b&gt;" in page
    assert "a&amp;b" in page
