"""Our end of a line to an M100 or R200 module, without a port: bytes and link time in, reads and bytes to send out.

The module is silenced (an earlier host may have left it polling), asked what it is, set to the region and the power,
and then inventories in rounds. A round is one burst of stated length, or a number of single inventories, and then
`stop`: its answer comes after everything the module had to say, so it ends the round. The table below is the order.

Not in the table: a request without an answer is repeated twice, for a line loses bytes; then the session ends. The
error "no tag" is an answer. An order for a tag's memory is carried out between two rounds. The rule that must not be
broken: a round ends as proof only if the module answered at least one inventory of it; a module that answers requests
and no inventory is a dead antenna, not an empty shelf. Instants of reads are the host's (`ReaderUse.story_at`), at the
moment the bytes came.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from protocols.errors import WeBroke
from protocols.readers.access import AccessOrder
from protocols.readers.errands import Errands
from protocols.readers.m100.access import steps_of
from protocols.readers.m100.codec import M100Decoder, M100Frame, crc_ok, encode
from protocols.readers.m100.layout import ERRORS, NO_TAG, REGION_CN_920_925
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AccessDone, BadFrame, LinkDown, LinkUp, RoundEnded, TagRead
from protocols.readers.use import ReaderUse
from protocols.values.ids import epc
from protocols.values.instant import Instant, plus

ATTEMPTS_MAX = 3
"""How often one request is said: a lost byte happens, three lost answers are a reader that is gone."""

MUTE_ROUNDS_MAX = 3
"""Rounds without one inventory's answer after which the module is of no use."""

TAGS_GAP_S = 0.05
"""Silence after a tag by which a single inventory is known to be over: three notices long at 115,200 baud and more."""

ROUNDS_ENDLESS = 0xFFFF
"""Inventories of one burst: more than fit; `stop` ends it."""

VERSION = 0x00
"""What `get_module_info` asks for: the hardware's version."""


class State(Enum):
    """Where a line stands."""

    IDLE = auto()
    SILENCING = auto()
    PROBING = auto()
    REGION = auto()
    POWER = auto()
    POLLING = auto()
    STOPPING = auto()
    RESTING = auto()
    ACCESSING = auto()
    ENDED = auto()


class Event(Enum):
    """What moves it on. `POLLED`: the round's inventories were answered, or their time is over.

    `ORDERED`: a tag's memory is to be read or written; its end begins the next round.
    """

    OPENED = auto()
    ANSWERED = auto()
    POLLED = auto()
    RESTED = auto()
    ORDERED = auto()
    LOST = auto()


TABLE: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.OPENED): State.SILENCING,
    (State.SILENCING, Event.ANSWERED): State.PROBING,
    (State.PROBING, Event.ANSWERED): State.REGION,
    (State.REGION, Event.ANSWERED): State.POWER,
    (State.POWER, Event.ANSWERED): State.POLLING,
    (State.POLLING, Event.POLLED): State.STOPPING,
    (State.STOPPING, Event.ANSWERED): State.RESTING,
    (State.RESTING, Event.RESTED): State.POLLING,
    (State.RESTING, Event.ORDERED): State.ACCESSING,
    (State.ACCESSING, Event.RESTED): State.POLLING,
} | {(state, Event.LOST): State.ENDED for state in State}

ANSWERS = {
    State.SILENCING: "stopped",
    State.PROBING: "module_info",
    State.REGION: "region_set",
    State.STOPPING: "stopped",
}


def step(state: State, event: Event) -> State:
    """Look up the next state. Raises `WeBroke` for a pair that is not in the table."""
    try:
        return TABLE[state, event]
    except KeyError as error:
        raise WeBroke(f"M100 session: no way on from {state.name} by {event.name}") from error


def request_of(state: State, use: ReaderUse) -> bytes:
    """Return what a state asks when it is entered, empty when nothing."""
    match state:
        case State.SILENCING | State.STOPPING:
            return encode("stop")
        case State.PROBING:
            return encode("get_module_info", {"what": VERSION})
        case State.REGION:
            return encode("set_region", {"region": REGION_CN_920_925})
        case State.POWER if use.power_dbm is None:
            return encode("get_power")
        case State.POWER:
            return encode("set_power", {"centi_dbm": (use.power_dbm or 0) * 100})
        case State.POLLING:
            return encode("poll_many", {"rounds": ROUNDS_ENDLESS}) if use.burst else encode("poll")
        case _:
            return b""


@dataclass(slots=True)
class M100Session:
    """One line to one module. Feed it; send what it says to send; end it when it says so."""

    use: ReaderUse
    state: State = State.IDLE
    _decoder: M100Decoder = field(default_factory=M100Decoder)
    _errands: Errands = field(default_factory=lambda: Errands(steps_of))
    _deadline: Instant | None = None
    _attempts: int = 0
    _polled: int = 0
    _heard: bool = False
    _proven: int = 0
    _mute_rounds: int = 0
    _round_began: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _up: bool = False

    def opened(self, now: Instant) -> list[Outcome]:
        """The port stands; the module speaks only when asked."""
        return self._go(Event.OPENED, now)

    def closed(self, reason: str) -> list[Outcome]:
        """The port is gone, whoever ended it."""
        self.state = step(self.state, Event.LOST)
        return [*self._errands.clear(reason), LinkDown(reason)]

    def receive(self, data: bytes, now: Instant) -> list[Outcome]:
        """Take bytes from the module."""
        return self._take_all(self._decoder.receive(data), now)

    def due(self) -> Instant | None:
        """Return when `tick` has something to decide, in link time."""
        return None if self.state in (State.IDLE, State.ENDED) else self._deadline

    def tick(self, now: Instant) -> list[Outcome]:
        """Ask again what was not answered, begin a round, or give the module up."""
        due = self.due()
        if due is None or now < due:
            return []
        if self.state is State.RESTING:
            return self._go(Event.RESTED, now)
        out = self._take_all(self._decoder.give_up(), now)
        if self._deadline is None or now < self._deadline or self.state is State.ENDED:
            return out  # what waited was the answer
        if self.state is State.POLLING and (self.use.burst or self._heard):
            return out + self._next_poll(now)
        if self._attempts >= ATTEMPTS_MAX:
            return out + self._end(
                f"the module did not answer {ATTEMPTS_MAX} times within {self.use.answer_s:g} s ({self.state.name}): "
                "is it on, is this its port, and its baud rate?"
            )
        return [*out, self._ask(now)]

    def stop(self, now: Instant) -> list[Outcome]:
        """Leave the module silent; nobody waits for its answer."""
        del now
        if self.state in (State.IDLE, State.ENDED):
            return []
        return [Send(encode("stop")), *self._end("stopped")]

    def access(self, order: AccessOrder, now: Instant) -> list[Outcome]:
        """Read or write a tag's memory, between this round and the next; ends in one `AccessDone`."""
        if not self._up or self.state is State.ENDED:
            return [order.failed("the module is not running")]
        refused = self._errands.add(order)
        return refused + (self._go(Event.ORDERED, now) if self._rests_with_orders() else [])

    # --- requests and their answers ----------------------------------------------------------------------------------

    def _go(self, event: Event, now: Instant) -> list[Outcome]:
        """Take the table's way on, and send what the new state asks."""
        self.state = step(self.state, event)
        self._attempts = 0
        out: list[Outcome] = []
        if self.state is State.RESTING:
            self._deadline = plus(self._round_began, self.use.pause_s)
            out = self._judge_round(now)
            return out + (self._go(Event.ORDERED, now) if self._rests_with_orders() else [])
        if self.state is State.POLLING:
            self._round_began, self._polled, self._proven, self._heard = now, 0, 0, False
            out += [] if self._up else [LinkUp(self.use.story_at(now))]
            self._up = True
        return [*out, self._ask(now)]

    def _rests_with_orders(self) -> bool:
        return self.state is State.RESTING and self._errands.begin()

    def _ask(self, now: Instant) -> Send:
        self._attempts += 1
        listening = self.state is State.POLLING and self.use.burst
        self._deadline = plus(now, self.use.burst_s if listening else self.use.answer_s)
        return Send(self._errands.request or request_of(self.state, self.use))

    def _end(self, reason: str) -> list[Outcome]:
        self.state = step(self.state, Event.LOST)
        return [*self._errands.clear(reason), Close(reason)]

    def _take_all(self, frames: list[M100Frame | BadFrame], now: Instant) -> list[Outcome]:
        out: list[Outcome] = []
        for each in frames:
            if self.state is State.ENDED:
                break
            out += [each] if isinstance(each, BadFrame) else self._take(each, now)
        return out

    def _take(self, frame: M100Frame, now: Instant) -> list[Outcome]:
        if frame.type == "tag":
            return self._hear(frame, now)
        if self.state is State.ACCESSING:
            return self._took_step(frame, now)
        if frame.type == "error":
            return self._refused(frame.number("code"), now)
        if frame.type == ANSWERS.get(self.state) or (
            self.state is State.POWER and frame.type in ("power", "power_set")
        ):
            return self._go(Event.ANSWERED, now)
        return []  # an answer to what was asked before, or twice

    def _took_step(self, frame: M100Frame, now: Instant) -> list[Outcome]:
        """Take the answer to one step of an order; the next round begins when it is over."""
        if frame.type == "error":
            code = frame.number("code")
            done: AccessDone | None = self._errands.failed(ERRORS.get(code, f"error {code:02X}"))
        elif self._errands.takes(frame.type):
            done = self._errands.answered(frame.fields)
        else:
            return []
        if done is not None:
            return [done, *self._go(Event.RESTED, now)]
        self._attempts = 0
        return [self._ask(now)]

    def _refused(self, code: int, now: Instant) -> list[Outcome]:
        if code == NO_TAG or self.state is State.POLLING:
            self._prove(1 if code == NO_TAG else 0)
            single = self.state is State.POLLING and not self.use.burst
            return self._next_poll(now) if single else []
        if self.state in (State.REGION, State.POWER):
            what = self.state.name.lower()
            return self._end(f"the module refused its {what}: {ERRORS.get(code, f'error {code:02X}')}")
        return self._go(Event.ANSWERED, now) if self.state is State.SILENCING else []

    # --- rounds ------------------------------------------------------------------------------------------------------

    def _hear(self, frame: M100Frame, now: Instant) -> list[Outcome]:
        text = str(frame.fields["epc"])
        if not crc_ok(frame) or not text:
            return [BadFrame(f"M100 tag: expected the CRC of its EPC, got {frame.fields['crc']}", bytes.fromhex(text))]
        if not self._up:
            return []
        self._prove(1)
        if self.state is State.POLLING and not self.use.burst:
            self._heard, self._deadline = True, plus(now, TAGS_GAP_S)
        at = self.use.story_at(now)
        return [TagRead(epc(text), self.use.antennas[0], frame.number("rssi_dbm"), at, at)]

    def _prove(self, answers: int) -> None:
        if self.state in (State.POLLING, State.STOPPING):  # what comes after `stop` was on its way
            self._proven += answers

    def _next_poll(self, now: Instant) -> list[Outcome]:
        self._polled, self._attempts, self._heard = self._polled + 1, 0, False
        if self.use.burst or self._polled >= self.use.polls:
            return self._go(Event.POLLED, now)
        return [self._ask(now)]

    def _judge_round(self, now: Instant) -> list[Outcome]:
        if self._proven:
            self._mute_rounds = 0
            return [RoundEnded(self.use.story_at(now), self.use.antennas)]
        self._mute_rounds += 1
        if self._mute_rounds < MUTE_ROUNDS_MAX:
            return []
        return self._end(f"the module answers, but no inventory in {MUTE_ROUNDS_MAX} rounds: look at its antenna")
