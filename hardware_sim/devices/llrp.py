"""A simulated LLRP reader without a socket: bytes and two clocks in, bytes out. It speaks through `protocols`.

It keeps the rules that real readers keep (LLRP 1.1 chapters 8 to 14): it speaks first; one client at a time; every
request is answered with a status, except ENABLE_EVENTS_AND_REPORTS and KEEPALIVE_ACK; ROSpec 0 means all; the reports
of a round come before the event that ends it. Keepalives run in link time, rounds in reader time. While nobody is
connected, or events are held, rounds are lost: the truth goes on without a listener, and `delivered` counts only what
was handed out.

What the antennas hear comes from the `inventory` function it was given: this file knows no tag.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hardware_sim.devices.llrp_access import AccessSpecs, TagMemory
from hardware_sim.devices.llrp_answers import (
    CONFIG_PARTS,
    ROSPECS_MAX,
    SUCCESS,
    Answer,
    Settings,
    Status,
    chosen_capabilities,
    config_of,
    status_of,
)
from hardware_sim.devices.llrp_ports import Ports
from hardware_sim.devices.llrp_rospecs import (
    ACTIVE,
    DISABLED,
    INACTIVE,
    Ended,
    Listened,
    RoSpec,
    Started,
    Step,
    read_plan,
)
from protocols.errors import WeBroke
from protocols.readers.llrp.codec import VERSIONS, LlrpDecoder, encode
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import Message, name_of, nested, number_at, number_of, response_of
from protocols.readers.reads import BadFrame
from protocols.values.instant import Instant, plus

TAGS_A_REPORT_MAX = 500
"""Tags in one RO_ACCESS_REPORT: about 20 kB, as readers cut them."""

PENDING_TAGS_MAX = 10_000
"""Tags that wait for their report's trigger; when more wait, they are reported early."""

ANTENNAS_MAX = 64

Heard = tuple[str, int, int, int]
"""EPC as hex, antenna, signal in dBm, times heard."""

AnswerTo = Callable[["LlrpReaderDevice", Params, Instant], Answer]


def ignore_delivery(at: Instant, tags: int) -> None:
    """Keep no delivery log."""


@dataclass(slots=True)
class LlrpReaderDevice:
    """One reader with one place for a client.

    `inventory(at, antennas)` says what those antennas heard in the round that ended at `at`; `delivered(at, tags)` is
    told of every report handed out; `tags` are the memories of tags that can be read and written, by the EPC the
    inventory hears. `closing` is true when the client asked to end the connection: send, then close.
    """

    inventory: Callable[[Instant, tuple[int, ...]], Iterable[Heard]]
    delivered: Callable[[Instant, int], None] = ignore_delivery
    antennas: int = 4
    reader_id: str = "0000000000000000"
    closing: bool = False
    tags: dict[str, TagMemory] = field(default_factory=dict)
    ports: Ports = field(default_factory=Ports)
    _access: AccessSpecs = field(default_factory=AccessSpecs)
    _settings: Settings = field(default_factory=Settings)
    _rospecs: dict[int, RoSpec] = field(default_factory=dict)
    _pending: dict[int, list[dict[str, Value]]] = field(default_factory=dict)
    _decoder: LlrpDecoder | None = None
    _held: bool = False
    _version: int = 1
    _last_id: int = 0
    _keepalive_due: Instant | None = None
    _connected_antennas: dict[int, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 1 <= self.antennas <= ANTENNAS_MAX:
            raise WeBroke(f"LLRP reader: expected 1..{ANTENNAS_MAX} antennas, got {self.antennas}")
        self._connected_antennas = dict.fromkeys(range(1, self.antennas + 1), True)

    # --- the connection ----------------------------------------------------------------------------------------------

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A client is there; returns the greeting. Raises `WeBroke` when there is one already: `refuse` the other."""
        if self._decoder is not None:
            raise WeBroke("LLRP reader: expected no client, one is connected: answer with refuse()")
        self._advance(reader_now)  # what happened while nobody listened is lost
        self._decoder, self.closing, self._version = LlrpDecoder(), False, 1
        self._held = self._settings.hold
        self._arm_keepalive(link_now)
        return self._notify(reader_now, {"ConnectionAttemptEvent": 0})

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second client away; returns what it hears, and what the first hears of it."""
        status = number_of("ConnectionAttemptStatusType", "Failed_A_Client_Initiated_Connection_Already_Exists")
        told = number_of("ConnectionAttemptStatusType", "Another_Connection_Attempted")
        return (
            self._notify(reader_now, {"ConnectionAttemptEvent": status}),
            self._notify(reader_now, {"ConnectionAttemptEvent": told}),
        )

    def disconnected(self) -> None:
        """The client is gone. ROSpecs and settings stay; what was not yet reported is lost."""
        self._decoder, self._keepalive_due = None, None
        self._pending.clear()

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take bytes from the client; returns the answers and what follows from them."""
        if self._decoder is None:
            return b""
        out = self._advance(reader_now)
        for each in self._decoder.receive(data):
            out += self._hear_client(each, link_now, reader_now)
        return out + self._advance(reader_now)

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return when `tick` has something to do: in link time, in reader time."""
        if self._decoder is None:
            return None, None
        rounds = [due for each in self._rospecs.values() if (due := each.due()) is not None]
        return self._keepalive_due, min(rounds, default=None)

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Do what fell due."""
        if self._decoder is None:
            return b""
        out = self._advance(reader_now)
        if self._keepalive_due is not None and link_now >= self._keepalive_due:
            out += self._say("KEEPALIVE", {})
            self._arm_keepalive(link_now)
        return out

    def switch_antenna(self, antenna: int, reader_now: Instant, *, connected: bool) -> bytes:
        """Plug an antenna in or out; it hears nothing while it is out."""
        self._connected_antennas[antenna] = connected
        name = "Antenna_Connected" if connected else "Antenna_Disconnected"
        event = {"EventType": number_of("AntennaEventType", name), "AntennaID": antenna}
        return self._event("Antenna_Event", reader_now, {"AntennaEvent": event})

    def switch_input(self, port: int, reader_now: Instant, *, high: bool) -> bytes:
        """Open or close a contact; ROSpecs that wait for it start or stop."""
        if self.ports.high[port] == high:
            return b""
        out = self._advance(reader_now)
        self.ports.high[port] = high
        if self.ports.tells[port]:
            event = {"GPIPortNumber": port, "GPIEvent": high}
            out += self._event("GPI_Event", reader_now, {"GPIEvent": event})
        for each in tuple(self._rospecs.values()):
            out += self._play(each.contact(port, reader_now, high=high))
        return out

    def _arm_keepalive(self, link_now: Instant) -> None:
        period_ms = self._settings.keepalive_ms
        self._keepalive_due = plus(link_now, period_ms / 1000) if period_ms else None

    # --- what the client asks ----------------------------------------------------------------------------------------

    def _hear_client(self, each: Message | BadFrame, link_now: Instant, reader_now: Instant) -> bytes:
        if isinstance(each, BadFrame):
            return self._reply("ERROR_MESSAGE", 0, Answer(("M_ParameterError", each.reason)), self._version)
        match each.type_name:
            case "KEEPALIVE_ACK":
                return b""
            case "ENABLE_EVENTS_AND_REPORTS":
                self._held = False
                return b""
            case "GET_REPORT":
                return self._report_all(reader_now) or self._say("RO_ACCESS_REPORT", {})
            case name if name in ANSWERS:
                answer = ANSWERS[name](self, each.params, reader_now)
                if name == "SET_READER_CONFIG":
                    self._arm_keepalive(link_now)
                return self._reply(response_of(name), each.id, answer, each.version)
        wrong = Answer(("M_UnsupportedMessage", f"{each.type_name} is not answered by this reader"))
        return self._reply("ERROR_MESSAGE", each.id, wrong, each.version)

    def _reply(self, type_name: str, message_id: int, answer: Answer, version: int) -> bytes:
        params = {"LLRPStatus": status_of(answer.status), **answer.extra}
        return encode(Message(type_name, message_id, params, version)) + answer.after

    def _tell_capabilities(self, params: Params, _now: Instant) -> Answer:
        requested = number_at(params, "RequestedData") or 0
        if requested > 4:
            return Answer(("M_FieldError", f"expected RequestedData of 0..4, got {requested}"))
        return Answer(extra=chosen_capabilities(self.antennas, requested))

    def _tell_config(self, params: Params, _now: Instant) -> Answer:
        requested = number_at(params, "RequestedData") or 0
        config = config_of(self._settings, self._connected_antennas, self.reader_id) | self.ports.shown()
        if requested > len(CONFIG_PARTS):
            return Answer(("M_FieldError", f"expected RequestedData of 0..{len(CONFIG_PARTS)}, got {requested}"))
        if requested:
            config = {key: value for key, value in config.items() if key == CONFIG_PARTS[requested - 1]}
        return Answer(extra=config)

    def _change_config(self, params: Params, _now: Instant) -> Answer:
        fault = self.ports.fault(params)
        if fault:
            return Answer(("M_ParameterError", fault))
        if params.get("ResetToFactoryDefault"):
            self._access.clear()
            self._settings = Settings()
            self._rospecs.clear()
            self._pending.clear()
        self._settings.change(params)
        self.ports.change(params)
        return Answer()

    def _tell_versions(self, _params: Params, _now: Instant) -> Answer:
        return Answer(extra={"CurrentVersion": self._version, "SupportedVersion": max(VERSIONS)})

    def _change_version(self, params: Params, _now: Instant) -> Answer:
        wanted = number_at(params, "ProtocolVersion")
        if wanted not in VERSIONS:
            return Answer(("M_UnsupportedVersion", f"expected version 1 or 2, got {wanted}"))
        self._version = wanted or 1
        return Answer()

    def _close(self, _params: Params, _now: Instant) -> Answer:
        self.closing = True
        return Answer()

    # --- ROSpecs -----------------------------------------------------------------------------------------------------

    def _add_rospec(self, params: Params, _now: Instant) -> Answer:
        rospec = nested(params, "ROSpec")
        plan = read_plan(rospec)
        if isinstance(plan, str):
            return Answer(("M_UnsupportedParameter", f"this reader does not do {plan}"))
        if plan.rospec_id == 0 or plan.rospec_id in self._rospecs:
            return Answer(("M_ParameterError", f"expected a new ROSpec id above 0, got {plan.rospec_id}"))
        if number_at(rospec, "CurrentState") != DISABLED:
            return Answer(("M_ParameterError", "expected a ROSpec whose state is Disabled"))
        if len(self._rospecs) >= ROSPECS_MAX:
            return Answer(("M_OverflowParameter", f"expected at most {ROSPECS_MAX} ROSpecs"))
        if any(antenna > self.antennas for each in plan.inventories for antenna in each.antennas):
            return Answer(("M_ParameterError", f"expected antennas of 0..{self.antennas}"))
        self._rospecs[plan.rospec_id] = RoSpec(rospec, plan)
        return Answer()

    def _tell_rospecs(self, _params: Params, _now: Instant) -> Answer:
        return Answer(extra={"ROSpec": [each.shown() for each in self._rospecs.values()]} if self._rospecs else {})

    def _choose(self, params: Params, states: tuple[int, ...], *, zero_is_all: bool) -> tuple[Status, list[RoSpec]]:
        """Return the ROSpecs a command names, or why it may not be done to them."""
        wanted = number_at(params, "ROSpecID") or 0
        if wanted == 0 and zero_is_all:
            return SUCCESS, [each for each in self._rospecs.values() if each.state in states]
        if wanted not in self._rospecs:
            return ("M_FieldError", f"there is no ROSpec {wanted}"), []
        rospec = self._rospecs[wanted]
        if rospec.state not in states:
            return ("M_FieldError", f"ROSpec {wanted} is {name_of('ROSpecState', rospec.state)}"), []
        return SUCCESS, [rospec]

    def _delete_rospec(self, params: Params, now: Instant) -> Answer:
        status, chosen = self._choose(params, (DISABLED, INACTIVE, ACTIVE), zero_is_all=True)
        after = b"".join(self._play(each.disable(now)) for each in chosen)
        for each in chosen:
            del self._rospecs[each.plan.rospec_id]
            self._pending.pop(each.plan.rospec_id, None)
        return Answer(status, after=after)

    def _enable_rospec(self, params: Params, now: Instant) -> Answer:
        status, chosen = self._choose(params, (DISABLED,), zero_is_all=True)
        for each in chosen:
            each.enable(now)
        return Answer(status)

    def _disable_rospec(self, params: Params, now: Instant) -> Answer:
        status, chosen = self._choose(params, (DISABLED, INACTIVE, ACTIVE), zero_is_all=True)
        return Answer(status, after=b"".join(self._play(each.disable(now)) for each in chosen))

    def _start_rospec(self, params: Params, now: Instant) -> Answer:
        status, chosen = self._choose(params, (INACTIVE,), zero_is_all=False)
        return Answer(status, after=self._play([each.start(now) for each in chosen]))

    def _stop_rospec(self, params: Params, now: Instant) -> Answer:
        status, chosen = self._choose(params, (ACTIVE,), zero_is_all=False)
        return Answer(status, after=b"".join(self._play(each.stop(now)) for each in chosen))

    def _add_access(self, params: Params, _now: Instant) -> Answer:
        return self._access.add(nested(params, "AccessSpec"))

    def _delete_access(self, params: Params, _now: Instant) -> Answer:
        return self._access.change("DELETE_ACCESSSPEC", number_at(params, "AccessSpecID") or 0)

    def _enable_access(self, params: Params, _now: Instant) -> Answer:
        return self._access.change("ENABLE_ACCESSSPEC", number_at(params, "AccessSpecID") or 0)

    def _disable_access(self, params: Params, _now: Instant) -> Answer:
        return self._access.change("DISABLE_ACCESSSPEC", number_at(params, "AccessSpecID") or 0)

    def _tell_access(self, _params: Params, _now: Instant) -> Answer:
        return Answer(extra=self._access.shown())

    # --- rounds ------------------------------------------------------------------------------------------------------

    def _advance(self, reader_now: Instant) -> bytes:
        return b"".join(self._play(each.advance(reader_now)) for each in tuple(self._rospecs.values()))

    def _play(self, steps: Iterable[Step]) -> bytes:
        """Say what happened, in order; ask what was heard only where somebody listens."""
        out = b""
        for step in steps:
            if self._decoder is None or self._held:
                continue
            match step:
                case Started():
                    out += self._rospec_event("Start_Of_ROSpec", step.rospec_id, step.at)
                case Listened():
                    out += self._listen(step)
                case Ended():
                    out += self._flush(step.rospec_id, step.at)
                    out += self._rospec_event("End_Of_ROSpec", step.rospec_id, step.at)
        return out

    def _listen(self, step: Listened) -> bytes:
        named = self._connected_antennas if 0 in step.antennas else step.antennas
        alive = tuple(each for each in named if self._connected_antennas.get(each, False))
        spec = self._report_spec(step.rospec_id)
        selector = nested(spec, "TagReportContentSelector")
        pending = self._pending.setdefault(step.rospec_id, [])
        pending += [self._report_tag(heard, step, selector) for heard in self.inventory(step.at, alive)]
        out = self._flush(step.rospec_id, step.at, whole=number_at(spec, "N") or PENDING_TAGS_MAX)
        if not step.ends_aispec:
            return out
        if (number_at(spec, "ROReportTrigger") or 0) % 2:
            out += self._flush(step.rospec_id, step.at)
        event = {"EventType": 0, "ROSpecID": step.rospec_id, "SpecIndex": step.spec_index}
        return out + self._event("AISpec_Event", step.at, {"AISpecEvent": event})

    def _report_tag(self, heard: Heard, step: Listened, selector: Params) -> dict[str, Value]:
        """Return one tag's report; a tag with a memory says its EPC itself, and may be read and written."""
        memory = self.tags.get(heard[0])
        if memory is None:
            return _tag_report(heard, step, selector)
        row = _tag_report((memory.epc, *heard[1:]), step, selector)
        return row | self._access.act(memory, step.rospec_id, heard[1])

    def _report_spec(self, rospec_id: int) -> Params:
        return nested(self._rospecs[rospec_id].params, "ROReportSpec") or self._settings.report_spec

    def _flush(self, rospec_id: int, at: Instant, *, whole: int = 0) -> bytes:
        """Report what waits: all, or only whole parts of so many tags. With trigger `None` it waits for GET_REPORT."""
        pending = self._pending.get(rospec_id, [])
        if number_at(self._report_spec(rospec_id), "ROReportTrigger") == 0:
            del pending[:-PENDING_TAGS_MAX]
            return b""
        return self._hand_out(pending, at, whole=whole)

    def _hand_out(self, pending: list[dict[str, Value]], at: Instant, *, whole: int = 0) -> bytes:
        out = b""
        size = min(whole or TAGS_A_REPORT_MAX, TAGS_A_REPORT_MAX)
        while len(pending) >= max(whole, 1):
            out += self._say("RO_ACCESS_REPORT", {"TagReportData": pending[:size]})
            self.delivered(at, len(pending[:size]))
            del pending[:size]
        return out

    def _report_all(self, now: Instant) -> bytes:
        return b"".join(self._hand_out(pending, now) for pending in self._pending.values())

    def _rospec_event(self, name: str, rospec_id: int, at: Instant) -> bytes:
        event = {
            "EventType": number_of("ROSpecEventType", name),
            "ROSpecID": rospec_id,
            "PreemptingROSpecID": 0,
        }
        return self._event("ROSpec_Event", at, {"ROSpecEvent": event})

    def _event(self, kind: str, at: Instant, params: Params) -> bytes:
        wanted = self._settings.events.get(number_of("NotificationEventType", kind), False)
        return self._notify(at, params) if wanted and self._decoder is not None and not self._held else b""

    def _notify(self, at: Instant, params: Params) -> bytes:
        said = {"UTCTimestamp": at, **params}
        return self._say("READER_EVENT_NOTIFICATION", {"ReaderEventNotificationData": said})

    def _say(self, type_name: str, params: Params) -> bytes:
        self._last_id = (self._last_id + 1) % (1 << 32)
        return encode(Message(type_name, self._last_id, params, self._version))


ANSWERS: dict[str, AnswerTo] = {
    "GET_READER_CAPABILITIES": LlrpReaderDevice._tell_capabilities,
    "GET_READER_CONFIG": LlrpReaderDevice._tell_config,
    "SET_READER_CONFIG": LlrpReaderDevice._change_config,
    "GET_SUPPORTED_VERSION": LlrpReaderDevice._tell_versions,
    "SET_PROTOCOL_VERSION": LlrpReaderDevice._change_version,
    "CLOSE_CONNECTION": LlrpReaderDevice._close,
    "ADD_ROSPEC": LlrpReaderDevice._add_rospec,
    "DELETE_ROSPEC": LlrpReaderDevice._delete_rospec,
    "ENABLE_ROSPEC": LlrpReaderDevice._enable_rospec,
    "DISABLE_ROSPEC": LlrpReaderDevice._disable_rospec,
    "START_ROSPEC": LlrpReaderDevice._start_rospec,
    "STOP_ROSPEC": LlrpReaderDevice._stop_rospec,
    "GET_ROSPECS": LlrpReaderDevice._tell_rospecs,
    "ADD_ACCESSSPEC": LlrpReaderDevice._add_access,
    "DELETE_ACCESSSPEC": LlrpReaderDevice._delete_access,
    "ENABLE_ACCESSSPEC": LlrpReaderDevice._enable_access,
    "DISABLE_ACCESSSPEC": LlrpReaderDevice._disable_access,
    "GET_ACCESSSPECS": LlrpReaderDevice._tell_access,
}
"""Every request that has an answer, and what makes it."""


def _tag_report(heard: Heard, step: Listened, selector: Params) -> dict[str, Value]:
    """Return one TagReportData with what the content selector asks for."""
    code, antenna, rssi_dbm, count = heard
    row: dict[str, Value] = {"EPC_96" if len(code) == 24 else "EPCData": code}
    offered: tuple[tuple[str, str, int], ...] = (
        ("EnableROSpecID", "ROSpecID", step.rospec_id),
        ("EnableSpecIndex", "SpecIndex", step.spec_index),
        ("EnableInventoryParameterSpecID", "InventoryParameterSpecID", 1),
        ("EnableAntennaID", "AntennaID", antenna),
        ("EnablePeakRSSI", "PeakRSSI", rssi_dbm),
        ("EnableChannelIndex", "ChannelIndex", 1),
        ("EnableFirstSeenTimestamp", "FirstSeenTimestampUTC", step.since),
        ("EnableLastSeenTimestamp", "LastSeenTimestampUTC", step.at),
        ("EnableTagSeenCount", "TagSeenCount", min(count, 0xFFFF)),
    )
    row.update({name: value for flag, name, value in offered if selector.get(flag)})
    return row
