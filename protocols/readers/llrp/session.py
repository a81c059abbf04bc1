"""Our end of one LLRP connection, without a socket: bytes and link time in, reads and bytes to send out.

One session is one connection. The reader speaks first; then we ask for what it can do, set its configuration, replace
its ROSpecs by ours, enable ours, and let its events flow (LLRP 1.1 chapters 9, 10, 12 and 14). The table below is the
whole order: a state sends its request when it is entered, and the answer leads on.

Not in the table: `ENABLE_EVENTS_AND_REPORTS` has no response, so the session is running as soon as it is sent; a
keepalive is answered in every state; a request that is refused, or not answered in time, ends the session, as does a
reader from which no whole message came for two keepalive intervals. `now` is link time, never the reader's UTC.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from protocols.errors import PeerBroke, WeBroke
from protocols.readers.llrp import requests
from protocols.readers.llrp.codec import LlrpDecoder, bad_frame, decode_or_report, encode, is_report
from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import (
    Message,
    name_of,
    nested,
    number_at,
    number_of,
    response_of,
    text_at,
)
from protocols.readers.llrp.reports import TagReports, believable
from protocols.readers.llrp.requests import LlrpConfig, Request
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AntennaChanged, BadFrame, LinkDown, LinkUp, RoundEnded
from protocols.values.instant import Instant, plus

SILENT_INTERVALS_MAX = 2
"""Keepalive intervals without a message after which a link is dead: one may be late, two are not."""


class State(Enum):
    """Where a connection stands."""

    IDLE = auto()
    GREETING = auto()
    CAPABILITIES = auto()
    CONFIGURING = auto()
    DELETING = auto()
    ADDING = auto()
    ENABLING = auto()
    STARTING = auto()
    RUNNING = auto()
    ENDED = auto()


class Event(Enum):
    """What moves it on. `ACCEPTED_NOT_STARTED`: enabled, and the ROSpec has no start trigger of its own."""

    OPENED = auto()
    GREETED = auto()
    ACCEPTED = auto()
    ACCEPTED_NOT_STARTED = auto()
    LOST = auto()


TABLE: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.OPENED): State.GREETING,
    (State.GREETING, Event.GREETED): State.CAPABILITIES,
    (State.CAPABILITIES, Event.ACCEPTED): State.CONFIGURING,
    (State.CONFIGURING, Event.ACCEPTED): State.DELETING,
    (State.DELETING, Event.ACCEPTED): State.ADDING,
    (State.ADDING, Event.ACCEPTED): State.ENABLING,
    (State.ENABLING, Event.ACCEPTED): State.RUNNING,
    (State.ENABLING, Event.ACCEPTED_NOT_STARTED): State.STARTING,
    (State.STARTING, Event.ACCEPTED): State.RUNNING,
    (State.RUNNING, Event.ACCEPTED): State.RUNNING,
} | {(state, Event.LOST): State.ENDED for state in State}


def step(state: State, event: Event) -> State:
    """Look up the next state. Raises `WeBroke` for a pair that is not in the table."""
    try:
        return TABLE[state, event]
    except KeyError as error:
        raise WeBroke(f"LLRP session: no way on from {state.name} by {event.name}") from error


def request_of(state: State, config: LlrpConfig, *, can_hold: bool) -> Request | None:
    """Return what a state asks when it is entered."""
    asks: dict[State, Callable[[], Request]] = {
        State.CAPABILITIES: requests.ask_capabilities,
        State.CONFIGURING: lambda: requests.set_config(config, can_hold=can_hold),
        State.DELETING: requests.delete_all,
        State.ADDING: lambda: requests.add_rospec(config),
        State.ENABLING: lambda: requests.enable_rospec(config),
        State.STARTING: lambda: requests.start_rospec(config),
    }
    return asks[state]() if state in asks else None


@dataclass(slots=True)
class LlrpSession:
    """One connection to one reader. Feed it; send what it says to send; end it when it says so."""

    config: LlrpConfig
    state: State = State.IDLE
    _decoder: LlrpDecoder = field(default_factory=LlrpDecoder)
    _reports: TagReports = field(default_factory=TagReports)
    _last_id: int = 0
    _asked: str = ""
    _deadline: Instant | None = None
    _heard: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _reader_time: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _can_hold: bool = False
    _lost_antennas: set[int] = field(default_factory=set)

    def opened(self, now: Instant) -> list[Outcome]:
        """The link stands; the reader speaks first."""
        self._heard = now
        self.state = step(self.state, Event.OPENED)
        self._deadline = plus(now, self.config.request_timeout_s)
        return []

    def closed(self, reason: str) -> list[Outcome]:
        """The link is gone, whoever ended it."""
        self.state = step(self.state, Event.LOST)
        return [LinkDown(reason)]

    def receive(self, data: bytes, now: Instant) -> list[Outcome]:
        """Take bytes from the reader."""
        out: list[Outcome] = []
        for raw in self._decoder.cut(data):
            if self.state is State.ENDED:
                break
            if self.state is State.RUNNING and isinstance(raw, bytes) and is_report(raw):
                out += self._read(raw, now)
                continue
            each = raw if isinstance(raw, BadFrame) else decode_or_report(raw)
            if isinstance(each, BadFrame):
                out.append(each)
                continue
            self._heard = now
            out += self._take(each, now)
        return out

    def _read(self, raw: bytes, now: Instant) -> list[Outcome]:
        try:
            reads = self._reports.read_message(raw)
        except PeerBroke as error:
            return [bad_frame(raw, error)]
        self._heard = now
        return list(reads)

    def due(self) -> Instant | None:
        """Return when `tick` has something to decide, in link time."""
        if self.state in (State.IDLE, State.ENDED):
            return None
        if self.state is not State.RUNNING:
            return self._deadline
        return self._silent_at() if self._deadline is None else min(self._deadline, self._silent_at())

    def tick(self, now: Instant) -> list[Outcome]:
        """Notice what did not come in time."""
        due = self.due()
        if due is None or now < due:
            return []
        if self._deadline is not None and now >= self._deadline:
            waited = self._asked or "its READER_EVENT_NOTIFICATION"
            return self._end(f"the reader did not answer {waited} within {self.config.request_timeout_s:g} s")
        silent_s = self.config.keepalive_ms * SILENT_INTERVALS_MAX / 1000
        return self._end(f"the reader was silent for {silent_s:g} s, two keepalive intervals")

    def _silent_at(self) -> Instant:
        return plus(self._heard, self.config.keepalive_ms * SILENT_INTERVALS_MAX / 1000)

    def _end(self, reason: str) -> list[Outcome]:
        self.state = step(self.state, Event.LOST)
        return [Close(reason)]

    def _take(self, message: Message, now: Instant) -> list[Outcome]:
        match message.type_name:
            case "KEEPALIVE":
                return [Send(encode(Message("KEEPALIVE_ACK", message.id)))]
            case "RO_ACCESS_REPORT":
                return []  # of somebody else's ROSpec, before ours runs
            case "READER_EVENT_NOTIFICATION":
                return self._notice(nested(message.params, "ReaderEventNotificationData"), now)
            case _:
                return self._answer(message, now)

    # --- requests and their answers ----------------------------------------------------------------------------------

    def _go(self, event: Event, now: Instant) -> list[Outcome]:
        """Take the table's way on, and send what the new state asks."""
        before, self.state = self.state, step(self.state, event)
        self._asked, self._deadline = "", None
        request = request_of(self.state, self.config, can_hold=self._can_hold)
        if request is not None:
            return [self._ask(request, now)]
        if self.state is State.RUNNING and before is not State.RUNNING:
            return [self._send("ENABLE_EVENTS_AND_REPORTS", {}), LinkUp(self._reader_time)]
        return []

    def _ask(self, request: Request, now: Instant) -> Send:
        self._asked = request[0]
        self._deadline = plus(now, self.config.request_timeout_s)
        return self._send(*request)

    def _send(self, type_name: str, params: Params) -> Send:
        self._last_id += 1
        return Send(encode(Message(type_name, self._last_id, params)))

    def _answer(self, message: Message, now: Instant) -> list[Outcome]:
        awaited = self._asked != "" and message.id == self._last_id
        if not awaited or message.type_name not in (response_of(self._asked), "ERROR_MESSAGE"):
            return []
        status = number_at(message.params, "LLRPStatus", "StatusCode")
        if status != 0 or message.type_name == "ERROR_MESSAGE":
            said = text_at(message.params, "LLRPStatus", "ErrorDescription")
            code = name_of("StatusCode", status or 0)
            return self._end(f"the reader refused {self._asked}: {code}" + (f" ({said:.120})" if said else ""))
        if self.state is State.CAPABILITIES:
            unfit = self._learn(message.params)
            if unfit:
                return self._end(unfit)
        if self.state is State.ENABLING and not self.config.reader_starts:
            return self._go(Event.ACCEPTED_NOT_STARTED, now)
        return self._go(Event.ACCEPTED, now)

    def _learn(self, params: Params) -> str:
        """Take what the reader can do; returns why it cannot serve us, or ""."""
        self._can_hold = bool(number_at(params, "LLRPCapabilities", "SupportsEventAndReportHolding"))
        antennas = number_at(params, "GeneralDeviceCapabilities", "MaxNumberOfAntennaSupported")
        if antennas is not None and max(self.config.antennas) > antennas:
            wanted = max(self.config.antennas)
            return f"the configuration names antenna {wanted}, the reader has {antennas}: correct `antennas`"
        if number_at(params, "GeneralDeviceCapabilities", "HasUTCClockCapability") == 0:
            return "the reader has no UTC clock, and reads without a time prove nothing: set its clock (NTP)"
        return ""

    # --- what the reader says by itself ------------------------------------------------------------------------------

    def _notice(self, said: Params, now: Instant) -> list[Outcome]:
        moment = number_at(said, "UTCTimestamp")
        if believable(moment):
            self._reader_time = Instant(moment or 0)
        if "ConnectionCloseEvent" in said:
            return self._end("the reader closed the connection")
        if "ConnectionAttemptEvent" in said and self.state is State.GREETING:
            return self._greet(number_at(said, "ConnectionAttemptEvent"), now)
        out: list[Outcome] = []
        if "AntennaEvent" in said:
            out.append(self._antenna_changed(nested(said, "AntennaEvent")))
        if self.state is State.RUNNING:
            out += self._round_ended(said, moment, now)
        return out

    def _greet(self, status: int | None, now: Instant) -> list[Outcome]:
        if status == number_of("ConnectionAttemptStatusType", "Success"):
            return self._go(Event.GREETED, now)
        if status in (1, 2):
            return self._end("the reader already serves another client: only one may be connected")
        return self._end(f"the reader refused the connection: {name_of('ConnectionAttemptStatusType', status or 0)}")

    def _antenna_changed(self, event: Params) -> Outcome:
        antenna = number_at(event, "AntennaID") or 0
        connected = number_at(event, "EventType") == number_of("AntennaEventType", "Antenna_Connected")
        if connected:
            self._lost_antennas.discard(antenna)
        elif antenna in self.config.antennas:
            self._lost_antennas.add(antenna)
        return AntennaChanged(antenna, connected, self._reader_time)

    def _round_ended(self, said: Params, moment: int | None, now: Instant) -> list[Outcome]:
        out: list[Outcome] = []
        if number_at(said, "AISpecEvent", "ROSpecID") == self.config.rospec_id:
            alive = tuple(antenna for antenna in self.config.antennas if antenna not in self._lost_antennas)
            if believable(moment):
                out.append(RoundEnded(self._reader_time, alive))
            else:
                out.append(BadFrame(f"AISpecEvent: expected a time in UTC, got {moment}", b""))
        event = nested(said, "ROSpecEvent")
        ended = number_at(event, "EventType") == number_of("ROSpecEventType", "End_Of_ROSpec")
        if ended and number_at(event, "ROSpecID") == self.config.rospec_id and not self.config.reader_starts:
            out.append(self._ask(requests.start_rospec(self.config), now))
        return out
