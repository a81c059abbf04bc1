"""What central may know of the storerooms after some of the entries it received: book, beliefs, lines, positions.

It is the checker's own reading of two rules. A piece follows its newest fact: the reader's belief when that was written
after the piece's last movement, else the book (record against physical, REQUIREMENTS E5: a line is one item and lot in
one storeroom); seq tells in one chain, receipt across chains, a ward's clock never. A position is what can be counted
on: the 30 % quantile of the physical stock (REORDER, engine 7).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from hardware_sim.evidence.book import Key, Line, bound_in, fold, lines_of
from hardware_sim.evidence.chains import Entry
from protocols.values.instant import Instant, business_day

HERE_FROM = 0.5
"""A piece counts as here when that is more likely than not."""
USED_ROLES = ("issued", "patient")
QUANTILE = 0.30


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of a storeroom: pieces in the book, pieces believed on the shelf, and of how many readers ever spoke."""

    book: int
    physical: int
    told: int = field(default=0, compare=False)

    @property
    def is_observed(self) -> bool:
        """Tell whether readers spoke of all of it, or found it to differ; nobody counts in a story."""
        return self.physical != self.book or 0 < self.book <= self.told


@dataclass(slots=True)
class Picture:
    """Grows entry by entry; `places` is the storeroom each device watches.

    `asked` is what people took of an item at a place on each day; what they brought back is taken off the day of its
    issue.
    """

    places: Mapping[str, str]
    book: dict[Key, int] = field(default_factory=dict)
    moved: dict[str, Entry] = field(default_factory=dict)
    beliefs: dict[tuple[str, str], tuple[float, Entry]] = field(default_factory=dict)
    named: dict[str, tuple[str, str]] = field(default_factory=dict)
    asked: dict[tuple[str, str], dict[date, int]] = field(default_factory=dict)
    issued_on: dict[str, date] = field(default_factory=dict)

    def take(self, entry: Entry) -> None:
        """Take one entry, once."""
        lines = lines_of(entry)
        for key, qty in fold(lines).items():
            self.book[key] = self.book.get(key, 0) + qty
        for line in lines:
            self._ask(line, business_day(Instant(entry.at)))
            if line.unit:
                if line.unit not in self.moved or _newer(entry, self.moved[line.unit]):
                    self.moved[line.unit] = entry
                self.named[line.unit] = (line.item, line.lot)
        if entry.kind == "observe":
            self._observe(entry)
        for epc, what in bound_in(entry).items():
            self.named.setdefault(epc, (what.item, what.lot))

    def _ask(self, line: Line, day: date) -> None:
        taken, brought = _used_from(line.target) == line.source, _used_from(line.source) == line.target
        if taken and line.unit:
            self.issued_on[line.unit] = day
        if taken or brought:
            place = line.source if taken else line.target
            days = self.asked.setdefault((place, line.item), {})
            then = day if taken else self.issued_on.get(line.unit, day)
            days[then] = days.get(then, 0) + (line.qty if taken else -line.qty)

    def _observe(self, entry: Entry) -> None:
        said, place = entry.said, self.places.get(entry.device, "")
        epc, p = said.get("epc"), said.get("p")
        if isinstance(epc, str) and isinstance(p, (int, float)):
            self.beliefs[place, epc] = (float(p), entry)

    def lines(self, place: str) -> dict[tuple[str, str], LineView]:
        """Return the lines of a storeroom by item and lot; one with nothing on either side is none."""
        book: defaultdict[tuple[str, str], int] = defaultdict(int)
        physical: defaultdict[tuple[str, str], int] = defaultdict(int)
        told: defaultdict[tuple[str, str], int] = defaultdict(int)
        for item, lot, qty in self._loose(place):
            book[item, lot] += qty
            physical[item, lot] += qty
        for unit, what, booked, p in self._units(place):
            book[what] += booked
            told[what] += int(booked and (place, unit) in self.beliefs)
            physical[what] += (p >= HERE_FROM) if p is not None else booked
        kept = (what for what in sorted(book.keys() | physical.keys()) if book[what] or physical[what])
        return {what: LineView(book[what], physical[what], told[what]) for what in kept}

    def position(self, place: str, item: str) -> int:
        """Return the low quantile of an item's physical stock, over its lots."""
        certain = sum(qty for named, _, qty in self._loose(place) if named == item)
        unsure = []
        for _, (named, _), booked, p in self._units(place):
            if named == item and p is None:
                certain += booked
            elif named == item and p is not None:
                unsure.append(p)
        return certain + _low(unsure)

    def _loose(self, place: str) -> Iterator[tuple[str, str, int]]:
        for key, qty in self.book.items():
            if key.place == place and not key.unit:
                yield key.item, key.lot, qty

    def _units(self, place: str) -> Iterator[tuple[str, tuple[str, str], int, float | None]]:
        """Give each piece booked or believed in a storeroom: it, its item and lot, 1 if booked, the newer belief."""
        booked = {key.unit for key, qty in self.book.items() if key.place == place and key.unit and qty > 0}
        believed = {epc for where, epc in self.beliefs if where == place}
        for unit in sorted(booked | believed):
            if unit in self.named:
                yield unit, self.named[unit], int(unit in booked), self._newer_belief(place, unit)

    def _newer_belief(self, place: str, unit: str) -> float | None:
        if (place, unit) not in self.beliefs:
            return None
        p, said = self.beliefs[place, unit]
        return p if unit not in self.moved or _newer(said, self.moved[unit]) else None


def _newer(entry: Entry, other: Entry) -> bool:
    """Tell whether an entry was written after another, as far as anybody can know without a ward's clock."""
    if entry.incarnation == other.incarnation:
        return entry.seq > other.seq
    return (entry.received_at, entry.seq) > (other.received_at, other.seq)


def _used_from(place: str) -> str:
    """Return the storeroom beside which a place of use stands, empty for any other place."""
    role, _, storeroom = place.partition("@")
    return storeroom if role in USED_ROLES else ""


def _low(beliefs: Iterable[float]) -> int:
    """Return the smallest count that the sum of independent pieces exceeds with probability at most 1 - QUANTILE."""
    exactly = [1.0]
    for p in beliefs:
        grown = [chance * (1 - p) for chance in exactly] + [0.0]
        for count, chance in enumerate(exactly):
            grown[count + 1] += chance * p
        exactly = grown
    reached = 0.0
    for count, chance in enumerate(exactly):
        reached += chance
        if reached >= QUANTILE:
            return count
    return len(exactly) - 1
