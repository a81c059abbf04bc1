"""What a soak run proves, from what devices delivered, what the agent tapped, its health table and its memory. Pure."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

Row = Mapping[str, object]
MICROS = 1_000_000
TAKEN_WITHIN_US = 2 * MICROS
"""A read of a module without a clock bears the agent's time: that of its arrival, soon after its last byte."""
BEFORE_US = MICROS // 10
NOTICED_WITHIN_US = 4 * MICROS
"""So long after a cut its outage has begun."""
ALWAYS_CUT = ("drop", "reboot", "unplug")
RSS_GROWTH_MAX = 0.05


@dataclass(frozen=True, slots=True)
class Interval:
    """One outage of a part, in microseconds UTC; `ended` None while it lasts."""

    name: str
    began: int
    ended: int | None


def number(row: Row, key: str) -> int:
    value = row[key]
    assert isinstance(value, int)
    return value


def faults_fired(delivered: Iterable[Row]) -> dict[str, int]:
    return dict(sorted(Counter(str(row["fault"]) for row in delivered if "fault" in row).items()))


def compare_tap(delivered: Sequence[Row], tapped: Sequence[Row]) -> dict[str, int | bool]:
    """Compare by (epc, antenna, first seen): every proved read was tapped, and nothing else but unproved ones."""
    reads = [row for row in delivered if "epc" in row]
    clockless = {row["device"] for row in reads if row["first_seen"] is None}
    exact = [row for row in reads if row["device"] not in clockless]
    taken = {_key(row, "reader") for row in tapped if row["reader"] not in clockless}
    proved = {_key(row, "device") for row in exact if row["proved"]}
    offered = {_key(row, "device") for row in exact}
    missing, foreign = len(proved - taken), len(taken - offered)
    by_time = _compare_by_time(
        [row for row in reads if row["device"] in clockless], [row for row in tapped if row["reader"] in clockless]
    )
    return {
        "tapped": len(tapped),
        "delivered": len(reads),
        "proved": sum(bool(row["proved"]) for row in reads),
        "proved_and_not_tapped": missing + by_time[0],
        "tapped_and_not_delivered": foreign + by_time[1],
        "equal": missing + foreign + sum(by_time) == 0,
    }


def _key(row: Row, who: str) -> tuple[object, ...]:
    return row[who], row["epc"], row["antenna"], row["first_seen"]


def _compare_by_time(sent: Iterable[Row], tapped: Iterable[Row]) -> tuple[int, int]:
    proved: dict[tuple[object, ...], list[int]] = defaultdict(list)
    offered: dict[tuple[object, ...], list[int]] = defaultdict(list)
    taken: dict[tuple[object, ...], list[int]] = defaultdict(list)
    for row in sent:
        key = (row["device"], row["epc"], row["antenna"])
        offered[key].append(number(row, "sent"))
        if row["proved"]:
            proved[key].append(number(row, "sent"))
    for row in tapped:
        taken[row["reader"], row["epc"], row["antenna"]].append(number(row, "first_seen"))
    missing = sum(_unmatched(times, taken[key], -BEFORE_US, TAKEN_WITHIN_US) for key, times in proved.items())
    foreign = sum(_unmatched(times, offered[key], -TAKEN_WITHIN_US, BEFORE_US) for key, times in taken.items())
    return missing, foreign


def _unmatched(times: list[int], others: list[int], low: int, high: int) -> int:
    """Return how many times have no partner of their own within [time + low, time + high]."""
    free, at, unmatched = sorted(others), 0, 0
    for time in sorted(times):
        at = max(at, bisect_left(free, time + low))
        if at < len(free) and free[at] <= time + high:
            at += 1
        else:
            unmatched += 1
    return unmatched


def compare_outages(
    delivered: Iterable[Row],
    intervals: Sequence[Interval],
    recoveries: int,
    *,
    on_tcp: frozenset[str],
    readers: frozenset[str],
) -> dict[str, int | bool]:
    """Compare what cut readers off, and how often the agent said that one works again, with the intervals of health."""
    struck = [row for row in delivered if "fault" in row and row["device"] in readers]
    cuts = [
        row for row in struck if row["fault"] in ALWAYS_CUT or (row["fault"] == "half-open" and row["device"] in on_tcp)
    ]
    mine = [each for each in intervals if each.name in readers]
    without = sum(not any(_covers(each, row) for each in mine) for row in cuts)
    ended = sum(each.ended is not None for each in mine)
    return {
        "cuts": len(cuts),
        "cuts_without_outage": without,
        "intervals": len(mine),
        "intervals_ended": ended,
        "recoveries_told": recoveries,
        "equal": not without and ended == recoveries,
    }


def _covers(interval: Interval, row: Row) -> bool:
    since, until = number(row, "since"), number(row, "until")
    ended = interval.ended if interval.ended is not None else until
    return interval.name == row["device"] and interval.began <= until + NOTICED_WITHIN_US and ended >= since


def quarters(samples: Sequence[int]) -> list[int]:
    """Return the mean of each quarter."""
    size = max(1, len(samples) // 4)
    parts = [samples[place * size : (place + 1) * size] or samples[-1:] for place in range(4)]
    return [round(sum(part) / max(1, len(part))) for part in parts]


def steady(means: Sequence[int]) -> bool:
    """Tell whether the last quarter is within 5 % of the second."""
    return abs(means[3] - means[1]) <= RSS_GROWTH_MAX * means[1]
