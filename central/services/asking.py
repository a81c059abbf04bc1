"""What a storeroom is asked to count on a day: the one place where such tasks are written, whoever asks.

The day's job asks for the riskiest lines, a reorder run for those it doubts, a conflict for the line it is about. The
rule that must not be broken: on no day does a storeroom face more counts than the rule says, however often, late or by
whom it is asked.

Source: E1 (daily check), three lines a ward and day, chosen by risk.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection

from central.core.counts import Standing, day_with_room, left_on
from central.core.policy import Rules
from central.core.rights import EVERYWHERE, Scope
from central.services.policy import rules_at
from central.store import queries_settling as kept
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day

COUNT, OPEN, OVER = "count", "open", "over"
CONFLICT, SINCE = "conflict", "since"
"""In the reason of a count: the conflict it is for, which waits its day, and the day from which a count answers it."""
LINES_A_DAY = "count.lines_a_day"
AHEAD_DAYS_MAX = 366
"""How far ahead a count is put off; what finds no day until then is asked for when it is looked at again."""


def room_on(connection: Connection, hospital: HospitalId, place: str, rules: Rules, now: Instant) -> int:
    """Return how many more lines a storeroom may be asked for today."""
    return left_on(business_day(now), _standing(connection, hospital, place), rules.whole(LINES_A_DAY))


def ask_for(
    connection: Connection, hospital: HospitalId, place: str, wanted: Iterable[kept.Task], rules: Rules, now: Instant
) -> int:
    """Ask a storeroom for counts, the first ones first, as far as its day has room; returns how many were added.

    A count that a conflict calls for is put off to the first day that has room; any other is left out.
    """
    end_over(connection, hospital, place, now)
    standing, most, added = _standing(connection, hospital, place), rules.whole(LINES_A_DAY), 0
    known = {one.id for one in kept.tasks(connection, hospital, place=place)}
    for task in wanted:
        lasts = CONFLICT in task.reason
        day = day_with_room(task.day, standing, most, AHEAD_DAYS_MAX if lasts else 0)
        if task.id in known or day is None:
            continue
        reason = {**task.reason, SINCE: task.day.isoformat()} if day > task.day else task.reason
        put = kept.Task(task.id, COUNT, place, task.item, task.lot, "", day, reason, OPEN, None)
        added += kept.add_tasks(connection, hospital, [put], now)
        standing.append(Standing(day, lasts))
    return added


def asked_now(
    connection: Connection, hospital: HospitalId, now: Instant, *, place: str = "", scope: Scope = EVERYWHERE
) -> list[kept.Task]:
    """Return what storerooms are asked to do today, the oldest first: of counts no more each than its day has.

    What was put off to a later day is not among it, nor what belongs to a day that is over.
    """
    today, most = business_day(now), rules_at(connection, hospital, now, LINES_A_DAY).whole(LINES_A_DAY)
    every = kept.tasks(connection, hospital, status=OPEN, place=place, scope=scope)
    faced, taken = [], Counter[str]()
    for one in sorted(every, key=lambda task: (task.day, task.place)):
        if one.kind == COUNT:
            if one.day > today or (one.day < today and CONFLICT not in one.reason) or taken[one.place] == most:
                continue
            taken[one.place] += 1
        faced.append(one)
    return faced


def since_of(task: kept.Task) -> date:
    """Return the business day from which a count of the line answers a task."""
    return date.fromisoformat(task.reason.get(SINCE, task.day.isoformat()))


def end_over(connection: Connection, hospital: HospitalId, place: str, now: Instant) -> None:
    """End what a storeroom was asked for on days that are over; what a conflict calls for waits until it is done."""
    for one in kept.tasks(connection, hospital, status=OPEN, place=place):
        if one.kind == COUNT and one.day < business_day(now) and CONFLICT not in one.reason:
            kept.end_task(connection, hospital, one.id, OVER, None, None)


def _standing(connection: Connection, hospital: HospitalId, place: str) -> list[Standing]:
    every = kept.tasks(connection, hospital, place=place)
    return [Standing(one.day, CONFLICT in one.reason and one.status == OPEN) for one in every if one.kind == COUNT]
