"""Shards: which devices a process takes in, as text and as filters of the broker."""

import pytest

from protocols.errors import BadValue
from protocols.sync.topics import EVERY_SHARD, shards_of, up_of
from protocols.values.ids import HospitalId

MAIN = HospitalId("main")


def test_ranges_and_single_shards_are_read() -> None:
    assert shards_of("0-3, 200") == {0, 1, 2, 3, 200}
    assert shards_of("0-255") == set(EVERY_SHARD)


@pytest.mark.parametrize("text", ["", "3-1", "0-256", "a", "-1", "1,,2", "1-", "99999999999"])
def test_what_names_no_shards_is_told(text: str) -> None:
    with pytest.raises(BadValue, match=r"expected ranges of 0\.\.255"):
        shards_of(text)


def test_some_shards_are_a_filter_each_and_all_of_them_one() -> None:
    assert up_of(MAIN, {7, 2}) == ["ws/1/main/2/+/up", "ws/1/main/7/+/up"]
    assert up_of(MAIN, EVERY_SHARD) == ["ws/1/main/+/+/up"]
