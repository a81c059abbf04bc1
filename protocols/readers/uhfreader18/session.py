"""Our end of a line to a UHFReader18 or 288 board, without a port: bytes and link time in, reads and bytes to send out.

The board is asked what it is; region, power and antennas are set where they differ (they stand in flash, which wears),
the mode always. Then it inventories in rounds, one antenna after the other; an inventory's last answer proves its
antenna. The table below is the order; a state in which there is nothing to ask is passed through.

Not in the table: a request without an answer is repeated twice, for a line loses bytes; then the session ends. In
active mode the board inventories by itself and only speaks when it hears a tag; a round then is a time in which it also
answered a question. Frames of other addresses on the bus are not ours. The rule that must not be broken: "no tag" is an
answer, "antenna not connected" is none, and silence is neither. An order for a tag's memory is carried out between two
rounds. Instants are the host's (`ReaderUse.story_at`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from protocols.errors import WeBroke
from protocols.readers.access import AccessOrder
from protocols.readers.errands import Errands, Step
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AntennaChanged, BadFrame, LinkDown, LinkUp, RoundEnded, TagRead
from protocols.readers.uhfreader18.access import steps_of
from protocols.readers.uhfreader18.codec import Uhf18Decoder, Uhf18Frame, encode_command, rssi_dbm
from protocols.readers.uhfreader18.layout import (
    ANTENNA_ONE,
    CN_920_925,
    INVENTORY,
    LAST_OF_INVENTORY,
    PUSHED,
    STATUSES,
)
from protocols.readers.use import ReaderUse
from protocols.values.ids import epc
from protocols.values.instant import Instant, plus

ATTEMPTS_MAX = 3
"""How often one request is said: a lost byte happens, three lost answers are a reader that is gone."""

SCAN_S = 0.1
"""Unit of a board's inventory time."""

SCAN_TIME = 10
"""Longest inventory of one antenna of a board with several, in `SCAN_S`."""

Q, SESSION, TARGET = 4, 0, 0
"""First slots 2**4; session S0 and target A, so that each inventory hears every tag again."""

ANSWER_MODE, ACTIVE_MODE = 0, 1


class State(Enum):
    """Where a line stands."""

    IDLE = auto()
    PROBING = auto()
    REGION = auto()
    POWER = auto()
    MODE = auto()
    ANTENNAS = auto()
    POLLING = auto()
    RESTING = auto()
    ACCESSING = auto()
    ENDED = auto()


class Event(Enum):
    """What moves it on. `POLLED`: every antenna was asked.

    `ORDERED`: a tag's memory is to be read or written; its end begins the next round.
    """

    OPENED = auto()
    ANSWERED = auto()
    POLLED = auto()
    RESTED = auto()
    ORDERED = auto()
    LOST = auto()


TABLE: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.OPENED): State.PROBING,
    (State.PROBING, Event.ANSWERED): State.REGION,
    (State.REGION, Event.ANSWERED): State.POWER,
    (State.POWER, Event.ANSWERED): State.MODE,
    (State.MODE, Event.ANSWERED): State.ANTENNAS,
    (State.ANTENNAS, Event.ANSWERED): State.POLLING,
    (State.POLLING, Event.POLLED): State.RESTING,
    (State.RESTING, Event.RESTED): State.POLLING,
    (State.RESTING, Event.ORDERED): State.ACCESSING,
    (State.ACCESSING, Event.RESTED): State.POLLING,
} | {(state, Event.LOST): State.ENDED for state in State}


def step(state: State, event: Event) -> State:
    """Look up the next state. Raises `WeBroke` for a pair that is not in the table."""
    try:
        return TABLE[state, event]
    except KeyError as error:
        raise WeBroke(f"UHFReader18 session: no way on from {state.name} by {event.name}") from error


@dataclass(frozen=True, slots=True)
class Board:
    """What a board says of itself; `several`: it is one of those with several antennas and levels (288)."""

    region: tuple[int, int] = (-1, -1)
    dbm: int = -1
    scan_time: int = SCAN_TIME
    antenna_mask: int = 1
    several: bool = False


def read_board(info: Uhf18Frame) -> Board:
    """Return the board of its answer to `get_info`."""
    return Board(
        region=(info.number("highest"), info.number("lowest")),
        dbm=info.number("dbm"),
        scan_time=info.number("scan_time"),
        antenna_mask=info.number("antennas"),
        several="antennas" in info.fields,
    )


Request = tuple[str, dict[str, int]]


def setting_of(state: State, use: ReaderUse, board: Board) -> Request | None:
    """Return what a board is asked or told before it inventories, None when it is right already."""
    highest, lowest = CN_920_925
    mask = sum(1 << each - 1 for each in use.antennas)
    mode = {"mode": ACTIVE_MODE if use.active else ANSWER_MODE}
    match state:
        case State.PROBING:
            return "get_info", {}
        case State.REGION if board.region != CN_920_925:
            return "set_region", {"highest": highest, "lowest": lowest}
        case State.POWER if use.power_dbm is not None and board.dbm != use.power_dbm:
            return "set_power", {"dbm": use.power_dbm}
        case State.MODE if board.several:
            return "set_realtime", mode
        case State.MODE:
            return "set_work_mode", {**mode, "state": 0, "memory": 1, "first": 0, "words": 1, "tag_time": 0}
        case State.ANTENNAS if board.several and board.antenna_mask != mask:
            return "set_antennas", {"mask": mask}
        case _:
            return None


def inventory_of(use: ReaderUse, board: Board, antenna: int) -> Request:
    """Return how one antenna is asked for its tags; an active board is only asked whether it lives."""
    if use.active:
        return "get_info", {}
    if not board.several:
        return "inventory", {}
    where = {"antenna": ANTENNA_ONE + antenna - 1, "scan_time": SCAN_TIME}
    return "inventory_at", {"q": Q, "session": SESSION, "target": TARGET, **where}


def request_of(state: State, use: ReaderUse, board: Board, antenna: int) -> bytes:
    """Return the bytes a state asks, empty when there is nothing to ask."""
    asked = inventory_of(use, board, antenna) if state is State.POLLING else setting_of(state, use, board)
    return encode_command(*asked, address=use.address) if asked else b""


@dataclass(slots=True)
class Uhf18Session:
    """One line to one board. Feed it; send what it says to send; end it when it says so."""

    use: ReaderUse
    state: State = State.IDLE
    _decoder: Uhf18Decoder = field(default_factory=Uhf18Decoder)
    _board: Board = field(default_factory=Board)
    _deadline: Instant | None = None
    _attempts: int = 0
    _asked: int = 0
    _proven: set[int] = field(default_factory=set)
    _lost: set[int] = field(default_factory=set)
    _round_began: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _up: bool = False
    _errands: Errands = field(init=False)

    def __post_init__(self) -> None:
        self._errands = Errands(self._steps_of)

    def opened(self, now: Instant) -> list[Outcome]:
        """The port stands; the board speaks only when asked, unless an earlier host made it active."""
        return self._go(Event.OPENED, now)

    def closed(self, reason: str) -> list[Outcome]:
        """The port is gone, whoever ended it."""
        self.state = step(self.state, Event.LOST)
        return [*self._errands.clear(reason), LinkDown(reason)]

    def receive(self, data: bytes, now: Instant) -> list[Outcome]:
        """Take bytes from the line."""
        return self._take_all(self._decoder.receive(data), now)

    def due(self) -> Instant | None:
        """Return when `tick` has something to decide, in link time."""
        return None if self.state in (State.IDLE, State.ENDED) else self._deadline

    def tick(self, now: Instant) -> list[Outcome]:
        """Ask again what was not answered, begin a round, or give the board up."""
        due = self.due()
        if due is None or now < due:
            return []
        if self.state is State.RESTING:
            return self._go(Event.RESTED, now)
        out = self._take_all(self._decoder.give_up(), now)
        if self.state is State.ENDED or self._deadline is None or now < self._deadline:
            return out  # what waited was the answer
        if self._attempts >= ATTEMPTS_MAX:
            return out + self._end(
                f"the board did not answer {ATTEMPTS_MAX} times ({self.state.name}): is it on, is this its port, "
                f"its baud rate, and {self.use.address} its address?"
            )
        return [*out, *self._ask(now)]

    def stop(self, now: Instant) -> list[Outcome]:
        """Let an active board go on as it was set; one that is asked is silent by itself."""
        del now
        return [] if self.state in (State.IDLE, State.ENDED) else self._end("stopped")

    def access(self, order: AccessOrder, now: Instant) -> list[Outcome]:
        """Read or write a tag's memory, between this round and the next; ends in one `AccessDone`."""
        if not self._up or self.state is State.ENDED:
            return [order.failed("the board is not running")]
        refused = self._errands.add(order)
        return refused + (self._go(Event.ORDERED, now) if self._rests_with_orders() else [])

    def _steps_of(self, order: AccessOrder) -> Sequence[Step]:
        return steps_of(order, several=self._board.several, address=self.use.address)

    def _rests_with_orders(self) -> bool:
        return self.state is State.RESTING and self._errands.begin()

    # --- requests and their answers ----------------------------------------------------------------------------------

    @property
    def _antenna(self) -> int:
        return self.use.antennas[self._asked]

    def _go(self, event: Event, now: Instant) -> list[Outcome]:
        """Take the table's way on to the next state that has something to ask."""
        self.state = step(self.state, event)
        self._attempts = 0
        out: list[Outcome] = []
        if self.state is State.RESTING:
            self._deadline = plus(self._round_began, self.use.pause_s)
            alive = tuple(each for each in self.use.antennas if each in self._proven)
            out += [RoundEnded(self.use.story_at(now), alive)] if alive else []
            return out + (self._go(Event.ORDERED, now) if self._rests_with_orders() else [])
        if self.state is State.POLLING:
            self._round_began, self._asked = now, 0
            self._proven.clear()
            out += [] if self._up else [LinkUp(self.use.story_at(now))]
            self._up = True
        asked = self._ask(now)
        return [*out, *asked] if asked else self._go(Event.ANSWERED, now)

    def _ask(self, now: Instant) -> list[Outcome]:
        data = self._request()
        self._attempts += 1
        inventory_s = max(SCAN_TIME, self._board.scan_time) * SCAN_S if self.state is State.POLLING else 0.0
        self._deadline = plus(now, self.use.answer_s + inventory_s)
        return [Send(data)] if data else []

    def _request(self) -> bytes:
        return self._errands.request or request_of(self.state, self.use, self._board, self._antenna)

    def _end(self, reason: str) -> list[Outcome]:
        self.state = step(self.state, Event.LOST)
        return [*self._errands.clear(reason), Close(reason)]

    def _take_all(self, frames: list[Uhf18Frame | BadFrame], now: Instant) -> list[Outcome]:
        out: list[Outcome] = []
        for each in frames:
            if self.state is State.ENDED:
                break
            if isinstance(each, BadFrame):
                out.append(each)
            elif each.address == self.use.address:
                out += self._take(each, now)
        return out

    def _take(self, frame: Uhf18Frame, now: Instant) -> list[Outcome]:
        if frame.command in (INVENTORY, PUSHED) and self._up:
            heard = self._hear(frame, now)
            over = self.state is State.POLLING and frame.command == INVENTORY
            return heard + (self._inventoried(frame, now) if over else [])
        asked = self._request()
        if not asked or frame.command != asked[2]:
            return []  # an answer to what was asked before, or twice
        why = STATUSES.get(frame.status, f"status {frame.status:02X}")
        if self.state is State.ACCESSING:
            return self._took_step(frame, why, now)
        if frame.type == "error":
            return self._end(f"the board refused its {self.state.name.lower()}: {why}")
        if self.state is State.POLLING:
            self._proven.update(self.use.antennas)
            return self._go(Event.POLLED, now)
        return self._learn(frame, now) if self.state is State.PROBING else self._go(Event.ANSWERED, now)

    def _took_step(self, frame: Uhf18Frame, why: str, now: Instant) -> list[Outcome]:
        """Take the answer to one step of an order; the next round begins when it is over."""
        takes = self._errands.takes(frame.type)
        done = self._errands.answered(frame.fields) if takes else self._errands.failed(why)
        if done is not None:
            return [done, *self._go(Event.RESTED, now)]
        self._attempts = 0
        return self._ask(now)

    def _learn(self, frame: Uhf18Frame, now: Instant) -> list[Outcome]:
        self._board = read_board(frame)
        if not self._board.several and self.use.antennas != (1,):
            return self._end(f"this board has one antenna, the configuration names {self.use.antennas}")
        return self._go(Event.ANSWERED, now)

    # --- rounds ------------------------------------------------------------------------------------------------------

    def _hear(self, frame: Uhf18Frame, now: Instant) -> list[Outcome]:
        at = self.use.story_at(now)
        mask = frame.number("antenna_mask")
        said = [bit + 1 for bit in range(8) if mask > 0 and mask >> bit & 1]
        antennas = said or [self._antenna]
        return [
            TagRead(epc(str(tag["epc"])), antenna, rssi_dbm(tag), at, at) for tag in frame.tags for antenna in antennas
        ]

    def _inventoried(self, frame: Uhf18Frame, now: Instant) -> list[Outcome]:
        """Take what an inventory said: more to come, its end, or that it could not be done."""
        proven = frame.type == "no_tags" or (frame.type == "tags" and frame.status in LAST_OF_INVENTORY)
        if not proven and frame.type in ("tags", "statistics"):
            self._deadline = plus(now, self.use.answer_s)
            return []
        out: list[Outcome] = []
        if proven:
            self._proven.add(self._antenna)
        if proven == (self._antenna in self._lost) and (proven or frame.type == "antenna_fault"):
            (self._lost.discard if proven else self._lost.add)(self._antenna)
            out.append(AntennaChanged(self._antenna, proven, self.use.story_at(now)))
        self._asked, self._attempts = self._asked + 1, 0
        if self._asked < len(self.use.antennas):
            return [*out, *self._ask(now)]
        self._asked = 0
        return out + self._go(Event.POLLED, now)
