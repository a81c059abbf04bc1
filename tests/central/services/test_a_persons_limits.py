"""A person's limits of a line hold under every rule, and a line that somebody insists on is looked at without use."""

from datetime import date
from pathlib import Path

import pytest

from central.core.orders import State
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.queries_work import Proposal, proposals
from central.store.tables.work import POLICY_RULE
from protocols.values.instant import plus
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, hospital, tags

HERE = f"ward-01/{KIT}"


def said(store: Store, name: str, value: int, scope: str = HERE) -> None:
    row = {
        "hospital": HOSPITAL,
        "code": f"reorder.{name}",
        "scope": scope,
        "value": str(value),
        "source_doc": "the head nurse",
    }
    with store.write() as connection:
        connection.execute(POLICY_RULE.insert().values(**row, effective_from=date(2026, 1, 1)))


def asked(store: Store, policy: str, at_s: float = 3600) -> dict[str, Proposal]:
    replenish(store, HOSPITAL, plus(START, at_s), policy=policy, run=f"replenish:{at_s}")
    with store.read() as connection:
        return {one.item: one for one in proposals(connection, HOSPITAL, status=State.OPEN)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A kit a day is used, six are there: `3x` orders at 7, up to 14. One swab, never used."""
    made = hospital(tmp_path)
    ward = Ward(made)
    ward.open(KIT, "K1", tags(6))
    ward.open(GAUZE, "G1", tags(1, start=50))
    return made


def test_a_persons_minimum_and_maximum_are_what_min_max_goes_by(store: Store) -> None:
    said(store, "minimum", 9)
    said(store, "maximum", 12)
    one = asked(store, "min-max")[KIT]
    assert (one.reason["trigger"], one.reason["order_up_to"], one.qty) == (9.0, 12, 10)


@pytest.mark.parametrize("policy", ["3x", "3x-literal", "min-max", "engine-item"])
def test_a_floor_is_kept_under_every_rule(store: Store, policy: str) -> None:
    said(store, "floor", 20)
    assert asked(store, policy)[KIT].qty >= 12


@pytest.mark.parametrize("policy", ["3x", "min-max"])
def test_what_a_person_put_on_request_is_not_ordered_by_itself(store: Store, policy: str) -> None:
    assert KIT in asked(store, policy)
    said(store, "on_request", 1)
    assert asked(store, policy, 7200) == {}


@pytest.mark.parametrize("policy", ["3x", "engine-item"])
def test_a_reserve_that_nobody_used_is_filled_to_its_floor(store: Store, policy: str) -> None:
    assert GAUZE not in asked(store, policy)
    said(store, "floor", 30, f"ward-01/{GAUZE}")
    assert asked(store, policy, 7200)[GAUZE].qty >= 29
