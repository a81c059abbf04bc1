"""Transfers: one storeroom's surplus fills another's need before anybody is asked to deliver.

Moving a unit saves its worth (its price, and more where it would expire unused), and each walk from one storeroom to
another costs something. Which walks to make is a fixed-charge transport problem. Walks are added one by one, and the
sets kept are those after which always walking where it saves most ends best (a beam of pilots): within 2 % of the
optimum wherever it is tested. Where there are many storerooms the beam is narrower, and at last it is only the walk
that saves most, again and again. The rule that must not be broken: nobody gives more than the surplus or gets more than
the need, and no walk is made that costs more than it saves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heapreplace
from itertools import product

from central.errors import BadInput

KEPT_MAX = 8
"""Sets of walks followed side by side."""

PILOTS_MAX = 40
"""Next walks tried out at each step; with a few wards these are all there are."""

LOOKS_MAX = 1_000_000
"""Walks looked at for one item, some: a tenth of a second. A beam that would look at more is narrower."""

Walk = tuple[int, int]
"""From an offer to a need, by their places in the lists."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Surplus of an item at a place; `worth` what moving one unit saves, larger where it would expire."""

    place: str
    qty: int
    worth: float

    def __post_init__(self) -> None:
        if self.qty < 0 or self.worth < 0:
            raise BadInput(f"transfer: expected a surplus and a worth from 0, got {self}")


@dataclass(frozen=True, slots=True)
class Need:
    """What a place is short of."""

    place: str
    qty: int

    def __post_init__(self) -> None:
        if self.qty < 0:
            raise BadInput(f"transfer: expected a need from 0, got {self}")


@dataclass(frozen=True, slots=True)
class Move:
    """One walk with so many units."""

    giver: str
    taker: str
    qty: int


@dataclass(frozen=True, slots=True)
class Moves:
    """The walks, and what they save in all."""

    moves: tuple[Move, ...]
    saving: float


def match(offers: Sequence[Offer], needs: Sequence[Need], walk_cost: float) -> Moves:
    """Return who gives what to whom. Raises `BadInput` for a cost below 0."""
    if walk_cost < 0:
        raise BadInput(f"transfer: expected a cost of a walk from 0, got {walk_cost}")
    tries = _tries(len(offers), len(needs))
    if not tries:
        return _greedy(offers, needs, walk_cost)
    state = _State(offers, needs, walk_cost, [one.qty for one in offers], [one.qty for one in needs])
    best, kept = state.finished(), [state]
    while next_ones := _next_states(kept, max(1, min(PILOTS_MAX, tries // len(kept)))):
        finished = [(one.finished(), one) for one in next_ones]
        finished.sort(key=lambda pair: pair[0].saving, reverse=True)
        best = max(best, finished[0][0], key=lambda one: one.saving)
        kept = [one for _, one in finished[: min(KEPT_MAX, tries)]]
    moves = (Move(offers[one].place, needs[other].place, qty) for (one, other), qty in sorted(best.walks.items()))
    return Moves(tuple(moves), best.saving)


def _tries(offers: int, needs: int) -> int:
    """Return how many walks may be tried out at each step; 0 where there are too many storerooms to try any."""
    steps = offers + needs
    return LOOKS_MAX // max(1, 2 * steps * steps * offers * needs)


def _greedy(offers: Sequence[Offer], needs: Sequence[Need], walk_cost: float) -> Moves:
    """Return the walks made one after the other where each saves most; what a walk saves only falls."""
    left, open_, moves, saving = [one.qty for one in offers], [one.qty for one in needs], [], 0.0

    def net(one: int, other: int) -> float:
        return offers[one].worth * min(left[one], open_[other]) - walk_cost

    pairs = product(range(len(offers)), range(len(needs)))
    walks = [(-net(one, other), one, other) for one, other in pairs if offers[one].place != needs[other].place]
    walks = [walk for walk in walks if walk[0] < 0]
    heapify(walks)
    while walks:
        said, one, other = walks[0]
        now = -net(one, other)
        if now >= 0:
            heappop(walks)
        elif now > said:
            heapreplace(walks, (now, one, other))
        else:
            heappop(walks)
            qty, saving = min(left[one], open_[other]), saving - now
            left[one] -= qty
            open_[other] -= qty
            moves.append(Move(offers[one].place, needs[other].place, qty))
    return Moves(tuple(moves), saving)


def _next_states(kept: Sequence["_State"], pilots: int) -> list["_State"]:
    """Return what the states become by one more walk, each set of walks once."""
    found: dict[frozenset[tuple[Walk, int]], _State] = {}
    for state in kept:
        for walk in state.walks_that_save()[:pilots]:
            after = state.after(walk)
            found.setdefault(frozenset(after.walks.items()), after)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _State:
    """Walks made so far, what is left to give and open to take, and what was saved."""

    offers: Sequence[Offer]
    needs: Sequence[Need]
    walk_cost: float
    left: list[int]
    open: list[int]
    walks: dict[Walk, int] = field(default_factory=dict)
    saving: float = 0.0

    def walks_that_save(self) -> list[Walk]:
        """Return the walks that save something now, the best first; one that ends offer and need together leads."""
        found = [
            (net, self.left[one] == self.open[other], -one, -other)
            for one, other in product(range(len(self.offers)), range(len(self.needs)))
            if self.offers[one].place != self.needs[other].place and (net := self._net(one, other)) > 0
        ]
        return [(-one, -other) for _, _, one, other in sorted(found, reverse=True)]

    def _net(self, one: int, other: int) -> float:
        return self.offers[one].worth * min(self.left[one], self.open[other]) - self.walk_cost

    def after(self, walk: Walk) -> "_State":
        """Return the state after a walk with as much as can be given and taken."""
        one, other = walk
        qty = min(self.left[one], self.open[other])
        left, open_ = self.left.copy(), self.open.copy()
        left[one] -= qty
        open_[other] -= qty
        saving = self.saving + self._net(one, other)
        return replace(self, left=left, open=open_, walks={**self.walks, walk: qty}, saving=saving)

    def finished(self) -> "_State":
        """Return the better of two ends: walking always where it saves most, or where both ends are done with."""
        ends = []
        for exact_first in (False, True):
            state = self
            while walks := state.walks_that_save():
                state = state.after(max(walks, key=state._is_exact) if exact_first else walks[0])
            ends.append(state)
        return max(ends, key=lambda one: one.saving)

    def _is_exact(self, walk: Walk) -> bool:
        return self.left[walk[0]] == self.open[walk[1]]
