"""Which due lines are counted before they are ordered: what is expected to be wrong, and who was asked already.

It gathers and writes; `core.reorder.doubt` decides. The rule that must not be broken: a storeroom is asked for no more
lines a day than the rules say, whoever asks.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf

from sqlalchemy import Connection

from central.core.counts import LineKey
from central.core.reorder.doubt import Counting, Doubt, counting, trust_of
from central.services.admitted import VITAL
from central.services.asking import COUNT, LINES_A_DAY, OPEN, ask_for, room_on
from central.services.counts import task_id, wrong_in
from central.services.policy import rules_at
from central.services.positions import DAY_S, Scene
from central.store import queries_settling as kept
from central.store.queries_reorder import Asked, asked_to_count
from central.store.queries_rooms import book_in
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, plus

REMEMBERED_DAYS = 7
"""A line that was asked for and ordered is not asked for again within a week."""

S_AN_HOUR = 3600
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Doubts:
    """By place and item: trust in the record, the lot that is most wrong; what was asked for; counts left today."""

    trust: Mapping[Key, float] = field(default_factory=dict)
    worst: Mapping[Key, tuple[str, float]] = field(default_factory=dict)
    asked_h: Mapping[Key, float] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)

    def hold(self, scene: Scene, due: Iterable[Key]) -> Counting:
        """Return which due lines wait for a count."""
        return counting(
            [
                Doubt(*key, self.trust[key], scene.catalogue[key[1]].criticality == VITAL, self.asked_h.get(key))
                for key in due
                if key in self.trust
            ],
            self.left,
        )


def doubts_at(connection: Connection, hospital: HospitalId, now: Instant, scene: Scene) -> Doubts:
    """Gather how far the records of a hospital's storerooms are trusted."""
    trust: dict[Key, float] = {}
    worst: dict[Key, tuple[str, float]] = {}
    for place in scene.storerooms:
        wrong = wrong_in(connection, hospital, place, scene.rules, now)
        if not wrong:
            continue
        pieces = Counter[str]()
        for (item, _), qty in book_in(connection, hospital, place).items():
            pieces[item] += qty
        for item, lots in _by_item(wrong).items():
            trust[place, item] = trust_of(sum(lots.values()), pieces[item])
            worst[place, item] = max(lots.items(), key=lambda one: (one[1], one[0]))
    asked = asked_to_count(connection, hospital, plus(now, -REMEMBERED_DAYS * DAY_S))
    left = {place: room_on(connection, hospital, place, scene.rules, now) for place in scene.storerooms}
    return Doubts(trust, worst, _hours(asked, now), left)


def _by_item(wrong: Mapping[LineKey, float]) -> dict[str, dict[str, float]]:
    found: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for key, pieces in wrong.items():
        found[key.item][key.lot] = pieces
    return dict(found)


def _hours(asked: Iterable[Asked], now: Instant) -> dict[Key, float]:
    """Return how long ago each line was last asked for by a run; for ever where it was counted since."""
    found: dict[Key, float] = {}
    for one in asked:
        if one.by_run:
            hours = inf if one.counted else (now - one.at) / 1e6 / S_AN_HOUR
            found[one.place, one.item] = hours
    return found


def ask_to_count(
    connection: Connection, hospital: HospitalId, now: Instant, run: str, doubts: Doubts, lines: Iterable[Doubt]
) -> int:
    """Ask storerooms to count lines before they are ordered; returns how many were not asked for yet."""
    today, prices = business_day(now), kept.prices(connection, hospital)
    rules, asked = rules_at(connection, hospital, now, LINES_A_DAY), 0
    for one in lines:
        lot, wrong = doubts.worst[one.place, one.item]
        reason = {"wrong": round(wrong, 4), "price": prices.get(one.item, 0), "trust": round(one.trust, 4), "run": run}
        id = task_id(one.place, today, LineKey(one.item, lot))
        task = kept.Task(id, COUNT, one.place, one.item, lot, "", today, reason, OPEN, None)
        asked += ask_for(connection, hospital, one.place, [task], rules, now)
    return asked
