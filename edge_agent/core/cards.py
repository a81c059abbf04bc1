"""What is printed for people to scan: command, number and reason cards, badges, cards of shelves, storerooms and bins.

Pure: a card is a text for its symbol and words for whoever holds it; how it is drawn is told elsewhere. The rule that
must not be broken: what a card's symbol says is what the agent reads, with its check character.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from protocols.codes.own import CommandName, TicketSort, make_badge, make_command, make_ticket
from protocols.errors import BadValue
from protocols.values.ids import ActorId


@dataclass(frozen=True, slots=True)
class Card:
    """One card: what its symbol says, its name in Chinese and English, and what follows when it is scanned."""

    text: str
    zh: str
    en: str
    then_zh: str
    then_en: str


_C = CommandName
_WHY = ("未按近效期先出的原因，再扫物资", "why not the first to expire; then the item")
COMMANDS: Mapping[CommandName, tuple[str, str, str, str]] = MappingProxyType(
    {
        _C.RECEIVE: ("收货", "RECEIVE", "再逐件扫码或扫配送单", "then each piece, or the delivery note"),
        _C.ISSUE: ("领用", "ISSUE", "回到领用，再扫物资", "back to taking: then the item"),
        _C.RETURN: ("退回", "RETURN", "再扫退回的物资", "then what goes back to the shelf"),
        _C.SCRAP: ("报废", "SCRAP", "再扫报废的物资（库管员）", "then what is thrown away (keeper)"),
        _C.TRANSFER: ("调拨", "TRANSFER", "调出先扫对方库房码", "out: the other storeroom first"),
        _C.SET: ("手术套包", "SET", "再扫套包单", "then the set's note"),
        _C.COUNT: ("盘点", "COUNT", "扫货位与物资，结束时再扫本卡", "shelf and items; this card again ends it"),
        _C.ADJUST: ("盘盈盘亏", "ADJUST", "按最近盘点调整账面（库管员）", "moves the book to the last count (keeper)"),
        _C.CLAIM: ("认领", "CLAIM", "认领未扫码取走的物资", "claims what was taken without a scan"),
        _C.RECONCILE: ("周对账", "RECONCILE", "签署每周对账（库管员）", "signs the week (keeper)"),
        _C.UNDO: ("冲红", "UNDO", "撤销本次进库的上一步", "takes back the last act of this visit"),
        _C.EMERGENCY: ("应急", "EMERGENCY", "直接取用，逐件扫码，均有记录", "take; every piece is recorded"),
        _C.DONE: ("结束", "DONE", "结束本次进库", "ends this visit"),
        _C.TIMES_5: ("×5", "×5", "再扫物资；数量可累加", "then the item; numbers add up"),
        _C.TIMES_10: ("×10", "×10", "再扫物资；数量可累加", "then the item; numbers add up"),
        _C.PACK: ("整包", "WHOLE PACK", "再扫物资", "then the item"),
        _C.WHY_NEAR: ("就近取用", "NEARER", *_WHY),
        _C.WHY_ASKED: ("医生指定", "ASKED FOR", *_WHY),
        _C.WHY_DAMAGED: ("包装破损", "DAMAGED", *_WHY),
        _C.WHY_OTHER: ("其他原因", "ANOTHER REASON", *_WHY),
    }
)  # fmt: skip
"""Every command's card: its name and what follows, each in Chinese and English."""


def command_cards() -> list[Card]:
    """Return the card of every command."""
    return [Card(make_command(name), *words) for name, words in COMMANDS.items()]


def badge_card(staff: str) -> Card:
    """Return a person's badge. Raises `BadValue` for a staff number a badge cannot carry."""
    return Card(make_badge(ActorId(staff)), f"工牌 {staff}", f"badge {staff}", "先扫工牌", "scanned first")


def shelf_card(code: str) -> Card:
    """Return a shelf's card. Raises `BadValue` for a code it cannot carry."""
    return Card(
        make_ticket(TicketSort.PLACE, code),
        f"货位 {code}",
        f"shelf {code}",
        "收货、退回、盘点时扫",
        "when something is put or counted here",
    )


def storeroom_card(place: str) -> Card:
    """Return a storeroom's card, for whoever sends goods there: the letters and digits of its name."""
    code = re.sub("[^A-Z0-9]", "", place.upper())
    if not code:
        raise BadValue(f"storeroom: expected a name with a letter or a digit such as ward-02, got {place!r:.40}")
    text = make_ticket(TicketSort.PLACE, code)
    return Card(text, f"库房 {place}", f"storeroom {place}", "调拨卡之后扫", "after TRANSFER")


def bin_card(code: str) -> Card:
    """Return a bin's card. Raises `BadValue` for a code it cannot carry."""
    return Card(
        make_ticket(TicketSort.BIN, code),
        f"空箱卡 {code}",
        f"bin {code}",
        "空箱时扫，即请求补货",
        "when it is empty: it is filled again",
    )
