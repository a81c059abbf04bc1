"""The simulated LLRP reader: its lifecycle rules, and our own session living with it over bytes and over a socket."""

import random
import socket
import threading
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_sim.devices.device import Heard
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.llrp_rospecs import ROUNDS_CATCH_UP_MAX
from protocols.errors import WeBroke
from protocols.readers.llrp import requests
from protocols.readers.llrp.codec import LlrpDecoder, encode
from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import Message, name_of, nested, number_at, rows_at
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.llrp.states import State
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import LinkUp, RoundEnded, TagRead
from protocols.values.instant import Instant, plus

LINK0 = Instant(5_000_000)
STORY0 = Instant(1_772_438_400_000_000)
RATE = 540
CONFIG = LlrpConfig(antennas=(1, 2, 3, 4), round_ms=60_000, keepalive_ms=1_000)


def shelf(at: Instant, antennas: tuple[int, ...]) -> list[Heard]:
    """Two tags an antenna, one of them with an EPC of 128 bits."""
    del at
    return [
        heard
        for each in antennas
        for heard in ((f"3034{each:020X}", each, -50 - each, 3), (f"3036{each:028X}", each, -70, 1))
    ]


@dataclass
class Room:
    """A reader and our session in one memory: bytes go across in pieces of `piece` (0 = whole)."""

    device: LlrpReaderDevice
    session: LlrpSession
    piece: int = 0
    now: Instant = LINK0
    seen: list[Outcome] = field(default_factory=list)

    @property
    def story(self) -> Instant:
        return Instant(STORY0 + (self.now - LINK0) * RATE)

    def open(self) -> None:
        self.seen += self.session.opened(self.now)
        self.to_session(self.device.connected(self.now, self.story))

    def pieces(self, data: bytes) -> list[bytes]:
        size = self.piece or len(data) or 1
        return [data[at : at + size] for at in range(0, len(data), size)]

    def to_session(self, data: bytes) -> None:
        for piece in self.pieces(data):
            for outcome in self.session.receive(piece, self.now):
                self.seen.append(outcome)
                if isinstance(outcome, Send):
                    self.to_device(outcome.data)

    def to_device(self, data: bytes) -> None:
        for piece in self.pieces(data):
            answer = self.device.receive(piece, self.now, self.story)
            if answer:
                self.to_session(answer)

    def run(self, seconds: float, step_s: float = 0.05) -> None:
        end = plus(self.now, seconds)
        while self.now < end:
            self.now = plus(self.now, step_s)
            self.to_session(self.device.tick(self.now, self.story))
            self.seen += self.session.tick(self.now)

    def of(self, kind: type) -> list[Outcome]:
        return [each for each in self.seen if isinstance(each, kind)]


@pytest.mark.parametrize("piece", [0, 1, 7])
def test_our_session_reads_every_tag_of_every_round(piece: int) -> None:
    delivered: list[int] = []
    room = Room(LlrpReaderDevice(shelf, lambda _at, tags: delivered.append(tags)), LlrpSession(CONFIG), piece)
    room.open()
    assert room.session.state is State.RUNNING
    room.run(2.0)
    assert len(room.of(LinkUp)) == 1
    rounds = room.of(RoundEnded)
    assert len(rounds) == 18  # 2 s are 18 minutes of story; a round takes 54 of its 60 s
    assert len(room.of(TagRead)) == 8 * len(rounds) == sum(delivered)
    assert not room.of(Close)


def test_the_reads_of_a_round_come_before_its_end_and_within_it() -> None:
    room = Room(LlrpReaderDevice(shelf), LlrpSession(CONFIG))
    room.open()
    room.run(1.0)
    reads: list[TagRead] = []
    for each in room.seen:
        if isinstance(each, TagRead):
            reads.append(each)
        if isinstance(each, RoundEnded):
            assert len(reads) == 8
            assert all(read.first_seen < read.last_seen <= each.at for read in reads)
            reads.clear()


def test_keepalives_follow_the_link_and_keep_the_session_alive() -> None:
    room = Room(LlrpReaderDevice(lambda _at, _antennas: ()), LlrpSession(LlrpConfig((1,), 3_600_000, 0, 1_000)))
    room.open()
    room.run(10.0)
    assert room.session.state is State.RUNNING
    assert not room.of(Close)


def test_a_silent_reader_is_noticed() -> None:
    room = Room(LlrpReaderDevice(shelf), LlrpSession(CONFIG))
    room.open()
    assert room.session.tick(plus(room.now, 2.0)) != []


def test_only_one_client_is_served_and_both_hear_of_it() -> None:
    device = LlrpReaderDevice(shelf)
    device.connected(LINK0, STORY0)
    with pytest.raises(WeBroke, match="refuse"):
        device.connected(LINK0, STORY0)
    newcomer, first = device.refuse(STORY0)
    late = LlrpSession(CONFIG)
    late.opened(LINK0)
    [close] = late.receive(newcomer, LINK0)
    assert isinstance(close, Close)
    assert [
        number_at(each.params, "ReaderEventNotificationData", "ConnectionAttemptEvent") for each in said(first)
    ] == [4]


def test_rounds_without_a_client_are_lost_and_a_new_client_starts_anew() -> None:
    room = Room(LlrpReaderDevice(shelf), LlrpSession(CONFIG))
    room.open()
    room.run(1.0)
    room.device.disconnected()
    assert room.device.due() == (None, None)
    assert room.device.tick(plus(room.now, 5), plus(room.story, 2700)) == b""
    again = Room(room.device, LlrpSession(CONFIG), now=plus(room.now, 5))
    again.open()
    assert again.session.state is State.RUNNING
    assert not again.of(TagRead)
    again.run(1.0)
    assert len(again.of(RoundEnded)) == 9


def test_a_reader_looked_at_late_catches_up_a_limited_number_of_rounds() -> None:
    room = Room(LlrpReaderDevice(shelf), LlrpSession(CONFIG))
    room.open()
    room.now = plus(room.now, 60)  # 540 rounds later
    room.to_session(room.device.tick(room.now, room.story))
    rounds = [each for each in room.seen if isinstance(each, RoundEnded)]
    assert ROUNDS_CATCH_UP_MAX - 1 <= len(rounds) <= ROUNDS_CATCH_UP_MAX + 1
    assert room.story - rounds[-1].at < 60_000_000
    assert {(each.at - rounds[0].at) % 60_000_000 for each in rounds} == {0}


def test_an_unplugged_antenna_hears_nothing_and_its_rounds_say_so() -> None:
    room = Room(LlrpReaderDevice(shelf), LlrpSession(CONFIG))
    room.open()
    room.to_session(room.device.switch_antenna(2, room.story, connected=False))
    room.run(0.5)
    assert {each.antennas for each in room.seen if isinstance(each, RoundEnded)} == {(1, 3, 4)}
    assert {each.antenna for each in room.seen if isinstance(each, TagRead)} == {1, 3, 4}


# --- the rules of real readers ---------------------------------------------------------------------------------------


def said(raw: bytes) -> list[Message]:
    out = LlrpDecoder().receive(raw)
    assert all(isinstance(each, Message) for each in out)
    return [each for each in out if isinstance(each, Message)]


def ask(
    device: LlrpReaderDevice, type_name: str, params: Params | None = None, *, message_id: int = 3
) -> list[Message]:
    return said(device.receive(encode(Message(type_name, message_id, params or {})), LINK0, STORY0))


def code_of(message: Message) -> str:
    return name_of("StatusCode", number_at(message.params, "LLRPStatus", "StatusCode") or 0)


@pytest.fixture
def device() -> LlrpReaderDevice:
    reader = LlrpReaderDevice(shelf)
    reader.connected(LINK0, STORY0)
    return reader


def test_the_reader_speaks_first_and_says_that_we_are_connected() -> None:
    [greeting] = said(LlrpReaderDevice(shelf).connected(LINK0, STORY0))
    assert greeting.params == {"ReaderEventNotificationData": {"UTCTimestamp": STORY0, "ConnectionAttemptEvent": 0}}


@pytest.mark.parametrize(
    ("type_name", "params", "expected"),
    [
        ("DELETE_ROSPEC", {"ROSpecID": 0}, "M_Success"),
        ("DELETE_ROSPEC", {"ROSpecID": 9}, "M_FieldError"),
        ("ENABLE_ROSPEC", {"ROSpecID": 0}, "M_Success"),
        ("ENABLE_ROSPEC", {"ROSpecID": 9}, "M_FieldError"),
        ("DISABLE_ROSPEC", {"ROSpecID": 9}, "M_FieldError"),
        ("START_ROSPEC", {"ROSpecID": 0}, "M_FieldError"),
        ("STOP_ROSPEC", {"ROSpecID": 0}, "M_FieldError"),
        ("GET_ROSPECS", {}, "M_Success"),
        ("GET_ACCESSSPECS", {}, "M_Success"),
        ("DELETE_ACCESSSPEC", {"AccessSpecID": 0}, "M_Success"),
        ("GET_READER_CAPABILITIES", {"RequestedData": 0}, "M_Success"),
        ("GET_READER_CAPABILITIES", {"RequestedData": 1}, "M_Success"),
        ("GET_READER_CAPABILITIES", {"RequestedData": 5}, "M_FieldError"),
        ("GET_READER_CONFIG", {"AntennaID": 0, "RequestedData": 0, "GPIPortNum": 0, "GPOPortNum": 0}, "M_Success"),
        ("GET_READER_CONFIG", {"AntennaID": 0, "RequestedData": 12, "GPIPortNum": 0, "GPOPortNum": 0}, "M_FieldError"),
        ("GET_SUPPORTED_VERSION", {}, "M_Success"),
        ("SET_PROTOCOL_VERSION", {"ProtocolVersion": 2}, "M_Success"),
        ("SET_PROTOCOL_VERSION", {"ProtocolVersion": 3}, "M_UnsupportedVersion"),
        ("CLOSE_CONNECTION", {}, "M_Success"),
    ],
)
def test_every_request_is_answered_with_a_status(
    device: LlrpReaderDevice, type_name: str, params: Params, expected: str
) -> None:
    [answer] = ask(device, type_name, params)
    assert answer.type_name == f"{type_name}_RESPONSE"
    assert answer.id == 3
    assert code_of(answer) == expected


@pytest.mark.parametrize("type_name", ["ENABLE_EVENTS_AND_REPORTS", "KEEPALIVE_ACK"])
def test_what_has_no_response_gets_none(device: LlrpReaderDevice, type_name: str) -> None:
    assert ask(device, type_name) == []


def test_what_no_reader_answers_gets_an_error_message(device: LlrpReaderDevice) -> None:
    [answer] = ask(device, "KEEPALIVE")
    assert (answer.type_name, code_of(answer)) == ("ERROR_MESSAGE", "M_UnsupportedMessage")


def test_a_corrupt_request_costs_that_request(device: LlrpReaderDevice) -> None:
    broken = bytearray(encode(Message("DELETE_ROSPEC", 1, {"ROSpecID": 0})))[:-1]
    broken[5] -= 1
    more = encode(Message("GET_ROSPECS", 2)) + encode(Message("KEEPALIVE_ACK", 3))  # where it ended shows what follows
    answers = said(device.receive(bytes(broken) + more, LINK0, STORY0))
    assert [each.type_name for each in answers] == ["ERROR_MESSAGE", "GET_ROSPECS_RESPONSE"]


def test_a_rospec_goes_through_its_states_and_wrong_turns_are_refused(device: LlrpReaderDevice) -> None:
    added = requests.add_rospec(LlrpConfig(antennas=(1,), reader_starts=False))
    one: Params = {"ROSpecID": 1}
    turns = [
        (*added, "M_Success"),
        (*added, "M_ParameterError"),
        ("START_ROSPEC", one, "M_FieldError"),
        ("ENABLE_ROSPEC", one, "M_Success"),
        ("ENABLE_ROSPEC", one, "M_FieldError"),
        ("STOP_ROSPEC", one, "M_FieldError"),
        ("START_ROSPEC", one, "M_Success"),
        ("START_ROSPEC", one, "M_FieldError"),
        ("STOP_ROSPEC", one, "M_Success"),
        ("DISABLE_ROSPEC", one, "M_Success"),
        ("DELETE_ROSPEC", one, "M_Success"),
        ("DELETE_ROSPEC", one, "M_FieldError"),
    ]
    assert [code_of(ask(device, name, params)[0]) for name, params, _ in turns] == [code for _, _, code in turns]


def test_a_stopped_round_still_hands_over_what_it_heard(device: LlrpReaderDevice) -> None:
    ask(device, *requests.add_rospec(LlrpConfig(antennas=(1,), reader_starts=False)))
    ask(device, "ENABLE_ROSPEC", {"ROSpecID": 1})
    ask(device, "START_ROSPEC", {"ROSpecID": 1})
    _, report = ask(device, "STOP_ROSPEC", {"ROSpecID": 1})
    assert len(rows_at(report.params, "TagReportData")) == 2


def test_a_ninth_rospec_is_one_too_many(device: LlrpReaderDevice) -> None:
    codes = [code_of(ask(device, *requests.add_rospec(LlrpConfig((1,), rospec_id=each)))[0]) for each in range(1, 10)]
    assert codes == ["M_Success"] * 8 + ["M_OverflowParameter"]


def test_settings_come_back_as_they_were_set_and_a_reset_forgets_them(device: LlrpReaderDevice) -> None:
    everything: Params = {"AntennaID": 0, "RequestedData": 0, "GPIPortNum": 0, "GPOPortNum": 0}
    ask(device, *requests.set_config(CONFIG, can_hold=True))
    [config] = ask(device, "GET_READER_CONFIG", everything)
    assert nested(config.params, "KeepaliveSpec") == {"KeepaliveTriggerType": 1, "PeriodicTriggerValue": 1_000}
    assert config.params["EventsAndReports"] is True
    ask(device, "SET_READER_CONFIG", {"ResetToFactoryDefault": True})
    [config] = ask(device, "GET_READER_CONFIG", everything)
    assert number_at(config.params, "KeepaliveSpec", "KeepaliveTriggerType") == 0


def test_events_are_held_after_a_reconnect_until_they_are_asked_for(device: LlrpReaderDevice) -> None:
    ask(device, *requests.set_config(CONFIG, can_hold=True))
    ask(device, *requests.add_rospec(CONFIG))
    ask(device, "ENABLE_ROSPEC", {"ROSpecID": 1})
    device.disconnected()
    device.connected(LINK0, STORY0)
    assert device.tick(LINK0, plus(STORY0, 120)) == b""
    ask(device, "ENABLE_EVENTS_AND_REPORTS")
    assert said(device.tick(LINK0, plus(STORY0, 240))) != []


@pytest.mark.parametrize(("every", "reports"), [(0, 1), (1, 8), (3, 3)])
def test_a_report_holds_as_many_tags_as_the_client_asked_for(
    device: LlrpReaderDevice, every: int, reports: int
) -> None:
    name, params = requests.add_rospec(CONFIG)
    rospec = dict(nested(params, "ROSpec"))
    rospec["ROReportSpec"] = {**nested(rospec, "ROReportSpec"), "N": every}
    ask(device, name, {"ROSpec": rospec})
    ask(device, "ENABLE_ROSPEC", {"ROSpecID": 1})
    heard = said(device.tick(LINK0, plus(STORY0, 59)))
    sizes = [len(rows_at(each.params, "TagReportData")) for each in heard if each.type_name == "RO_ACCESS_REPORT"]
    assert len(sizes) == reports
    assert sum(sizes) == 8


def test_with_no_report_trigger_tags_wait_until_they_are_fetched(device: LlrpReaderDevice) -> None:
    name, params = requests.add_rospec(CONFIG)
    rospec = dict(nested(params, "ROSpec"))
    rospec["ROReportSpec"] = {**nested(rospec, "ROReportSpec"), "ROReportTrigger": 0}
    ask(device, name, {"ROSpec": rospec})
    ask(device, "ENABLE_ROSPEC", {"ROSpecID": 1})
    assert not [each for each in said(device.tick(LINK0, plus(STORY0, 59))) if each.type_name == "RO_ACCESS_REPORT"]
    [report] = ask(device, "GET_REPORT")
    assert len(rows_at(report.params, "TagReportData")) == 8


def test_an_open_inventory_ends_with_its_rospec(device: LlrpReaderDevice) -> None:
    name, params = requests.add_rospec(CONFIG)
    rospec = dict(nested(params, "ROSpec"))
    aispec = dict(nested(rospec["SpecParameter"][0], "AISpec"))  # type: ignore[index,arg-type]  # a list of mappings
    aispec["AISpecStopTrigger"] = {"AISpecStopTriggerType": 0, "DurationTrigger": 0}
    rospec["SpecParameter"] = [{"AISpec": aispec}]
    rospec["ROBoundarySpec"] = {
        "ROSpecStartTrigger": {"ROSpecStartTriggerType": 1},
        "ROSpecStopTrigger": {"ROSpecStopTriggerType": 1, "DurationTriggerValue": 2_500},
    }
    ask(device, *requests.set_config(CONFIG, can_hold=False))
    assert code_of(ask(device, name, {"ROSpec": rospec})[0]) == "M_Success"
    ask(device, "ENABLE_ROSPEC", {"ROSpecID": 1})
    heard = said(device.tick(LINK0, plus(STORY0, 2.6)))
    assert sum(len(rows_at(each.params, "TagReportData")) for each in heard) == 24
    events = [nested(each.params, "ReaderEventNotificationData") for each in heard]
    assert sum("AISpecEvent" in each for each in events) == 1
    assert [number_at(each, "ROSpecEvent", "EventType") for each in events if "ROSpecEvent" in each] == [1, 0]


# --- noise and sockets -----------------------------------------------------------------------------------------------


@settings(max_examples=2000)
@given(st.binary(max_size=120))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    device = LlrpReaderDevice(shelf)
    device.connected(LINK0, STORY0)
    device.receive(data, LINK0, STORY0)
    assert [each.type_name for each in said(ask_after_noise(device))][-1] == "GET_ROSPECS_RESPONSE"


def ask_after_noise(device: LlrpReaderDevice) -> bytes:
    """Ask again and again: a lying length may have swallowed the first requests."""
    device.disconnected()
    device.connected(LINK0, STORY0)
    return device.receive(encode(Message("GET_ROSPECS", 2)), LINK0, STORY0)


def test_mutated_requests_never_break_the_reader_nor_its_answers() -> None:
    chance = random.Random(7)
    originals = [
        encode(Message(name, 1, params))
        for name, params in (
            requests.add_rospec(CONFIG),
            requests.set_config(CONFIG, can_hold=True),
            requests.ask_capabilities(),
            requests.delete_all(),
            requests.enable_rospec(CONFIG),
        )
    ]
    device = LlrpReaderDevice(shelf)
    device.connected(LINK0, STORY0)
    now = STORY0
    for _ in range(5_000):
        raw = bytearray(chance.choice(originals))
        for _ in range(chance.randint(0, 2)):
            raw[chance.randrange(6, len(raw))] = chance.randrange(256)
        now = plus(now, chance.random() * 200)
        said(device.receive(bytes(raw), LINK0, now))
        said(device.tick(LINK0, now))
        if chance.random() < 0.02:
            device.disconnected()
            device.connected(LINK0, now)


def serve(device: LlrpReaderDevice, end: socket.socket, stop: threading.Event) -> None:
    """Be the reader's shell over one socket; reader time is a count of wake-ups, a round each."""
    end.settimeout(0.005)
    story = STORY0
    end.sendall(device.connected(LINK0, story))
    while not stop.is_set():
        try:
            data = end.recv(4096)
        except TimeoutError:
            data = b""
        story = plus(story, 60)
        end.sendall(device.receive(data, LINK0, story) + device.tick(LINK0, story))


def test_session_and_reader_agree_over_a_real_socket() -> None:
    reader_end, our_end = socket.socketpair()
    stop = threading.Event()
    thread = threading.Thread(target=serve, args=(LlrpReaderDevice(shelf), reader_end, stop), daemon=True)
    seen: list[Outcome] = []
    with reader_end, our_end:
        thread.start()
        our_end.settimeout(5)
        session = LlrpSession(CONFIG)
        session.opened(LINK0)
        while sum(isinstance(each, RoundEnded) for each in seen) < 3:
            outcomes = session.receive(our_end.recv(1000), LINK0)
            seen += outcomes
            our_end.sendall(b"".join(each.data for each in outcomes if isinstance(each, Send)))
        stop.set()
        thread.join(5)
    assert not thread.is_alive()
    assert sum(isinstance(each, TagRead) for each in seen) >= 24


def test_a_reader_without_a_clock_says_its_uptime_and_begins_anew_when_it_boots() -> None:
    def story_at(link: Instant) -> Instant:
        return Instant(STORY0 + (link - LINK0) * RATE)

    config = LlrpConfig(antennas=(1, 2, 3, 4), round_ms=60_000, keepalive_ms=1_000, story_at=story_at)
    room = Room(LlrpReaderDevice(shelf, has_utc=False), LlrpSession(config))
    room.open()
    room.run(1.0)
    reads = [each for each in room.seen if isinstance(each, TagRead)]
    assert len(reads) == 8 * len(room.of(RoundEnded))
    assert all(abs(each.last_seen - room.story) < 600_000_000 for each in reads)
    room.device.reboot(room.story)
    again = Room(room.device, LlrpSession(config), now=plus(room.now, 5))
    [greeting] = said(again.device.connected(again.now, again.story))
    assert number_at(greeting.params, "ReaderEventNotificationData", "Uptime") == again.story - room.story


def test_a_reboot_leaves_neither_rospecs_nor_settings_nor_lights() -> None:
    room = Room(LlrpReaderDevice(shelf), LlrpSession(CONFIG))
    room.open()
    room.to_device(encode(Message("SET_READER_CONFIG", 90, {
        "ResetToFactoryDefault": False, "GPOWriteData": [{"GPOPortNumber": 1, "GPOData": True}],
    })))  # fmt: skip
    lit = [dict(room.device.ports.lit)]
    room.device.reboot(room.story)
    lit.append(dict(room.device.ports.lit))
    assert [each[1] for each in lit] == [True, False]
    room.device.connected(room.now, room.story)
    [answer] = ask(room.device, "GET_ROSPECS")
    assert not rows_at(answer.params, "ROSpec")
    assert room.device.due() == (None, None)
