"""A hospital's messy workbook is brought in: by a mapping that is known again, tried first, answered row by row."""

from collections.abc import Iterator
from io import BytesIO
from itertools import count
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from central.core.intake.reading import Left, Plan
from central.core.rights import Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.documents import Documents
from central.services.intake import Intake
from central.store.engine import Store
from central.store.queries_master import items, uses
from central.store.tables.catalogue import CATALOGUE_ITEM
from central.store.tables.master import ITEM
from tests.central.hospital import HOSPITAL, KIT, STORY_DAY, frozen_clock, hospital
from tests.central.purchases import BUYER, STORE, person
from tests.central.services.messy import HEADS, messy_items, use_sheet

FAULTY = {7: "商品条码", 8: "商品条码", 9: "包装数", 10: "物资编码*"}
"""Rows of the messy sheet that have a fault, and the head above it."""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return hospital(tmp_path, {})


@pytest.fixture
def intake(store: Store) -> Intake:
    return letters_of(store, count())


def letters_of(store: Store, numbers: Iterator[int]) -> Intake:
    return Intake(Documents(store, HOSPITAL, frozen_clock()), lambda: f"file-{next(numbers):04d}-and-more-letters")


def test_heads_are_found_under_titles_and_over_two_rows_and_columns_are_suggested(intake: Intake) -> None:
    file = intake.upload(STORE, "items", "目录.xlsx", messy_items())
    looked = intake.look(STORE, file)
    assert looked.heads is not None
    assert (looked.heads.first, looked.heads.last) == (2, 3)
    assert looked.heads.names[0] == "物资信息 / 物资编码*"
    chosen = {name: head.split(" / ")[-1] for name, head in looked.plan.columns.items()}
    assert chosen == {
        "item": "物资编码*", "name_zh": "品名", "spec": "规格型号", "unit_zh": "单位", "pack": "包装数",
        "gtin": "商品条码", "registration": "注册证号", "class": "高值/低值", "chargeable": "是否收费",
    }  # fmt: skip


def test_a_try_names_every_fault_by_row_and_cell_and_changes_nothing(intake: Intake, store: Store) -> None:
    file = intake.upload(STORE, "items", "目录.xlsx", messy_items())
    tried = intake.try_out(STORE, file)
    assert {one.row for one in tried.faults} == set(FAULTY)
    lost = [one for one in tried.faults if one.row in {7, 8}]
    assert all("digits are lost" in one.en and "数字已丢失" in one.zh for one in lost)
    assert [one.got for one in lost] == ["6.9E+12", "6900000000000"]
    (twice,) = [one for one in tried.faults if one.row == 10]
    assert (twice.column, twice.zh) == ("item", "与第 5 行重复")
    assert tried.good == (5, 11)
    assert dict(tried.left) == {6: Left.BLANK, 12: Left.BLANK, 13: Left.TOTAL}
    with store.read() as connection:
        assert "HC-2001" not in items(connection, HOSPITAL)


def test_good_rows_are_applied_when_the_faulty_ones_are_left_out_and_only_then(intake: Intake, store: Store) -> None:
    file = intake.upload(STORE, "items", "目录.xlsx", messy_items())
    with pytest.raises(NotNow, match="expected no fault, got 4"):
        intake.apply(STORE, file, without_faulty=False)
    intake.apply(STORE, file, without_faulty=True)
    with store.read() as connection:
        row = connection.execute(select(ITEM).where(ITEM.c.item == "HC-2001")).one()
        assert (row.name_zh, row.name_en, row.spec, row.pack, row.gtin) == (
            "一次性使用注射器", "一次性使用注射器", "5ml", 100, "06999990101016",
        )  # fmt: skip
        assert row._mapping["class"] == "low"
        assert {"HC-2001", "1005"} <= set(items(connection, HOSPITAL))
        codes = connection.execute(select(CATALOGUE_ITEM.c.item, CATALOGUE_ITEM.c.registration)).all()
        assert codes == [("HC-2001", "国械注准20193140001")]
    with pytest.raises(NotNow, match="it was applied"):
        intake.apply(STORE, file, without_faulty=True)


def test_the_answer_is_the_sheet_with_its_faulty_cells_marked(intake: Intake) -> None:
    file = intake.upload(STORE, "items", "目录.xlsx", messy_items())
    sheet = load_workbook(BytesIO(intake.answers(STORE, file, zh=True))).worksheets[0]
    head = [str(cell.value) for cell in sheet[1]]
    assert head[:3] == ["行", "结果", "原因"]
    by_row = {row[0].value: row for row in sheet.iter_rows(min_row=2)}
    assert (by_row[5][1].value, by_row[6][1].value, by_row[13][1].value) == ("可导入", "空行，跳过", "合计行，跳过")
    marked = {number: [head[at] for at, cell in enumerate(row) if cell.comment] for number, row in by_row.items()}
    for number, name in FAULTY.items():
        assert [one.split(" / ")[-1] for one in marked[number]] == [name]
    assert not marked[5]


def test_a_plan_kept_by_name_is_known_again_by_its_heads_whatever_their_order(intake: Intake) -> None:
    file = intake.upload(STORE, "items", "三月.xlsx", messy_items())
    plan = intake.look(STORE, file).plan
    fixed = Plan(plan.kind, plan.columns, {"criticality": "essential"})
    intake.plan(STORE, file, fixed, "物资处目录")
    again = intake.look(STORE, intake.upload(STORE, "items", "四月.xlsx", messy_items()))
    assert (again.known_plan, again.plan) == ("物资处目录", fixed)


def test_what_a_sheet_has_no_column_for_stays_as_the_hospital_holds_it(intake: Intake, store: Store) -> None:
    text = "物资编码,品名,单位\nHC-KIT,中心静脉导管包(新名),包\n".encode("gb18030")
    intake.apply(STORE, intake.upload(STORE, "items", "改名.csv", text), without_faulty=False)
    with store.read() as connection:
        row = connection.execute(select(ITEM).where(ITEM.c.item == KIT)).mappings().one()
    assert (row["name_zh"], row["name_en"], row["gtin"], row["class"], row["pack"]) == (
        "中心静脉导管包(新名)", "Central venous catheter kit", "06999990101047", "high", 5,
    )  # fmt: skip


def test_use_is_brought_in_by_the_names_of_wards_and_unclear_days_are_refused(intake: Intake, store: Store) -> None:
    file = intake.upload(STORE, "use", "二月消耗.xlsx", use_sheet())
    tried = intake.try_out(STORE, file)
    ((row, column),) = [(one.row, one.column) for one in tried.faults]
    assert (row, column, dict(tried.left)) == (6, "day", {7: Left.TOTAL})
    intake.apply(STORE, file, without_faulty=True)
    with store.read() as connection:
        first = STORY_DAY.replace(month=2, day=1)
        found = {place: uses(connection, HOSPITAL, place, first, STORY_DAY) for place in ("ward-01", "ward-02")}
    assert list(found["ward-01"][KIT].values()) == [2, 3]
    assert list(found["ward-02"][KIT].values()) == [4, 1]


def test_stock_goes_through_the_ledger_and_names_what_nobody_knows(intake: Intake, store: Store) -> None:
    text = "库房,物资编码,批号,失效日期,库存数量\n一级库,HC-KIT,K9,2027-09-01,20\n一级库,HC-NONE,X,2027-09-01,1\n"
    file = intake.upload(STORE, "stock", "期初.csv", text.encode())
    (fault,) = intake.try_out(STORE, file).faults
    assert (fault.row, fault.column, fault.zh) == (3, "item", "目录里没有这个物资编码，请先导入品规")
    intake.apply(STORE, file, without_faulty=True)
    with store.read() as connection:
        kinds = connection.exec_driver_sql("SELECT count(*) FROM event WHERE kind = 'opening'").scalar_one()
        days = connection.exec_driver_sql("SELECT expiry FROM lot WHERE lot = 'K9'").scalar_one()
    assert (kinds, str(days)) == (2, "2027-09-01")


def test_who_may_not_change_master_data_or_buy_brings_nothing_in(intake: Intake) -> None:
    text = "协议编号,物资编码,生效日期,协议价\nA1,HC-KIT,2026-01-01,270\n".encode()
    with pytest.raises(NotAllowed):
        intake.upload(person("50001", Role.AUDITOR), "items", "目录.xlsx", messy_items())
    with pytest.raises(NotAllowed):
        intake.upload(STORE, "agreement-prices", "价格.csv", text)
    assert intake.upload(BUYER, "agreement-prices", "价格.csv", text)
    with pytest.raises(NotThere, match="expected a file that was uploaded"):
        intake.look(STORE, "nothing")


def test_heads_may_be_placed_by_hand_and_a_column_that_is_needed_must_be_given(intake: Intake) -> None:
    file = intake.upload(STORE, "items", "目录.xlsx", messy_items())
    intake.place_heads(STORE, file, "耗材目录", 4, 4)
    heads = intake.look(STORE, file).heads
    assert heads is not None
    assert heads.names == HEADS
    with pytest.raises(BadInput, match="name_zh: expected a head or one value for all rows"):
        intake.plan(STORE, file, Plan("items", {"item": "物资编码*", "unit_zh": "单位"}, {}))
    with pytest.raises(BadInput, match="expected a sheet of the file"):
        intake.place_heads(STORE, file, "耗材目录", 4, 99)


def test_a_file_changed_between_try_and_apply_is_looked_at_again(intake: Intake, store: Store) -> None:
    file = intake.upload(STORE, "suppliers", "供应商.csv", "供应商编码,供应商名称\nS77,示例·新供应商\n".encode())
    assert intake.try_out(STORE, file).fresh == {"suppliers.csv": 1}
    intake.apply(STORE, file, without_faulty=False)
    with store.read() as connection:
        acts = connection.exec_driver_sql("SELECT act FROM audit WHERE subject = ?", (file,)).scalars().all()
    assert acts == ["intake-upload", "intake-apply"]
