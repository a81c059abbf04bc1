"""A simulated LLRP reader without a socket: bytes and two clocks in, bytes out. It speaks through `protocols`.

It keeps the rules that real readers keep (LLRP 1.1 chapters 8 to 14): it speaks first; one client at a time; every
request is answered with a status, except ENABLE_EVENTS_AND_REPORTS and KEEPALIVE_ACK; ROSpec 0 means all. Keepalives
run in link time, rounds in reader time (`llrp_rounds`); what happens while nobody is connected, or events are held, is
lost.

What the antennas hear comes from the `inventory` function it was given: this file knows no tag.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hardware_sim.devices.device import Inventory, ignore_delivery
from hardware_sim.devices.llrp_answers import (
    CONFIG_PARTS,
    Answer,
    Saying,
    Settings,
    chosen_capabilities,
    config_of,
    status_of,
)
from hardware_sim.devices.llrp_ports import Ports
from hardware_sim.devices.llrp_rounds import Rounds
from hardware_sim.devices.tag_memory import TagMemory
from protocols.errors import WeBroke
from protocols.readers.llrp.codec import VERSIONS, LlrpDecoder, encode
from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import Message, nested, number_at, number_of, response_of
from protocols.readers.reads import BadFrame
from protocols.values.instant import Instant, plus

ANTENNAS_MAX = 64

AnswerTo = Callable[["LlrpReaderDevice", Params, Instant], Answer]


@dataclass(slots=True)
class LlrpReaderDevice:
    """One reader with one place for a client.

    `inventory(at, antennas)` says what those antennas heard in the round that ended at `at`; `delivered(at, tags)` is
    told of every report handed out; `tags` are the memories of tags that can be read and written, by the EPC the
    inventory hears. Without `has_utc` it has no clock and says its uptime. `closing` is true when the client asked to
    end the connection: send, then close.
    """

    inventory: Inventory
    delivered: Callable[[Instant, int], None] = ignore_delivery
    antennas: int = 4
    reader_id: str = "0000000000000000"
    closing: bool = False
    tags: dict[str, TagMemory] = field(default_factory=dict)
    ports: Ports = field(default_factory=Ports)
    has_utc: bool = True
    _settings: Settings = field(default_factory=Settings)
    _decoder: LlrpDecoder | None = None
    _version: int = 1
    _last_id: int = 0
    _keepalive_due: Instant | None = None
    _plugged: dict[int, bool] = field(default_factory=dict)
    _rounds: Rounds = field(init=False)

    def __post_init__(self) -> None:
        if not 1 <= self.antennas <= ANTENNAS_MAX:
            raise WeBroke(f"LLRP reader: expected 1..{ANTENNAS_MAX} antennas, got {self.antennas}")
        self._plugged = dict.fromkeys(range(1, self.antennas + 1), True)
        self._rounds = Rounds(
            lambda at, antennas: self.inventory(at, antennas),  # noqa: PLW0108 - it may be replaced while we run
            self.delivered,
            self.tags,
            self._settings,
            self._plugged,
        )

    # --- the connection ----------------------------------------------------------------------------------------------

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A client is there; returns the greeting. Raises `WeBroke` when there is one already: `refuse` the other."""
        if self._decoder is not None:
            raise WeBroke("LLRP reader: expected no client, one is connected: answer with refuse()")
        if not self.has_utc and self._rounds.booted is None:
            self._rounds.booted = reader_now
        self._rounds.advance(reader_now)  # what happened while nobody listened is lost
        self._decoder, self.closing, self._version = LlrpDecoder(), False, 1
        self._rounds.listener = not self._settings.hold
        self._arm_keepalive(link_now)
        return self._say([self._rounds.notice(reader_now, {"ConnectionAttemptEvent": 0})])

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second client away; returns what it hears, and what the first hears of it."""
        status = number_of("ConnectionAttemptStatusType", "Failed_A_Client_Initiated_Connection_Already_Exists")
        told = number_of("ConnectionAttemptStatusType", "Another_Connection_Attempted")
        return (
            self._say([self._rounds.notice(reader_now, {"ConnectionAttemptEvent": status})]),
            self._say([self._rounds.notice(reader_now, {"ConnectionAttemptEvent": told})]),
        )

    def disconnected(self) -> None:
        """The client is gone. ROSpecs and settings stay; what was not yet reported is lost."""
        self._decoder, self._keepalive_due = None, None
        self._rounds.listener = False
        self._rounds.lose_reports()

    def reboot(self, reader_now: Instant) -> None:
        """Lose power: no client, no ROSpecs, settings as from the factory, and the uptime begins anew."""
        self.disconnected()
        self._forget()
        self.ports.reset()
        self._last_id = 0
        if not self.has_utc:
            self._rounds.booted = reader_now

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take bytes from the client; returns the answers and what follows from them."""
        if self._decoder is None:
            return b""
        out = self._say(self._rounds.advance(reader_now))
        for each in self._decoder.receive(data):
            out += self._hear_client(each, link_now, reader_now)
        return out + self._say(self._rounds.advance(reader_now))

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return when `tick` has something to do: in link time, in reader time."""
        return (None, None) if self._decoder is None else (self._keepalive_due, self._rounds.due())

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Do what fell due."""
        if self._decoder is None:
            return b""
        out = self._say(self._rounds.advance(reader_now))
        if self._keepalive_due is not None and link_now >= self._keepalive_due:
            out += self._say([("KEEPALIVE", {})])
            self._arm_keepalive(link_now)
        return out

    def switch_antenna(self, antenna: int, reader_now: Instant, *, connected: bool) -> bytes:
        """Plug an antenna in or out; it hears nothing while it is out."""
        self._plugged[antenna] = connected
        name = "Antenna_Connected" if connected else "Antenna_Disconnected"
        event = {"EventType": number_of("AntennaEventType", name), "AntennaID": antenna}
        return self._say(self._rounds.event("Antenna_Event", reader_now, {"AntennaEvent": event}))

    def switch_input(self, port: int, reader_now: Instant, *, high: bool) -> bytes:
        """Open or close a contact; ROSpecs that wait for it start or stop."""
        if self.ports.high[port] == high:
            return b""
        said = self._rounds.advance(reader_now)
        self.ports.high[port] = high
        if self.ports.tells[port]:
            event = {"GPIPortNumber": port, "GPIEvent": high}
            said += self._rounds.event("GPI_Event", reader_now, {"GPIEvent": event})
        return self._say(said + self._rounds.contact(port, reader_now, high=high))

    def _arm_keepalive(self, link_now: Instant) -> None:
        period_ms = self._settings.keepalive_ms
        self._keepalive_due = plus(link_now, period_ms / 1000) if period_ms else None

    def _forget(self) -> None:
        self._settings.reset()
        self._rounds.clear()

    # --- what the client asks ----------------------------------------------------------------------------------------

    def _hear_client(self, each: Message | BadFrame, link_now: Instant, reader_now: Instant) -> bytes:
        if isinstance(each, BadFrame):
            return self._reply("ERROR_MESSAGE", 0, Answer(("M_ParameterError", each.reason)), self._version)
        match each.type_name:
            case "KEEPALIVE_ACK":
                return b""
            case "ENABLE_EVENTS_AND_REPORTS":
                self._rounds.listener = True
                return b""
            case "GET_REPORT":
                return self._say(self._rounds.report_all(reader_now) or [("RO_ACCESS_REPORT", {})])
            case name if name in ANSWERS:
                answer = ANSWERS[name](self, each.params, reader_now)
                if name == "SET_READER_CONFIG":
                    self._arm_keepalive(link_now)
                return self._reply(response_of(name), each.id, answer, each.version)
        wrong = Answer(("M_UnsupportedMessage", f"{each.type_name} is not answered by this reader"))
        return self._reply("ERROR_MESSAGE", each.id, wrong, each.version)

    def _reply(self, type_name: str, message_id: int, answer: Answer, version: int) -> bytes:
        params = {"LLRPStatus": status_of(answer.status), **answer.extra}
        return encode(Message(type_name, message_id, params, version)) + self._say(answer.after)

    def _say(self, sayings: Iterable[Saying]) -> bytes:
        out = b""
        for type_name, params in sayings:
            self._last_id = (self._last_id + 1) % (1 << 32)
            out += encode(Message(type_name, self._last_id, params, self._version))
        return out

    def _tell_capabilities(self, params: Params, _now: Instant) -> Answer:
        requested = number_at(params, "RequestedData") or 0
        if requested > 4:
            return Answer(("M_FieldError", f"expected RequestedData of 0..4, got {requested}"))
        return Answer(extra=chosen_capabilities(self.antennas, requested, has_utc=self.has_utc))

    def _tell_config(self, params: Params, _now: Instant) -> Answer:
        requested = number_at(params, "RequestedData") or 0
        config = config_of(self._settings, self._plugged, self.reader_id) | self.ports.shown()
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
            self._forget()
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

    def _add_access(self, params: Params, _now: Instant) -> Answer:
        return self._rounds.access.add(nested(params, "AccessSpec"))

    def _tell_access(self, _params: Params, _now: Instant) -> Answer:
        return Answer(extra=self._rounds.access.shown())


def _of_rounds(answer: Callable[[Rounds, Params, Instant], Answer]) -> AnswerTo:
    return lambda reader, params, now: answer(reader._rounds, params, now)


def _of_access(request: str) -> AnswerTo:
    return lambda reader, params, _now: reader._rounds.access.change(request, number_at(params, "AccessSpecID") or 0)


ANSWERS: dict[str, AnswerTo] = {
    "GET_READER_CAPABILITIES": LlrpReaderDevice._tell_capabilities,
    "GET_READER_CONFIG": LlrpReaderDevice._tell_config,
    "SET_READER_CONFIG": LlrpReaderDevice._change_config,
    "GET_SUPPORTED_VERSION": LlrpReaderDevice._tell_versions,
    "SET_PROTOCOL_VERSION": LlrpReaderDevice._change_version,
    "CLOSE_CONNECTION": LlrpReaderDevice._close,
    "ADD_ROSPEC": _of_rounds(Rounds.add),
    "DELETE_ROSPEC": _of_rounds(Rounds.delete),
    "ENABLE_ROSPEC": _of_rounds(Rounds.enable),
    "DISABLE_ROSPEC": _of_rounds(Rounds.disable),
    "START_ROSPEC": _of_rounds(Rounds.start),
    "STOP_ROSPEC": _of_rounds(Rounds.stop),
    "GET_ROSPECS": _of_rounds(Rounds.tell),
    "ADD_ACCESSSPEC": LlrpReaderDevice._add_access,
    "DELETE_ACCESSSPEC": _of_access("DELETE_ACCESSSPEC"),
    "ENABLE_ACCESSSPEC": _of_access("ENABLE_ACCESSSPEC"),
    "DISABLE_ACCESSSPEC": _of_access("DISABLE_ACCESSSPEC"),
    "GET_ACCESSSPECS": LlrpReaderDevice._tell_access,
}
"""Every request that has an answer, and what makes it."""
