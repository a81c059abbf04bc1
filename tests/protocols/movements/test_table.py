"""The movement table: every row, by being in the table."""

import pytest

from protocols.movements.table import MOVEMENTS, Movement

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


def test_the_table_holds_every_kind_of_the_storeroom() -> None:
    assert set(MOVEMENTS) == STOREROOM_KINDS


@pytest.mark.parametrize("row", MOVEMENTS.values(), ids=lambda row: row.kind)
def test_every_row_uses_the_words_of_the_standard_and_names_who_may(row: Movement) -> None:
    assert row.who
    assert row.biz_step in {"", *CBV_STEPS}
    assert bool(row.leaves) == bool(row.enters)
