"""Master data come in whole or not at all, and what does not fit leaves the old version at work."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.errors import FeedRefused
from edge_agent.store.catalogue import document_of, item_of, policy_of, product_of, roles_of, row_of
from edge_agent.store.feed import Row, checksum_of, take_delta, take_snapshot, version_of, versions
from tests.edge_agent.conftest import START
from tests.edge_agent.desk import Desk

ITEM = Row("item", "C1", {"pack": 10, "products": [{"code": "06999990101016", "factor": 10}]})
OTHER = Row("item", "C2", {"name_zh": "针"})


def snapshot(desk: Desk, version: int, rows: Sequence[Row], scope: str = "ward") -> None:
    take_snapshot(desk.ledger.connection, scope, version, rows, checksum=checksum_of(rows), now=START)


def test_a_snapshot_and_its_deltas_with_tombstones() -> None:
    desk = Desk()
    connection = desk.ledger.connection
    snapshot(desk, 3, [ITEM, OTHER])
    assert product_of(connection, "06999990101016") == ("C1", 10)
    left = [OTHER, Row("lot", "C2 L1", {"expiry": "2027-01-31"})]
    take_delta(connection, "ward", (3, 5), [Row("item", "C1", None), left[1]], checksum=checksum_of(left), now=START)
    assert (version_of(connection, "ward"), item_of(connection, "C1")) == (5, None)
    assert product_of(connection, "06999990101016") == ("HC1001", 1)  # the wider scope's again
    assert versions(connection)["ward"] == 5


@pytest.mark.parametrize(
    ("old", "new", "checksum"),
    [(2, 4, None), (3, 3, None), (4, 5, None), (3, 4, "0" * 64)],
)
def test_a_delta_that_does_not_fit_changes_nothing(old: int, new: int, checksum: str | None) -> None:
    desk = Desk()
    connection = desk.ledger.connection
    snapshot(desk, 3, [ITEM])
    before = connection.query("SELECT * FROM master ORDER BY 1, 2, 3")
    with pytest.raises(FeedRefused, match="expected"):
        take_delta(connection, "ward", (old, new), [OTHER], checksum=checksum or checksum_of([ITEM, OTHER]), now=START)
    assert connection.query("SELECT * FROM master ORDER BY 1, 2, 3") == before
    assert version_of(connection, "ward") == 3


def test_a_snapshot_with_a_wrong_checksum_leaves_the_old_version_at_work() -> None:
    desk = Desk()
    snapshot(desk, 3, [ITEM])
    with pytest.raises(FeedRefused, match="checksum"):
        take_snapshot(desk.ledger.connection, "ward", 4, [OTHER], checksum="0" * 64, now=START)
    assert item_of(desk.ledger.connection, "C1") is not None


def test_an_unknown_scope_is_refused_and_an_unknown_kind_is_kept() -> None:
    desk = Desk()
    with pytest.raises(FeedRefused, match="global, ward"):
        snapshot(desk, 1, [], scope="moon")
    snapshot(desk, 1, [Row("horoscope", "x", {"says": "rain"})])
    assert row_of(desk.ledger.connection, "horoscope", "x") == {"says": "rain"}


def test_the_narrower_scope_wins() -> None:
    desk = Desk()
    snapshot(desk, 1, [Row("staff", "1001", {"roles": ["keeper"]})])
    assert roles_of(desk.ledger.connection, "1001") == ("keeper",)
    snapshot(desk, 1, [Row("staff", "1001", {"roles": []})], scope="device")
    assert roles_of(desk.ledger.connection, "1001") == ()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
words = ["pack", "products", "consume_on", "content", "lines", "sort", "permit", "version", "since", "roles", "item"]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(words), json_values, max_size=6))
def test_bad_data_of_one_row_say_nothing_and_take_nothing_from_others(body: dict[str, object]) -> None:
    desk = Desk()
    rows = [
        Row(kind, key, body) for kind, key in (("item", "X"), ("document", "D"), ("staff", "s"), ("policy", "permit"))
    ]
    snapshot(desk, 1, rows)
    connection = desk.ledger.connection
    item_of(connection, "X"), document_of(connection, "D"), roles_of(connection, "s"), policy_of(connection)
    assert item_of(connection, "HC1001") is not None
