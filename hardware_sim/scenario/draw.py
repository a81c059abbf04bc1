"""Draws one evening of a small hospital from a seed, so that exactly one line needs an order and one piece is missed.

It is pure: the same sample, seed and number of wards give the same plan. It moves nothing and knows no clock, process
or wire. The rule that must not be broken: only the driven line may reach its trigger, and the piece that is taken
without a scan is scanned by nobody.
"""

import random
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from itertools import accumulate, cycle
from math import ceil

from hardware_sim.errors import BadSample, WrongUse
from hardware_sim.sample.catalogue import COMPANY_PREFIX_LENGTH, Sample, Stock, profile_of
from hardware_sim.sample.files import WARDS_MAX, ward_name
from hardware_sim.sample.policy import trigger
from hardware_sim.scenario.plan import Cut, Drive, Misput, Plan, Take, Visit, Ward
from hardware_sim.world import SHELF_ANTENNAS, Tag
from protocols.codes.epc import encode_sgtin96
from protocols.values.ids import ActorId, Epc, ItemId, PlaceId, Position, actor_id
from protocols.values.instant import Instant, business_day, from_iso, plus

START = from_iso("2026-03-02T16:00:00+08:00")
HOURS_DEFAULT, HOURS_MIN, HOURS_MAX = 10.5, 4.0, 24.0
"""16:00 to 02:30; below four hours there is no time to find a piece that is gone."""

CUT_S = 3600.0
STAFF_A_WARD = 3
VISIT_GAP_S = (1200.0, 2700.0)
VISIT_ITEMS_MAX = 3
TAKES_A_LINE_MAX = 2
"""Pieces of one healthy item that an evening takes at most; its trigger is never near."""

LEAD_SLACK_DAYS = 2
"""A healthy line stays above its trigger even if the second supplier, two days slower, is meant."""

DRIVEN = (0.08, 0.40)
CUT_FROM = (0.15, 0.45)
TAKEN = (0.10, 0.60)
MISPUT = (0.28, 0.45)
"""After shelves have been learned, and hours before the end: rounds of a minute take hours to tell a wrong shelf."""
VISITS = (0.01, 0.88)
"""When things happen, as shares of the story's length; what is left after them is the time to find and to order."""

SERIALS_A_WARD = 100_000
SGTIN_FILTER = 0
"""TDS 2.3 table 10-1: "all others"; no filter value means a single consumable."""


def make_plan(sample: Sample, *, seed: int, wards: int, with_take: bool, hours: float = HOURS_DEFAULT) -> Plan:
    """Draw the evening of a seed. Raises `WrongUse` for a number of wards or hours that cannot be played."""
    if not 1 <= wards <= WARDS_MAX:
        raise WrongUse(f"wards: expected 1..{WARDS_MAX}, got {wards}")
    if not HOURS_MIN <= hours <= HOURS_MAX:
        raise WrongUse(f"hours: expected {HOURS_MIN:g}..{HOURS_MAX:g}, got {hours:g}")
    rng = random.Random(f"wardstock story {seed} of {wards}")
    length_s = hours * 3600
    rooms = {ward_name(number): tags_of(sample, number) for number in range(1, wards + 1)}
    cut = _cut(rng, list(rooms), length_s)
    drive = _drive(sample, rng, rooms)
    pools = {place: _pool(sample, rng, number, rooms[place]) for number, place in enumerate(rooms, start=1)}
    take = _take(rng, pools, cut.ward, length_s)
    visits = {
        place: _visits(rng, number, [tag.epc for tag in pools[place] if tag.epc != take.epc], length_s)
        for number, place in enumerate(rooms, start=1)
    }
    visits[cut.ward] = _with_one_during(visits[cut.ward], cut)
    driven = [tag.epc for tag in rooms[drive.ward] if tag.item == drive.item][: drive.takes]
    visits[drive.ward] = _with_driven(rng, visits[drive.ward], driven, length_s)
    return Plan(
        seed=seed,
        start=START,
        end=plus(START, length_s),
        wards=tuple(_ward(sample, number, rooms[place], visits[place]) for number, place in enumerate(rooms, start=1)),
        cut=cut,
        take=take if with_take else None,
        drive=drive,
        misput=_misput(random.Random(f"wardstock shelf {seed} of {wards}"), rooms, visits, take, length_s),
    )


def tags_of(sample: Sample, ward_no: int) -> tuple[Tag, ...]:
    """Return the tagged pieces of the first, second ... ward; serials are unique in the hospital."""
    rows = sample.stock_of(profile_of(sample, ward_no).profile)
    pieces = [row for row in rows for _ in range(row.qty)]
    day = business_day(START)
    return tuple(
        _tag(sample, row, ward_no * SERIALS_A_WARD + number, day) for number, row in enumerate(pieces, start=1)
    )


def takes_to_trigger(sample: Sample, profile: str, item: ItemId) -> int:
    """Return how many pieces a ward must lose so that a line's position is below its trigger."""
    units = sum(row.qty for row in sample.stock_of(profile) if row.item == item)
    level = trigger(sample.use90(profile).get(item, 0), sample.main_source[item].lead_days)
    return max(0, units - (ceil(level) - 1))


def takes_in_health(sample: Sample, profile: str, item: ItemId) -> int:
    """Return how many pieces a ward may lose while the line stays above the trigger of a late supplier."""
    units = sum(row.qty for row in sample.stock_of(profile) if row.item == item)
    use90 = sample.use90(profile).get(item, 0)
    lead_days = sample.main_source[item].lead_days + LEAD_SLACK_DAYS
    healthy = [lost for lost in range(1, units + 1) if units - lost > trigger(use90 + lost, lead_days)]
    return max(healthy, default=0)


def _tag(sample: Sample, row: Stock, serial: int, day: date) -> Tag:
    item = sample.items[row.item]
    epc = encode_sgtin96(item.gtin, company_prefix_length=COMPANY_PREFIX_LENGTH, serial=serial, filter=SGTIN_FILTER)
    expiry = day + timedelta(sample.lots[row.item, row.lot].expiry_day)
    return Tag(epc, row.item, item.gtin, row.lot, expiry.isoformat(), str(serial), row.position)


def _ward(sample: Sample, number: int, tags: tuple[Tag, ...], visits: Iterable[Visit]) -> Ward:
    profile = profile_of(sample, number)
    return Ward(ward_name(number), profile.profile, profile.name_zh, profile.name_en, tags, tuple(visits))


def _cut(rng: random.Random, places: list[PlaceId], length_s: float) -> Cut:
    since = plus(START, length_s * rng.uniform(*CUT_FROM))
    return Cut(rng.choice(places), since, plus(since, CUT_S))


def _drive(sample: Sample, rng: random.Random, rooms: Mapping[PlaceId, tuple[Tag, ...]]) -> Drive:
    number = rng.randint(1, len(rooms))
    profile = profile_of(sample, number).profile
    items = sorted({row.item for row in sample.stock_of(profile)} & sample.direct_items)
    if not items:
        raise BadSample(f"sample: expected an item of {profile} that the main store does not keep, got none")
    item = rng.choice(items)
    return Drive(ward_name(number), item, takes_to_trigger(sample, profile, item))


def _pool(sample: Sample, rng: random.Random, number: int, tags: tuple[Tag, ...]) -> list[Tag]:
    """Return pieces that may leave, in drawn order, so few of each item that no line comes near its trigger."""
    profile = profile_of(sample, number).profile
    left = {
        item: min(TAKES_A_LINE_MAX, takes_in_health(sample, profile, item))
        for item in {tag.item for tag in tags} - sample.direct_items
    }
    pool = []
    for tag in rng.sample(tags, len(tags)):
        if left.get(tag.item, 0) > 0:
            left[tag.item] -= 1
            pool.append(tag)
    return pool


def _take(rng: random.Random, pools: Mapping[PlaceId, list[Tag]], cut_ward: PlaceId, length_s: float) -> Take:
    """Draw the piece nobody scans, in a ward that stays connected if there is one."""
    place = rng.choice([place for place in pools if place != cut_ward] or list(pools))
    tag = rng.choice(pools[place])
    return Take(place, tag.epc, tag.item, plus(START, length_s * rng.uniform(*TAKEN)))


def _misput(
    rng: random.Random,
    rooms: Mapping[PlaceId, tuple[Tag, ...]],
    visits: Mapping[PlaceId, list[Visit]],
    take: Take,
    length_s: float,
) -> Misput | None:
    """Draw a piece that nobody takes, and a shelf that none of its own shelf's antennas face."""
    place = rng.choice(sorted(rooms))
    taken = {epc for visit in visits[place] for epc in visit.epcs} | {take.epc}
    staying = [tag for tag in rooms[place] if tag.epc not in taken and _shelves_apart(tag.position)]
    if not staying:
        return None
    tag = rng.choice(staying)
    shelf = rng.choice(_shelves_apart(tag.position))
    return Misput(place, tag.epc, tag.item, shelf, plus(START, length_s * rng.uniform(*MISPUT)))


def _shelves_apart(shelf: Position) -> list[Position]:
    return [other for other, faces in SHELF_ANTENNAS.items() if not {*faces} & {*SHELF_ANTENNAS[shelf]}]


def _visits(rng: random.Random, number: int, epcs: list[Epc], length_s: float) -> list[Visit]:
    first, last = (length_s * share for share in VISITS)
    gaps = (rng.uniform(*VISIT_GAP_S) for _ in range(len(epcs)))
    visits = []
    for at_s in accumulate(gaps, initial=first + rng.uniform(0, VISIT_GAP_S[0])):
        items = rng.randint(1, VISIT_ITEMS_MAX)
        if at_s > last or len(epcs) < items:
            break
        visits.append(Visit(plus(START, at_s), _staff(rng, number), tuple(epcs.pop() for _ in range(items))))
    return visits


def _staff(rng: random.Random, number: int) -> ActorId:
    return actor_id(f"N{number:02d}{rng.randint(1, STAFF_A_WARD):02d}")


def _with_one_during(visits: list[Visit], cut: Cut) -> list[Visit]:
    """Make sure that somebody scans while the ward is cut off: the visit next to the cut's middle is moved there."""
    if any(cut.since < visit.at < plus(cut.until, -CUT_S / 4) for visit in visits):
        return visits
    middle = Instant((cut.since + cut.until) // 2)
    near = min(range(len(visits)), key=lambda index: abs(visits[index].at - middle))
    moved = Visit(middle, visits[near].actor, visits[near].epcs)
    return sorted([*visits[:near], moved, *visits[near + 1 :]], key=lambda visit: visit.at)


def _with_driven(rng: random.Random, visits: list[Visit], epcs: list[Epc], length_s: float) -> list[Visit]:
    """Add the driven pieces to different visits of the first part of the evening, as far as there are so many."""
    first, last = (plus(START, length_s * share) for share in DRIVEN)
    early = [index for index, visit in enumerate(visits) if first <= visit.at <= last]
    visits = list(visits)
    for epc, index in zip(epcs, cycle(rng.sample(early, len(early))), strict=False):
        visit = visits[index]
        visits[index] = Visit(visit.at, visit.actor, (*visit.epcs, epc))
    return visits
