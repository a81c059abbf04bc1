"""One piece with a name, as every edge's entries have it: issued twice, used where it never arrived. Pure.

The facts of a piece fold to where it is. Where a storeroom took what it did not have, the piece came over from a shelf
that still has it (an implied transfer, through `transit@`), or it was another's (what it became here goes to
`suspense@`, and its charge is to be reconciled). The storeroom into which the piece came by its custody chain wins; of
two into which it came, the earlier receipt, provisionally. The rule that must not be broken: what central posts is a
function of the set of facts; what it posted before is taken back or added to until it is that, line by line.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from central.core.conflicts import DAY_S, Flag, Sort
from protocols.movements.posting import PostingLine, place_sort
from protocols.movements.table import Where
from protocols.values.ids import PlaceId, virtual_place
from protocols.values.instant import Instant, plus

SPENT = frozenset({Where.ISSUED, Where.PATIENT, Where.SCRAP, Where.RECYCLER, Where.KIT})
"""Where a piece is that somebody took."""
OWNED = SPENT | {Where.STORE, Where.OWNER}
"""Places that are the storeroom's own: what lies there came into it."""


First = tuple[Instant, str]
"""When something was first so, and the event that says it: what is compared where the earlier one counts."""


class Piece(NamedTuple):
    """What is one piece: a unit of an item and lot, of an owner."""

    item: str
    lot: str
    owner: str
    unit: str


class At(NamedTuple):
    """A place and the position there."""

    place: str
    position: str


class Carry(NamedTuple):
    """One piece carried from one place to another."""

    source: At
    target: At


@dataclass(frozen=True, slots=True)
class Said:
    """One line of one event about a piece; `ours` where central posted it because of a conflict."""

    carry: Carry
    at: Instant
    event: str
    ours: bool = False


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be posted now to bring the book to what the facts come to, and what is flagged.

    `cites` are the events of the facts behind what is posted.
    """

    carries: tuple[Carry, ...]
    flags: tuple[Flag, ...]
    cites: tuple[str, ...] = ()


@dataclass(slots=True)
class _Lack:
    """What a storeroom took and did not have: places below zero, and the first taking."""

    room: str
    first: First
    below: list[At]


def room_of(place: str) -> str:
    """Return the storeroom of a place."""
    return place.rpartition("@")[2]


def judge(piece: Piece, said: Iterable[Said]) -> Judged:
    """Return what the facts of one piece come to."""
    every = sorted(said, key=lambda one: (one.at, one.event, one.carry))
    facts = [one for one in every if not one.ours]
    book = _by_place(_fold(one.carry for one in facts))
    wanted, flags = _Reading(piece, facts, book).read()
    posted = Counter[Carry]()
    for one in every:
        if one.ours:
            _count(posted, one.carry, 1)
    carries = tuple(_difference(wanted, posted))
    cites = tuple(dict.fromkeys(flag.event for flag in flags))
    return Judged(carries, tuple(flags), cites)


def line_of(piece: Piece, carry: Carry) -> PostingLine:
    """Return a carry as the line of an entry."""
    source, target = carry
    return PostingLine(
        piece.item, 1, source.place, target.place, piece.lot, piece.owner, piece.unit, source.position, target.position
    )


def _fold(carries: Iterable[Carry]) -> Counter[At]:
    book: Counter[At] = Counter()
    for source, target in carries:
        book[source] -= 1
        book[target] += 1
    return book


def _by_place(book: Counter[At]) -> Counter[At]:
    """Return a book in which no place is below zero on one shelf and above on another.

    What is taken without naming its shelf still leaves the storeroom.
    """
    settled = Counter(book)
    for at in sorted(book):
        for other in sorted(one for one in book if one.place == at.place):
            moved = min(-settled[at], settled[other])
            if moved > 0:
                settled[at] += moved
                settled[other] -= moved
    return settled


def _count(lines: Counter[Carry], carry: Carry, times: int) -> None:
    """Count a carry; one and its opposite are one line, below zero where it was taken back more often."""
    straight = carry.source <= carry.target
    lines[carry if straight else Carry(carry.target, carry.source)] += times if straight else -times


def _difference(wanted: Sequence[Carry], posted: Counter[Carry]) -> Iterable[Carry]:
    left: Counter[Carry] = Counter()
    for carry in wanted:
        _count(left, carry, 1)
    left.subtract(posted)
    for carry, times in sorted(left.items()):
        yield from [carry if times > 0 else Carry(carry.target, carry.source)] * abs(times)


class _Reading:
    """One piece's facts, read once; `book` is brought on as carries are wanted."""

    def __init__(self, piece: Piece, facts: Sequence[Said], book: Counter[At]) -> None:
        self._piece, self._facts, self._book = piece, facts, book
        self._brought: dict[str, First] = {}
        """Storerooms to which the piece came over, by their first taking."""
        self._wanted: list[Carry] = []
        self._flags: list[Flag] = []

    def read(self) -> tuple[list[Carry], list[Flag]]:
        lacks = self._lacks()
        for lack in lacks:
            self._bring(lack)
        self._give_to_one(self._came_into(), {lack.room: lack.first for lack in lacks if lack.below})
        return self._wanted, self._flags

    def _give_to_one(self, came: Mapping[str, First], took: Mapping[str, First]) -> None:
        """Of storerooms that gave the piece out one keeps it: the one that has it by custody, else the earliest."""
        gave = {room_of(at.place) for at, qty in self._book.items() if qty > 0 and place_sort(at.place) in SPENT}
        if not gave:
            return
        by_custody = sorted(gave & came.keys(), key=lambda room: (came[room], room))
        elsewhere = sorted(came.keys() - gave)
        if by_custody or elsewhere:
            keeps, sure = (*by_custody, *elsewhere)[0], len(by_custody) < 2
        else:
            keeps, sure = min(gave, key=lambda room: (took.get(room) or self._first_in(room), room)), False
        for room in sorted(gave - {keeps}):
            since = came.get(room) or took.get(room) or self._first_in(room)
            self._suspend(room, since, keeps, provisional=room in came or not sure)

    def _first_in(self, room: str) -> First:
        """Return the first fact that brought the piece into a storeroom's hands."""
        into = (one for one in self._facts if room_of(one.carry.target.place) == room)
        return next((one.at, one.event) for one in into)

    def _came_into(self) -> Mapping[str, First]:
        """Return the storerooms into which the piece came and which still have it, with the first receipt."""
        have: Counter[str] = Counter()
        first = dict(self._brought)
        for at, qty in self._book.items():
            if place_sort(at.place) in OWNED:
                have[room_of(at.place)] += qty
        for one in self._facts:
            source, target = one.carry
            if place_sort(target.place) in OWNED and place_sort(source.place) not in OWNED:
                first.setdefault(room_of(target.place), (one.at, one.event))
        lacking = {room_of(at.place) for at, qty in self._book.items() if qty < 0 and _is_arrival(at.place)}
        return {room: first[room] for room, qty in have.items() if qty > 0 and room in first and room not in lacking}

    def _lacks(self) -> list[_Lack]:
        """Return what storerooms took without having it, the earliest first."""
        below: defaultdict[str, list[At]] = defaultdict(list)
        for at, qty in sorted(self._book.items()):
            if qty < 0 and (place_sort(at.place) is Where.STORE or _is_arrival(at.place)):
                below[room_of(at.place)] += [at] * -qty
        lacks = []
        for room, places in below.items():
            first = next((one.at, one.event) for one in self._facts if one.carry.source in places)
            lacks.append(_Lack(room, first, places))
        return sorted(lacks, key=lambda lack: (lack.first, lack.room))

    def _bring(self, lack: _Lack) -> None:
        """Bring over what is on its way here, or what another storeroom's shelf still has."""
        transit = At(virtual_place("transit", PlaceId(lack.room)), "")
        here = [at for at in lack.below if at != transit]
        while here and self._book[transit] > 0:
            self._carry(transit, here[0])
            lack.below.remove(here.pop(0))
        for shelf in self._shelves_but(lack.room):
            while lack.below and self._book[shelf] > 0:
                wants = lack.below.pop(0)
                self._carry(shelf, transit)
                if wants != transit:
                    self._carry(transit, wants)
                self._brought[lack.room] = lack.first
                self._flag(Sort.IMPLIED_TRANSFER, room_of(shelf.place), lack.first, other=lack.room, due=True)

    def _shelves_but(self, room: str) -> list[At]:
        return sorted(
            at
            for at, qty in self._book.items()
            if qty > 0 and place_sort(at.place) is Where.STORE and room_of(at.place) != room
        )

    def _suspend(self, room: str, first: First, keeps: str, *, provisional: bool) -> None:
        """Put what a piece became in a storeroom that loses it into suspense."""
        suspense = At(virtual_place("suspense", PlaceId(room)), "")
        for at in sorted(self._book):
            if room_of(at.place) == room and place_sort(at.place) in SPENT:
                for _ in range(self._book[at]):
                    self._carry(at, suspense)
        self._flag(Sort.DOUBLE_ISSUE, room, first, other=keeps, provisional=provisional)

    def _carry(self, source: At, target: At) -> None:
        self._wanted.append(Carry(source, target))
        self._book[source] -= 1
        self._book[target] += 1

    def _flag(
        self,
        sort: Sort,
        place: str,
        first: First,
        *,
        other: str,
        provisional: bool = False,
        due: bool = False,
    ) -> None:
        at, event = first
        what = self._piece
        due_at = plus(at, DAY_S) if due else None
        self._flags.append(Flag(sort, place, event, what.item, what.lot, what.unit, other, provisional, due_at))


def _is_arrival(place: str) -> bool:
    return place_sort(place) is Where.TRANSIT
