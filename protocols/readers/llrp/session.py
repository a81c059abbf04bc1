"""Our end of one LLRP connection, without a socket: bytes and link time in, reads and bytes to send out.

One session is one connection. The reader speaks first; then we agree on a version, ask for what it can do, set its
configuration, look which antennas are there, replace its ROSpecs by ours, enable ours, and let its events flow. The
order is the table of `states.py`.

Not in the table: `ENABLE_EVENTS_AND_REPORTS` has no response, so the session is running as soon as it is sent; a
keepalive is answered in every state; a request that is refused where the table has no way for it, or not answered in
time, ends the session, as does a reader from which no whole message came for two keepalive intervals. What is asked
while it runs (an output, a tag's memory) waits in a line and ends in an event, never in the end of the session. `now`
is link time, never the reader's UTC.
"""

from dataclasses import dataclass, field

from protocols.errors import PeerBroke
from protocols.readers.access import AccessOrder
from protocols.readers.llrp import requests
from protocols.readers.llrp.access import name_access_spec, read_results
from protocols.readers.llrp.codec import LlrpDecoder, bad_frame, decode, decode_or_report, encode, is_report
from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.jobs import Job, JobLine, access_jobs
from protocols.readers.llrp.memory import ReaderMemory
from protocols.readers.llrp.messages import (
    Message,
    name_of,
    nested,
    number_at,
    number_of,
    response_of,
    rows_at,
    text_at,
)
from protocols.readers.llrp.notices import antennas_changed, in_words, inputs_seen, told
from protocols.readers.llrp.opening import request_of
from protocols.readers.llrp.radio import Abilities, read_abilities, unfit
from protocols.readers.llrp.reports import TagReports, believable
from protocols.readers.llrp.requests import LlrpConfig, Request
from protocols.readers.llrp.states import Event, State, step
from protocols.readers.llrp.uptime import UptimeClock
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AccessDone, AntennaChanged, BadFrame, LinkDown, LinkUp, RoundEnded
from protocols.values.instant import Instant, plus

SILENT_INTERVALS_MAX = 2
"""Keepalive intervals without a message after which a link is dead: one may be late, two are not."""

ROSPECS_CLEARED_MAX = 256
"""Foreign ROSpecs deleted one by one; readers hold about ten."""

NEGOTIATING = (State.VERSION, State.SETTING_VERSION)
"""States in which the version is agreed on; their messages always bear version 1.1 (LLRP 1.1 section 9.1)."""


@dataclass(slots=True)
class LlrpSession:
    """One connection to one reader. Feed it; send what it says to send; end it when it says so."""

    config: LlrpConfig
    memory: ReaderMemory = field(default_factory=ReaderMemory)
    state: State = State.IDLE
    _decoder: LlrpDecoder = field(default_factory=LlrpDecoder)
    _reports: TagReports = field(default_factory=TagReports)
    _uptime: UptimeClock = field(default_factory=UptimeClock)
    _able: Abilities = field(default_factory=Abilities)
    _version: int = 1
    _last_id: int = 0
    _asked: str = ""
    _deadline: Instant | None = None
    _heard: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _reader_time: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _clearing: list[int] = field(default_factory=list)
    _jobs: JobLine = field(default_factory=JobLine)

    # --- the connection ----------------------------------------------------------------------------------------------

    def opened(self, now: Instant) -> list[Outcome]:
        """The link stands; the reader speaks first."""
        self._heard = now
        self.state = step(self.state, Event.OPENED)
        self._deadline = plus(now, self.config.request_timeout_s)
        return []

    def closed(self, reason: str) -> list[Outcome]:
        """The link is gone, whoever ended it."""
        return [*self._lose(), LinkDown(reason)]

    def stop(self, now: Instant) -> list[Outcome]:
        """Say goodbye, so that the next client finds the reader free; ends in `Close`."""
        if self.state is State.RUNNING:
            return self._jobs.clear("stopped") + self._go(Event.STOPPED, now)
        return [] if self.state in (State.CLOSING, State.ENDED) else self._end("stopped")

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

    def due(self) -> Instant | None:
        """Return when `tick` has something to decide, in link time."""
        if self.state in (State.IDLE, State.ENDED):
            return None
        dues = [self._deadline, self._jobs.order_until, self._silent_at() if self.state is State.RUNNING else None]
        return min((each for each in dues if each is not None), default=None)

    def tick(self, now: Instant) -> list[Outcome]:
        """Notice what did not come in time."""
        due = self.due()
        if due is None or now < due:
            return []
        if self._deadline is not None and now >= self._deadline:
            waited = self._asked or "its READER_EVENT_NOTIFICATION"
            return self._end(f"the reader did not answer {waited} within {self.config.request_timeout_s:g} s")
        if self._silent_at() <= now:
            silent_s = self.config.keepalive_ms * SILENT_INTERVALS_MAX / 1000
            return self._end(f"the reader was silent for {silent_s:g} s, two keepalive intervals")
        return self._order_over(None, now)

    def _silent_at(self) -> Instant:
        return plus(self._heard, self.config.keepalive_ms * SILENT_INTERVALS_MAX / 1000)

    def _end(self, reason: str, pause_s: float = 0.0) -> list[Outcome]:
        return [*self._lose(), Close(reason, pause_s)]

    def _lose(self) -> list[Outcome]:
        if self.state in NEGOTIATING:
            self.memory.broke_off(self._heard)
        self.state = step(self.state, Event.LOST)
        return self._jobs.clear("the connection is gone")

    def _take(self, message: Message, now: Instant) -> list[Outcome]:
        match message.type_name:
            case "KEEPALIVE":
                return [Send(encode(Message("KEEPALIVE_ACK", message.id, {}, self._version)))]
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
        cleared = self._clearing.pop() if self.state is State.CLEARING else 0
        request = request_of(self.state, self.config, self._able, cleared)
        if request is not None:
            return [self._ask(request, now)]
        if self.state is State.RUNNING and before is not State.RUNNING:
            self.memory.reconnected()
            return [self._send("ENABLE_EVENTS_AND_REPORTS", {}), LinkUp(self._reader_time)]
        return self._next_job(now)

    def _ask(self, request: Request, now: Instant) -> Send:
        self._asked = request[0]
        self._deadline = plus(now, self.config.request_timeout_s)
        return self._send(*request)

    def _send(self, type_name: str, params: Params) -> Send:
        self._last_id += 1
        version = self.config.version_max if self.state in NEGOTIATING else self._version
        return Send(encode(Message(type_name, self._last_id, params, version)))

    def _answer(self, message: Message, now: Instant) -> list[Outcome]:
        is_error = message.type_name == "ERROR_MESSAGE"
        # a reader of 1.0.1 may not even read the id of a message of 1.1
        awaited = self._asked != "" and (message.id == self._last_id or (is_error and self.state in NEGOTIATING))
        if not awaited or not (is_error or message.type_name == response_of(self._asked)):
            return []
        status = number_at(message.params, "LLRPStatus", "StatusCode")
        if status == 0 and not is_error:
            return self._accepted(message.params, now)
        said = in_words(text_at(message.params, "LLRPStatus", "ErrorDescription"))
        return self._refused(name_of("StatusCode", status or 0) + (f" ({said})" if said else ""), now)

    def _refused(self, why: str, now: Instant) -> list[Outcome]:
        asked = self._asked
        if self.state is State.RUNNING:
            return self._job_refused(why, now)
        if self.state in (*NEGOTIATING, State.LOOKING, State.DELETING):
            return self._go(Event.REFUSED, now)
        return self._end(f"the reader refused {asked}: {why}")

    def _accepted(self, params: Params, now: Instant) -> list[Outcome]:
        match self.state:
            case State.VERSION:
                newer = (number_at(params, "SupportedVersion") or 1) >= self.config.version_max
                return self._go(Event.NEWER if newer else Event.ACCEPTED, now)
            case State.SETTING_VERSION:
                self._version = self.config.version_max
            case State.CAPABILITIES:
                reason = self._learn(params)
                if reason:
                    return self._end(reason)
            case State.LOOKING:
                return self._look(params) + self._go(Event.ACCEPTED, now)
            case State.LISTING | State.CLEARING:
                return self._go(self._clear(params), now)
            case State.ENABLING if not self.config.reader_starts:
                return self._go(Event.ACCEPTED_NOT_STARTED, now)
            case State.CLOSING:
                return self._end("stopped")
            case State.RUNNING:
                self._jobs.accepted()
            case _:
                pass
        return self._go(Event.ACCEPTED, now)

    def _learn(self, params: Params) -> str:
        """Take what the reader can do; returns why it cannot serve us, or ""."""
        self._able = read_abilities(params)
        if not self._able.has_utc and self.config.story_at is None:
            return "the reader has no UTC clock, and reads without a time prove nothing: set its clock (NTP)"
        return unfit(self._able, self.config.radio, self.config.antennas)

    def _look(self, params: Params) -> list[Outcome]:
        """Take which antennas are plugged in, and how the inputs stand."""
        changed = antennas_changed(params, self.config.antennas, self.memory.lost_antennas)
        out = [self._antenna_changed(antenna, connected=there) for antenna, there in changed]
        return [*out, *inputs_seen(params, self.config.inputs, self._reader_time)]

    def _clear(self, params: Params) -> Event:
        """Take which ROSpecs are still there; they are deleted one by one."""
        if self.state is State.LISTING:
            found = [number_at(row, "ROSpecID") or 0 for row in rows_at(params, "ROSpec")]
            self._clearing = [each for each in found if each][:ROSPECS_CLEARED_MAX]
        return Event.MORE if self._clearing else Event.ACCEPTED

    # --- what is asked of a running reader ---------------------------------------------------------------------------

    def set_output(self, port: int, now: Instant, *, on: bool) -> list[Outcome]:
        """Switch an output, e.g. the light over a door; a refusal comes as `CommandRefused`."""
        return self._add_jobs([Job(f"output {port}", [requests.set_output(port, on=on)])], now)

    def access(self, order: AccessOrder, now: Instant) -> list[Outcome]:
        """Read or write a tag's memory; ends in one `AccessDone`."""
        return self._add_jobs(access_jobs(order, self.config.rospec_id), now)

    def _add_jobs(self, jobs: list[Job], now: Instant) -> list[Outcome]:
        if self.state is not State.RUNNING:
            return jobs[-1].failed("the reader is not running")
        return self._jobs.add(jobs) + self._next_job(now)

    def _next_job(self, now: Instant) -> list[Outcome]:
        """Ask the next thing in line; nothing while an answer is awaited."""
        if self.state is not State.RUNNING or self._asked:
            return []
        request = self._jobs.next_request(plus(now, self.config.access_timeout_s))
        return [] if request is None else [self._ask(request, now)]

    def _job_refused(self, why: str, now: Instant) -> list[Outcome]:
        asked, job = self._asked, self._jobs.refused()
        if job is None or job.vital:
            return self._end(f"the reader refused {asked}: {why}")
        return job.failed(f"{asked}: {why}") + self._go(Event.ACCEPTED, now)

    def _order_over(self, done: AccessDone | None, now: Instant) -> list[Outcome]:
        """End the wait for a tag, and delete the AccessSpec before anything else is asked."""
        order = self._jobs.order_over()
        if order is None:
            return []
        late = order.failed(f"the tag was not met within {self.config.access_timeout_s:g} s")
        gone = Job("done AccessSpec", [name_access_spec("DELETE_ACCESSSPEC")], may_fail=True)
        return [done or late, *self._put_first(gone, now)]

    def _put_first(self, job: Job, now: Instant) -> list[Outcome]:
        """Put a job before all that wait, behind the one whose answer is awaited."""
        self._jobs.put_first(job, behind=1 if self._asked else 0)
        return self._next_job(now)

    # --- what the reader says by itself ------------------------------------------------------------------------------

    def _read(self, raw: bytes, now: Instant) -> list[Outcome]:
        try:
            reads = self._reports.read_message(raw)
            done = self._results(raw)
        except PeerBroke as error:
            return [bad_frame(raw, error)]
        self._heard = now
        out: list[Outcome] = list(self.memory.new(reads))
        return out if done is None else out + self._order_over(done, now)

    def _results(self, raw: bytes) -> AccessDone | None:
        """Return what a report says of the order that waits, if anything."""
        order = self._jobs.ordered
        rows = rows_at(decode(raw).params, "TagReportData") if order is not None else []
        said = (read_results(order, row) for row in rows if order is not None)
        return next((done for done in said if done is not None), None)

    def _notice(self, said: Params, now: Instant) -> list[Outcome]:
        moment = self._moment(said, now)
        if believable(moment):
            self._reader_time = Instant(moment or 0)
        if "ConnectionCloseEvent" in said:
            return self._end("the reader closed the connection")
        if "ConnectionAttemptEvent" in said and self.state is State.GREETING:
            return self._greet(number_at(said, "ConnectionAttemptEvent"), now)
        out: list[Outcome] = []
        if "AntennaEvent" in said:
            out += self._antenna_event(nested(said, "AntennaEvent"))
        out += told(said, self._reader_time)
        if self.state is State.RUNNING:
            out += self._round_ended(said, moment, now)
        return out

    def _moment(self, said: Params, now: Instant) -> int | None:
        """Return the reader's time of an event; where it has only an uptime, what that was by our clock."""
        uptime = number_at(said, "Uptime")
        if uptime is None or self.config.story_at is None:
            return number_at(said, "UTCTimestamp")
        self._reports.uptime_origin = self._uptime.learn(uptime, self.config.story_at(now))
        return uptime + self._reports.uptime_origin

    def _greet(self, status: int | None, now: Instant) -> list[Outcome]:
        if status == number_of("ConnectionAttemptStatusType", "Success"):
            old = self.config.version_max == 1 or self.memory.speaks_old(now)
            return self._go(Event.GREETED_AS_OLD if old else Event.GREETED, now)
        if status in (1, 2):
            pause_s = self.memory.busy(self.config.keepalive_ms / 1000)
            return self._end(f"the reader already serves another client: next try in {pause_s:g} s", pause_s)
        return self._end(f"the reader refused the connection: {name_of('ConnectionAttemptStatusType', status or 0)}")

    def _antenna_event(self, event: Params) -> list[Outcome]:
        """Take what becomes of an antenna of ours; an empty socket that nobody uses is no news."""
        antenna = number_at(event, "AntennaID") or 0
        if antenna not in self.config.antennas:
            return []
        connected = number_at(event, "EventType") == number_of("AntennaEventType", "Antenna_Connected")
        return [self._antenna_changed(antenna, connected=connected)]

    def _antenna_changed(self, antenna: int, *, connected: bool) -> Outcome:
        self.memory.connected(antenna, there=connected)
        return AntennaChanged(antenna, connected, self._reader_time)

    def _round_ended(self, said: Params, moment: int | None, now: Instant) -> list[Outcome]:
        out: list[Outcome] = []
        if number_at(said, "AISpecEvent", "ROSpecID") == self.config.rospec_id:
            lost = self.memory.lost_antennas
            alive = tuple(antenna for antenna in self.config.antennas if antenna not in lost)
            if believable(moment):
                out.append(RoundEnded(self._reader_time, alive, self.config.radio.proves_silence))
            else:
                out.append(BadFrame(f"AISpecEvent: expected a time in UTC, got {moment}", b""))
        event = nested(said, "ROSpecEvent")
        ended = number_at(event, "EventType") == number_of("ROSpecEventType", "End_Of_ROSpec")
        if ended and number_at(event, "ROSpecID") == self.config.rospec_id and not self.config.reader_starts:
            out += self._start_again(now)
        return out

    def _start_again(self, now: Instant) -> list[Outcome]:
        """Start the next round, after what is being asked just now."""
        if self._jobs.has_vital():
            return []
        return self._put_first(Job("next round", [requests.start_rospec(self.config)], vital=True), now)
