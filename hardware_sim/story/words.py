"""What the terminal tells while a story is played: one sentence a fact, in English and Chinese.

It holds words only. The rule that must not be broken: both languages say the same facts by the same names.
"""

from collections.abc import Mapping
from enum import StrEnum


class Lang(StrEnum):
    """The languages of the terminal."""

    EN = "en"
    ZH = "zh"


WORDS: Mapping[str, Mapping[Lang, str]] = {
    "page": {Lang.EN: "The page: {url}", Lang.ZH: "页面地址：{url}"},
    "state": {Lang.EN: "State: {state}   seed {seed}", Lang.ZH: "数据目录：{state}   种子 {seed}"},
    "plan": {
        Lang.EN: "{wards} wards, {tags} tagged pieces, {hours:g} hours of an evening in about {seconds:.0f} s",
        Lang.ZH: "{wards} 个病区，{tags} 件带标签耗材，{hours:g} 小时的故事约 {seconds:.0f} 秒播完",
    },
    "starting": {
        Lang.EN: "Starting central, a broker, and {wards} wards with an edge, a reader and a scanner each …",
        Lang.ZH: "正在启动中心平台、消息服务和 {wards} 个病区（边缘代理、读写器、扫码枪）…",
    },
    "takes": {Lang.EN: "{ward}: {actor} scans and takes {items}", Lang.ZH: "{ward}：{actor} 扫码领用 {items}"},
    "refused": {
        Lang.EN: "{ward}: {actor} is refused {items} and leaves it",
        Lang.ZH: "{ward}：{actor} 领用 {items} 被拒，放回货架",
    },
    "silent": {
        Lang.EN: "{ward}: no beep for {actor}, who waits and scans again",
        Lang.ZH: "{ward}：{actor} 没有听到提示音，等待后重新扫码",
    },
    "missed": {
        Lang.EN: "{ward}: somebody takes {items} and scans nothing",
        Lang.ZH: "{ward}：有人取走 {items}，没有扫码",
    },
    "cut": {Lang.EN: "{ward}: the network is cut; people go on", Lang.ZH: "{ward}：网络中断，病区照常领用"},
    "restored": {Lang.EN: "{ward}: the network is back", Lang.ZH: "{ward}：网络恢复"},
    "missing": {
        Lang.EN: "{ward}: central finds {items} missing",
        Lang.ZH: "{ward}：中心平台发现 {items} 缺失（账在物不在）",
    },
    "unexpected": {
        Lang.EN: "{ward}: central finds {items} that should not be there",
        Lang.ZH: "{ward}：中心平台发现 {items} 多出（物在账不在）",
    },
    "discrepancy": {
        Lang.EN: "{ward}: central opens a discrepancy ({kind}) for {items}",
        Lang.ZH: "{ward}：中心平台新开差异单（{kind}）：{items}",
    },
    "proposed": {
        Lang.EN: "{ward}: central proposes {qty} x {items} from {source}: {why}",
        Lang.ZH: "{ward}：中心平台建议补货 {items} ×{qty}，来源 {source}：{why}",
    },
    "yours": {
        Lang.EN: "Approve it on the page; in {seconds:.0f} s the demo does it as {actor}",
        Lang.ZH: "请在页面上审批；{seconds:.0f} 秒后由 {actor} 代为审批",
    },
    "ordered": {
        Lang.EN: "{ward}: {actor} approves; order {order} stands",
        Lang.ZH: "{ward}：{actor} 已审批，生成订单 {order}",
    },
    "died": {Lang.EN: "{part} died and is started again", Lang.ZH: "{part} 意外退出，已重新启动"},
    "over": {
        Lang.EN: "The evening is over; the clock now runs at its usual pace. Look around; Ctrl-C ends.",
        Lang.ZH: "故事播完，时钟恢复正常速度。可以继续查看页面；按 Ctrl-C 结束。",
    },
    "settling": {Lang.EN: "The evening is over; waiting until all is told", Lang.ZH: "故事播完，等待数据同步完毕"},
    "broken": {
        Lang.EN: "Breaking central's database on purpose: {how}",
        Lang.ZH: "故意破坏中心数据库：{how}",
    },
    "stopping": {Lang.EN: "Stopping", Lang.ZH: "正在停止"},
    "kept": {Lang.EN: "Kept in {state}", Lang.ZH: "数据保留在 {state}"},
}


def sentence(lang: Lang, name: str, values: Mapping[str, object]) -> str:
    """Return one sentence with its values."""
    return WORDS[name][lang].format_map(values)
