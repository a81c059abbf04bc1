"""The table of custody: every kind of movement is in it, every state is reached, and what cannot be is told."""

import pytest

from edge_agent.core.custody import ARRIVES, ENDS, STARTS, TRANSITIONS, Act, act_of, step
from protocols.movements.table import MOVEMENTS, Custody, Where

MOVING = {row.kind for row in MOVEMENTS.values() if row.posts or row.kind.startswith(("hold", "inspect"))}
STATES = frozenset(Custody) - {Custody.SAME}


def test_every_state_is_reached_from_the_start_and_none_is_an_end() -> None:
    reached = set(STARTS)
    for _ in STATES:
        reached |= {new for (old, _), new in TRANSITIONS.items() if old in reached}
    assert reached == STATES
    assert {state for state in STATES if not any(old is state for old, _ in TRANSITIONS)} == ENDS


def test_every_act_is_in_the_table_and_arrives_somewhere() -> None:
    assert {act for _, act in TRANSITIONS} == set(Act) == set(ARRIVES)


@pytest.mark.parametrize("kind", sorted(MOVING))
def test_every_kind_that_moves_or_holds_a_unit_is_an_act_at_each_of_its_ends(kind: str) -> None:
    ends = [where for where in MOVEMENTS[kind].enters if where is not Where.ANY] or [Where.STORE]
    for where in ends:
        assert act_of(kind, "ward-01" if where is Where.STORE else f"{where}@ward-01") in Act


def test_an_act_that_cannot_be_moves_the_unit_all_the_same_and_says_why() -> None:
    after = step(Custody.USED, Act.ISSUE, at="patient@ward-01", source="ward-01")
    assert after.state is Custody.ISSUED
    assert after.impossible == "issue: the unit is used at patient@ward-01"


def test_a_unit_taken_from_where_it_is_not_is_told() -> None:
    assert "the book has the unit at ward-02" in step(Custody.IN_STOCK, Act.ISSUE, at="ward-02", source="w").impossible


@pytest.mark.parametrize(
    ("life", "end"),
    [
        ("receive inspect_ok put_away pick", Custody.IN_STOCK),
        ("receive inspect_fail return_to_supplier receive", Custody.INSPECTING),
        ("ward_receipt stock issue use", Custody.USED),
        ("ward_receipt issue return_to_store transfer_out transfer_in", Custody.IN_STOCK),
        ("set_brought set_used", Custody.USED),
        ("set_brought set_returned set_brought", Custody.IN_STOCK),
        ("opening hold_recall inspect_ok hold_expired scrap recycle", Custody.GONE),
        ("opening owner_change issue owner_change use", Custody.USED),
    ],
)
def test_a_life_as_the_storeroom_knows_it(life: str, end: Custody) -> None:
    state = Custody.NONE
    for kind in life.split():
        after = step(state, act_of(kind))
        assert after.impossible == "", kind
        state = after.state
    assert state is end
