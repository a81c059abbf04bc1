"""Two labels of one piece: what a second scan adds or contradicts, and symbols that belong together in time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codes.hibc import check_character
from protocols.codes.label import Label, read_label
from protocols.codes.merge import Contradiction, Half, expire, is_whole, join, merge

LIMIT_S = 5.0


def label(text: str) -> Label:
    read = read_label(text)
    assert isinstance(read, Label)
    return read


FIRST = label("]C10106901234567892")
SECOND = label("]C117270131" + "10LOT\x1d21S1")


def test_a_second_scan_adds() -> None:
    both = merge(FIRST, SECOND)
    assert isinstance(both, Label)
    assert (both.product, both.lot, both.serial) == ("06901234567892", "LOT", "S1")
    assert [name for name, _ in both.elements] == ["01", "17", "10", "21"]


def test_a_second_scan_never_blanks() -> None:
    both = label("]C10106901234567892" + "21S1")
    assert merge(both, FIRST) == both
    assert merge(FIRST, both) == both


@pytest.mark.parametrize(
    ("text", "field"),
    [("]C10106901234567908", "product"), ("]C110OTHER", "lot"), ("]C117270228", "expiry"), ("]C121S2", "serial")],
)
def test_a_second_scan_that_says_otherwise_is_a_contradiction(text: str, field: str) -> None:
    both = merge(FIRST, SECOND)
    assert isinstance(both, Label)
    found = merge(both, label(text))
    assert isinstance(found, Contradiction)
    assert found.field == field
    assert found.known in found.reason


def test_another_agency_or_element_is_a_contradiction() -> None:
    assert merge(FIRST, label("AHM1")) == Contradiction("issuer", "GS1", "AHM")
    assert merge(label("]C13712"), label("]C13713")) == Contradiction("37", "12", "13")


def test_a_secondary_joins_only_its_own_primary() -> None:
    first = "+A99912345" + check_character("+A99912345")
    data = "+$LOT" + first[-1]
    secondary = label(data + check_character(data))
    both = merge(label(first), secondary)
    assert isinstance(both, Label)
    assert (both.product, both.lot) == ("A99912345", "LOT")
    other = "+A99912346" + check_character("+A99912346")
    found = merge(label(other), secondary)
    assert isinstance(found, Contradiction)
    assert found.field == "link"


@pytest.mark.parametrize(("one", "other"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_a_label_split_over_two_symbols_is_one(one: Label, other: Label) -> None:
    state = join(None, one, 10.0, LIMIT_S)
    assert (state.labels, state.waiting) == ((), Half(one, 15.0))
    state = join(state.waiting, other, 14.9, LIMIT_S)
    assert state.waiting is None
    assert [whole.serial for whole in state.labels] == ["S1"]
    assert is_whole(state.labels[0])


def test_a_whole_label_waits_for_nothing() -> None:
    whole = label("]C10106901234567892" + "21S1")
    assert join(None, whole, 0.0, LIMIT_S).labels == (whole,)
    assert join(Half(FIRST, 5.0), whole, 1.0, LIMIT_S).labels == (FIRST, whole)


def test_a_half_whose_time_is_over_comes_out_as_it_is() -> None:
    waiting = join(None, FIRST, 0.0, LIMIT_S).waiting
    assert expire(waiting, 4.9).labels == ()
    assert expire(waiting, 5.0).labels == (FIRST,)
    state = join(waiting, SECOND, 5.0, LIMIT_S)
    assert (state.labels, state.waiting) == ((FIRST,), Half(SECOND, 10.0))
    assert expire(None, 1.0).labels == ()


def test_the_same_half_twice_is_one_half() -> None:
    waiting = join(None, FIRST, 0.0, LIMIT_S).waiting
    assert join(waiting, FIRST, 1.0, LIMIT_S).labels == ()
    assert join(waiting, FIRST, 1.0, LIMIT_S).waiting == waiting


def test_a_half_of_another_piece_gives_the_first_up() -> None:
    other = label("]C10106901234567908")
    state = join(Half(FIRST, 5.0), other, 1.0, LIMIT_S)
    assert (state.labels, state.waiting) == ((FIRST,), Half(other, 6.0))


TEXTS = st.sampled_from(["]C10106901234567892", "]C110LOT", "]C110OTHER", "]C117270131", "]C121S1", "]C121S2", "AHM1"])


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_no_value_is_ever_lost_or_changed(texts: list[str]) -> None:
    known = label(texts[0])
    for text in texts[1:]:
        both = merge(known, label(text))
        if isinstance(both, Label):
            for field in ("issuer", "product", "lot", "expiry", "made", "serial"):
                assert getattr(known, field) in (None, getattr(both, field))
            assert replace(both, elements=known.elements) != known or set(known.elements) <= set(both.elements)
            known = both
