"""What is asked of a reader's radio, as a configuration says it: values and their limits.

How a reader is told is not here (`llrp/radio`). The rule that must not be broken: what is not asked stays the reader's
own setting.
"""

from dataclasses import dataclass

from protocols.errors import BadValue

REGIONS_KHZ = {"CN": (920_000, 925_000)}
"""Band of a region in kHz; China: 920 to 925 MHz (MIIT, rules for 900 MHz RFID equipment)."""

POWER_MAX_DBM = 36.0
TAGS_MAX = 0xFFFF
TARGETS = {"A": 0, "B": 1}

QUIET_SESSIONS = (2, 3)
"""Gen2 sessions whose inventoried flag lasts while a tag is powered: heard once, it is quiet in the next rounds."""


@dataclass(frozen=True, slots=True)
class Radio:
    """What is asked of the radio; None leaves the reader's own setting.

    `powers_dbm` are (antenna, dBm) pairs, the nearest level not above is taken. `region` "" checks no band.
    """

    region: str = "CN"
    powers_dbm: tuple[tuple[int, float], ...] = ()
    mode: int | None = None
    session: int | None = None
    target: str | None = None
    population: int | None = None

    def __post_init__(self) -> None:
        if self.region not in ("", *REGIONS_KHZ):
            raise BadValue(f"LLRP region: expected one of {', '.join(REGIONS_KHZ)} or none, got {self.region!r:.20}")
        if not all(0 <= power <= POWER_MAX_DBM for _, power in self.powers_dbm):
            raise BadValue(f"LLRP power: expected 0..{POWER_MAX_DBM:g} dBm, got {self.powers_dbm}")
        if self.session not in (None, 0, 1, 2, 3) or self.target not in (None, *TARGETS):
            raise BadValue(
                f"LLRP Gen2: expected session 0..3 and target A or B, got {self.session}, {self.target!r:.9}"
            )
        if self.population is not None and not 1 <= self.population <= TAGS_MAX:
            raise BadValue(f"LLRP population: expected 1..{TAGS_MAX} tags, got {self.population}")

    @property
    def proves_silence(self) -> bool:
        """Tell whether every tag in the field answers in every round, so that a silent one is not there."""
        return self.session not in QUIET_SESSIONS
