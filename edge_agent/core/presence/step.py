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
class Habits(Generic[N]):
    """What was learned: reads and rounds here, next door, through the wall both ways, levels, strays at the door."""

    reads: N
    rounds: N
    next_reads: N
    next_rounds: N
    stray_reads: N
    stray_rounds: N
    near_reads: N
    near_rounds: N
    dbm: N
    dbm_weight: N
    door_strays: N


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
    """Multiply the states by the likelihood of what was heard."""
    hazards, radio = model
    room = _room(habits, heard, radio, ops)
    beside = _beside(habits, heard, radio, ops)
    level = _levels(habits, heard, radio)
    h, b, z, n, g, d = (
        ops.exp(hazards.temper * (one + two + three)) for one, two, three in zip(room, beside, level, strict=True)
    )
    _settle(mind, mind.h * h, mind.b * b, mind.z * z, mind.n * n, mind.g * g, mind.d * d)


def _room(habits: Habits[N], heard: Heard[N], radio: Radio, ops: Ops[N]) -> tuple[N, N, N, N, N, N]:
    rate = heard.share * ((habits.reads + radio.mean_rate * radio.mean_rounds) / (habits.rounds + radio.mean_rounds))
    stray = (habits.stray_reads + radio.stray * radio.stray_rounds) / (habits.stray_rounds + radio.stray_rounds)
    n, k = heard.rounds, heard.reads
    clear = ops.look(radio.here, ops.level(rate), n, k)
    leaky = ops.look(radio.leaky, ops.level(rate * radio.leaks), n, k)
    ghost = ops.look(radio.ghosts, ops.level(0.0 * rate + radio.ghost_rate), n, k)
    return clear, leaky, ghost, ops.look(radio.here, ops.level(stray), n, k), ghost, ghost


def _beside(habits: Habits[N], heard: Heard[N], radio: Radio, ops: Ops[N]) -> tuple[N, N, N, N, N, N]:
    rate = (habits.next_reads + radio.mean_rate * radio.mean_rounds) / (habits.next_rounds + radio.mean_rounds)
    near = (habits.near_reads + radio.near * radio.near_rounds) / (habits.near_rounds + radio.near_rounds)
    n, k = heard.next_rounds, heard.next_reads
    there = ops.look(radio.here, ops.level(rate), n, k)
    stray = ops.look(radio.here, ops.level(near), n, k)
    leaky = ops.look(radio.leaky, ops.level(near * radio.leaks + radio.ghost_rate), n, k)
    ghost = ops.look(radio.ghosts, ops.level(0.0 * rate + radio.ghost_rate), n, k)
    return stray, leaky, ghost, there, ghost, ghost


def _levels(habits: Habits[N], heard: Heard[N], radio: Radio) -> tuple[N, N, N, N, N, N]:
    spread = radio.level_sd_db**2 + radio.level_spread_db**2 / (1.0 + habits.dbm_weight)
    off = heard.dbm - habits.dbm
    leaky = off + radio.leaky_db
    far = (heard.dbm - radio.stray_dbm) / radio.stray_sd_db
    spread = spread + 0.0 * off
    clear = heard.has_dbm * (-0.5 * off * off / spread)
    shielded = heard.has_dbm * (-0.5 * leaky * leaky / spread)
    stray = heard.has_dbm * (-0.5 * far * far)
    return clear, shielded, stray, stray, stray, stray


def learn(mind: Mind[N], habits: Habits[N], heard: Heard[N], radio: Radio, ops: Ops[N]) -> None:
    """Count what a sure state shows of a tag's radio; halve old counts, so that they follow the shelf."""
    here = ops.above(mind.h, SURE) * ops.above(heard.share, 0.99)
    habits.reads, habits.rounds = _counted(habits.reads, habits.rounds, here, (heard.reads, heard.rounds), ops)
    heard_here = here * ops.above(heard.reads, 0.5)
    near = (heard.next_reads, heard.next_rounds)
    habits.near_reads, habits.near_rounds = _counted(habits.near_reads, habits.near_rounds, heard_here, near, ops)
    there = ops.above(mind.n, SURE) * ops.above(heard.next_reads, 0.5)
    habits.next_reads, habits.next_rounds = _counted(habits.next_reads, habits.next_rounds, there, near, ops)
    stray = (heard.reads, heard.rounds)
    habits.stray_reads, habits.stray_rounds = _counted(habits.stray_reads, habits.stray_rounds, there, stray, ops)
    sharp = here * heard.has_dbm
    habits.dbm = habits.dbm + sharp * (heard.dbm - habits.dbm) / (1.0 + habits.dbm_weight + radio.level_sd_db / 8.0)
    habits.dbm_weight = habits.dbm_weight + sharp * ops.above(LEVEL_MEMORY - habits.dbm_weight, 0.0)


def _counted(reads: N, rounds: N, sure: N, new: tuple[N, N], ops: Ops[N]) -> tuple[N, N]:
    kept = 1.0 - 0.5 * ops.above(rounds, MEMORY_ROUNDS)
    return kept * reads + sure * new[0], kept * rounds + sure * new[1]


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


def _settle(mind: Mind[N], h: N, b: N, z: N, n: N, g: N, d: N) -> None:
    """Take new states, none below the floor, their sum one."""
    whole = h + b + z + n + g + d
    scale = 1.0 / (whole * (1.0 + 6.0 * FLOOR))
    least = FLOOR / (1.0 + 6.0 * FLOOR)
    mind.h, mind.b, mind.z = h * scale + least, b * scale + least, z * scale + least
    mind.n, mind.g, mind.d = n * scale + least, g * scale + least, d * scale + least
