"""On which shelf a piece stands, from how its reads are spread over the room's antennas: the live form, tag by tag.

Each tag has a profile of its own, learned while it stands on its own shelf; each shelf has the mean profile of its
tags. A piece that was moved is heard by other antennas than before: its own profile then explains a bin worse than the
mean of another shelf does. Shelves that face the same antennas can hardly be told apart, so the alarm is worth more
than the shelf it names. An antenna that does not listen is left out of the comparison, and nothing is learned while one
does not. `shelf_columns` is the twin for replay, in numpy, with the same numbers. The rule that must not be broken: a
bin that does not tell antennas apart moves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma
from typing import NamedTuple

from edge_agent.core.presence.ward import Bin, Fact, TagOf, Ward

OWN, OTHER = 6.0, 3.0
"""How sharply a tag follows its own profile, and a tag of a shelf that shelf's mean: Dirichlet concentrations."""
TEMPER = 0.15
MOVED_A_VISIT, MOVED_IDLE = 1e-5, 1e-7
LEARNED_READS = 300.0
MEMORY_READS = 6_000.0
READS_LEAST = 5.0
SURE, LOW, AGAIN = 0.9, 1e-4, 0.7
HOLD = 36
"""Bins that tell antennas apart, and in which a piece is believed elsewhere, before it is said."""
MEANS_EVERY = 60
HERE_LEAST = 0.9
LIVE_LEAST = 2
"""One antenna alone cannot tell where a piece stands."""
SHELVES_MAX = 200
"""Shelves that are told apart; a storeroom has some ten."""


class Misplaced(NamedTuple):
    """A piece that stands on another shelf than its own: the tag, the likeliest shelf, the chance of its own, since."""

    tag: int
    shelf: str
    p: float
    since: int


@dataclass(slots=True)
class Stand:
    """What is known of where one tag stands: its shelf by the book (-1: none known), its own profile, the chance of
    each shelf, bins in which it was believed elsewhere and since when, and the shelf on which it was said to be."""

    home: int
    own: list[float]
    p: list[float]
    held: int = 0
    since: int = 0
    said: str = ""

    def reset(self) -> None:
        """Believe again what the book says."""
        self.p = [1.0 if shelf == self.home else 0.0 for shelf in range(len(self.p))]


class Shelves:
    """All tags of a storeroom; they and its shelves may grow. `stands` are by number of the tag."""

    def __init__(self, ward: Ward) -> None:
        self._room, self._fixed = {name: n for n, name in enumerate(ward.room)}, set((ward.ref or {}).values())
        self.names: list[str] = []
        self.means: list[list[float]] = []
        self.stands: list[Stand] = []
        self.told = 0
        self._visit = False
        for name in sorted({tag.shelf for tag in ward.tags if tag.shelf and tag.counted}):
            self._number(name)
        for tag in ward.tags:
            self.add(tag)

    def add(self, tag: TagOf) -> None:
        """Take one more tag, that stands at the end of the ward's."""
        self.stands.append(Stand(-1, [0.0] * len(self._room), [0.0] * len(self.names)))
        if tag.counted or tag.shelf in self.names:
            self.rehome(len(self.stands) - 1, tag.shelf)

    def rehome(self, tag: int, shelf: str) -> None:
        """Take the shelf that the book says a tag belongs to; empty: none is known."""
        place = self.stands[tag]
        home = self._number(shelf) if shelf else -1
        if home != place.home:
            place.home, place.own, place.held, place.said = home, [0.0] * len(self._room), 0, ""
        place.reset()

    def resume(self, means: Mapping[str, list[float]], told: int) -> None:
        """Take what was known of the shelves before a restart."""
        self.told = told
        for shelf, mean in means.items():
            number = self._number(shelf)
            if number >= 0:
                self.means[number] = mean

    def resume_stand(self, tag: int, old: Stand, names: Sequence[str]) -> bool:
        """Take what was known of a tag, with the shelves by the `names` of then, unless the book has moved it since."""
        mine = self.stands[tag]
        if mine.home < 0 or old.home < 0 or self.names[mine.home] != names[old.home]:
            return False
        chances = dict(zip(names, old.p, strict=True))
        mine.p = [chances.get(name, 0.0) for name in self.names]
        mine.own, mine.held, mine.since, mine.said = old.own, old.held, old.since, old.said
        return True

    def _number(self, shelf: str) -> int:
        if shelf in self.names:
            return self.names.index(shelf)
        if len(self.names) >= SHELVES_MAX:
            return -1
        self.names.append(shelf)
        self.means.append([0.0] * len(self._room))
        for place in self.stands:
            place.p.append(0.0)
        return len(self.names) - 1

    def take(
        self, heard: Bin, facts: Sequence[Fact], p_here: Sequence[float], listened: Sequence[int]
    ) -> list[Misplaced]:
        """Take a bin and P(here) of every tag after it; return pieces that are on another shelf.

        `listened` says of each antenna of the room, by place, whether it listened (1) or not (0).
        """
        self._visit = self._visit or heard.visit is None or heard.visit > 0
        for fact in facts:
            self.stands[fact.tag].reset()
        live = [antenna for antenna, listens in enumerate(listened) if listens]
        if not heard.ant or min(len(self.names), len(self._room)) < LIVE_LEAST or len(live) < LIVE_LEAST:
            return []
        reads = self._reads(heard)
        able = [tag for tag, those in reads.items() if sum(those) >= READS_LEAST and p_here[tag] > HERE_LEAST]
        able = sorted(tag for tag in able if self.stands[tag].home >= 0)
        known = [tag for tag in able if sum(self.stands[tag].own) >= LEARNED_READS]
        if self.told >= MEANS_EVERY:
            means = [_weights([mean[n] for n in live], OTHER, 0.02) for mean in self.means]
            for tag in known:
                self._weigh(self.stands[tag], reads[tag], live, means)
        if len(live) == len(self._room):
            self._learn([(self.stands[tag], reads[tag]) for tag in able])
        self._visit = False
        return [found for tag in known if (found := self._judged(tag, heard.number)) is not None]

    def _reads(self, heard: Bin) -> dict[int, list[float]]:
        reads: dict[int, list[float]] = {}
        for tag, name, count, _ in heard.ant or ():
            antenna = self._room.get(name)
            if antenna is not None:
                reads.setdefault(tag, [0.0] * len(self._room))[antenna] += count
        return reads

    def _weigh(self, place: Stand, reads: list[float], live: list[int], means: list[list[float]]) -> None:
        moved = MOVED_A_VISIT if self._visit else MOVED_IDLE
        told, own = [reads[n] for n in live], [place.own[n] + 0.5 for n in live]
        score = [_spread(told, mean) for mean in means]
        score[place.home] = _spread(told, _weights(own, OWN, 0.0))
        best = max(score)
        p = [
            (was * (1 - moved) + moved / len(self.names)) * exp(TEMPER * (each - best))
            for was, each in zip(place.p, score, strict=True)
        ]
        whole = sum(p)
        place.p = [each / whole for each in p]

    def _learn(self, told: Iterable[tuple[Stand, list[float]]]) -> None:
        for place, reads in told:
            if place.p[place.home] > SURE:
                own = [one + more for one, more in zip(place.own, reads, strict=True)]
                place.own = [each * 0.5 for each in own] if sum(own) > MEMORY_READS else own
        self.told += 1
        if self.told % MEANS_EVERY == 0:
            for shelf in range(len(self.names)):
                self._mean(shelf)

    def _mean(self, shelf: int) -> None:
        """Make the mean profile of a shelf's own tags anew."""
        those = [place.own for place in self.stands if place.home == shelf and sum(place.own) > 0]
        shares = [[each / max(1.0, sum(own)) for each in own] for own in those]
        if shares:
            self.means[shelf] = [sum(column) / len(shares) for column in zip(*shares, strict=True)]

    def _judged(self, tag: int, number: int) -> Misplaced | None:
        place = self.stands[tag]
        at_home = place.p[place.home]
        if at_home < LOW:
            place.since = number if place.held == 0 else place.since
            place.held += 1
        else:
            place.held = 0
        if at_home > AGAIN:
            place.said = ""
        if place.held < HOLD or place.said or tag in self._fixed:
            return None
        place.said = self.names[place.p.index(max(place.p))]
        return Misplaced(tag, place.said, at_home, place.since)


def _weights(profile: list[float], concentration: float, least: float) -> list[float]:
    """Return the Dirichlet weights of a profile."""
    whole = max(1e-9, sum(profile))
    return [concentration * each / whole + least for each in profile]


def _spread(reads: list[float], weights: list[float]) -> float:
    """Return the logarithm of the Dirichlet-multinomial chance of reads, without what no shelf changes."""
    apart = sum(lgamma(read + weight) - lgamma(weight) for read, weight in zip(reads, weights, strict=True) if read)
    whole = sum(weights)
    return apart + lgamma(whole) - lgamma(whole + sum(reads))
