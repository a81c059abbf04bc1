"""What a shift is told once: which digest is due for whom, what it says, and when one that failed is tried again.

Pure; who needs what is counted elsewhere. The rules that must not be broken: one digest a role and shift, nothing where
nothing needs anybody, and a limit to every retry.

Source: D8 (S3), one digest per role and shift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from types import MappingProxyType

from central.core.rights import Right
from protocols.values.instant import HOSPITAL_ZONE, Instant, business_day, day_start, plus, to_datetime

WAITS_S = (60.0, 300.0, 900.0, 3600.0)
"""How long to wait after each failure; behind the last the digest is given up, for the next shift's says it anew."""
TRIES_MAX = len(WAITS_S) + 1


class Sending(StrEnum):
    """Where a digest stands."""

    WAITING = "waiting"
    SENT = "sent"
    EMPTY = "empty"
    GIVEN_UP = "given-up"


class About(StrEnum):
    """What a message is about: a shift's digest, or alarms that are told at once."""

    SHIFT = "shift"
    ALARMS = "alarms"


class Need(StrEnum):
    """What may need somebody now."""

    PROPOSALS = "proposals"
    DISCREPANCIES = "discrepancies"
    COUNTS = "counts"
    SILENT = "silent"
    QUARANTINED = "quarantined"
    OVERDUE = "overdue"
    PAPERS = "papers"
    SHORTAGES = "shortages"
    ALARMS = "alarms"
    EMERGENCIES = "emergencies"


@dataclass(frozen=True, slots=True)
class Said:
    """Whom a need is told, and in which words; `{}` is how many."""

    right: Right
    zh: str
    en: str


SAID: Mapping[Need, Said] = MappingProxyType(
    {
        Need.ALARMS: Said(Right.SEE_STOCK, "{} 条警报无人认领", "{} alarms that nobody took"),
        Need.PROPOSALS: Said(Right.APPROVE, "{} 条补货建议待审批", "{} proposals to approve"),
        Need.DISCREPANCIES: Said(Right.SETTLE, "{} 张差异单待处理", "{} discrepancies to settle"),
        Need.COUNTS: Said(Right.SETTLE, "{} 行今日待盘", "{} lines to count today"),
        Need.SILENT: Said(Right.SEE_FLEET, "{} 个库房的设备没有声音", "{} storerooms whose device is silent"),
        Need.QUARANTINED: Said(Right.SEE_FLEET, "{} 条记录被隔离", "{} entries in quarantine"),
        Need.OVERDUE: Said(Right.PAY, "{} 张发票已逾期未付", "{} invoices overdue"),
        Need.PAPERS: Said(Right.PURCHASE, "{} 份证照到期或将到期", "{} certificates that end soon or are over"),
        Need.EMERGENCIES: Said(Right.PURCHASE, "{} 笔应急申领超时", "{} emergencies over their time"),
        Need.SHORTAGES: Said(Right.PURCHASE, "{} 个品规供应告急", "{} items whose supply runs short"),
    }
)
"""Every need, in the order in which it is told."""


def shift_at(now: Instant, starts: Sequence[time]) -> Instant:
    """Return when the shift of an instant began; `starts` are local times of the day, one at least."""
    today = business_day(now)
    begun = [
        begin
        for day in (today - timedelta(days=1), today)
        for start in starts
        if (begin := plus(day_start(day), start.hour * 3600.0 + start.minute * 60.0)) <= now
    ]
    return max(begun)


def digest(needs: Mapping[Need, int], shift: Instant, *, zh: bool) -> tuple[str, str] | None:
    """Return the title and the lines of a digest, None where nothing needs anybody."""
    lines = [(SAID[need].zh if zh else SAID[need].en).format(needs[need]) for need in SAID if needs.get(need)]
    if not lines:
        return None
    begun = to_datetime(shift).astimezone(HOSPITAL_ZONE)
    when = f"{begun:%Y-%m-%d %H:%M}"
    title = f"待办提醒 {when} 班次" if zh else f"What needs you, shift of {when}"
    return title, "\n".join(f"· {line}" for line in lines)


def after_failure(tries: int, now: Instant) -> tuple[Sending, Instant]:
    """Return where a digest stands after so many failed tries, and when it is tried again."""
    if tries >= TRIES_MAX:
        return Sending.GIVEN_UP, now
    return Sending.WAITING, plus(now, WAITS_S[tries - 1])
