"""What only the simulator writes: the truth of a story, the log of beeps, the readers' counts. Their forms and files.

    DIR/sim/truth.json               one `Truth`: what was there, what left when and why, the cut, the unscanned piece
    DIR/sim/<ward>/beeps.ndjson      one `Beep` a line, written when the answer is heard or given up
    DIR/sim/<ward>/deliveries.json   one `Deliveries`: what the ward's reader put on the wire since the story began

Instants are microseconds since 1970 UTC in story time. The story writes these files, the checker reads them, and
nothing else may: no process that is judged ever sees them. The rule that must not be broken: they say what happened, as
it happened, never what was planned.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from hardware_sim.errors import WrongUse
from hardware_sim.scenario.plan import Cut, Drive, Misput, Take
from hardware_sim.world import Move, Tag
from protocols.errors import BadValue
from protocols.values.ids import ActorId, Epc, PlaceId
from protocols.values.instant import Instant

T = TypeVar("T")

BEEP_LINES_MAX = 1_000_000
"""Scans of one ward in one story; more is a story that never ends."""

NO_EPC = Epc("")
"""A badge's."""

Answer = Literal["ok", "no", "look", "none"]
"""What the scanner was told; `none`: no answer came within the person's patience."""


@dataclass(frozen=True, slots=True)
class WardTruth:
    """One ward: its pieces where they lay when the story began, and every piece that left, in order."""

    place: PlaceId
    tags: tuple[Tag, ...]
    moves: tuple[Move, ...]

    def on_shelf(self) -> list[Tag]:
        """Return the pieces that are there at the end."""
        gone = {move.epc for move in self.moves}
        return [tag for tag in self.tags if tag.epc not in gone]


@dataclass(frozen=True, slots=True)
class Truth:
    """One story as it happened. `rate` story seconds a real second, `seconds` the real seconds it took to play.

    `take` is None when nobody took a piece without a scan. A cut's instants are those at which its proxy refused and
    let through again. `answered_here` is False where proposals are left to a person who looks around.
    """

    seed: int
    start: Instant
    end: Instant
    rate: float
    seconds: float
    wards: tuple[WardTruth, ...]
    cuts: tuple[Cut, ...]
    take: Take | None
    drive: Drive
    answered_here: bool = True
    misput: Misput | None = None

    def __post_init__(self) -> None:
        if self.end <= self.start or self.rate <= 0 or not self.wards:
            raise BadValue(f"truth: expected wards and an end after the start, got {len(self.wards)} and {self.end}")


@dataclass(frozen=True, slots=True)
class Beep:
    """One scan and its answer; `at` is when the answer was heard, or given up. `epc` is empty for a badge."""

    at: Instant
    scan: str
    what: Literal["badge", "item"]
    actor: ActorId
    answer: Answer
    epc: Epc = NO_EPC

    def __post_init__(self) -> None:
        if (self.what == "item") != bool(self.epc):
            raise BadValue(
                f"beep: expected an EPC with an item and none with a badge, got {self.what} {self.epc!r:.40}"
            )

    def line(self) -> bytes:
        """Return it as one line of the log."""
        return msgspec.json.encode(self) + b"\n"


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What one reader delivered: tag reads, and the rounds they came in. A restarted reader counts on."""

    reads: int
    rounds: int = 0


def truth_path(state: Path) -> Path:
    """Return where a story's truth is kept."""
    return state / "sim" / "truth.json"


def beeps_path(state: Path, ward: PlaceId) -> Path:
    """Return where a ward's scans are logged."""
    return state / "sim" / ward / "beeps.ndjson"


def deliveries_path(state: Path, ward: PlaceId) -> Path:
    """Return where a ward's reader is counted."""
    return state / "sim" / ward / "deliveries.json"


def write_truth(state: Path, truth: Truth) -> None:
    """Write the truth; its folder must stand."""
    truth_path(state).write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n")


def write_deliveries(state: Path, ward: PlaceId, deliveries: Deliveries) -> None:
    """Write a reader's counts; the folder must stand."""
    deliveries_path(state, ward).write_bytes(msgspec.json.encode(deliveries) + b"\n")


def read_truth(state: Path) -> Truth:
    """Read the truth of a story that was played. Raises `WrongUse`."""
    return _parsed(truth_path(state), _bytes_of(truth_path(state)), Truth)


def read_deliveries(state: Path, ward: PlaceId) -> Deliveries:
    """Read a reader's counts. Raises `WrongUse`."""
    return _parsed(deliveries_path(state, ward), _bytes_of(deliveries_path(state, ward)), Deliveries)


def read_beeps(state: Path, ward: PlaceId) -> list[Beep]:
    """Read a ward's log of scans. Raises `WrongUse`."""
    path = beeps_path(state, ward)
    lines = _bytes_of(path).splitlines()
    if len(lines) > BEEP_LINES_MAX:
        raise WrongUse(f"{path}: expected at most {BEEP_LINES_MAX} scans, got {len(lines)}")
    return [_parsed(path, line, Beep) for line in lines]


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise WrongUse(f"{path}: expected a file a played story left, {error.strerror}; name its --state") from error


def _parsed(path: Path, raw: bytes, form: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=form)
    except (msgspec.MsgspecError, ValueError) as error:
        raise WrongUse(f"{path}: expected the form {form.__name__}; {error}") from error
