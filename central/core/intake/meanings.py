"""What a form's column may hold, said in Chinese: the forms say it in English, for the files and the API.

Words only. The rule that must not be broken: every column a sheet may be brought in to has its Chinese.
"""

from collections.abc import Mapping
from types import MappingProxyType

from central.core.forms import Fault

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "an item code of 1..64 ASCII characters without space": "1 至 64 位字母数字的物资编码，不含空格",
        "a supplier code of 1..64 ASCII characters without space": "1 至 64 位的供应商编码（或唯一的供应商名称）",
        "a code of 1..64 ASCII characters without space": "1 至 64 位字母数字的编号，不含空格",
        "a name of 1..200 characters": "1 至 200 字的名称",
        "at most 200 characters": "至多 200 字",
        "a GTIN of 8, 12, 13 or 14 digits with a right check digit, or nothing": (
            "8、12、13 或 14 位 GTIN，校验位正确，或留空；若末位被改成 0，多半是 Excel 丢了数字"
        ),
        "the base unit's name": "基本单位的名称",
        "a whole number from 1 to 1000000": "1 至 1000000 的整数",
        "low, high or implant": "低值、高值或植入",
        "vital, essential or normal": "急救、重要或一般",
        "0 or 1": "是或否",
        "a rank from 1 (main) to 99": "1（主供）至 99 的顺位",
        "yuan a base unit up to a million, at most four decimals": "每基本单位价格（元），不超过 100 万，至多四位小数",
        "yuan with at most four decimals": "金额（元），至多四位小数",
        "a whole number from 0 to 1000000": "0 至 1000000 的整数",
        "whole days from 0 to 365": "0 至 365 的天数",
        "a lot of at most 64 ASCII characters without space, or nothing": "至多 64 位字母数字的批号，不含空格，或留空",
        "a day such as 2026-03-02, or nothing": "日期，如 2026-03-02，或留空",
        "a day such as 2026-03-02": "日期，如 2026-03-02",
        "the last day, a day such as 2026-03-02, or nothing": "截止日期，如 2026-03-02，或留空",
        "a storeroom such as ward-01": "已建档的库房编码或唯一的库房名称",
        "a whole number of base units from 0 to 1000000000": "基本单位的整数数量，不为负",
        "a whole number of base units from 1 to 1000000000": "基本单位的整数数量，至少为 1",
        "a whole number from 1 to 500": "1 至 500 的整数",
        "vbp or framework": "集采或框架",
        "a supplier code, or nothing": "供应商编码（或唯一的供应商名称），或留空",
        "a supplier code, or nothing for every one": "供应商编码（或唯一的供应商名称），留空表示全部",
        "the purchasing body, at most 200 characters": "采购联合体，至多 200 字",
        "registration, production, distribution, business or authorisation": (
            "注册证、生产许可、经营许可、营业执照或授权书"
        ),
        "its number, at most 200 characters": "证照编号，至多 200 字",
        "the supplier it is of, or nothing": "所属供应商，或留空",
        "the item it is of, or nothing": "所属物资编码，或留空",
        "basic, specialist, high-value or nothing": "基础、专科、高值，或留空",
        "usual or on-request": "常规或按需",
        "maker, distributor or both": "生产企业、配送商，或两者(both)",
    }
)
FILES: Mapping[str, str] = MappingProxyType(
    {
        "items.csv": "目录里没有这个物资编码，请先导入品规",
        "suppliers.csv": "没有这个供应商，请先导入供应商",
        "places.csv": "没有这个库房，请先建立库房",
        "agreements.csv": "没有这个协议，请先导入协议",
    }
)


def said_zh(fault: Fault) -> str:
    """Return what is wrong in Chinese."""
    if fault.also:
        return f"与第 {fault.also} 行重复"
    if fault.in_file:
        return FILES.get(fault.in_file, "引用的编码不存在")
    return f"应为{MEANINGS.get(fault.expected, fault.expected)}"
