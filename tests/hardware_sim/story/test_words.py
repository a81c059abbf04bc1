"""Both languages of the terminal say the same facts by the same names."""

from string import Formatter

import pytest

from hardware_sim.story.words import WORDS, Lang, wards


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_sentence_has_the_same_values_in_every_language(name: str) -> None:
    assert set(WORDS[name]) == set(Lang)
    assert len({frozenset(_names(text)) for text in WORDS[name].values()}) == 1


@pytest.mark.parametrize("name", sorted(WORDS))
def test_a_chinese_sentence_has_chinese_punctuation(name: str) -> None:
    text = WORDS[name][Lang.ZH]
    bare = "".join(before for before, *_ in Formatter().parse(text))
    assert not set(bare) & set(",;:()!?")


def test_one_ward_is_not_many() -> None:
    assert [wards(Lang.EN, 1), wards(Lang.EN, 2), wards(Lang.ZH, 1)] == ["1 ward", "2 wards", "1 个科室"]
