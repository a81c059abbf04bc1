"""What a sentence calls the words of the ledger: a person reads neither codes nor another language."""

import re
from itertools import chain

import pytest

from edge_agent.core.book import HOLDS
from edge_agent.core.duties import Duty
from edge_agent.core.work.bodies import who_may
from edge_agent.core.work.machine import REPEATS
from edge_agent.core.work.states import Doing, Event
from edge_agent.core.work.words import DOINGS, EVENTS, NAMES, Word, sentence
from protocols.codes.own import CommandName
from protocols.movements.table import MOVEMENTS, Custody, Who
from protocols.permits import Gated, Permit

PEOPLE = {
    " or ".join(who.value for who in row.who if who is not Who.DEVICE)
    for row in MOVEMENTS.values()
    if not who_may(("nobody",), row.kind)
}
TOLD = {
    *(kind for kind, row in MOVEMENTS.items() if row.posts and kind not in ("gap", "suspense", "reversal")),
    *chain.from_iterable(REPEATS.values()),
    *(state.value for state in Custody if state is not Custody.SAME),
    *HOLDS,
    *(permit.value for permit in Permit if permit is not Permit.NORMAL),
    *(act.value for act in (Gated.REPLENISHMENT, Gated.TRANSFER_IN)),
    *(name.why for name in CommandName if name.why),
    Duty.WEEKLY_RECONCILE.value,
} | (PEOPLE - {""})


@pytest.mark.parametrize("code", sorted(TOLD))
def test_every_word_of_the_ledger_that_a_sentence_may_name_has_words_for_people(code: str) -> None:
    english, chinese = NAMES[code]
    assert re.fullmatch(r"[a-z, ]+", english)
    assert re.fullmatch(r"[\u4e00-\u9fff]+", chinese)


def test_every_doing_and_event_is_named_in_both_languages() -> None:
    assert DOINGS.keys() == set(Doing)
    assert EVENTS.keys() == set(Event)


def test_a_held_lot_is_told_in_the_words_of_whoever_reads() -> None:
    about = {"item": "C001", "lot": "L1", "why": "hold_expired"}
    assert sentence(Word.HELD, about) == "C001 lot L1: held (expired); take another, or scan EMERGENCY"
    assert "（过期）" in sentence(Word.HELD, about, "zh")


@pytest.mark.parametrize("word", Word)
def test_both_sentences_of_a_word_name_the_same_things(word: Word) -> None:
    english, chinese = (set(re.findall(r"\{(\w+)\}", text)) for text in (word.en, word.zh))
    assert chinese <= english
