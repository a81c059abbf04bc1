"""How each device fares: how far its ledger has come, how wrong its clock is, and whether its antennas listen.

It decides nothing and asks no device: everything here was said in entries and greetings. The rule that must not be
broken: what was never told is None, never a good value, and each telling keeps its instant.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection

from central.services.antennas import Told, antennas_told_since
from central.store.queries_book import DeviceSeen, devices
from central.store.queries_evidence import Near, clock_steps
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.reports import ClockStepBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus

OFFSET = "offset"
"""The cause of a clock step that tells how far off central's time the clock is; a jump tells only that it moved."""
CLOCK_WRONG_US = 2_000_000
"""Above this a device writes its clock's error down, and again when it has changed as much. Source: SYNC "Time"."""
ANTENNAS_DAYS = 7
"""Days looked back for what a device told of its antennas; older than this it tells nothing of now."""
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class ClockTold:
    """How many microseconds a device's clock was ahead of central's, and when it said so by its own clock."""

    at: Instant
    ahead_us: int

    @property
    def wrong(self) -> bool:
        """Tell whether the clock was further off than one that is in order."""
        return abs(self.ahead_us) > CLOCK_WRONG_US


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """One device; `clock` is None while it told no error, `antennas` None while it told nothing of them this week."""

    seen: DeviceSeen
    clock: ClockTold | None
    antennas: Told | None

    @property
    def silent(self) -> list[str]:
        """The antennas that did not listen at all in the time last told, `reader:number`."""
        return [] if self.antennas is None else sorted(name for name, heard in self.antennas.heard.items() if not heard)


def fleet(connection: Connection, hospital: HospitalId, now: Instant) -> list[DeviceHealth]:
    """Return every device with how it fares, by name."""
    seen = sorted(devices(connection, hospital), key=lambda one: one.device)
    names = {one.device for one in seen}
    antennas = antennas_told_since(connection, hospital, names, plus(now, -ANTENNAS_DAYS * DAY_S))
    clocks = clock_steps(connection, hospital, names)
    return [DeviceHealth(one, _clock(clocks[one.device]), next(antennas[one.device], None)) for one in seen]


def _clock(steps: Iterable[Near]) -> ClockTold | None:
    """Return the newest error that was told; a step of a form that is not known tells nothing."""
    for entry in steps:
        try:
            body = read_body(entry.body, ClockStepBody)
        except ProtocolsError:
            continue
        if body.cause == OFFSET:
            return ClockTold(entry.at, body.by_us)
    return None
