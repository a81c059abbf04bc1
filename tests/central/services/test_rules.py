"""Rules that people set: typed, dated, by the right role, and by two where a control gives way."""

import csv
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from central.core.approval import Route
from central.core.policy import PolicyRow, loosens, value_on
from central.core.policy_kinds import Loosens, RuleKind
from central.core.rights import Role
from central.errors import BadInput, ChangedSince, NotAllowed, NotNow, NotThere
from central.services.approvals import approve_automatically, limits_of, routes
from central.services.documents import Documents
from central.services.policy import rule_kinds, rules_at, shipped_rows
from central.services.rules import RULE_STEPS, RuleBook, RuleState, RuleStep, Version
from central.store.audit import acts, broken_at
from central.store.engine import Store
from central.store.queries_rules import add_rule, rule_changes
from central.store.queries_work import open_proposals
from central.store.tables.work import POLICY_RULE
from protocols.values.instant import Instant, business_day, plus
from protocols.values.money import yuan
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, frozen_clock, hospital
from tests.central.purchases import BUYER, HEAD, STORE, person, propose

OTHER_HEAD = person("10002", Role.HEAD_OF_CONSUMABLES)
ADMINISTRATOR, FINANCE = person("60001", Role.ADMINISTRATOR), person("70001", Role.FINANCE)
DAY_S, TODAY = 86_400, business_day(START)


def book(store: Store, at: Instant = START) -> RuleBook:
    return RuleBook(Documents(store, HOSPITAL, frozen_clock(at)))


def version(code: str, value: str, **more: object) -> Version:
    told: Mapping[str, object] = {
        "scope": "", "effective_from": None, "effective_to": None, "source_doc": "minutes of March", "reason": "pilot",
        **more,
    }  # fmt: skip
    return Version(code=code, value=value, **told)  # type: ignore[arg-type] # the few fields a test names


def says(store: Store, code: str, at: Instant = START, scope: str = "") -> Fraction:
    with store.read() as connection:
        return rules_at(connection, HOSPITAL, at).number(code, scope)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return hospital(tmp_path / "files")


def test_every_shipped_rule_has_a_kind_that_admits_it_and_every_kind_a_rule() -> None:
    kinds, rows = rule_kinds(), shipped_rows()
    assert {row.code for row in rows} == set(kinds)
    for row in rows:
        kinds[row.code].check_scope(row.scope)
        kinds[row.code].read(row.value)
    named = files("central.store").joinpath("policy_kinds.csv").read_text("utf-8")
    assert len({row["zh"] for row in csv.DictReader(named.splitlines())}) == len(kinds), "no two are called the same"


def test_a9_automatic_approval_is_off_until_two_people_turn_it_on_and_then_an_order_needs_nobody(store: Store) -> None:
    made = book(store).set(HEAD, version("approval.automatic", "1"))
    assert (made.state, made.loosens) == (RuleState.PROPOSED, True)
    assert says(store, "approval.automatic") == 0, "proposed is not set"
    with pytest.raises(NotAllowed, match="did not propose"):
        book(store).decide(HEAD, made.change, RuleStep.APPROVE)
    with pytest.raises(NotAllowed, match="approve-high"):
        book(store).decide(BUYER, made.change, RuleStep.APPROVE)
    assert book(store).decide(OTHER_HEAD, made.change, RuleStep.APPROVE).state == RuleState.SET
    assert says(store, "approval.automatic") == 1
    with store.read() as connection:
        assert limits_of(rules_at(connection, HOSPITAL, START)).automatic
        noted = [one for one in acts(connection, HOSPITAL) if one.subject == made.change]
        assert [(one.act, one.person) for one in sorted(noted, key=lambda one: one.seq)] == [
            ("policy-propose", HEAD.person), ("policy-approve", OTHER_HEAD.person),
        ]  # fmt: skip
        assert broken_at(connection, HOSPITAL) is None
    with pytest.raises(NotNow, match="cannot approve a change that is set"):
        book(store).decide(OTHER_HEAD, made.change, RuleStep.APPROVE)


def test_what_tightens_a_control_holds_at_once_and_an_error_of_today_is_put_right_today(store: Store) -> None:
    assert book(store).set(BUYER, version("check.certificate", "2")).state == RuleState.SET
    assert says(store, "check.certificate") == 2
    back = book(store).set(BUYER, version("check.certificate", "1"))
    assert back.state == RuleState.PROPOSED
    book(store).decide(HEAD, back.change, RuleStep.APPROVE)
    assert says(store, "check.certificate") == 1, "the second row of a day stands"


def test_a_rule_holds_from_its_day_to_its_end_and_what_was_before_holds_again(store: Store) -> None:
    first, end = TODAY + timedelta(days=10), TODAY + timedelta(days=20)
    book(store).set(BUYER, version("reorder.season", "1", scope=GAUZE, effective_from=first, effective_to=end))
    told = [says(store, "reorder.season", plus(START, days * DAY_S), GAUZE) for days in (0, 9, 10, 19, 20)]
    assert told == [0, 0, 1, 1, 0]
    assert says(store, "reorder.season", plus(START, 10 * DAY_S)) == 0, "only of the item named"
    (coming,) = [one for one in book(store).standing(GAUZE) if one.scope == GAUZE]
    assert [row.value for row in coming.coming] == ["1"]


def test_a_tightening_that_would_outlast_a_tighter_one_needs_two(store: Store) -> None:
    """0.99 until the 20th, then 0.98 again: 0.985 from the 5th loosens nothing before the 20th and nothing after."""
    book(store).set(HEAD, version("match.line_gate", "0.99", effective_to=TODAY + timedelta(days=20)))
    later = version("match.line_gate", "0.985", effective_from=TODAY + timedelta(days=5))
    assert book(store).set(HEAD, later).state == RuleState.PROPOSED, "from the 5th to the 20th it gives way"
    tail = version("match.line_gate", "0.985", effective_from=TODAY + timedelta(days=20))
    assert book(store).set(HEAD, tail).state == RuleState.SET


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (version("approval.automatic", "2"), "whole number from 0 to 1"),
        (version("approval.change", "a lot"), "a number from 0 to 10"),
        (version("approval.amount_yuan", "1e9"), "whole number"),
        (version("payment.days", "-1"), "whole number"),
        (version("reorder.cover_days", "7"), "scope"),
        (version("reorder.season", "1", scope="HC-NONE"), "an item of the catalogue"),
        (version("signin.codes", "1", scope="poet"), "a role"),
        (version("approval.change", "0.4", effective_from=TODAY - timedelta(days=1)), "from"),
        (version("approval.change", "0.4", effective_from=TODAY + timedelta(days=900)), "from"),
        (version("approval.change", "0.4", effective_to=TODAY), "to"),
        (version("approval.change", "0.4", source_doc=" "), "source"),
        (version("approval.change", "0.4", reason=""), "reason"),
    ],
)
def test_a_version_that_does_not_fit_its_kind_is_refused_with_what_was_expected(
    store: Store, given: Version, fault: str
) -> None:
    everyone = person("1", Role.HEAD_OF_CONSUMABLES)
    caller = {"payment.days": FINANCE, "signin.codes": ADMINISTRATOR}.get(given.code, everyone)
    with pytest.raises(BadInput, match=fault):
        book(store).set(caller, given)
    with store.read() as connection:
        assert rule_changes(connection, HOSPITAL) == []


def test_a_rule_is_set_by_whose_business_it_is(store: Store) -> None:
    for caller, code, value in (
        (STORE, "approval.change", "0.4"), (ADMINISTRATOR, "approval.change", "0.4"), (BUYER, "payment.days", "20"),
        (HEAD, "audit.kept_days", "800"), (BUYER, "match.line_gate", "0.99"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed, match="whole hospital"):
            book(store).set(caller, version(code, value))
    with pytest.raises(NotThere):
        book(store).set(HEAD, version("approval.poetry", "1"))
    assert book(store).set(ADMINISTRATOR, version("audit.kept_days", "800")).state == RuleState.SET
    assert book(store).set(FINANCE, version("payment.days", "20")).state == RuleState.SET


def test_a_change_that_says_what_already_holds_or_was_decided_on_an_old_sight_is_refused(store: Store) -> None:
    with pytest.raises(NotNow, match="another than what holds"):
        book(store).set(BUYER, version("approval.change", "0.50"))
    book(store).set(BUYER, version("approval.change", "0.4"), 0)
    with pytest.raises(ChangedSince):
        book(store).set(BUYER, version("approval.change", "0.3"), 0)
    book(store).set(BUYER, version("approval.change", "0.3"), 1)


def test_agreed_to_late_a_version_holds_from_that_day_and_never_for_days_that_are_past(store: Store) -> None:
    made = book(store).set(BUYER, version("approval.amount_yuan", "5000"))
    late = plus(START, 3 * DAY_S)
    book(store, late).decide(HEAD, made.change, RuleStep.APPROVE)
    told = [says(store, "approval.amount_yuan", plus(START, days * DAY_S)) for days in (0, 2, 3)]
    assert told == [2000, 2000, 5000], "what was decided on the days between is decided as it was"
    gone = version("approval.head_yuan", "90000", effective_to=TODAY + timedelta(days=2))
    over = book(store).set(BUYER, gone)
    with pytest.raises(NotNow, match="last day is gone"):
        book(store, late).decide(HEAD, over.change, RuleStep.APPROVE)
    assert (
        book(store, late).decide(HEAD, over.change, RuleStep.REFUSE, ("evidence-missing", "")).state
        == RuleState.REFUSED
    )


def test_a_decision_names_the_version_of_the_rules_it_was_made_under(store: Store) -> None:
    with store.read() as connection:
        before = rules_at(connection, HOSPITAL, START).version
    book(store).set(BUYER, version("approval.change", "0.4"))
    with store.read() as connection:
        assert rules_at(connection, HOSPITAL, START).version != before


def test_the_store_refuses_a_rule_that_loosens_and_that_nobody_else_agreed_to(store: Store) -> None:
    made = book(store).set(HEAD, version("approval.automatic", "1"))
    with pytest.raises(IntegrityError, match="two people"), store.write() as connection:
        add_rule(connection, HOSPITAL, made, TODAY)
    with pytest.raises(IntegrityError, match="two people"), store.write() as connection:
        book(store).documents.write(connection, HEAD, made.change, "policy", "approve", "set", {})


def test_every_state_of_a_change_is_reached_and_only_its_ends_have_no_step() -> None:
    assert {before for before, _ in RULE_STEPS} == {RuleState.PROPOSED}
    assert set(RULE_STEPS.values()) == {RuleState.SET, RuleState.REFUSED}


DAYS = st.integers(0, 40).map(lambda n: TODAY + timedelta(days=n))
VALUES = st.integers(0, 4).map(str)


@st.composite
def rows(draw: st.DrawFn) -> PolicyRow:
    first, last = draw(DAYS), draw(st.none() | st.integers(1, 30))
    end = None if last is None else first + timedelta(days=last)
    return PolicyRow("a", draw(st.sampled_from(["", "x"])), draw(VALUES), first, end, "S0")


@settings(max_examples=80, deadline=None)
@given(st.lists(rows(), max_size=4), rows())
def test_law_a_row_that_is_said_not_to_loosen_loosens_on_no_day_and_for_no_scope(
    old: list[PolicyRow], new: PolicyRow
) -> None:
    base = PolicyRow("a", "", "2", date(2026, 1, 1), None, "S0")
    kind = RuleKind("a", rule_kinds()["approval.amount_yuan"].kind, Fraction(0), Fraction(9), Loosens.UP,
                    rule_kinds()["approval.amount_yuan"].area, "甲", "a", ("", "x"))  # fmt: skip
    held = [base, *(PolicyRow(r.code, r.scope, r.value, r.effective_from, r.effective_to, "", n)
                    for n, r in enumerate(old, 1))]  # fmt: skip
    last = PolicyRow(new.code, new.scope, new.value, new.effective_from, new.effective_to, "", 9)
    days = [TODAY + timedelta(days=n) for n in range(80)]
    looser = [
        day for day in days for scope in ("", "x")
        if kind.is_loosened(value_on(day, held, "a", scope), value_on(day, [*held, last], "a", scope))
    ]  # fmt: skip
    assert loosens(kind, held, last) == bool(looser)


def test_a9_nothing_is_automatic_beyond_its_limits_when_it_is_on(store: Store) -> None:
    at_desk = desk(store, Watch(START))
    propose(at_desk, GAUZE, "S01", yuan("0.85"), 100)
    propose(at_desk, KIT, "S02", yuan("268"), 1000, id="bbbb2222")
    made = book(store).set(HEAD, version("approval.automatic", "1"))
    book(store).decide(OTHER_HEAD, made.change, RuleStep.APPROVE)
    with store.read() as connection:
        found = routes(connection, HOSPITAL, open_proposals(connection, HOSPITAL), START)
        rows_now = connection.execute(POLICY_RULE.select().where(POLICY_RULE.c.code == "approval.automatic")).all()
    assert {id: one.route for id, one in found.items()} == {"aaaa1111": Route.BUYER, "bbbb2222": Route.HEAD}
    assert {"first-order", "record-trust"} <= set(found["aaaa1111"].failed)
    assert {"amount", "head-amount"} <= set(found["bbbb2222"].failed)
    assert "automatic-off" not in {check for one in found.values() for check in one.failed}
    assert approve_automatically(store, HOSPITAL, START) == 0
    assert [(row.value, row.change != "") for row in rows_now] == [("0", False), ("1", True)]
