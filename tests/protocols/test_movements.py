"""The movement table: every row, by being in the table, and the laws of posting lines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.entry import encode_body
from protocols.errors import BadValue, PeerBroke, ProtocolsError
from protocols.movements import (
    LINES_MAX,
    MOVEMENTS,
    Movement,
    MovementBody,
    ObserveBody,
    PostingLine,
    VisitBody,
    Where,
    lines_of,
    place_sort,
    read_body,
    write_body,
)

CBV_STEPS = frozenset(
    (
        "accepting",
        "arriving",
        "assembling",
        "collecting",
        "commissioning",
        "consigning",
        "creating_class_instance",
        "cycle_counting",
        "decommissioning",
        "departing",
        "destroying",
        "disassembling",
        "dispensing",
        "encoding",
        "entering_exiting",
        "holding",
        "inspecting",
        "installing",
        "killing",
        "loading",
        "other",
        "packing",
        "picking",
        "receiving",
        "removing",
        "repackaging",
        "repairing",
        "replacing",
        "reserving",
        "retail_selling",
        "sampling",
        "sensor_reporting",
        "shipping",
        "staging_outbound",
        "stock_taking",
        "stocking",
        "storing",
        "transporting",
        "unloading",
        "unpacking",
        "void_shipping",
    )
)
"""Business steps of CBV 2.0 section 7.1."""

STOREROOM_KINDS = frozenset(
    (
        "clock_step",
        "gap",
        "suspense",
        "opening",
        "receive",
        "ward_receipt",
        "inspect_ok",
        "inspect_fail",
        "bind_tag",
        "put_away",
        "pick",
        "pack_make",
        "pack_open",
        "set_brought",
        "set_used",
        "set_returned",
        "transfer_out",
        "transfer_in",
        "stock",
        "issue",
        "use",
        "return_to_store",
        "return_to_supplier",
        "hold_near_expiry",
        "hold_expired",
        "hold_recall",
        "scrap",
        "recycle",
        "count_daily",
        "count_monthly",
        "adjust",
        "tag_replaced",
        "tag_killed",
        "owner_change",
        "reversal",
        "visit",
        "observe",
        "need",
        "discrepancy",
        "duty",
        "daily_heads",
        "unknown_label",
    )
)

posting = [row for row in MOVEMENTS.values() if row.posts]


def place_for(sort: Where) -> str:
    return "ward-01" if sort in (Where.STORE, Where.ANY) else f"{sort}@ward-01"


def test_the_table_holds_every_kind_of_the_storeroom() -> None:
    assert set(MOVEMENTS) == STOREROOM_KINDS


@pytest.mark.parametrize("row", MOVEMENTS.values(), ids=lambda row: row.kind)
def test_every_row_uses_the_words_of_the_standard_and_names_who_may(row: Movement) -> None:
    assert row.who
    assert row.biz_step in {"", *CBV_STEPS}
    assert bool(row.leaves) == bool(row.enters)


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


def test_keys_of_a_later_version_are_skipped() -> None:
    assert read_body(b'{"phase":"begin","hat":"red"}', VisitBody) == VisitBody("begin")


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_a_belief_is_a_probability(p: float) -> None:
    with pytest.raises(BadValue, match="probability"):
        ObserveBody(epc="3066C4409047E140075BCD15", p=p, model="window-1", since=0)


@given(st.binary(max_size=200), st.sampled_from(sorted(MOVEMENTS)))
def test_any_body_bytes_are_lines_or_the_packages_own_error(raw: bytes, kind: str) -> None:
    try:
        for line in lines_of(kind, raw):
            place_sort(line.source)
    except ProtocolsError:
        pass
