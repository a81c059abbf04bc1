"""Both languages of the terminal say the same facts by the same names."""

from string import Formatter

import pytest

from hardware_sim.story.words import WORDS, Lang


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_sentence_has_the_same_values_in_every_language(name: str) -> None:
    assert set(WORDS[name]) == set(Lang)
    assert len({frozenset(_names(text)) for text in WORDS[name].values()}) == 1
