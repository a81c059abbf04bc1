"""Faults as data: the same seed, the same faults; every kind as often as any other; what a person writes."""

from collections import Counter
from itertools import islice, pairwise

import pytest

from hardware_sim.devices.faults import LASTS_S, Fault, Kind, draw_faults, in_order, say_fault
from hardware_sim.errors import WrongUse


def test_the_same_seed_draws_the_same_faults() -> None:
    assert list(islice(draw_faults(3, every_s=5), 50)) == list(islice(draw_faults(3, every_s=5), 50))
    assert list(islice(draw_faults(3, every_s=5), 50)) != list(islice(draw_faults(4, every_s=5), 50))


def test_every_kind_comes_as_often_as_any_other_and_about_every_so_many_seconds() -> None:
    drawn = list(islice(draw_faults(1, every_s=5), 10 * len(Kind)))
    assert Counter(each.kind for each in drawn) == dict.fromkeys(Kind, 10)
    assert all(1.9 < later.at_s - earlier.at_s < 8.1 for earlier, later in pairwise(drawn))


def test_a_fault_is_said_in_a_word() -> None:
    assert say_fault("drop@10") == Fault(Kind.DROP, 10.0, LASTS_S[Kind.DROP])
    assert say_fault("half-open@0.5+8") == Fault(Kind.HALF_OPEN, 0.5, 8.0)
    assert [each.at_s for each in in_order(map(say_fault, ("stall@9", "drop@1")))] == [1, 9]


@pytest.mark.parametrize("text", ["", "drop", "drop@", "drop@x", "flood@3", "drop@1+", "drop@1.2.3", "drop@999999"])
def test_a_fault_that_is_none_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(WrongUse, match="expected"):
        say_fault(text)


def test_faults_come_at_a_rate_above_nothing() -> None:
    with pytest.raises(WrongUse, match="--every"):
        draw_faults(1, every_s=0)
