"""A refusal has a code; words only where much is refused, or where the code says nothing."""

import pytest

from central.core.refusals import SAID, Refusal, Refused, refused
from central.errors import BadInput
from protocols.values.money import yuan

LIMIT = yuan("10000")


def test_every_reason_has_its_words_in_both_languages_and_no_two_the_same() -> None:
    assert set(SAID) == set(Refusal)
    assert len({zh for zh, _ in SAID.values()}) == len({en for _, en in SAID.values()}) == len(SAID)


def test_below_the_limit_a_code_is_enough_and_above_it_words_are_needed() -> None:
    assert refused("enough-stock", "", amount=LIMIT, limit=LIMIT) == Refused(Refusal.ENOUGH, "")
    with pytest.raises(BadInput, match="words: expected why in a few words, above the limit"):
        refused("enough-stock", "  ", amount=yuan("10000.01"), limit=LIMIT)
    assert (
        refused("enough-stock", " two full shelves ", amount=yuan("10000.01"), limit=LIMIT).text == "two full shelves"
    )


def test_another_reason_is_said_in_words_whatever_it_costs() -> None:
    with pytest.raises(BadInput, match="for another reason than those listed"):
        refused("other", "")
    assert refused("other", "moved to the new building").detail == {
        "refusal": "other", "text": "moved to the new building",
    }  # fmt: skip


@pytest.mark.parametrize(("code", "text"), [("", ""), ("because", "x"), ("enough-stock", "x" * 501)])
def test_what_is_no_code_or_too_long_is_refused_with_what_was_expected(code: str, text: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        refused(code, text)
