"""The catalogue as rules: the life of an item, usage at its border, trim against a baseline, codes that warn."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.catalogue import (
    ITEM_STEPS,
    CodeFault,
    Codes,
    ItemState,
    ItemStep,
    Reviewed,
    Usage,
    candidates,
    code_faults,
    in_packs,
    item_after,
    trims,
    usage_of,
)
from central.errors import BadInput, NotNow

BELOW = Fraction(1, 10)


def test_a4_an_item_goes_from_draft_over_evidence_and_approval_into_use() -> None:
    state = ItemState.DRAFT
    for event in (ItemStep.EVIDENCE, ItemStep.APPROVE, ItemStep.ACTIVATE, ItemStep.RETIRE, ItemStep.DRAFT):
        state = item_after(state, event)
    assert state is ItemState.DRAFT
    for event in (ItemStep.APPROVE, ItemStep.ACTIVATE):
        with pytest.raises(NotNow, match=f"cannot {event} one that is draft; it can evidence, retire"):
            item_after(ItemState.DRAFT, event)


def test_every_state_of_an_item_is_reached_and_none_is_an_end() -> None:
    assert set(ITEM_STEPS.values()) == set(ItemState)
    assert {state for state, _ in ITEM_STEPS} == set(ItemState)


@pytest.mark.parametrize(("used", "listed"), [(999, True), (1000, False), (1001, False)])
def test_a2_an_item_used_in_9_99_percent_is_listed_and_one_in_10_00_is_not(used: int, *, listed: bool) -> None:
    one = Reviewed("A", Usage(used, 10_000), ("B",))
    assert (candidates([one], BELOW) == [one]) is listed


def test_a2_an_item_without_a_substitute_an_exempt_one_and_one_in_no_ward_are_never_listed() -> None:
    rare = Usage(1, 100)
    seen = [Reviewed("A", rare, ()), Reviewed("B", rare, ("X",), exempt=True), Reviewed("C", Usage(0, 0), ("X",))]
    assert candidates(seen, BELOW) == []


def test_a2_usage_counts_wards_that_use_or_hold_it_from_the_first_month_of_use() -> None:
    assert usage_of({"w1": {0, 5}, "w2": {11}}, {"w3"}) == Usage(3, 36)
    assert usage_of({"w1": {9, 11}}, set()) == Usage(2, 3), "a new item is not blamed for the months before it"
    assert usage_of({}, {"w1"}) == Usage(0, 12)
    assert usage_of({}, set()).rate is None


@given(st.dictionaries(st.sampled_from("abc"), st.sets(st.integers(0, 11))), st.sets(st.sampled_from("abc")))
def test_a2_a_usage_rate_lies_between_nothing_and_all(months: dict[str, set[int]], held: set[str]) -> None:
    rate = usage_of(months, held).rate
    assert rate is None or 0 <= rate <= 1


def test_a3_trim_is_one_less_active_over_the_frozen_baseline_by_class() -> None:
    baseline = {f"H{n}": "high" for n in range(20)} | {"L1": "low"}
    active = {f"H{n}": "high" for n in range(16)} | {"NEW": "high", "L1": "low"}
    found = trims(baseline, active)
    assert (found["high"].share, found["low"].share) == (1 - Fraction(17, 20), Fraction(0))
    assert trims({}, active)["high"].share is None


GOOD = Codes("国械注准20183770123", "06999990101047", "06999990101047", "C" + "0" * 19, "YP1", 5, 5, 50)


def faults(**changed: object) -> list[CodeFault]:
    told = {name: getattr(GOOD, name) for name in Codes.__slots__} | changed
    return code_faults(Codes(**told))


def test_codes_as_they_should_be_are_not_doubted() -> None:
    assert faults() == []
    for fine in ("国械注进20193120456", "辽械注准20202140789", "京械注准20152660001"):
        assert faults(registration=fine) == []
    assert faults(insurance="C" + "A" * 26) == []
    assert faults(udi_di="MA.156.M0.100000.0000000") == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"registration": ""}, CodeFault.REGISTRATION_LACKING),
        ({"registration": "国械注准2018377012"}, CodeFault.REGISTRATION_FORM),
        ({"udi_di": "06999990101048"}, CodeFault.UDI_FORM),
        ({"udi_di": "06999990101016"}, CodeFault.UDI_OTHER),
        ({"insurance": "C" + "0" * 20}, CodeFault.INSURANCE_FORM),
        ({"insurance": "0" * 20}, CodeFault.INSURANCE_FORM),
        ({"platform": ""}, CodeFault.PLATFORM_LACKING),
        ({"purchase": 52}, CodeFault.PACKS),
        ({"middle": 4}, CodeFault.PACKS),
    ],
)
def test_a_code_that_looks_wrong_is_named(changed: dict[str, object], fault: CodeFault) -> None:
    assert faults(**changed) == [fault]


@given(st.integers(0, 10**9), st.integers(1, 50), st.integers(1, 50))
def test_quantities_in_packs_add_up_exactly(qty: int, middle: int, times: int) -> None:
    codes = Codes("", "", "", "", "", 1, middle, middle * times)
    purchase, middles, left = in_packs(qty, codes)
    assert purchase * codes.purchase + middles * middle + left == qty


def test_usage_never_says_more_months_than_there_are() -> None:
    with pytest.raises(BadInput):
        Usage(2, 1)
