"""A part of every run of the mutator, and that its inputs are the same each time."""

import random

import pytest

from tests.fuzz.streams import Outcome, mutant, run, stream_seeds, targets

INPUTS = 10_000
GROWN_KB_MAX = 4 * 1024


@pytest.mark.parametrize("name", targets())
def test_mutants_raise_nothing_but_our_own_errors_and_leave_nothing_behind(name: str) -> None:
    found = run(targets()[name], inputs=INPUTS)
    assert 0 < found.understood < INPUTS
    assert found.grown_kb < GROWN_KB_MAX


def test_the_same_seed_gives_the_same_inputs() -> None:
    seeds = stream_seeds("m100")
    one, other = random.Random(5), random.Random(5)
    assert [mutant(seeds, one) for _ in range(100)] == [mutant(seeds, other) for _ in range(100)]


def test_a_run_says_how_much_it_did() -> None:
    assert isinstance(run(targets()["scanner"], inputs=100), Outcome)
