"""How often things happen in a simulated storeroom, and how well its radio hears: every figure of the world, once.

It is only figures with their bounds; what is drawn from them is in the other files. A score on a simulated storeroom
means nothing without its rates, so they are published in every trace. The rule that must not be broken: no draw uses a
figure that does not stand here.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import get_close_matches

from hardware_sim.errors import WrongUse

MANY = 1e6
"""Upper bound of a figure that has no natural one."""


def _share(default: float, *, says: str) -> float:
    value: float = field(default=default, metadata={"low": 0.0, "high": 1.0, "says": says})
    return value


def _amount(default: float, low: float = 0.0, high: float = MANY, *, says: str) -> float:
    value: float = field(default=default, metadata={"low": low, "high": high, "says": says})
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldRates:
    """Every figure of a storeroom. A share is 0..1; `_a_day` and `_a_week` are means over an average week."""

    # the radio of the room: one round of all shelf antennas lasts `round_s` of the trace
    read_mean: float = _share(0.60, says="chance that an antenna facing a shelf hears a tag on it in one round")
    read_concentration: float = _amount(3.0, 0.2, says="Beta concentration over tags: low = tags differ much")
    spill_mean: float = _share(0.08, says="the same for an antenna that does not face the shelf")
    spill_concentration: float = _amount(1.5, 0.2, says="its Beta concentration over tags")
    fade_tag: float = _amount(0.5, high=5, says="slow fading of one tag, standard deviation in logits")
    fade_shelf: float = _amount(0.4, high=5, says="slow fading shared by a shelf, in logits")
    fade_memory: float = _share(0.85, says="correlation from one span of ten bins to the next")
    level_dbm: float = _amount(-56.0, -90, -20, says="mean level of a tag that is heard in half of the rounds")
    level_spread_db: float = _amount(4.0, high=20, says="how levels differ between tags and antennas")
    level_noise_db: float = _amount(2.5, high=20, says="how the level of one read varies")
    level_leaky_db: float = _amount(8.0, high=40, says="what a leaky shield takes away")
    body_shadow: float = _share(0.5, says="what a person before a shelf leaves of its read rates")
    ghost: float = _share(2e-6, says="chance a round that a tag which is not here is read all the same")
    foreign_a_day: float = _amount(40.0, high=1e5, says="EPCs that are none of ours, walking by")

    # shields: liquid, metal, a pile of boxes
    block_single: float = _share(1.2e-4, says="a visit: one tag is shielded")
    block_group: float = _share(0.012, says="a visit: a box, several tags of one item on one shelf")
    block_shelf: float = _share(0.002, says="a visit: a stretch of a shelf, whatever stands there")
    block_total: float = _share(0.35, says="share of shields that let nothing through")
    block_leaks: float = _share(0.05, says="what a leaky shield leaves of the read rate")
    unblock: float = _share(0.05, says="a visit: a shield ends")

    # the neighbouring room and its reader
    next_share: float = _amount(0.3, high=5, says="tags of the neighbour, per tag of ours")
    stray_a: float = _amount(0.4, 0.01, says="Beta of the chance that a reader hears a tag through the wall")
    stray_b: float = _amount(6.0, 0.01, says="the second figure of that Beta; the mean is a / (a + b)")
    stray_dbm: float = _amount(-70.0, -95, -20, says="mean level of a stray")
    stray_spread_db: float = _amount(4.0, high=20, says="how the levels of strays differ")
    next_skew_s: float = _amount(0.0, -900, 900, says="how far the neighbour's clock is ahead")

    # the door: one antenna inside, one outside
    door_capture: float = _share(0.75, says="chance that one door antenna hears a tag that passes")
    door_crowd: float = _share(0.97, says="factor for each further tag of the same passage, down to a half")
    door_spill: float = _share(5e-6, says="chance a round that the inner one hears a tag on the nearest shelf")

    # what fails
    outages_a_week: float = _amount(0.5, high=1000, says="the room's reader")
    outage_median_min: float = _amount(20.0, 1, says="how long an outage lasts, in half of the cases less")
    next_outages_a_week: float = _amount(0.5, high=1000, says="the neighbour's reader")
    blind_a_week: float = _amount(0.2, high=1000, says="an antenna hears nothing and nobody says so")
    lost_antennas_a_week: float = _amount(0.1, high=1000, says="an antenna is off, and the reader says so")
    antenna_median_h: float = _amount(6.0, 0.1, says="how long an antenna stays lost or blind")
    sensor_dead_a_week: float = _amount(0.1, high=1000, says="the sensor at the door says nothing for a time")
    sensor_dead_median_h: float = _amount(12.0, 0.1, says="how long it does")
    sensor_catches: float = _share(0.97, says="visits that the sensor at the door counts")
    sensor_false_a_day: float = _amount(1.0, high=1e4, says="visits it counts that were none")
    deaths_a_thousand_tag_days: float = _amount(0.1, high=1000, says="tags that never answer again")
    book_skew_s: float = _amount(0.0, -7200, 7200, says="how far the clock that stamps the book is ahead")

    # people
    visits_a_day: float = _amount(60.0, high=2000, says="people who come in")
    weekly_rhythm: float = _share(0.5, says="0 every day alike; 1 a Sunday has two fifths of a mean day")
    takes_a_day: float = _amount(0.08, high=1, says="pieces taken a day, per piece on the shelf")
    unscanned: float = _share(0.10, says="of pieces taken")
    claimed: float = _share(0.4, says="of unscanned pieces: somebody names them later")
    swapped: float = _share(0.008, says="another piece of the item is scanned than is taken")
    late_scan: float = _share(0.03, says="of scanned pieces: known hours later")
    late_median_min: float = _amount(90.0, 1, says="how much later they are known")
    group_takes_a_week: float = _amount(1.0, high=1000, says="a handful at once")
    group_size_mean: float = _amount(6.0, 2, 100, says="pieces of a handful")
    group_unscanned: float = _share(0.2, says="of handfuls")
    returned: float = _share(0.04, says="of pieces taken")
    return_scanned: float = _share(0.9, says="of pieces that are brought back")
    shelf_moves_a_day: float = _amount(0.5, high=1000, says="pieces put on another shelf; nobody records it")
    to_next_a_day: float = _amount(0.5, high=1000, says="pieces carried to the neighbouring room")
    to_next_recorded: float = _share(0.3, says="of those")
    from_next_a_day: float = _amount(0.2, high=1000, says="pieces of the neighbour's brought here; nobody records it")
    back_a_day: float = _share(0.2, says="a day: a piece that is in the wrong room is brought back")
    receipts_a_week: float = _amount(3.0, high=21, says="deliveries")
    receipt_missing: float = _share(0.001, says="booked in, never came")
    receipt_unbooked: float = _share(0.001, says="came, never booked in")
    line_counts_a_week: float = _amount(0.0, high=1000, says="whole lines counted by the keeper")
    look_errs: float = _share(0.005, says="a person who looks is wrong about one piece")

    def __post_init__(self) -> None:
        for each in fields(self):
            value, low, high = getattr(self, each.name), each.metadata["low"], each.metadata["high"]
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise WrongUse(f"{each.name}: expected a number, got {value!r:.40}")
            if not low <= value <= high:
                raise WrongUse(f"{each.name}: expected {low:g}..{high:g}, got {value:g}")


NOMINAL = WorldRates()
HARD = WorldRates(
    read_mean=0.42,
    fade_tag=0.8,
    fade_shelf=0.6,
    block_single=3e-4,
    block_group=0.03,
    block_shelf=0.005,
    stray_a=0.5,
    stray_b=5.0,
    door_capture=0.5,
    outages_a_week=1.5,
    next_outages_a_week=1.5,
    blind_a_week=0.5,
    lost_antennas_a_week=0.3,
    ghost=1e-5,
    sensor_catches=0.9,
)
QUIET = WorldRates(
    block_single=3e-5,
    block_group=0.003,
    block_shelf=0.0005,
    block_total=0.1,
    outages_a_week=0.0,
    next_outages_a_week=0.0,
    blind_a_week=0.0,
    lost_antennas_a_week=0.0,
    sensor_dead_a_week=0.0,
    deaths_a_thousand_tag_days=0.0,
    unscanned=0.0,
    late_scan=0.0,
    swapped=0.0,
    group_unscanned=0.0,
    return_scanned=1.0,
    shelf_moves_a_day=0.0,
    to_next_a_day=0.0,
    from_next_a_day=0.0,
    receipt_missing=0.0,
    receipt_unbooked=0.0,
)
WORLDS: Mapping[str, WorldRates] = {"nominal": NOMINAL, "hard": HARD, "quiet": QUIET}
"""Nominal: an ordinary ward. Hard: more shields, a worse door. Quiet: the book is always right, and little fails."""


def with_settings(rates: WorldRates, settings: Iterable[str]) -> WorldRates:
    """Return the rates with `key=value` settings laid over them. Raises `WrongUse`."""
    changed: dict[str, float] = {}
    for setting in settings:
        key, sign, text = setting.partition("=")
        try:
            changed[key.strip()] = float(text)
        except ValueError as error:
            raise WrongUse(f"--set {setting!r:.60}: expected key=number, e.g. unscanned=0.05") from error
        if not sign or key.strip() not in NAMES:
            raise WrongUse(f"--set {key.strip()!r:.40}: expected one of the world's rates{_nearest(key)}")
    return replace(rates, **changed)


def as_table(rates: WorldRates) -> dict[str, float]:
    """Return every figure by name, as it is published in a trace."""
    return asdict(rates)


def described(rates: WorldRates) -> list[dict[str, object]]:
    """Return every figure with its bounds and what it is, for a person who wants to change one."""
    return [
        {"rate": each.name, "value": getattr(rates, each.name), **{key: each.metadata[key] for key in KEYS}}
        for each in fields(rates)
    ]


def from_table(table: Mapping[str, float], *, base: WorldRates = NOMINAL) -> WorldRates:
    """Return the rates of such a table, or of a part of one laid over `base`. Raises `WrongUse`."""
    for key in table:
        if key not in NAMES:
            raise WrongUse(f"rate {key!r:.40}: expected one of the world's rates{_nearest(key)}")
    return replace(base, **table)


def _nearest(key: str) -> str:
    near = get_close_matches(key, NAMES, n=3)
    return f", such as {', '.join(near)}" if near else f" ({', '.join(NAMES)})"


KEYS = ("low", "high", "says")
NAMES = tuple(each.name for each in fields(WorldRates))
