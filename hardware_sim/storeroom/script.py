"""A story told for one storeroom: named happenings at given bins, laid into the days that are drawn.

A script is data: who takes which piece when, and what fails. Pieces have words of the script's own, so that a later
event can name the one of an earlier; which tag such a word is, is chosen once, each of another line. The rule that must
not be broken: chance touches no piece that a script names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

import msgspec

from hardware_sim.errors import WrongUse
from hardware_sim.storeroom.happenings import BINS_A_DAY
from hardware_sim.storeroom.stock import DOOR_ANTENNAS, ROOM_ANTENNAS, SHELVES, Stock, Where

PEOPLE = ("take", "swap", "to_next", "from_next", "return", "move", "look", "shield", "unshield")
FAILS = ("dead", "blind", "lost", "outage", "next_outage", "sensor_dead")
EVENTS_MAX = 10_000
LINE_LEAST = 2
"""Pieces that a line has at least from which a script takes one: what stays shows that the line is heard."""


@dataclass(frozen=True, slots=True)
class Event:
    """One happening. `piece` and `other` are words of the script; `item` and `shelf` narrow which piece is meant."""

    b: int
    do: str
    piece: str = ""
    other: str = ""
    item: str = ""
    shelf: str = ""
    scanned: bool = False
    claimed_b: int | None = None
    total: bool = True
    antenna: int = 0
    bins: int = 0

    def __post_init__(self) -> None:
        known = PEOPLE + FAILS
        if self.do not in known:
            raise WrongUse(f"event do: expected one of {', '.join(known)}, got {self.do!r:.40}")
        if self.b < 0:
            raise WrongUse(f"event {self.do}: expected b of 0 or more, got {self.b}")
        if (self.do in PEOPLE or self.do == "dead") == (not self.piece):
            raise WrongUse(f"event {self.do} at {self.b}: expected {'a piece' if not self.piece else 'no piece'}")
        if (self.do == "swap") != bool(self.other):
            raise WrongUse(f"event {self.do} at {self.b}: expected another piece with a swap, and only there")
        if self.do in FAILS and self.do != "dead" and self.bins < 1:
            raise WrongUse(f"event {self.do} at {self.b}: expected bins of 1 or more, got {self.bins}")
        if self.do in {"blind", "lost"} and self.antenna not in ROOM_ANTENNAS + DOOR_ANTENNAS:
            raise WrongUse(f"event {self.do} at {self.b}: expected an antenna 1..6, got {self.antenna}")
        if self.shelf and self.shelf not in SHELVES:
            raise WrongUse(
                f"event {self.do} at {self.b}: expected a shelf {', '.join(SHELVES)}, got {self.shelf!r:.20}"
            )
        if self.do == "move" and not self.shelf:
            raise WrongUse(f"event move at {self.b}: expected the shelf to move to")
        if self.claimed_b is not None and self.claimed_b <= self.b:
            raise WrongUse(f"event {self.do} at {self.b}: expected claimed_b later, got {self.claimed_b}")


@dataclass(frozen=True, slots=True)
class Script:
    """A whole story, and the world in which it happens."""

    events: tuple[Event, ...]
    about: str = ""
    seed: int = 1
    days: int = 2
    tags: int = 120
    world: str = "quiet"
    rates: Mapping[str, float] = field(default_factory=dict)
    looks: int = 0

    def __post_init__(self) -> None:
        if len(self.events) > EVENTS_MAX:
            raise WrongUse(f"events: expected at most {EVENTS_MAX}, got {len(self.events)}")
        late = [event for event in self.events if event.b >= self.days * BINS_A_DAY]
        if late:
            raise WrongUse(f"event {late[0].do}: expected b below {self.days * BINS_A_DAY}, got {late[0].b}")


def read_script(name: str) -> Script:
    """Read a script from a file, or one that is shipped, by its name. Raises `WrongUse`."""
    path = Path(name)
    shipped = resources.files("hardware_sim.storeroom.scripts") / f"{name}.json"
    try:
        raw = shipped.read_bytes() if path.name == name and not path.exists() else path.read_bytes()
        return msgspec.json.decode(raw, type=Script)
    except OSError as error:
        raise WrongUse(f"--story {name}: expected a file that can be read, or differences; {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise WrongUse(f"--story {name}: expected {{events: [{{b, do, ...}}]}}; {error}") from error


def cast_pieces(script: Script, stock: Stock) -> dict[str, int]:
    """Return the tag of each word: pieces of different lines as long as there are some. Raises `WrongUse`."""
    chosen: dict[str, int] = {}
    lines: set[tuple[str, int]] = set()
    for event in script.events:
        if event.piece and event.piece not in chosen:
            home = Where.NEXT if event.do == "from_next" else Where.HERE
            chosen[event.piece] = _choose(event, stock, home, chosen.values(), lines)
        if event.other and event.other not in chosen:
            taken = stock.pieces[chosen[event.piece]]
            same = Event(event.b, "look", event.other, item=taken.item, shelf=SHELVES[taken.shelf])
            chosen[event.other] = _choose(same, stock, Where.HERE, chosen.values(), set())
    return chosen


def _choose(event: Event, stock: Stock, home: Where, used: Iterable[int], lines: set[tuple[str, int]]) -> int:
    wanted_shelf = "" if event.do == "move" else event.shelf
    taken = set(used)
    fits = [
        number
        for number, piece in enumerate(stock.pieces)
        if piece.home == home == piece.first
        and number not in taken
        and event.item in {"", piece.item}
        and (not wanted_shelf or (home == Where.HERE and SHELVES[piece.shelf] == wanted_shelf))
    ]
    if not fits:
        raise WrongUse(f"event {event.do} at {event.b}: expected a piece for {event.piece!r:.40}, none is left")
    line = {number: (stock.pieces[number].item, stock.pieces[number].shelf) for number in fits}
    sizes = {key: list(line.values()).count(key) for key in set(line.values())}
    best = [number for number in fits if line[number] not in lines and sizes[line[number]] >= LINE_LEAST] or fits
    lines.add(line[best[0]])
    return best[0]
