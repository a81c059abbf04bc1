"""The LLRP session: its table, its flow against hand-made answers, what it makes of silence, refusals, reports."""

import random

import pytest

from protocols.errors import BadValue, WeBroke
from protocols.readers.access import AccessOrder
from protocols.readers.llrp.codec import LlrpDecoder, encode
from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import Message, nested, number_at, response_of
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.llrp.states import TABLE, Event, State, step
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.reads import AntennaChanged, BadFrame, LinkDown, LinkUp, RoundEnded, TagRead
from protocols.values.ids import epc
from protocols.values.instant import Instant, plus

T0 = Instant(1_000_000)
UTC = 1_772_438_400_000_000
CONFIG = LlrpConfig(antennas=(1, 2), round_ms=60_000, keepalive_ms=1_000)
OLD = LlrpConfig(antennas=(1, 2), round_ms=60_000, keepalive_ms=1_000, version_max=1)
ABILITIES: Params = {
    "GeneralDeviceCapabilities": {
        "MaxNumberOfAntennaSupported": 4,
        "CanSetAntennaProperties": False,
        "HasUTCClockCapability": True,
        "DeviceManufacturerName": 0,
        "ModelName": 0,
        "ReaderFirmwareVersion": "1",
        "ReceiveSensitivityTableEntry": [{"Index": 1, "ReceiveSensitivityValue": 0}],
        "GPIOCapabilities": {"NumGPIs": 0, "NumGPOs": 0},
        "PerAntennaAirProtocol": [{"AntennaID": 1, "ProtocolID": [1]}],
    }
}


def status(code: int = 0, text: str = "") -> Params:
    return {"LLRPStatus": {"StatusCode": code, "ErrorDescription": text}}


def notice(params: Params, at: int = UTC) -> bytes:
    said = {"UTCTimestamp": at, **params}
    return encode(Message("READER_EVENT_NOTIFICATION", 99, {"ReaderEventNotificationData": said}))


def sent(outcomes: list[Outcome]) -> list[Message]:
    raw = b"".join(each.data for each in outcomes if isinstance(each, Send))
    return [each for each in LlrpDecoder().receive(raw) if isinstance(each, Message)]


def reply(request: Message, params: Params | None = None) -> bytes:
    extras: dict[str, Params] = {
        "GET_READER_CAPABILITIES": ABILITIES,
        "GET_SUPPORTED_VERSION": {"CurrentVersion": 1, "SupportedVersion": 2},
    }
    extra = extras.get(request.type_name, {})
    return encode(Message(response_of(request.type_name), request.id, params or {**status(), **extra}))


def greeted(config: LlrpConfig = CONFIG) -> tuple[LlrpSession, list[Outcome]]:
    session = LlrpSession(config)
    assert session.opened(T0) == []
    return session, session.receive(notice({"ConnectionAttemptEvent": 0}), T0)


def running(config: LlrpConfig = CONFIG) -> LlrpSession:
    session, out = greeted(config)
    while session.state is not State.RUNNING:
        [request] = sent(out)
        out = session.receive(reply(request), T0)
    return session


def report(*rows: Params) -> bytes:
    return encode(Message("RO_ACCESS_REPORT", 5, {"TagReportData": list(rows)}))


# --- the table -------------------------------------------------------------------------------------------------------


def test_every_state_is_reached_from_the_first_and_only_the_end_is_an_end() -> None:
    reached, grown = {State.IDLE}, True
    while grown:
        more = {to for (source, _), to in TABLE.items() if source in reached} - reached
        reached |= more
        grown = bool(more)
    assert reached == set(State)
    ends = {state for state in State if all(to is state for (source, _), to in TABLE.items() if source is state)}
    assert ends == {State.ENDED}


def test_every_state_can_lose_its_link() -> None:
    assert all(step(state, Event.LOST) is State.ENDED for state in State)


def test_a_pair_that_is_not_in_the_table_is_our_error_and_is_named() -> None:
    with pytest.raises(WeBroke, match="RUNNING by OPENED"):
        step(State.RUNNING, Event.OPENED)


# --- the flow --------------------------------------------------------------------------------------------------------


def test_a_reader_is_asked_in_the_order_of_the_standard() -> None:
    session, out = greeted()
    asked = []
    while session.state is not State.RUNNING:
        [request] = sent(out)
        asked.append(request.type_name)
        out = session.receive(reply(request), T0)
    assert asked == [
        "GET_SUPPORTED_VERSION",
        "SET_PROTOCOL_VERSION",
        "GET_READER_CAPABILITIES",
        "SET_READER_CONFIG",
        "GET_READER_CONFIG",
        "DELETE_ROSPEC",
        "ADD_ROSPEC",
        "ENABLE_ROSPEC",
    ]
    assert [each.type_name for each in sent(out)] == ["ENABLE_EVENTS_AND_REPORTS"]
    assert LinkUp(Instant(UTC)) in out


def test_a_rospec_without_a_start_trigger_is_started_again_after_each_end() -> None:
    session = running(LlrpConfig(antennas=(1,), reader_starts=False))
    event = {"EventType": 1, "ROSpecID": 1, "PreemptingROSpecID": 0}
    [again] = sent(session.receive(notice({"ROSpecEvent": event}), T0))
    assert again.type_name == "START_ROSPEC"
    assert session.receive(reply(again), T0) == []
    assert session.state is State.RUNNING


def test_our_rospec_is_periodic_and_reports_at_the_end_of_each_round() -> None:
    _, out = greeted()
    session = LlrpSession(CONFIG)
    session.opened(T0)
    out = session.receive(notice({"ConnectionAttemptEvent": 0}), T0)
    request = sent(out)[0]
    while request.type_name != "ADD_ROSPEC":
        [request] = sent(session.receive(reply(request), T0))
    rospec = nested(request.params, "ROSpec")
    start = nested(rospec, "ROBoundarySpec", "ROSpecStartTrigger")
    assert start == {"ROSpecStartTriggerType": 2, "PeriodicTriggerValue": {"Offset": 0, "Period": 60_000}}
    assert number_at(rospec, "ROReportSpec", "ROReportTrigger") == 1


def test_a_keepalive_is_acknowledged_with_its_own_id() -> None:
    session = running()
    [ack] = sent(session.receive(encode(Message("KEEPALIVE", 77)), T0))
    assert (ack.type_name, ack.id) == ("KEEPALIVE_ACK", 77)


# --- how it ends -----------------------------------------------------------------------------------------------------


def test_a_reader_that_serves_another_client_is_left_in_peace() -> None:
    session = LlrpSession(CONFIG)
    session.opened(T0)
    [close] = session.receive(notice({"ConnectionAttemptEvent": 2}), T0)
    assert isinstance(close, Close)
    assert "another client" in close.reason
    assert session.due() is None


def test_a_refused_request_ends_the_session_with_the_readers_own_words() -> None:
    session, out = greeted(OLD)
    [request] = sent(out)
    [close] = session.receive(reply(request, status(101, "no such thing")), T0)
    assert close == Close("the reader refused GET_READER_CAPABILITIES: M_FieldError (no such thing)")


def test_an_error_message_for_our_request_ends_the_session() -> None:
    session, out = greeted(OLD)
    [request] = sent(out)
    [close] = session.receive(encode(Message("ERROR_MESSAGE", request.id, status(110))), T0)
    assert close == Close("the reader refused GET_READER_CAPABILITIES: M_UnsupportedVersion")


def test_an_answer_to_another_request_is_no_answer() -> None:
    session, out = greeted(OLD)
    [request] = sent(out)
    other = Message(request.type_name, request.id + 1)
    assert session.receive(reply(other), T0) == []
    assert session.state is State.CAPABILITIES


@pytest.mark.parametrize("answers", range(9))
def test_a_request_that_is_not_answered_in_time_ends_the_session(answers: int) -> None:
    session = LlrpSession(CONFIG)
    session.opened(T0)
    out: list[Outcome] = []
    for each in range(answers):
        out = session.receive(notice({"ConnectionAttemptEvent": 0}) if each == 0 else reply(sent(out)[0]), T0)
    due = session.due()
    assert due == plus(T0, 10)
    assert session.tick(Instant(due - 1)) == []
    [close] = session.tick(due)
    assert isinstance(close, Close)
    assert "did not answer" in close.reason
    assert session.state is State.ENDED


def test_two_silent_keepalive_intervals_end_a_running_session() -> None:
    session = running()
    assert session.due() == plus(T0, 2)
    session.receive(encode(Message("KEEPALIVE", 1)), plus(T0, 1.5))
    assert session.tick(plus(T0, 3)) == []
    [close] = session.tick(plus(T0, 3.5))
    assert isinstance(close, Close)
    assert "silent for 2 s" in close.reason


def test_bytes_that_make_no_message_are_no_sign_of_life() -> None:
    session = running()
    lying = bytes.fromhex("043d000fffff00000001")
    assert session.receive(lying, plus(T0, 1.9)) == []
    assert isinstance(session.tick(plus(T0, 2))[0], Close)


def test_after_the_end_nothing_more_is_said() -> None:
    session = running()
    assert session.closed("cut") == [LinkDown("cut")]
    assert session.receive(encode(Message("KEEPALIVE", 1)), T0) == []
    assert session.tick(plus(T0, 100)) == []


def test_a_reader_that_says_goodbye_is_believed() -> None:
    assert running().receive(notice({"ConnectionCloseEvent": {}}), T0) == [Close("the reader closed the connection")]


def test_an_antenna_the_reader_does_not_have_is_named() -> None:
    session, out = greeted(LlrpConfig(antennas=(1, 5), version_max=1))
    [close] = session.receive(reply(sent(out)[0]), T0)
    assert isinstance(close, Close)
    assert "antenna 5, the reader has 4" in close.reason


# --- reads -----------------------------------------------------------------------------------------------------------

ROW: Params = {
    "EPC_96": "3034" + "00" * 9 + "01",
    "AntennaID": 2,
    "PeakRSSI": -60,
    "FirstSeenTimestampUTC": UTC,
    "LastSeenTimestampUTC": UTC + 5,
    "TagSeenCount": 3,
}


def test_a_tag_report_is_a_read_in_the_readers_own_time() -> None:
    [read] = running().receive(report(ROW), T0)
    code = epc("3034" + "00" * 9 + "01")
    assert read == TagRead(code, 2, -60, Instant(UTC), Instant(UTC + 5), 3)


def test_an_absent_parameter_means_as_in_the_last_report() -> None:
    session = running()
    first, second = session.receive(report(ROW, {"EPCData": "3035" * 8}), T0)
    [third] = session.receive(report({"EPCData": "3036" * 8, "PeakRSSI": -70}), T0)
    assert isinstance(first, TagRead)
    assert second == TagRead(epc("3035" * 8), 2, -60, Instant(UTC), Instant(UTC + 5), 3)
    assert third == TagRead(epc("3036" * 8), 2, -70, Instant(UTC), Instant(UTC + 5), 3)


@pytest.mark.parametrize(
    "change", [{"EPC_96": None, "EPCData": "E2/7"}, {"AntennaID": 0}, {"FirstSeenTimestampUTC": (1 << 64) - 1}]
)
def test_a_report_that_makes_no_read_is_a_bad_frame_and_the_next_one_counts(change: dict[str, object]) -> None:
    row = {key: value for key, value in {**ROW, **change}.items() if value is not None}
    bad, good = running().receive(report(row, ROW), T0)  # type: ignore[arg-type]  # the values are JSON
    assert isinstance(bad, BadFrame)
    assert isinstance(good, TagRead)


def test_a_round_ends_with_the_antennas_that_were_there() -> None:
    session = running()
    ended = notice({"AISpecEvent": {"EventType": 0, "ROSpecID": 1, "SpecIndex": 1}}, UTC + 60)
    lost = notice({"AntennaEvent": {"EventType": 0, "AntennaID": 2}})
    back = notice({"AntennaEvent": {"EventType": 1, "AntennaID": 2}})
    assert session.receive(ended, T0) == [RoundEnded(Instant(UTC + 60), (1, 2))]
    assert session.receive(lost + ended, T0) == [
        AntennaChanged(2, connected=False, at=Instant(UTC)),
        RoundEnded(Instant(UTC + 60), (1,)),
    ]
    assert session.receive(back + ended, T0)[1] == RoundEnded(Instant(UTC + 60), (1, 2))


def test_an_antenna_that_nobody_uses_is_no_news() -> None:
    session = running()
    empty = b"".join(notice({"AntennaEvent": {"EventType": 0, "AntennaID": each}}) for each in (0, 3, 4, 65_535))
    assert session.receive(empty, T0) == []
    assert session.memory.lost_antennas == set()


def test_the_end_of_somebody_elses_round_is_not_ours() -> None:
    other = notice({"AISpecEvent": {"EventType": 0, "ROSpecID": 2, "SpecIndex": 1}})
    assert running().receive(other, T0) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"antennas": ()},
        {"antennas": (0,)},
        {"antennas": (1,), "round_ms": 0},
        {"antennas": (1,), "round_ms": 100, "inventory_ms": 101},
        {"antennas": (1,), "keepalive_ms": 1},
        {"antennas": (1,), "request_timeout_s": 0},
        {"antennas": (1,), "rospec_id": 0},
    ],
)
def test_a_configuration_that_cannot_work_is_not_made(wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        LlrpConfig(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_a_session_fed_with_mutated_messages_raises_nothing() -> None:
    chance = random.Random(3)
    event: Params = {
        "AISpecEvent": {"EventType": 0, "ROSpecID": 1, "SpecIndex": 1},
        "AntennaEvent": {"EventType": 0, "AntennaID": 1},
        "GPIEvent": {"GPIPortNumber": 1, "GPIEvent": True},
        "ReaderExceptionEvent": {"Message": "too hot", "AntennaID": 1},
    }
    result: Params = {"C1G2ReadOpSpecResult": {"Result": 0, "OpSpecID": 2, "ReadData": "CAFE"}}
    originals = [
        report(ROW, ROW),
        report({**ROW, "AccessSpecID": 1, "AccessCommandOpSpecResult": [result]}),
        encode(Message("SET_READER_CONFIG_RESPONSE", 1, status())),
        encode(Message("ADD_ACCESSSPEC_RESPONSE", 1, status(100, "no"))),
        notice(event),
        notice({"ConnectionAttemptEvent": 0}),
        encode(Message("KEEPALIVE", 1)),
    ]
    session = running()
    for each in range(20_000):
        raw = bytearray(chance.choice(originals))
        for _ in range(chance.randint(1, 3)):
            raw[chance.randrange(6, len(raw))] = chance.randrange(256)
        now = plus(T0, each / 1000)
        session.receive(bytes(raw), now)
        if each % 7 == 0:
            session.access(AccessOrder("E2801105", 3, 0, words=1), now)
        session.set_output(1, now, on=True)
        session.tick(now)
        session = session if session.state is State.RUNNING else running()
