"""The page's order and counts: trouble first, and what needs a person is what is listed."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from central.core.match import Match
from central.web.views import BAR_WIDTH, Contact, Said, bar_of, contact_of, view_of
from tests.central.web import hospitals


def test_a_ward_out_of_touch_stands_first_then_the_one_with_a_difference() -> None:
    view = view_of(hospitals.troubled())
    assert [row.ward.place.code for row in view.wards] == ["ward-02", "ward-03", "ward-01", "ward-04"]
    assert [row.in_trouble for row in view.wards] == [True, True, False, False]


def test_the_needs_are_counted_from_what_is_listed() -> None:
    view = view_of(hospitals.troubled())
    needs = view.needs
    assert (needs.proposals, needs.discrepancies, needs.wards_silent, needs.wards_never) == (3, 2, 1, 0)


def test_a_ward_never_connected_is_not_counted_as_one_that_fell_silent() -> None:
    view = view_of(hospitals.half_connected())
    assert (view.needs.wards_silent, view.needs.wards_never) == (1, 1)
    assert [row.ward.place.code for row in view.wards[:2]] == ["ward-02", "ward-04"]


def test_a_silent_wards_figures_are_as_old_as_its_last_contact() -> None:
    view = view_of(hospitals.half_connected())
    silent = hospitals.wards()[1].last_contact
    assert [row.as_of for row in view.wards] == [silent, None, None, None]
    together = view.match
    assert together is not None
    assert (together.silent, together.as_of, together.is_current) == (1, silent, False)
    calm = view_of(hospitals.calm()).match
    assert calm is not None
    assert (calm.as_of, calm.is_current) == (None, True)


def test_a_silent_ward_with_nothing_to_compare_leaves_the_hospitals_match_of_now() -> None:
    overview = hospitals.troubled()
    bare = replace(overview.wards[1], match=Match(0, 0, 0, 0))
    view = view_of(replace(overview, wards=(overview.wards[0], bare)))
    assert view.match is not None
    assert view.match.is_current


def test_a_hospital_is_at_rest_only_when_it_has_wards_and_none_needs_anybody() -> None:
    assert view_of(hospitals.calm()).at_rest
    assert not view_of(hospitals.troubled()).at_rest
    assert not view_of(hospitals.empty()).at_rest


def test_missing_and_unexpected_pieces_are_told_apart_in_the_wards_row() -> None:
    row = next(row for row in view_of(hospitals.troubled()).wards if row.ward.place == hospitals.CARDIOLOGY)
    assert (row.missing, row.unexpected, row.below_gate) == (1, 1, True)


def test_the_hospitals_match_is_over_all_lines_and_not_a_mean_of_means() -> None:
    together = view_of(hospitals.troubled()).match
    assert together is not None
    assert together.match == Match(lines=218, lines_right=216, book=832, differing=2)
    assert not together.below_gate


def test_a_hospital_without_wards_has_no_match() -> None:
    assert view_of(hospitals.empty()).match is None


def test_contact_is_told_by_what_a_person_must_do() -> None:
    heard = hospitals.wards()[0]
    assert contact_of(heard) is Contact.HEARD
    assert contact_of(replace(heard, device="")) is Contact.NONE
    assert contact_of(replace(heard, last_contact=None, offline=True)) is Contact.NEVER
    assert contact_of(replace(heard, offline=True)) is Contact.SILENT


@given(position=st.integers(-50, 500), trigger=st.floats(0, 500), level=st.integers(0, 600), qty=st.integers(1, 500))
def test_a_bar_never_leaves_its_scale(position: int, trigger: float, level: int, qty: int) -> None:
    one = hospitals.proposals()[0]
    bar = bar_of(replace(one, qty=qty, why=replace(one.why, position=position, trigger=trigger, order_up_to=level)))
    assert all(0 <= mark <= BAR_WIDTH for mark in (bar.position, bar.trigger, bar.order_up_to, bar.after))
    assert bar.position <= bar.after


def test_a_notice_names_an_order_that_is_there_and_nothing_else() -> None:
    overview = hospitals.troubled()
    said = view_of(overview, Said.APPROVED, "PO-20260302-9F3A11C0").notice
    assert said is not None
    assert said.order == overview.orders[0]
    assert view_of(overview, Said.APPROVED, "PO-nobody-knows").notice is None
    assert view_of(overview, Said.ALREADY, "PO-nobody-knows").notice is None
    assert view_of(overview, Said.STALE).notice is not None
    assert view_of(overview).notice is None
