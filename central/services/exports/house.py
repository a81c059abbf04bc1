"""Tables of the house: wards, devices, permits, recalls, alarms, counting, charges, rules, people, acts.

The rule that must not be broken: long lists are walked page by page, and nobody is told of what they may not see.
"""

import json
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_DOWN, Decimal

from central.core.rights import Right
from central.services.alarms import Alarms
from central.services.charges import differences
from central.services.exports.form import Asked, Both, Cell, Column, Export, moment
from central.services.exports.words import ITEM, LOT, ROOM, STATE, Names, refusal, state, yes
from central.services.fleet import DeviceHealth, fleet
from central.services.rules import RuleBook
from central.services.wards import standings
from central.store.audit import Act, acts_page
from central.store.paging import Page, PageAsked, every
from central.store.queries_purchasing import history
from central.store.queries_rules import rule_changes
from central.store.queries_settling import Task, tasks_page
from protocols.values.instant import MICROS, business_day

THOUSANDTHS_A_PERCENT, TENTH = 10, Decimal("0.1")


def _wards(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    with asked.read() as connection:
        found = standings(connection, asked.hospital, asked.desk.now(), asked.scope)
    for one in found:
        room, last = one.place, one.seen
        heard = None if last is None else moment(last.last_seen_at)
        yield (
            room.place, Both(room.name_zh, room.name_en), room.level, room.device, heard, yes(bool(one.offline)),
            one.quarantined, one.discrepancies, one.proposals,
        )  # fmt: skip


def _devices(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    with asked.read() as connection:
        found = fleet(connection, asked.hospital, asked.desk.now())
    for one in found:
        seen = one.seen
        said = seen.device, seen.place, state(seen.status), seen.reason, seen.agent_version, moment(seen.last_seen_at)
        yield *said, seen.pending, *_clock(one), *_antennas(one)


def _clock(one: DeviceHealth) -> tuple[Cell, Cell]:
    if one.clock is None:
        return None, None
    return Decimal(one.clock.ahead_us) / MICROS, moment(one.clock.at)


def _antennas(one: DeviceHealth) -> tuple[Cell, Cell, Cell]:
    if one.antennas is None:
        return None, "", None
    heard = one.antennas.heard
    share = Decimal(sum(heard.values())) / (THOUSANDTHS_A_PERCENT * len(heard))
    return share.quantize(TENTH, ROUND_DOWN), ", ".join(one.silent), moment(one.antennas.at)


def _permits(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    for room in asked.desk.permits.rooms(asked.caller):
        last, place = room.standing.last, room.place
        since = (None, "", "") if last is None else (moment(last.at), last.person, last.why)
        waits = "" if room.standing.waits is None else str(room.standing.waits.audit)
        yield place.place, Both(place.name_zh, place.name_en), str(room.standing.permit), *since, waits


def _recalls(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)
    for one in asked.desk.recalls.every(asked.caller):
        lifted = moment(one.lifted_at), one.lifted_by
        yield *names.item(one.item), one.lot, moment(one.at), one.person, one.why, *lifted


def _tasks(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names = Names(asked)

    def page(wanted: PageAsked) -> Page[Task]:
        with asked.read() as connection:
            return tasks_page(
                connection, asked.hospital, wanted, status=asked.given("status"), place=asked.given("place"),
                scope=asked.scope,
            )  # fmt: skip

    for one in every(page):
        yield one.day, one.kind, *names.place(one.place), *names.item(one.item), one.lot, one.unit, state(one.status)


def _charges(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, today = Names(asked), business_day(asked.desk.now())
    first, last = asked.day("first") or today, asked.day("last") or today
    for one in differences(asked.desk, asked.caller, first, last, asked.given("place")):
        yield one.day, *names.place(one.place), *names.item(one.item), one.used, one.charged, one.difference


def _rules(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    for one in RuleBook(asked.desk.master.documents).standing(asked.given("q")):
        now = one.now
        told: tuple[Cell, ...] = (None, None, None, None)
        if now is not None:
            told = (now.value, now.effective_from, now.effective_to, now.source_doc)
        yield one.kind.code, Both(one.kind.zh, one.kind.en), one.scope, *told, yes(one.waits)


def _rule_changes(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    with asked.read() as connection:
        found = rule_changes(connection, asked.hospital)
        steps = {one.change: history(connection, asked.hospital, one.change)[-1] for one in found}
    for one in found:
        last = steps[one.change]
        why = refusal(str(last.detail.get("refusal", ""))), str(last.detail.get("text", ""))
        decided = last.actor if last.seq else ""
        days: tuple[date, date | None] = (one.effective_from, one.effective_to)
        yield (
            one.change, one.code, one.scope, one.value, *days, one.source_doc, one.reason, state(one.state),
            moment(one.proposed_at), one.proposed_by, decided, *why,
        )  # fmt: skip


def _people(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    asked.desk.looks.saw(asked.caller, "see-people", "export people")
    for one in asked.desk.accounts.listed(asked.caller):
        roles = "; ".join(f"{grant.role}{' @ ' + ' '.join(sorted(grant.places)) if grant.places else ''}"
                          for grant in one.grants)  # fmt: skip
        yield one.person, one.name, yes(one.active), roles, yes(bool(one.totp_secret))


def _acts(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    asked.desk.looks.saw(asked.caller, "see-acts", "export")

    def page(wanted: PageAsked) -> Page[Act]:
        with asked.read() as connection:
            return acts_page(connection, asked.hospital, wanted)

    for one in every(page):
        yield (
            one.seq,
            moment(one.at),
            one.person,
            one.act,
            one.subject,
            json.dumps(dict(one.detail), ensure_ascii=False),
        )


def _alarms(asked: Asked) -> Iterator[tuple[Cell, ...]]:
    names, kept = Names(asked), Alarms(asked.desk.master.documents)
    for one in every(lambda page: kept.page(asked.caller, page, asked.given("state"))):
        taken = moment(one.acknowledged_at), one.acknowledged_by, moment(one.closed_at), one.closed_by
        what = str(one.kind), one.subject, *names.place(one.place), *names.item(one.item), one.lot
        yield one.alarm, *what, state(one.state), moment(one.raised_at), *taken, one.words


BY, WHY, SINCE = Column("工号", "by (staff number)"), Column("原因", "why"), Column("时间", "since")
HOUSE_EXPORTS = (
    Export(
        "wards", Both("库房", "storerooms"), Right.SEE_STOCK, (),
        (
            *ROOM, Column("级别", "level"), Column("设备", "device"), Column("最近联系", "last heard"),
            Column("失联", "offline"), Column("隔离记录", "in quarantine"), Column("差异单", "discrepancies"),
            Column("建议", "proposals"),
        ),
        _wards,
    ),
    Export(
        "devices", Both("设备", "devices"), Right.SEE_FLEET, (),
        (
            Column("设备", "device"), Column("库房编码", "storeroom"), STATE, WHY, Column("版本", "version"),
            Column("最近联系", "last heard"), Column("待传记录", "entries to come"),
            Column("时钟快(秒)", "clock ahead (s)"), Column("时钟上报时间", "clock told at"),
            Column("天线在线占比(%)", "antennas listened (%)"), Column("未工作天线", "silent antennas"),
            Column("天线上报时间", "antennas told at"),
        ),
        _devices,
    ),
    Export(
        "permits", Both("自主领用许可", "permits"), Right.SEE_STOCK, (),
        (*ROOM, Column("许可", "permit"), SINCE, BY, WHY, Column("待确认", "waits for")), _permits,
    ),
    Export(
        "recalls", Both("召回", "recalls"), Right.SEE_STOCK, (),
        (*ITEM, LOT, SINCE, BY, WHY, Column("解除时间", "lifted"), Column("解除人工号", "lifted by")), _recalls,
    ),
    Export(
        "alarms", Both("警报", "alarms"), Right.SEE_STOCK, ("state",),
        (
            Column("编号", "number"), Column("类型", "kind"), Column("事项", "matter"), *ROOM, *ITEM, LOT, STATE, SINCE,
            Column("认领时间", "taken at"), Column("认领人工号", "taken by"), Column("关闭时间", "closed at"),
            Column("关闭人工号", "closed by"), Column("处理情况", "what was done"),
        ),
        _alarms,
    ),
    Export(
        "count-tasks", Both("待盘任务", "what is to be counted"), Right.SEE_STOCK, ("status", "place"),
        (Column("日期", "day"), Column("类型", "kind"), *ROOM, *ITEM, LOT, Column("单件", "piece"), STATE), _tasks,
    ),
    Export(
        "charges", Both("收费核对", "use beside charges"), Right.SEE_STOCK, ("first", "last", "place"),
        (
            Column("日期", "day"), *ROOM, *ITEM, Column("使用", "used"), Column("收费", "charged"),
            Column("差额", "difference"),
        ),
        _charges,
    ),
    Export(
        "rules", Both("规则与阈值", "policy rules"), Right.SEE_STOCK, ("q",),
        (
            Column("代码", "code"), Column("名称", "name"), Column("适用范围", "holds for"), Column("数值", "value"),
            Column("起始日期", "first day"), Column("截止日期(不含)", "until, not included"), Column("来源", "source"),
            Column("待第二人同意", "waits for a second person"),
        ),
        _rules,
    ),
    Export(
        "rule-changes", Both("规则变更", "changes of rules"), Right.SEE_STOCK, (),
        (
            Column("编号", "number"), Column("代码", "code"), Column("适用范围", "holds for"), Column("数值", "value"),
            Column("起始日期", "first day"), Column("截止日期(不含)", "until, not included"), Column("来源", "source"),
            WHY, STATE, Column("提出时间", "proposed"), Column("提出人工号", "proposed by"),
            Column("决定人工号", "decided by"), Column("拒绝原因", "refused because"),
            Column("拒绝说明", "refused in words"),
        ),
        _rule_changes,
    ),
    Export(
        "people", Both("人员", "people"), Right.SEE_PEOPLE, (),
        (
            BY, Column("姓名", "name"), Column("有效", "active"), Column("角色", "roles"),
            Column("一次性口令", "one-time codes"),
        ),
        _people,
    ),
    Export(
        "acts", Both("操作记录", "record of acts"), Right.SEE_AUDIT, (),
        (
            Column("序号", "number"), Column("时间", "time"), BY, Column("操作", "act"), Column("对象", "of what"),
            Column("详情", "detail", priced=True),
        ),
        _acts,
    ),
)  # fmt: skip
