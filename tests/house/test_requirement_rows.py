"""Every requirement that purchasing answers has a test with its id in its name; what is only partly met says so here.

The ids are those of the policy texts' rows: A purchasing and catalogue, B suppliers, C volume-based procurement, D
stock, G shortage, H money.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path

import pytest

ROWS = (
    *(f"A{number}" for number in range(1, 14)),
    *(f"B{number}" for number in range(1, 7)),
    *(f"C{number}" for number in range(1, 10)),
    *(f"D{number}" for number in range(4, 10)),
    *("G1", "G2", "G3", "H1", "H2"),
)
PARTLY = {
    "A12": "a purchasing body stands with its agreement; shares of a quota are not divided among its members",
}
"""Rows of which a part is missing, and which."""

TESTS = Path(__file__).resolve().parents[1]
NAME = re.compile(r"^\s*def (test_\w+)", re.MULTILINE)
ID = re.compile(r"[A-I][0-9]{1,2}")


def carried() -> dict[str, list[str]]:
    """Return the tests that carry each id: ids stand at the beginning of a name, in either case."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name in names():
        for part in takewhile(ID.fullmatch, name.upper().split("_")[1:]):
            found[part].append(name)
    return found


def names() -> Iterator[str]:
    """Give the name of every test."""
    for file in sorted(TESTS.rglob("test_*.py")):
        yield from NAME.findall(file.read_text("utf-8"))


CARRIED = carried()


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test_that_carries_its_id(row: str) -> None:
    assert CARRIED[row], f"no test's name begins with test_{row.lower()}_"


def test_what_is_only_partly_met_is_a_row_of_the_list() -> None:
    assert set(PARTLY) <= set(ROWS)
