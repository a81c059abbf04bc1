"""A hospital's messy workbook as people really keep it, for tests: titles, merged heads, lost digits, totals."""

from datetime import datetime
from io import BytesIO

from openpyxl import Workbook

HEADS = ("物资编码*", "品名", "规格型号", "单位", "包装数", "商品条码", "注册证号", "高值/低值", "是否收费")


def messy_items() -> bytes:
    """Two title rows, heads over two rows with merged cells, faults in three rows, blank rows, a total below."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "耗材目录"
    sheet.append(["示例市第一医院 高低值耗材目录"])
    sheet.merge_cells("A1:I1")
    sheet.append(["制表日期：2026-03-01", None, None, None, None, None, None, None, "单位：元"])
    sheet.append(["物资信息", None, None, "包装", None, "编码", None, "属性", None])
    for cells in ("A3:C3", "D3:E3", "F3:G3", "H3:I3"):
        sheet.merge_cells(cells)
    sheet.append(list(HEADS))
    sheet.append(
        ["ＨＣ－２００１", "一次性使用注射器", "５ml", "支", 100, 6999990101016, "国械注准20193140001", "低值", "否"]
    )
    sheet.append([None] * 9)
    sheet.append(["HC-2002", "中心静脉导管包", "7Fr", "包", "1，000", "6.9E+12", "国械注准20183770123", "高值", "是"])
    sheet.append(["HC-2003", "骨板", "8孔", "块", 1, 6900000000000, "", "植入", "是"])
    sheet.append(["HC-2004", "纱布块", "8cm×8cm", "片", "十", "", "", "低值", "否"])
    sheet.append(["HC-2001", "注射器(重复)", "5ml", "支", 100, "", "", "低值", "否"])
    sheet.append([1005, "止血阀", "标准型", "个", 1.0, "06999990101047", "", "低值耗材", "N"])
    sheet.append([None] * 9)
    sheet.append(["合计", None, None, None, 1201])
    sheet.row_dimensions[6].hidden = True
    return saved(book)


def use_sheet() -> bytes:
    """A month of use with days written in five ways, by the names of wards."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["领用科室", "耗材编码", "消耗日期", "消耗数量"])
    sheet.append(["重症医学科", "HC-KIT", datetime(2026, 2, 1), 2])  # noqa: DTZ001 # a spreadsheet knows no zone
    sheet.append(["重症医学科", "HC-KIT", "2026年2月2日", "３"])
    sheet.append(["普外科", "HC-KIT", "2026/2/3", " 4 "])
    sheet.append(["ward-02", "HC-KIT", 20260204, 1])
    sheet.append(["普外科", "HC-KIT", "2/5/2026", 1])
    sheet.append(["合计", None, None, 10])
    return saved(book)


def saved(book: Workbook) -> bytes:
    told = BytesIO()
    book.save(told)
    return told.getvalue()
