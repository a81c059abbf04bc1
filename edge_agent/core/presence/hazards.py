"""How often things happen in a storeroom and how well it hears, as the filter begins to believe before it has learned.

These are starting values, found on simulated storerooms; what a ward itself shows replaces them as far as it can
(`fitting`). The rule that must not be broken: a figure of the model stands here and in no expression.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hazards:
    """Chances a bin with a visit, unless said otherwise; `idle` is their factor in a bin without."""

    removal: float = 1e-4
    to_next: float = 2.5e-5
    block: float = 4e-4
    block_total: float = 0.35
    unblock: float = 0.03
    back: float = 1e-4
    back_from_next: float = 3e-5
    out_to_next: float = 1e-6
    death: float = 1e-7
    """A bin, visit or not."""
    idle: float = 0.002
    after: float = 0.3
    """Factor of the bin after one with a visit: the visit may go on, or the bin's clock be a little off."""
    visits_unknown: float = 0.08
    """Factor of a bin whose sensor is dead: the share of bins in which somebody comes."""
    door_hit: float = 0.75
    door_stray_out: float = 3e-3
    """A bin: a piece that has left is heard at the door, on its way or in somebody's hands."""
    door_stray_here: float = 2e-6
    """A bin: a piece that stays on its shelf is heard at the door, before this was learned of the piece."""
    door_boost: float = 30.0
    """Factor of removal for `DOOR_BINS` bins after a door read: it may be heard on the shelf a moment longer."""
    taking: float = 0.5
    """Share that a scanned take moves at once, before a ward's own people have shown it."""
    taking_a_bin: float = 0.2
    """And in each of `TAKING_BINS` bins after it."""
    receipt: float = 0.95
    looked: float = 0.995
    """How far a person's eyes are believed."""
    one_ear: float = 0.15
    """Further power where one of two readers is dumb."""
    strange_ear: float = 0.8
    """What is taken from the power of a neighbour's reader that has not heard a piece of ours for long."""
    temper: float = 0.45
    """Power of the likelihoods: the rounds of a bin, and bins one after another, are not independent."""


@dataclass(frozen=True, slots=True)
class Radio:
    """How reads spread: concentrations of the beta-binomials, levels in dBm."""

    here: float = 6.0
    leaky: float = 3.0
    wall: float = 3.0
    ghosts: float = 1.0
    ghosts_learned: float = 6.0
    """The same once a room's own rate of ghosts is known: they come one by one."""
    leaks: float = 0.05
    """What a leaky shield leaves of the read rate."""
    ghost_rate: float = 2.5e-4
    stray: float = 0.03
    """Mean read rate through the wall, before it was learned of the piece."""
    stray_rounds: float = 40.0
    near: float = 0.01
    near_rounds: float = 40.0
    strong_rate: float = 0.7
    strong_cost: float = 2.0
    """Read rate of a bin that is better than a tag's usual, and the logarithm of how rare it is."""
    young: float = 1.0
    """Concentration of a rate of which nothing was learned yet: that of tags among each other."""
    young_rounds: float = 300.0
    """Rounds after which half is learned of how a reader hears a tag."""
    strong_stray_cost: float = 2.0
    """The logarithm of how rare a stray of any strength is, where nothing was learned of the piece's yet."""
    shielded_there_cost: float = 0.5
    """The same for a piece of the next room that a shield hides there: it is no more here for being heard less."""
    mean_rate: float = 0.45
    mean_rounds: float = 6.0
    level_dbm: float = -57.0
    """Mean level of a tag in the room that the reader is in, before it was learned."""
    stray_dbm: float = -70.0
    """And of one beyond the wall."""
    level_sd_db: float = 4.0
    level_tails: float = 3.0
    """Degrees of freedom of a level's distribution."""
    level_weight: float = 1.25
    """Power of a level's likelihood: one fading moves reads and level alike, and lasts."""
    louder: float = 0.3
    """What counts of how much louder than usual a reader hears a tag of its own room."""
    wall_sd_db: float = 6.0
    level_spread_db: float = 8.0
    leaky_db: float = 8.0
    ghost_level: float = -1.8
    """Logarithm of the density of a level that comes from nowhere: anything within 30 dB."""


TAKING_BINS = 12
DOOR_BINS = 3
MEMORY_ROUNDS = 9_000.0
"""Rounds after which what was learned of a tag is halved: five hours of rounds of 2 s."""
LEVEL_MEMORY = 1000.0
"""Bins after which a mean level follows the newest ones."""
SURE = 0.9
"""A state is learned from only while it is at least so likely."""
YOUNG_ROUNDS = 900.0
"""Rounds in which the book alone teaches how the neighbour's reader hears a tag of its own."""
FLOOR = 1e-9
"""No state is ever believed less than this: the model may be wrong."""
