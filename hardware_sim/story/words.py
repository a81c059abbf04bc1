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
        Lang.EN: "{wards}, {tags} tagged pieces, {hours:g} hours of an evening in about {seconds:.0f} s",
        Lang.ZH: "{wards}，{tags} 件带标签耗材，{hours:g} 小时的故事约 {seconds:.0f} 秒播完",
    },
    "starting": {
        Lang.EN: "Starting central, a broker, and an edge, a reader and a scanner for {wards} …",
        Lang.ZH: "正在启动中心平台、消息服务和 {wards}的设备（边缘代理、读写器、扫码枪）…",
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
    "misput": {
        Lang.EN: "{ward}: somebody puts {items} back on shelf {shelf} instead of {own}",
        Lang.ZH: "{ward}：有人把 {items} 放错货位，应在 {own}，放到了 {shelf}",
    },
    "cut": {Lang.EN: "{ward}: the network is cut; people go on", Lang.ZH: "{ward}：网络中断，科室照常领用"},
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
    "accounts": {
        Lang.EN: "Whoever opens it acts as {actor}. Or sign in, each with the password {password} :",
        Lang.ZH: "打开页面即以 {actor} 身份操作；也可登录下列账号，密码都是 {password} ：",
    },
    "account": {Lang.EN: "    {staff}  {called}", Lang.ZH: "    {staff}  {called}"},
    "sheet": {
        Lang.EN: "A messy sheet to try the import with: {path}",
        Lang.ZH: "可用来试导入的杂乱表格：{path}",
    },
    "yours": {
        Lang.EN: "It waits for you: {url}proposals",
        Lang.ZH: "等您审批：{url}proposals",
    },
    "trace": {
        Lang.EN: "Trace a piece from its receipt to its patient: {address}",
        Lang.ZH: "追溯一件耗材，从收货到患者：{address}",
    },
    "statement": {
        Lang.EN: "Signed statements of the evening's day: {folder}; check one without the server:\n    {command}",
        Lang.ZH: "当晚业务日的签名报表：{folder}；脱离系统校验：\n    {command}",
    },
    "look": {
        Lang.EN: "The clock now runs at its usual pace. Look around, {url}help says where to begin; Ctrl-C ends.",
        Lang.ZH: "时钟恢复正常速度。可以继续查看页面，从 {url}help 开始；按 Ctrl-C 结束。",
    },
    "ordered": {
        Lang.EN: "{ward}: {actor} approves; order {order} stands",
        Lang.ZH: "{ward}：{actor} 已审批，生成订单 {order}",
    },
    "approved": {
        Lang.EN: "{ward}: {items} approved on the page; order {order} stands",
        Lang.ZH: "{ward}：{items} 已在页面上审批，生成订单 {order}",
    },
    "died": {Lang.EN: "{part} died and is started again", Lang.ZH: "{part} 意外退出，已重新启动"},
    "settling": {Lang.EN: "The evening is over; waiting until all is told", Lang.ZH: "故事播完，等待数据同步完毕"},
    "break_lose": {
        Lang.EN: "Breaking central's database on purpose: the last {entries} entries of one ward are gone",
        Lang.ZH: "故意破坏中心数据库：删去一个科室最后 {entries} 条记录",
    },
    "break_double": {
        Lang.EN: "Breaking central's database on purpose: one issue is posted a second time",
        Lang.ZH: "故意破坏中心数据库：同一笔领用重复记账",
    },
    "break_hide": {
        Lang.EN: "Breaking central's database on purpose: the open discrepancies are gone",
        Lang.ZH: "故意破坏中心数据库：删去未处理的差异单",
    },
    "figures": {
        Lang.EN: "reads {reads}  entries {entries}  acked {acked}  pending {pending}  lost {lost}  "
        "duplicates {duplicates}",
        Lang.ZH: "读取 {reads}  记录 {entries}  已确认 {acked}  待确认 {pending}  丢失 {lost}  重复 {duplicates}",
    },
    "agreement": {
        Lang.EN: "wards {wards}  lines {lines}, not observed {lines_not_observed}  over the wards' observed lines: "
        "line match {line_match} %, unit match {unit_match} % (line-match.2)  "
        "offline {offline_s:.0f} s",
        Lang.ZH: "科室 {wards}  账目行 {lines}，未观测 {lines_not_observed}  各科室已观测行的账物相符："
        "按行 {line_match} %，按件 {unit_match} %（line-match.2）  "
        "断网 {offline_s:.0f} 秒",
    },
    "problem": {Lang.EN: "problem: {problem}", Lang.ZH: "问题：{problem}"},
    "right": {Lang.EN: "ok: true  ({seconds:.0f} s)", Lang.ZH: "判定：通过（{seconds:.0f} 秒）"},
    "wrong": {Lang.EN: "ok: false  ({seconds:.0f} s)", Lang.ZH: "判定：不通过（{seconds:.0f} 秒）"},
    "stopping": {Lang.EN: "Stopping", Lang.ZH: "正在停止"},
    "ended": {Lang.EN: "Ended", Lang.ZH: "已结束"},
    "removed": {
        Lang.EN: "Ended; its state is removed (--state DIR keeps it)",
        Lang.ZH: "已结束，数据已删除（用 --state DIR 可以保留）",
    },
    "kept": {Lang.EN: "Kept in {state}", Lang.ZH: "数据保留在 {state}"},
}


def sentence(lang: Lang, name: str, values: Mapping[str, object]) -> str:
    """Return one sentence with its values."""
    return WORDS[name][lang].format_map(values)


def wards(lang: Lang, count: int) -> str:
    """Return a number of wards with its noun."""
    if lang is Lang.ZH:
        return f"{count} 个科室"
    return f"{count} ward" if count == 1 else f"{count} wards"
