"""Every sentence the work at the shelf can answer with, in English and Chinese; the panel and the log say the same.

It decides nothing. The rule that must not be broken: an answer is a `Word` and what it is about, never a sentence made
elsewhere, so that no refusal is left without its Chinese.
"""

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from edge_agent.core.work.states import Doing, Event


class Word(Enum):
    """One sentence: English, Chinese. Names in braces are filled from what it is about."""

    HERE = ("{actor} is here", "{actor} 已登记进库")
    EMERGENCY_HERE = ("emergency: take what you need, every piece is recorded", "应急取用：请取用，逐件记录")
    DONE = ("{actor} is done", "{actor} 已结束")
    DOING = ("{what}: go on", "{what}：请继续")
    TAKES = ("{actor} takes {qty} of {item} lot {lot}", "{actor} 领用 {item} 批号 {lot} 数量 {qty}")
    USED = ("{qty} used for the patient", "已为患者消耗 {qty} 件")
    CLAIMED = ("{actor} claims {qty} taken without a scan", "{actor} 认领未扫码取用 {qty} 件")
    RETURNED = ("{qty} of {item} lot {lot} is back on the shelf", "{item} 批号 {lot} 已退回 {qty}")
    SCRAPPED = ("{qty} of {item} lot {lot} is scrapped", "{item} 批号 {lot} 已报废 {qty}")
    RECEIVED = ("delivery {number}: {qty} received as written", "配送单 {number}：按单签收 {qty}")
    CHECKING = ("delivery {number}: scan what is there, then DONE", "配送单 {number}：请逐件扫码，完成后扫结束码")
    ARRIVED = ("{qty} of {item} lot {lot} received", "收到 {item} 批号 {lot} 数量 {qty}")
    SENT = ("{qty} of {item} lot {lot} on its way to {to}", "{item} 批号 {lot} 数量 {qty} 已调往 {to}")
    DESTINATION = ("goes to {to}: scan what goes", "调往 {to}：请扫调出物资")
    SET_BROUGHT = ("set {number}: {qty} brought", "手术套包 {number}：带入 {qty}")
    SET_OPEN = (
        "set {number}: scan what is used, RETURN gives back the rest",
        "手术套包 {number}：扫使用件，扫退回码归还其余",
    )
    SET_RETURNED = ("set {number}: {qty} given back", "手术套包 {number}：已归还 {qty}")
    COUNTING = ("count {sheet}: scan what lies there", "盘点 {sheet}：请扫在架物资")
    COUNTED = ("counted {qty} of {item} lot {lot}", "已盘 {item} 批号 {lot} 数量 {qty}")
    COUNTED_BEFORE = ("this piece is counted already", "该件已盘")
    COUNT_ENDS = ("count {sheet}: {lines} lines, {recount} to recount", "盘点 {sheet}：{lines} 行，需复盘 {recount} 行")
    ADJUSTED = (
        "count {sheet}: {lines} lines adjusted, {recount} to recount, {uncounted} not counted",
        "盘点 {sheet}：已调整 {lines} 行，需复盘 {recount} 行，未盘 {uncounted} 行",
    )
    EVEN = (
        "week signed by {actor}: {notes} deliveries received, {taken} taken, {used} used, {back} given back; all even",
        "{actor} 已签周对账：签收 {notes} 单，领用 {taken}，消耗 {used}，退回 {back}，账账相符",
    )
    UNEVEN = (
        "week signed by {actor}: {notes} deliveries received, {taken} taken, {used} used, {back} given back; "
        "open: {waiting} deliveries, {hand} in hands, {open} discrepancies",
        "{actor} 已签周对账：签收 {notes} 单，领用 {taken}，消耗 {used}，退回 {back}；"
        "未结：配送单 {waiting}，在手 {hand}，差异 {open}",
    )
    SHELF = ("shelf {shelf}", "货位 {shelf}")
    UNDONE = ("undone: {kind}", "已冲红：{kind}")
    NUMBER = ("times {number}: now the item", "×{number}：请扫物资")
    PACK = ("a whole pack: now the item", "整包：请扫物资")
    WHY = ("reason {reason}: now the item", "原因 {reason}：请扫物资")
    KEPT_RAW = ("unknown label: kept as it is, central will tell what it is", "未知标签：已原样留存，待中心识别")

    # refusals
    OUT_OF_ORDER = (
        "{event} does not fit while {doing}; expected {expected}",
        "{doing} 时不能扫 {event}；应扫 {expected}",
    )
    NO_BADGE = (
        "item: expected a badge first, nobody is signed in; scan your badge, then the item",
        "请先扫工牌，再扫物资",
    )
    UNREADABLE = (
        "this code says nothing here; scan the product's own label, a badge or a card",
        "无法识别的条码；请扫产品标签、工牌或功能码",
    )
    NO_SERIAL = (
        "label: expected a product (01) and a serial number (21); scan the label of the single piece",
        "标签缺少产品标识(01)或序列号(21)，请扫单件标签",
    )
    OTHER_HALF = (
        "{why}; if this label is printed as two symbols, scan the other one now",
        "{why}；如标签分印两个条码，请再扫另一个",
    )
    TWO_TAGS = (
        "{name}: expected one tag, {count} carry it; put it aside and tell the keeper",
        "{name}：有 {count} 个标签绑定同一序列号，请放一边并告知库管员",
    )
    ALREADY_TAKEN = ("this piece: already taken by {by} at {at}", "该件已由 {by} 于 {at} 领用")
    EXPIRED = (
        "{item} lot {lot}: expired on {expiry}; take another, or scan EMERGENCY",
        "{item} 批号 {lot} 已于 {expiry} 过期；请换用，或扫应急码",
    )
    HELD = (
        "{item} lot {lot}: held ({why}); take another, or scan EMERGENCY",
        "{item} 批号 {lot} 暂停使用（{why}）；请换用，或扫应急码",
    )
    ONE_PIECE = ("a single piece is one: no number card for it", "单件不可使用数量码")
    SCANNED_TWICE = (
        "scanned twice within a second: the second is not counted; scan again for another",
        "一秒内重复扫码，第二次不计；再取请重扫",
    )
    AGAIN = (
        "{item} lot {lot}: recorded for {actor} at {at}, just before the power went; scan again only for another",
        "{item} 批号 {lot}：断电前 {at} 已为 {actor} 记录；确需再取请重扫",
    )
    BEFORE_CUT = (
        "recorded before the power went: {kind} {qty} of {item} lot {lot}, {actor}",
        "断电前已记录：{actor} {kind} {item} 批号 {lot} 数量 {qty}",
    )
    NO_PACK = ("{item}: its pack is not known; scan number cards", "{item}：未知包装数量，请用数量码")
    NOT_IN_HAND = (
        "this piece: expected one that was taken, it is {state}",
        "该件不在领用状态（{state}），不能退回",
    )
    USED_ON_OPENING = (
        "{item}: used when its pack was opened; UNDO in the same visit, or tell the keeper",
        "{item} 开包即消耗；请在本次进库内冲红，或告知库管员",
    )
    NOT_HERE = (
        "this piece: expected it on these shelves, it is {state} at {place}",
        "该件不在本库（{state}，{place}）",
    )
    NOT_YOURS = ("{kind}: {actor} may not; call a {who}", "{kind}：{actor} 无权限，请找 {who}")
    NOTHING_TO_UNDO = ("nothing of this visit is left to undo", "本次进库没有可冲红的操作")
    NOTHING_TO_CLAIM = ("nothing waits to be claimed", "没有待认领的取用")
    NOTHING_TO_ADJUST = ("no closed count waits to be adjusted", "没有待调整的盘点单")
    NO_PATIENT_KEY = ("patients cannot be recorded: no key is configured", "未配置患者密钥，不能记录患者")
    UNKNOWN_NOTE = (
        "document {number} is not known here; kept; scan RECEIVE, then each piece",
        "单据 {number} 未下发，已留存；请扫收货码后逐件扫码",
    )
    NOTE_RECEIVED = ("document {number} was taken in before; nothing was done", "单据 {number} 已签收，未重复入账")
    NEEDS_APPROVAL = ("this storeroom is {permit}: {act} needs an approval", "本库状态 {permit}：{act} 需审批")
    UNKNOWN_PLACE = ("place {code} is not known here; scan the storeroom's own code", "未知库房码 {code}")
    NO_DESTINATION = (
        "item: expected the other storeroom's card first; scan it, or TRANSFER again for what comes in",
        "请先扫对方库房码；如为调入，请重扫调拨码",
    )
    NOT_OF_SET = ("{item}: not of set {number}, or used already", "{item} 不属于手术套包 {number}，或已使用")
    PATIENT_NEXT = ("patient noted: scan what is used", "已登记患者：请扫使用物资")
    UNKNOWN_ITEM = (
        "product {product} is not known here; it cannot be done with it",
        "未知产品 {product}，不能进行此操作",
    )
    CANNOT_RECORD = ("this cannot be recorded: {why}", "无法记录：{why}")
    NOT_KEPT = ("not kept; scan again", "未保存，请重扫")

    @property
    def en(self) -> str:
        """Return the English sentence, its names not filled in."""
        return self.value[0]

    @property
    def zh(self) -> str:
        """Return the Chinese sentence, its names not filled in."""
        return self.value[1]


EVENTS: Mapping[Event, str] = MappingProxyType(
    {
        Event.BADGE: "工牌",
        Event.ITEM: "物资",
        Event.DOCUMENT: "配送单或套包单",
        Event.PATIENT: "患者码",
        Event.PLACE: "库房或货位码",
        Event.BIN: "空箱卡",
        Event.NUMBER: "数量码",
        Event.WHY: "原因码",
        Event.UNREADABLE: "无法识别的条码",
        Event.ISSUE: "领用码",
        Event.RECEIVE: "收货码",
        Event.RETURN: "退回码",
        Event.SCRAP: "报废码",
        Event.COUNT: "盘点码",
        Event.ADJUST: "盘盈盘亏码",
        Event.TRANSFER: "调拨码",
        Event.SET: "手术套包码",
        Event.UNDO: "冲红码",
        Event.CLAIM: "认领码",
        Event.RECONCILE: "周对账码",
        Event.EMERGENCY: "应急码",
        Event.DONE: "结束码",
        Event.IDLE: "无操作",
        Event.DOOR: "门",
    }
)
DOINGS: Mapping[Doing, tuple[str, str]] = MappingProxyType(
    {
        Doing.NOBODY: ("nobody is here", "无人"),
        Doing.TAKING: ("taking", "领用"),
        Doing.RECEIVING: ("receiving", "收货"),
        Doing.RETURNING: ("returning", "退回"),
        Doing.SCRAPPING: ("scrapping", "报废"),
        Doing.COUNTING: ("counting", "盘点"),
        Doing.TRANSFERRING: ("transferring", "调拨"),
        Doing.SENDING: ("sending", "调出"),
        Doing.SETTING: ("procedure set", "手术套包"),
        Doing.SET_OPEN: ("set at hand", "套包使用"),
    }
)
NAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        # kinds of movement, as what was done
        "opening": ("first count", "期初入库"),
        "receive": ("receiving", "收货"),
        "put_away": ("putting away", "上架"),
        "pick": ("picking", "拣货"),
        "stock": ("moving on the shelves", "移位"),
        "issue": ("taking", "领用"),
        "use": ("use", "消耗"),
        "pack_make": ("making a pack", "打包"),
        "pack_open": ("opening a pack", "开包消耗"),
        "return_to_store": ("return", "退回"),
        "return_to_supplier": ("return to the supplier", "退供应商"),
        "ward_receipt": ("receipt", "签收"),
        "transfer_in": ("transfer in", "调入"),
        "transfer_out": ("transfer out", "调出"),
        "scrap": ("scrapping", "报废"),
        "recycle": ("recycling", "回收"),
        "adjust": ("adjusting the book", "盘盈盘亏"),
        "owner_change": ("change of owner", "货权变更"),
        "set_used": ("use of a set", "套包使用"),
        "set_brought": ("set brought", "套包带入"),
        "set_returned": ("set given back", "套包归还"),
        "count_monthly": ("counting", "盘点"),
        "weekly_reconcile": ("weekly reconcile", "每周对账"),
        # where a piece stands in its life
        "none": ("not in the book", "未入账"),
        "in_transit": ("on its way", "在途"),
        "inspecting": ("being inspected", "验收中"),
        "in_stock": ("in stock", "在库"),
        "issued": ("taken", "已领用"),
        "used": ("used", "已消耗"),
        "held": ("held", "暂存"),
        "packed": ("in a pack", "已打包"),
        "returned": ("back at its supplier", "已退供应商"),
        "missing": ("missing", "盘亏"),
        "gone": ("gone", "已离库"),
        "unknown": ("unknown", "未知"),
        # why stock is held, what a permit says
        "hold_recall": ("recalled", "召回"),
        "hold_expired": ("expired", "过期"),
        "hold_near_expiry": ("too near its expiry", "近效期"),
        "inspect_fail": ("failed its inspection", "验收不合格"),
        "warned": ("warned", "警告"),
        "suspended": ("suspended", "暂停自主领用"),
        "rectifying": ("rectifying", "整改中"),
        "requisition": ("a requisition", "申领"),
        "replenishment": ("a replenishment", "补货签收"),
        "transfer in": ("a transfer in", "调入"),
        # who may, and reason cards
        "keeper or storekeeper": ("keeper or storekeeper", "库管员"),
        "nurse or keeper": ("nurse or keeper", "护士或库管员"),
        "nurse or keeper or storekeeper": ("nurse, keeper or storekeeper", "护士或库管员"),
        "nobody known": ("nobody known", "未登记人员"),
        "near": ("nearer at hand", "就近取用"),
        "asked": ("the doctor asked for it", "医生指定"),
        "damaged": ("damaged package", "包装破损"),
        "other": ("another", "其他"),
        # cards, as what is done from then on
        "ISSUE": ("taking", "领用"),
        "RECEIVE": ("receiving", "收货"),
        "RETURN": ("returning", "退回"),
        "SCRAP": ("scrapping", "报废"),
        "TRANSFER": ("transferring", "调拨"),
        "SET": ("procedure set", "手术套包"),
    }
)
"""What a sentence calls a word of the ledger: English, Chinese."""


class Said(NamedTuple):
    """A sentence inside another one, in whatever language that is told."""

    word: Word
    about: Mapping[str, object]


def sentence(word: Word, about: Mapping[str, object], language: str = "en") -> str:
    """Return a word's sentence about something in `en` or `zh`; a name that is not told is a question mark."""
    told = _Told({name: _said(value, language) for name, value in about.items()})
    return (word.zh if language == "zh" else word.en).format_map(told)


def _said(value: object, language: str) -> object:
    if isinstance(value, Said):
        return sentence(value.word, value.about, language)
    if isinstance(value, tuple):
        return ("、" if language == "zh" else ", ").join(str(_said(each, language)) for each in value)
    if isinstance(value, Doing):
        return DOINGS[value][language == "zh"]
    if isinstance(value, Event):
        return EVENTS[value] if language == "zh" else value.value
    names = NAMES.get(value) if isinstance(value, str) else None
    return value if names is None else names[language == "zh"]


class _Told(dict[str, object]):
    def __getitem__(self, key: str) -> object:
        value = self.get(key, "")
        return "?" if value == "" else value
