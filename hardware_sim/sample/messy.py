"""A spreadsheet as a hospital keeps it, for a person who tries the import: titles, merged heads, lost digits, doubles.

All of it is invented. The rule that must not be broken: it holds faults on purpose, and rows that are right as well.
"""

from collections.abc import Sequence
from pathlib import Path

from xlsxwriter import Workbook

HEADS = ("物资编码*", "品名", "规格型号", "单位", "包装数", "商品条码", "注册证号", "高值/低值", "是否收费")
OVER = ((0, 2, "物资信息"), (3, 4, "包装"), (5, 6, "编码"), (7, 8, "属性"))
"""Merged heads: from a column to a column."""
HEAD_ROW = 2

ROWS: Sequence[Sequence[str | float]] = (
    ("ＨＣ－２００１", "一次性使用注射器", "５ml", "支", 100, "06999990102815", "国械注准20193140001", "低值", "否"),
    ("HC-2002", "医用弹性绷带", "8cm×4.5m", "卷", "１０", "", "国械备20210007", "低值", "否"),
    ("HC-2003", "一次性使用引流袋", "1000ml", "个", 20, "", "", "低值耗材", "N"),
    ("HC-2004", "中心静脉导管包", "7Fr", "包", 5, 6.9e12, "国械注准20183770123", "高值", "是"),
    ("HC-2005", "纱布块", "8cm×8cm", "片", "十", "", "", "低值", "否"),
    ("HC-2001", "注射器（重复）", "5ml", "支", 100, "", "", "低值", "否"),
)
"""Three rows are right; one lost the digits of its code, one has words for a number, one is there twice."""


def write_messy(path: Path) -> None:
    """Write the workbook."""
    with Workbook(str(path)) as book:
        sheet = book.add_worksheet("耗材目录")
        last = len(HEADS) - 1
        sheet.merge_range(0, 0, 0, last, "示例医院 耗材目录（手工维护）")
        sheet.write(1, 0, "制表日期：2026-03-01")
        for first, end, text in OVER:
            sheet.merge_range(HEAD_ROW, first, HEAD_ROW, end, text)
        sheet.write_row(HEAD_ROW + 1, 0, HEADS)
        for number, row in enumerate(ROWS, start=HEAD_ROW + 2):
            sheet.write_row(number, 0, row)
        sheet.write_row(HEAD_ROW + 3 + len(ROWS), 0, ("合计", "", "", "", 235))
