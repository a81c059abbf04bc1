from hypothesis import given
from hypothesis import strategies as st

from central.core.causes import PRIORS, Evidence, Sign, Why, rank
from central.core.discrepancies import Kind

EVIDENCE = st.builds(
    Evidence,
    kind=st.sampled_from(Kind),
    somebody_there=st.sampled_from([None, True, False]),
    lively=st.booleans(),
    unclaimed=st.booleans(),
    p_elsewhere=st.none() | st.floats(0, 1),
    booked_elsewhere=st.booleans(),
    counterparts=st.integers(0, 3),
    coming=st.integers(0, 9),
    last_kind=st.sampled_from(["", "issue", "ward_receipt", "opening", "transfer_out"]),
    seen_since=st.sampled_from([None, True, False]),
    taken_together=st.integers(0, 3),
    at_door=st.booleans(),
)


def first(known: Evidence) -> Why:
    return rank(known)[0].why


def missing(**known: object) -> Evidence:
    return Evidence(Kind.MISSING, **{"somebody_there": True, "seen_since": True, "last_kind": "opening", **known})  # type: ignore[arg-type]


def unexpected(**known: object) -> Evidence:
    return Evidence(Kind.UNEXPECTED, **{"last_kind": "issue", **known})  # type: ignore[arg-type]


def test_a_piece_that_left_while_somebody_was_there_was_taken_without_a_scan() -> None:
    assert first(missing()) is Why.UNSCANNED_TAKE
    assert first(missing(somebody_there=None)) is Why.UNSCANNED_TAKE


def test_a_piece_that_fell_silent_while_nobody_was_there_has_a_dead_tag() -> None:
    found = rank(missing(somebody_there=False))[0]
    assert (found.why, found.signs) == (Why.DEAD_TAG, (Sign.NOBODY_THERE,))


def test_a_piece_that_the_door_heard_was_carried_out_though_nobody_had_badged() -> None:
    known = missing(somebody_there=False, dead_to_gone=3.0, at_door=True)
    assert first(known) is Why.UNSCANNED_TAKE
    assert rank(known)[0].signs[-1] is Sign.AT_DOOR
    assert first(missing(somebody_there=False, dead_to_gone=3.0)) is Why.DEAD_TAG


def test_who_takes_without_a_scan_may_not_badge_either_while_the_storeroom_is_in_use() -> None:
    ranked = rank(missing(somebody_there=False, lively=True))
    assert [one.why for one in ranked[:2]] == [Why.UNSCANNED_TAKE, Why.DEAD_TAG]
    assert ranked[0].signs == (Sign.LIVELY,)


def test_a_piece_that_is_heard_next_door_was_moved_there() -> None:
    assert first(missing(p_elsewhere=0.98)) is Why.NEXT_DOOR
    assert first(missing(p_elsewhere=0.02)) is Why.UNSCANNED_TAKE


def test_a_piece_beside_an_unexpected_one_of_its_item_was_swapped_with_it() -> None:
    assert first(missing(counterparts=1)) is Why.SWAP
    assert first(unexpected(counterparts=1)) is Why.SWAP


def test_entries_that_devices_still_hold_may_explain_it() -> None:
    assert first(missing(coming=3)) is Why.LATE_ENTRY
    assert first(unexpected(coming=3)) is Why.LATE_ENTRY


def test_a_received_piece_that_no_reader_ever_saw_was_never_delivered() -> None:
    assert first(missing(seen_since=False, last_kind="ward_receipt")) is Why.RECEIPT_ERROR
    assert first(unexpected(last_kind="")) is Why.RECEIPT_ERROR


def test_an_issued_piece_that_never_left_was_issued_beside_another() -> None:
    assert first(unexpected(taken_together=1)) is Why.DOUBLE_ISSUE
    assert first(unexpected(booked_elsewhere=True, last_kind="stock")) is Why.NEXT_DOOR


@given(EVIDENCE)
def test_the_weights_sum_to_one_fall_and_leave_no_cause_out(known: Evidence) -> None:
    ranked = rank(known)
    assert {one.why for one in ranked} == set(PRIORS[known.kind])
    assert abs(sum(one.weight for one in ranked) - 1) < 1e-9
    assert [one.weight for one in ranked] == sorted((one.weight for one in ranked), reverse=True)
    assert rank(known) == ranked
