"""What hospitals call the columns of their sheets, and what they write for the words of a form.

Data only. The rule that must not be broken: a word that two columns share stands first where it is likelier.
"""

from collections.abc import Mapping
from types import MappingProxyType

_HEADS = {
    "item": "物资编码|耗材编码|物料编码|品规编码|产品编码|商品编码|材料编码|编码|代码|item|item code",
    "name_zh": (
        "品名|物资名称|耗材名称|产品名称|商品名称|材料名称|通用名|名称|供应商名称|供应商|企业名称|"
        "协议名称|name|product name"
    ),
    "name_en": "英文名|英文名称|english name|name en",
    "spec": "规格型号|规格|型号|规格/型号|specification|spec",
    "gtin": "gtin|商品条码|条码|条形码|69码|主条码|barcode",
    "unit_zh": "单位|计量单位|最小单位|基本单位|unit",
    "unit_en": "英文单位|unit en",
    "pack": "包装数|包装规格|包装数量|装量|件装量|转换比|pack",
    "class": "类别|耗材类别|价值类别|高低值|高值/低值|class",
    "criticality": "重要性|重要程度|criticality",
    "chargeable": "是否收费|可收费|收费|计费|chargeable",
    "storage": "储存条件|存储条件|贮存条件|storage",
    "registration": "注册证号|注册证|注册证编号|备案号|医疗器械注册证号|registration",
    "udi_di": "udi-di|udi|产品标识|di",
    "insurance": "医保编码|医保耗材编码|国家医保编码|医保代码|27位编码|insurance code",
    "insurance_code": "医保编码|医保耗材编码|insurance code",
    "platform": "挂网编码|平台编码|省平台编码|阳光采购编码|platform code",
    "platform_code": "挂网编码|平台编码|省平台编码|阳光采购编码|platform code",
    "tier": "目录层级|层级|tier",
    "mode": "补货方式|mode",
    "supplier": "供应商编码|供应商代码|供货商编码|供应商|供货商|供货单位|配送企业|配送商|supplier",
    "price_yuan": "中标价|单价|采购价|采购单价|进价|价格|协议价|供货价|含税单价|price",
    "list_price_yuan": "挂网价|限价|平台价|list price",
    "rank": "优先级|顺位|rank",
    "moq": "起订量|最小起订量|moq",
    "lead_days": "到货天数|供货周期|供货天数|lead days",
    "place": "库房|科室|库房编码|库房名称|科室名称|科室编码|领用科室|仓库|storeroom|ward",
    "lot": "批号|生产批号|批次|批次号|lot",
    "qty": "数量|库存数量|库存数|结存数量|期初数量|消耗数量|使用数量|订购数量|未到数量|quantity|qty",
    "made": "生产日期|制造日期|made",
    "expiry": "失效日期|有效期|有效期至|效期|到期日|expiry",
    "day": "日期|消耗日期|使用日期|出库日期|发生日期|day|date",
    "order_no": "订单号|采购单号|订单编号|单号|order|order no",
    "line_no": "行号|订单行|序号|line",
    "ordered": "下单日期|订购日期|订单日期|采购日期|ordered",
    "promised": "承诺日期|预计到货|预计到货日期|交货日期|promised",
    "platform_order_no": "平台订单号|平台单号|platform order no",
    "agreement": "协议编号|合同编号|合同号|协议号|批次编号|agreement",
    "kind": "类型|协议类型|证照类型|证件类型|kind",
    "group_id": "采购联合体|联合体|采购主体|purchasing body",
    "parties": "协议各方|签约方|parties",
    "first": "起始日期|开始日期|生效日期|发证日期|起始|first|from",
    "last": "截止日期|结束日期|终止日期|有效期至|到期日期|截止|last|to",
    "valid_from": "生效日期|起始日期|执行日期|valid from",
    "valid_to": "失效日期|截止日期|结束日期|valid to",
    "freight": "运费|运费条款|freight",
    "number": "证照编号|证号|许可证号|编号|number",
    "role": "供应商类型|企业类型|role",
    "region": "地区|区域|所在地|region",
    "emergency": "应急|应急供应商|emergency",
    "contact": "联系方式|联系电话|联系人|电话|contact",
    "middle_unit": "中包装单位|middle unit",
    "middle": "中包装|中包装数量|middle pack",
    "purchase_unit": "采购单位|大包装单位|purchase unit",
    "purchase": "大包装|采购包装|采购包装数量|purchase pack",
    "exempt": "免审|exempt",
}
CALLED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {name: tuple(words.split("|")) for name, words in _HEADS.items()}
)
"""What the head of a column is usually called, the likeliest first."""

_VALUES = {
    "class": "低值 low|低值耗材 low|高值 high|高值耗材 high|植入 implant|植入物 implant",
    "criticality": "急救 vital|关键 vital|重要 essential|一般 normal|普通 normal",
    "chargeable": "是 1|否 0|可收费 1|不可收费 0|yes 1|no 0|y 1|n 0",
    "exempt": "是 1|否 0|yes 1|no 0",
    "emergency": "是 1|否 0|yes 1|no 0",
    "kind": (
        "集采 vbp|带量采购 vbp|框架 framework|框架协议 framework|注册证 registration|"
        "生产许可 production|经营许可 distribution|营业执照 business|授权书 authorisation"
    ),
    "tier": "基础 basic|专科 specialist|高值 high-value",
    "mode": "常规 usual|按需 on-request",
    "role": "生产企业 maker|厂家 maker|经销商 distributor|配送商 distributor",
}
VALUES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {name: dict(one.split(" ", 1) for one in words.split("|")) for name, words in _VALUES.items()}
)
"""What hospitals write for the words of a form."""
