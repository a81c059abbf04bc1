"""Two symbols of one label are one scan; what was acted upon is never joined to a later one."""

import pytest

from edge_agent.core.halves import HALF_S, join_scan, settle_half
from edge_agent.core.recognise import meaning_of
from edge_agent.core.work.scene import Decision, Visit
from edge_agent.core.work.words import Word
from protocols.codes.label import Label
from protocols.codes.merge import Half
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId
from tests.edge_agent.conftest import START

PRODUCT = "]d20109506000134352"
REST = "]C110L1\x1d2142"
WHOLE = "]d20109506000134352" + "10L1\x1d2142"
VISIT = Visit(ActorId("1001"), START)
REFUSED, TAKEN = Decision(VISIT, Beep.NO, Word.NO_SERIAL), Decision(VISIT, Beep.OK, Word.PACK)


def scan(*texts: str, told: Decision = REFUSED, apart_s: float = 1.0) -> tuple[object, Half | None, Decision]:
    half: Half | None = None
    meaning: object = None
    decision = told
    for number, text in enumerate(texts):
        meaning, waits = join_scan(half, meaning_of(text), number * apart_s)
        decision, half = settle_half(waits, told)
    return meaning, half, decision


@pytest.mark.parametrize("texts", [(PRODUCT, REST), (REST, PRODUCT)])
def test_two_symbols_within_the_time_are_one_label_in_either_order(texts: tuple[str, str]) -> None:
    meaning, half, _ = scan(*texts)
    assert isinstance(meaning, Label)
    assert (meaning.product, meaning.lot, meaning.serial, half) == ("09506000134352", "L1", "42", None)


def test_the_first_symbol_asks_for_a_look_and_the_reason_says_what_to_do() -> None:
    _, half, decision = scan(PRODUCT)
    assert half is not None
    assert decision.beep is Beep.LOOK
    assert decision.message == f"{REFUSED.message}; if this label is printed as two symbols, scan the other one now"


def test_a_symbol_that_was_taken_joins_nothing() -> None:
    meaning, half, decision = scan(PRODUCT, REST, told=TAKEN)
    assert isinstance(meaning, Label)
    assert (meaning.product, meaning.serial, half, decision) == (None, "42", None, TAKEN)


def test_too_late_is_alone_and_a_whole_label_waits_for_nothing() -> None:
    meaning, half, _ = scan(PRODUCT, REST, apart_s=HALF_S + 1)
    assert isinstance(meaning, Label)
    assert meaning.product is None
    assert half is not None
    assert scan(PRODUCT, WHOLE)[1] is None
    assert scan(PRODUCT, "hello")[1] is None


def test_without_a_visit_a_half_is_a_plain_no() -> None:
    nobody = Decision(None, Beep.NO, Word.NO_BADGE)
    assert scan(PRODUCT, told=nobody)[1:] == (None, nobody)


def test_what_is_refused_for_its_date_or_its_hold_is_a_plain_no() -> None:
    for word in (Word.EXPIRED, Word.HELD, Word.NO_PACK, Word.ONE_PIECE):
        refused = Decision(VISIT, Beep.NO, word)
        assert scan(PRODUCT, told=refused)[1:] == (None, refused)
