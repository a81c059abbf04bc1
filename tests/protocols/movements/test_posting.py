"""The laws of posting lines, for every row that posts by being in the table."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.entry import encode_body
from protocols.errors import BadValue, PeerBroke, ProtocolsError
from protocols.movements.bodies import write_body
from protocols.movements.posting import LINES_MAX, MovementBody, PostingLine, lines_of, place_sort
from protocols.movements.table import MOVEMENTS, Movement, Where

posting = [row for row in MOVEMENTS.values() if row.posts]


def place_for(sort: Where) -> str:
    return "ward-01" if sort in (Where.STORE, Where.ANY) else f"{sort}@ward-01"


@pytest.mark.parametrize("row", posting, ids=lambda row: row.kind)
def test_every_posting_row_admits_a_line_between_its_places(row: Movement) -> None:
    for source in row.leaves:
        for target in row.enters:
            line = PostingLine(
                item="GZ-001", qty=1, source=place_for(source), target=place_for(target), target_position="S9"
            )
            assert lines_of(row.kind, encode_body(write_body(MovementBody(lines=(line,))))) == (line,)


def test_a_line_to_a_place_the_kind_does_not_know_is_refused_by_name() -> None:
    body = encode_body({"lines": [{"item": "GZ-001", "qty": 1, "source": "ward-01", "target": "scrap@ward-01"}]})
    with pytest.raises(BadValue, match=r"issue: expected to go to issued, got scrap@ward-01"):
        lines_of("issue", body)


@pytest.mark.parametrize(
    "change",
    [
        {"qty": 0},
        {"qty": -1},
        {"qty": 1.5},
        {"qty": 2, "unit": "E2"},
        {"source": "ward 1"},
        {"target": "ward-01"},
        {"item": ""},
    ],
)
def test_a_line_that_could_not_happen_is_refused_when_made(change: dict[str, Any]) -> None:
    line = {"item": "GZ-001", "qty": 1, "source": "ward-01", "target": "issued@ward-01"} | change
    with pytest.raises((BadValue, PeerBroke), match=r"(?i)expected"):
        lines_of("issue", encode_body({"lines": [line]}))


@pytest.mark.parametrize("count", [0, LINES_MAX + 1])
def test_an_act_has_at_least_one_line_and_a_limit(count: int) -> None:
    line = {"item": "G", "qty": 1, "source": "ward-01", "target": "issued@ward-01"}
    with pytest.raises(BadValue, match="posting lines"):
        lines_of("issue", encode_body({"lines": [line] * count}))


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(BadValue, match="teleport"):
        lines_of("teleport", b"{}")


@given(st.binary(max_size=200), st.sampled_from(sorted(MOVEMENTS)))
def test_any_body_bytes_are_lines_or_the_packages_own_error(raw: bytes, kind: str) -> None:
    try:
        for line in lines_of(kind, raw):
            place_sort(line.source)
    except ProtocolsError:
        pass
