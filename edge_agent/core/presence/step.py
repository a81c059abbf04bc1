"""The six-state filter's step: weigh what was heard, learn from what is sure, move with the hazards. Arithmetic.

States of a tag: `h` here and clear, `b` here behind a leaky shield, `z` here behind a total one, `n` in the
neighbouring room, `g` gone, `d` here with a dead tag. P(here) = h + b + z + d. Gone, totally shielded and dead are one
silence: only a return, a look, the door or a new label tells them apart.

Every function serves a float (one tag) and a numpy column (all tags) with the same text. The rule that must not be
broken: silence weighs nothing where no round was alive.
"""

from dataclasses import dataclass
from typing import Generic

from edge_agent.core.presence.hazards import (
    DOOR_BINS,
    FLOOR,
    LEVEL_MEMORY,
    MEMORY_ROUNDS,
    SURE,
    TAKING_BINS,
    YOUNG_ROUNDS,
    Hazards,
    Radio,
)
from edge_agent.core.presence.numbers import N, Ops


@dataclass(slots=True)
class Mind(Generic[N]):
    """What is believed: the six states; bins of a take that still go on, and whether it goes next door."""

    h: N
    b: N
    z: N
    n: N
    g: N
    d: N
    going: N
    coming: N
    nextward: N
    door_bins: N

    def here(self) -> N:
        """Return P(here), not calibrated."""
        return self.h + self.b + self.z + self.d


@dataclass(slots=True)
class Heed(Generic[N]):
    """How one reader hears a tag in one room: reads of rounds, mean dBm and how many bins it is the mean of."""

    reads: N
    rounds: N
    dbm: N
    bins: N


@dataclass(slots=True)
class Habits(Generic[N]):
    """What was learned of a tag's radio, and whether the book says here or next, which is when it is learned.

    Our reader hears it `here` and, when it is next door, through the wall as a `stray`; the neighbour's hears it `next`
    and, when it is here, `near`.
    """

    here: Heed[N]
    stray: Heed[N]
    next: Heed[N]
    near: Heed[N]
    door_strays: N
    book_here: N
    book_next: N


@dataclass(frozen=True, slots=True)
class Heard(Generic[N]):
    """What one bin brought of the tags. `share` is the part of a tag's antennas that was alive; rounds are scaled."""

    reads: N
    rounds: N
    share: N
    dbm: N
    has_dbm: N
    next_reads: N
    next_rounds: N
    next_dbm: N
    has_next_dbm: N
    door: N


@dataclass(frozen=True, slots=True)
class Air:
    """What one bin brought of the room: `visit` is the factor of the hazards, `door` whether the door was watched."""

    visit: float
    door: float


@dataclass(frozen=True, slots=True)
class Told(Generic[N]):
    """What the book learned of the tags, 1 where it did. A take may go next door; eyes see here, next or nothing."""

    out: N
    next: N
    here: N
    seen_here: N
    seen_next: N
    seen_out: N


def weigh(mind: Mind[N], habits: Habits[N], heard: Heard[N], model: tuple[Hazards, Radio], ops: Ops[N]) -> None:
    """Multiply the states by the likelihood of what was heard.

    Of two rooms with one reader dumb, the other alone can hardly tell slow fading from a move: it weighs little. So
    does a neighbour's reader of which it was not learned yet how it hears a piece that the book has here.
    """
    hazards, radio = model
    one_ear = 1.0 - hazards.one_ear
    room = hazards.temper * (1.0 - one_ear * habits.book_next * (1.0 - ops.above(heard.next_rounds, 0.5)))
    strange = _young(habits.near, radio)
    beside = hazards.temper * (1.0 - (one_ear + hazards.one_ear * strange) * (1.0 - ops.above(heard.rounds, 0.5)))
    beside = beside * (1.0 - hazards.strange_ear * strange * habits.book_here)
    h, b, z, n, g, d = (
        room * one + beside * two
        for one, two in zip(_room(habits, heard, radio, ops), _beside(habits, heard, radio, ops), strict=True)
    )
    one, two = _shielded_there(habits, heard, radio, ops)
    shielded = room * one + beside * (two - radio.shielded_there_cost)
    n = n + habits.book_next * ops.above(shielded, n) * (shielded - n)
    h, b, z, n, g, d = (ops.exp(each) for each in (h, b, z, n, g, d))
    _settle(mind, mind.h * h, mind.b * b, mind.z * z, mind.n * n, mind.g * g, mind.d * d)


def _shielded_there(habits: Habits[N], heard: Heard[N], radio: Radio, ops: Ops[N]) -> tuple[N, N]:
    """Return how likely both readers hear what they hear of a piece of the next room that a leaky shield hides there.

    The shield is before both: what speaks through it to us is as much weaker as what speaks to the neighbour.
    """
    stray = _rate(habits.stray, radio.stray, radio.stray_rounds) * heard.share
    through = ops.look(radio.leaky, ops.level(stray * radio.leaks + radio.ghost_rate), heard.rounds, heard.reads)
    about = (radio.wall_sd_db, radio.leaky_db)
    through = through + _level(habits.stray, (heard.dbm, heard.has_dbm), about, radio, ops)
    rate = _rate(habits.next, radio.mean_rate, radio.mean_rounds)
    there = ops.look(radio.leaky, ops.level(rate * radio.leaks), heard.next_rounds, heard.next_reads)
    about = (radio.level_sd_db, radio.leaky_db)
    return through, there + _level(habits.next, (heard.next_dbm, heard.has_next_dbm), about, radio, ops)


def _room(habits: Habits[N], heard: Heard[N], radio: Radio, ops: Ops[N]) -> tuple[N, N, N, N, N, N]:
    rate = heard.share * _rate(habits.here, radio.mean_rate, radio.mean_rounds)
    stray = heard.share * _rate(habits.stray, radio.stray, radio.stray_rounds)
    n, k, told = heard.rounds, heard.reads, (heard.dbm, heard.has_dbm)
    clear = _at_least(_reads((radio.here, rate), (n, k), _young(habits.here, radio), radio, ops), (n, k), radio, ops)
    clear = clear + _level(habits.here, _softer(habits.here, told, radio, ops), (radio.level_sd_db, 0.0), radio, ops)
    leaky = ops.look(radio.leaky, ops.level(rate * radio.leaks), n, k)
    leaky = leaky + _level(habits.here, told, (radio.level_sd_db, radio.leaky_db), radio, ops)
    strange = _young(habits.stray, radio)
    through = _reads((radio.wall, stray), (n, k), strange, radio, ops)
    any_rate = ops.look(2.0, ops.level(0.0 * stray + 0.5), n, k) - radio.strong_stray_cost
    through = through + strange * ops.above(any_rate, through) * (any_rate - through)
    through = through + _level(habits.stray, told, (radio.wall_sd_db, 0.0), radio, ops)
    ghost = ops.look(radio.ghosts, ops.level(0.0 * rate + radio.ghost_rate), n, k) + told[1] * radio.ghost_level
    return clear, leaky, ghost, through, ghost, ghost


def _beside(habits: Habits[N], heard: Heard[N], radio: Radio, ops: Ops[N]) -> tuple[N, N, N, N, N, N]:
    rate = _rate(habits.next, radio.mean_rate, radio.mean_rounds)
    near = _rate(habits.near, radio.near, radio.near_rounds)
    n, k, told = heard.next_rounds, heard.next_reads, (heard.next_dbm, heard.has_next_dbm)
    there = _at_least(_reads((radio.here, rate), (n, k), _young(habits.next, radio), radio, ops), (n, k), radio, ops)
    there = there + _level(habits.next, _softer(habits.next, told, radio, ops), (radio.level_sd_db, 0.0), radio, ops)
    stray = _reads((radio.wall, near), (n, k), _young(habits.near, radio), radio, ops)
    stray = stray + _level(habits.near, told, (radio.wall_sd_db, 0.0), radio, ops)
    leaky = ops.look(radio.leaky, ops.level(near * radio.leaks + radio.ghost_rate), n, k)
    leaky = leaky + _level(habits.near, told, (radio.wall_sd_db, radio.leaky_db), radio, ops)
    ghost = ops.look(radio.ghosts, ops.level(0.0 * rate + radio.ghost_rate), n, k) + told[1] * radio.ghost_level
    return stray, leaky, ghost, there, ghost, ghost


def _at_least(usual: N, told: tuple[N, N], radio: Radio, ops: Ops[N]) -> N:
    """Return a likelihood that a strong bin cannot spoil: heard better than ever does not speak against a room."""
    strong = ops.look(radio.here, ops.level(0.0 * usual + radio.strong_rate), *told) - radio.strong_cost
    return usual + ops.above(strong, usual) * (strong - usual)


def _young(heed: Heed[N], radio: Radio) -> N:
    """Return how little is known of how a reader hears a tag: 1 nothing, near 0 after some hours."""
    return radio.young_rounds / (radio.young_rounds + heed.rounds)


def _reads(about: tuple[float, N], told: tuple[N, N], young: N, radio: Radio, ops: Ops[N]) -> N:
    """Return the likelihood of reads at a rate; a rate that is hardly known yet says less: tags differ widely.

    `about` is the concentration and the rate, `told` rounds and reads.
    """
    level = ops.level(about[1])
    known = ops.look(about[0], level, *told)
    return known + young * (ops.look(radio.young, level, *told) - known)


def _rate(heed: Heed[N], mean: float, weight: float) -> N:
    return (heed.reads + mean * weight) / (heed.rounds + weight)


def _level(heed: Heed[N], told: tuple[N, N], about: tuple[float, float], radio: Radio, ops: Ops[N]) -> N:
    """Return the logarithm of the density of a level, Student's: a level falls as far as it fades.

    `about` is its spread, which is wider at first, and a loss.
    """
    spread = about[0] ** 2 + radio.level_spread_db**2 / (1.0 + heed.bins)
    off = told[0] - heed.dbm + about[1]
    tails = ops.log(1.0 + off * off / (radio.level_tails * spread))
    return told[1] * radio.level_weight * (-0.5 * ((radio.level_tails + 1.0) * tails + ops.log(spread)))


def _softer(heed: Heed[N], told: tuple[N, N], radio: Radio, ops: Ops[N]) -> tuple[N, N]:
    """Return a level that is louder than usual as nearer to it: it hardly speaks against the reader's own room."""
    louder = ops.above(told[0], heed.dbm)
    return told[0] - louder * (1.0 - radio.louder) * (told[0] - heed.dbm), told[1]


def learn(mind: Mind[N], habits: Habits[N], heard: Heard[N], radio: Radio, ops: Ops[N]) -> None:
    """Count what a sure state shows of a tag's radio, where the book agrees; halve old counts to follow the shelf."""
    whole = ops.above(heard.share, 0.99)
    here = ops.above(mind.h, SURE) * habits.book_here * whole
    _count(habits.here, here, (heard.reads, heard.rounds), (heard.dbm, heard.has_dbm), ops)
    heard_here = here * ops.above(heard.reads, 0.5)
    beside, beside_dbm = (heard.next_reads, heard.next_rounds), (heard.next_dbm, heard.has_next_dbm)
    _count(habits.near, heard_here, beside, beside_dbm, ops)
    sure = ops.above(mind.n, SURE)
    young = ops.above(YOUNG_ROUNDS - habits.next.rounds, 0.0) * ops.above(heard.next_reads, 0.5)
    there = (sure + young - sure * young) * habits.book_next * whole
    _count(habits.next, there, beside, beside_dbm, ops)
    _count(habits.stray, there, (heard.reads, heard.rounds), (heard.dbm, heard.has_dbm), ops)


def _count(heed: Heed[N], sure: N, new: tuple[N, N], level: tuple[N, N], ops: Ops[N]) -> None:
    kept = 1.0 - 0.5 * ops.above(heed.rounds, MEMORY_ROUNDS)
    heed.reads, heed.rounds = kept * heed.reads + sure * new[0], kept * heed.rounds + sure * new[1]
    sharp = sure * level[1]
    heed.dbm = heed.dbm + sharp * (level[0] - heed.dbm) / (1.5 + heed.bins)
    heed.bins = heed.bins + sharp * ops.above(LEVEL_MEMORY - heed.bins, 0.0)


def move(mind: Mind[N], habits: Habits[N], heard: Heard[N], *, air: Air, hazards: Hazards, ops: Ops[N]) -> None:
    """Let a bin pass: what a visit may have moved, what the door heard of it, and takes that still go on."""
    door = heard.door * air.door
    through = door * hazards.door_hit + (1.0 - door) * (1.0 - hazards.door_hit * air.door)
    stays = door * (hazards.door_stray_here + habits.door_strays) + (1.0 - door)
    away = door * hazards.door_stray_out + (1.0 - door)
    quiet = door * FLOOR + (1.0 - door)
    boost = 1.0 + hazards.door_boost * ops.above(mind.door_bins, 0.5)
    v = air.visit
    removal, nextward = v * hazards.removal * boost, v * hazards.to_next * boost
    block, unblock, death = v * hazards.block, v * hazards.unblock, hazards.death
    back, from_next, onward = v * hazards.back, v * hazards.back_from_next, v * hazards.out_to_next
    leave = removal + nextward
    total = hazards.block_total
    h, b, z, n, g, d = mind.h, mind.b, mind.z, mind.n, mind.g, mind.d
    alive = h + b + z
    _settle(
        mind,
        (h * (1.0 - leave - block - death) + (b + z) * unblock) * stays + (g * back + n * from_next) * through,
        (b * (1.0 - leave - unblock - block * total - death) + h * block * (1.0 - total)) * stays,
        (z * (1.0 - leave - unblock - death) + (h + b) * block * total) * stays,
        n * (1.0 - from_next - onward) * away + alive * nextward * through + g * onward * away + d * nextward * quiet,
        g * (1.0 - back - onward) * away + alive * removal * through + n * onward * away + d * removal * quiet,
        d * (1.0 - leave) * quiet + alive * death * quiet,
    )
    _go_on(mind, hazards, ops)
    mind.door_bins = door * DOOR_BINS + (1.0 - door) * (mind.door_bins - ops.above(mind.door_bins, 0.5))


def _go_on(mind: Mind[N], hazards: Hazards, ops: Ops[N]) -> None:
    going, coming = ops.above(mind.going, 0.5), ops.above(mind.coming, 0.5)
    _take(mind, going * hazards.taking_a_bin, mind.nextward)
    arrives = coming * hazards.taking_a_bin
    mind.h = mind.h + arrives * (mind.g + mind.n)
    mind.g, mind.n = mind.g * (1.0 - arrives), mind.n * (1.0 - arrives)
    mind.going, mind.coming = mind.going - going, mind.coming - coming


def _take(mind: Mind[N], share: N, nextward: N) -> None:
    here = share * mind.here()
    left = 1.0 - share
    mind.h, mind.b, mind.z, mind.d = mind.h * left, mind.b * left, mind.z * left, mind.d * left
    mind.g, mind.n = mind.g + here * (1.0 - nextward), mind.n + here * nextward


def believe(mind: Mind[N], told: Told[N], hazards: Hazards) -> None:
    """Take what the book learned: a take moves most at once and the rest soon; eyes are believed almost wholly."""
    leaves = told.out + told.next
    mind.nextward = mind.nextward * (1.0 - leaves) + told.next
    _take(mind, leaves * hazards.taking, mind.nextward)
    mind.going = mind.going * (1.0 - leaves - told.here) + leaves * TAKING_BINS
    mind.coming = mind.coming * (1.0 - leaves - told.here) + told.here * TAKING_BINS
    comes = told.here * hazards.receipt
    keeps = 1.0 - comes
    mind.h, mind.b, mind.z = mind.h * keeps + comes * 0.94, mind.b * keeps + comes * 0.03, mind.z * keeps + comes * 0.03
    mind.n, mind.g, mind.d = mind.n * keeps, mind.g * keeps, mind.d * keeps
    _look(mind, told, hazards)


def _look(mind: Mind[N], told: Told[N], hazards: Hazards) -> None:
    eyes = told.seen_here + told.seen_next + told.seen_out
    here = mind.here()
    right, wrong = hazards.looked, 1.0 - hazards.looked
    stays = (told.seen_here * right + (1.0 - told.seen_here) * wrong) / here
    goes = (told.seen_here * wrong + (1.0 - told.seen_here) * right) / (mind.n + mind.g)
    kept = 1.0 - eyes
    mind.h, mind.b = mind.h * (kept + eyes * stays), mind.b * (kept + eyes * stays)
    mind.z, mind.d = mind.z * (kept + eyes * stays), mind.d * (kept + eyes * stays)
    away = mind.n + mind.g
    n, g = mind.n, mind.g
    mind.n = n * (kept + told.seen_here * goes) + told.seen_next * goes * away + told.seen_out * goes * n
    mind.g = g * (kept + told.seen_here * goes) + told.seen_out * goes * g
    mind.going, mind.coming = mind.going * kept, mind.coming * kept


def nudge(mind: Mind[N], gone: N, hidden: N, beside: N) -> None:
    """Multiply the beliefs that it is gone, that it is hidden, and that it is next door."""
    _settle(mind, mind.h, mind.b * hidden, mind.z * hidden, mind.n * beside, mind.g * gone, mind.d)


def _settle(mind: Mind[N], h: N, b: N, z: N, n: N, g: N, d: N) -> None:
    """Take new states, none below the floor, their sum one."""
    whole = h + b + z + n + g + d
    scale = 1.0 / (whole * (1.0 + 6.0 * FLOOR))
    least = FLOOR / (1.0 + 6.0 * FLOOR)
    mind.h, mind.b, mind.z = h * scale + least, b * scale + least, z * scale + least
    mind.n, mind.g, mind.d = n * scale + least, g * scale + least, d * scale + least
