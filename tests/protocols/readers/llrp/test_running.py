"""The LLRP session against hand-made answers: versions, what is there at connect, what is asked of a running reader."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadValue
from protocols.readers.access import AccessOrder
from protocols.readers.llrp.access import ACCESS_SPEC_ID
from protocols.readers.llrp.codec import LlrpDecoder, encode
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.jobs import JOBS_MAX
from protocols.readers.llrp.memory import OLD_FOR_S, RECENT_READS_MAX, ReaderMemory
from protocols.readers.llrp.messages import Message, nested, number_at, response_of, rows_at
from protocols.readers.llrp.opening import request_of
from protocols.readers.llrp.radio import Abilities, antenna_settings, unfit
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.llrp.states import State
from protocols.readers.llrp.uptime import UptimeClock
from protocols.readers.outcomes import Close, Outcome, Send
from protocols.readers.radio import Radio
from protocols.readers.reads import (
    AccessDone,
    AntennaChanged,
    CommandRefused,
    InputChanged,
    LinkDown,
    LinkUp,
    ReaderTrouble,
    RoundEnded,
    TagRead,
)
from protocols.values.ids import epc
from protocols.values.instant import Instant, plus

T0 = Instant(1_000_000)
UTC = 1_772_438_400_000_000
CONFIG = LlrpConfig(antennas=(1, 2), round_ms=60_000, keepalive_ms=1_000)
TID = "E280110520001234"
CHINA_KHZ = [920_625 + 250 * each for each in range(16)]


def general(*, utc: bool = True) -> Params:
    return {
        "MaxNumberOfAntennaSupported": 4,
        "CanSetAntennaProperties": False,
        "HasUTCClockCapability": utc,
        "DeviceManufacturerName": 0,
        "ModelName": 0,
        "ReaderFirmwareVersion": "1",
        "ReceiveSensitivityTableEntry": [{"Index": 1, "ReceiveSensitivityValue": 0}],
        "GPIOCapabilities": {"NumGPIs": 2, "NumGPOs": 2},
        "PerAntennaAirProtocol": [{"AntennaID": 1, "ProtocolID": [1]}],
    }


def status(code: int = 0) -> Params:
    return {"LLRPStatus": {"StatusCode": code, "ErrorDescription": ""}}


ACCEPTING: Mapping[str, Params] = {
    "GET_SUPPORTED_VERSION": {**status(), "CurrentVersion": 1, "SupportedVersion": 2},
    "GET_READER_CAPABILITIES": {**status(), "GeneralDeviceCapabilities": general()},
}


class Talk:
    """A reader that answers as it is told: `answers` by request; an absent one accepts, None says nothing."""

    def __init__(
        self,
        config: LlrpConfig = CONFIG,
        memory: ReaderMemory | None = None,
        answers: Mapping[str, Params | None] | None = None,
        began: Instant = T0,
    ) -> None:
        self.session = LlrpSession(config, memory or ReaderMemory())
        self.answers: dict[str, Params | None] = {**ACCEPTING, **(answers or {})}
        self.asked: list[Message] = []
        self.seen: list[Outcome] = []
        self.now = began
        self.do(self.session.opened(began))

    def greet(self, stamp: Params | None = None) -> "Talk":
        return self.hear({"ConnectionAttemptEvent": 0}, stamp)

    def hear(self, event: Params, stamp: Params | None = None) -> "Talk":
        said = {**(stamp or {"UTCTimestamp": UTC}), **event}
        self.say("READER_EVENT_NOTIFICATION", {"ReaderEventNotificationData": said})
        return self

    def say(self, type_name: str, params: Params, message_id: int = 99) -> None:
        self.do(self.session.receive(encode(Message(type_name, message_id, params)), self.now))

    def do(self, outcomes: list[Outcome]) -> None:
        self.seen += [each for each in outcomes if not isinstance(each, Send)]
        for each in outcomes:
            if isinstance(each, Send):
                [request] = LlrpDecoder().receive(each.data)
                assert isinstance(request, Message)
                self.asked.append(request)
                self.answer(request)

    def answer(self, request: Message) -> None:
        params = self.answers.get(request.type_name, status())
        if params is None or not response_of(request.type_name):
            return
        is_status = set(params) == {"LLRPStatus"} and params != status()
        name = "ERROR_MESSAGE" if is_status else response_of(request.type_name)
        self.do(self.session.receive(encode(Message(name, request.id, params, request.version)), self.now))

    def names(self) -> list[str]:
        return [each.type_name for each in self.asked]

    def last(self) -> Message:
        return self.asked[-1]


# --- versions --------------------------------------------------------------------------------------------------------


def test_a_reader_that_speaks_the_newer_version_is_spoken_to_in_it() -> None:
    talk = Talk().greet()
    assert talk.session.state is State.RUNNING
    assert {each.version for each in talk.asked} == {2}


@pytest.mark.parametrize(
    "answers",
    [
        {"GET_SUPPORTED_VERSION": status(109)},
        {"GET_SUPPORTED_VERSION": {**status(), "CurrentVersion": 1, "SupportedVersion": 1}},
        {"SET_PROTOCOL_VERSION": status(110)},
    ],
)
def test_a_reader_of_the_old_version_is_spoken_to_in_the_old(answers: dict[str, Params | None]) -> None:
    talk = Talk(answers=answers).greet()
    assert talk.session.state is State.RUNNING
    settled = talk.names().index("GET_READER_CAPABILITIES")
    assert {each.version for each in talk.asked[settled:]} == {1}


def test_a_reader_that_falls_silent_over_the_question_is_not_asked_again() -> None:
    memory = ReaderMemory()
    talk = Talk(memory=memory, answers={"GET_SUPPORTED_VERSION": None}).greet()
    assert isinstance(talk.session.tick(plus(T0, 10))[0], Close)
    again = Talk(memory=memory).greet()
    assert again.session.state is State.RUNNING
    assert "GET_SUPPORTED_VERSION" not in again.names()
    later = Talk(memory=memory, began=plus(T0, OLD_FOR_S + 10)).greet()
    assert later.names()[0] == "GET_SUPPORTED_VERSION"


def test_a_reader_that_serves_another_client_is_left_in_peace_for_longer_each_time() -> None:
    memory = ReaderMemory()
    pauses = []
    for _ in range(6):
        [end] = Talk(memory=memory).hear({"ConnectionAttemptEvent": 2}).seen
        assert isinstance(end, Close)
        pauses.append(end.pause_s)
    assert pauses == [0.5, 1, 2, 4, 4, 4]
    Talk(memory=memory).greet()
    [end] = Talk(memory=memory).hear({"ConnectionAttemptEvent": 1}).seen
    assert isinstance(end, Close)
    assert end.pause_s == 0.5


@pytest.mark.parametrize(("session", "proves"), [(None, True), (0, True), (1, True), (2, False), (3, False)])
def test_a_round_of_tags_that_stay_quiet_proves_no_silence(session: int | None, proves: bool) -> None:
    talk = Talk(LlrpConfig(antennas=(1, 2), keepalive_ms=1_000, radio=Radio(session=session))).greet()
    talk.hear({"AISpecEvent": {"EventType": 0, "ROSpecID": 1, "SpecIndex": 0}})
    assert isinstance(talk.seen[-1], RoundEnded)
    assert talk.seen[-1].proves_silence is proves


# --- what is there at connect ----------------------------------------------------------------------------------------


def antennas(*there: bool) -> Params:
    rows: list[Value] = [
        {"AntennaConnected": each, "AntennaID": number, "AntennaGain": 0} for number, each in enumerate(there, start=1)
    ]
    return {**status(), "AntennaProperties": rows}


def test_an_antenna_unplugged_at_connect_is_lost_until_it_is_back() -> None:
    memory = ReaderMemory()
    talk = Talk(memory=memory, answers={"GET_READER_CONFIG": antennas(True, False)}).greet()
    talk.hear({"AISpecEvent": {"EventType": 0, "ROSpecID": 1, "SpecIndex": 1}})
    assert talk.seen == [
        AntennaChanged(2, connected=False, at=Instant(UTC)),
        LinkUp(Instant(UTC)),
        RoundEnded(Instant(UTC), (1,)),
    ]
    again = Talk(memory=memory, answers={"GET_READER_CONFIG": antennas(True, True)}).greet()
    assert again.seen[0] == AntennaChanged(2, connected=True, at=Instant(UTC))


def test_a_reader_that_tells_nothing_of_its_antennas_is_used() -> None:
    assert Talk(answers={"GET_READER_CONFIG": status(109)}).greet().session.state is State.RUNNING


def test_a_reader_that_will_not_delete_all_rospecs_is_cleared_one_by_one() -> None:
    config = LlrpConfig(antennas=(1,))
    trigger: Params = {"ROSpecStartTrigger": {"ROSpecStartTriggerType": 0}}
    stop: Params = {"ROSpecStopTrigger": {"ROSpecStopTriggerType": 0, "DurationTriggerValue": 0}}
    inventory: Params = {
        "AntennaIDs": [1],
        "AISpecStopTrigger": {"AISpecStopTriggerType": 0, "DurationTrigger": 0},
        "InventoryParameterSpec": [{"InventoryParameterSpecID": 1, "ProtocolID": 1}],
    }
    rows: list[Value] = [
        {
            "ROSpecID": number,
            "Priority": 0,
            "CurrentState": 0,
            "ROBoundarySpec": {**trigger, **stop},
            "SpecParameter": [{"AISpec": inventory}],
        }
        for number in (7, 9)
    ]

    class Picky(Talk):
        def answer(self, request: Message) -> None:
            refuses = request.type_name == "DELETE_ROSPEC" and number_at(request.params, "ROSpecID") == 0
            self.answers["DELETE_ROSPEC"] = status(100) if refuses else status()
            super().answer(request)

    talk = Picky(config, answers={"GET_ROSPECS": {**status(), "ROSpec": rows}}).greet()
    deleted = [number_at(each.params, "ROSpecID") for each in talk.asked if each.type_name == "DELETE_ROSPEC"]
    assert deleted == [0, 9, 7]
    assert talk.session.state is State.RUNNING


def test_a_door_is_told_at_connect_and_when_it_moves() -> None:
    config = LlrpConfig(antennas=(1,), inputs=(1,))
    ports: Params = {**status(), "GPIPortCurrentState": [{"GPIPortNum": 1, "Config": True, "State": 1}]}
    talk = Talk(config, answers={"GET_READER_CONFIG": ports}).greet()
    talk.hear({"GPIEvent": {"GPIPortNumber": 1, "GPIEvent": False}})
    assert [each for each in talk.seen if isinstance(each, InputChanged)] == [
        InputChanged(1, high=True, at=Instant(UTC)),
        InputChanged(1, high=False, at=Instant(UTC)),
    ]
    [request] = [each for each in talk.asked if each.type_name == "SET_READER_CONFIG"]
    assert rows_at(request.params, "GPIPortCurrentState") == [{"GPIPortNum": 1, "Config": True, "State": 2}]


# --- health ----------------------------------------------------------------------------------------------------------


def test_what_the_reader_complains_of_is_told() -> None:
    talk = Talk().greet()
    talk.hear({"ReaderExceptionEvent": {"Message": "too hot", "AntennaID": 2}})
    talk.hear({"ReportBufferOverflowErrorEvent": {}})
    talk.hear({"ConnectionAttemptEvent": 4})
    troubles = [each for each in talk.seen if isinstance(each, ReaderTrouble)]
    assert troubles[0] == ReaderTrouble("the reader reports: too hot", 2, Instant(UTC))
    assert [each.said.split()[0] for each in troubles[1:]] == ["the", "another"]
    talk.hear({"ReaderExceptionEvent": {"Message": "过热\n\x1b[2Jall is well"}})
    assert talk.seen[-1] == ReaderTrouble("the reader reports: 过热··[2Jall is well", None, Instant(UTC))
    assert talk.session.state is State.RUNNING


def test_a_stopped_session_says_goodbye_and_ends_when_that_is_answered() -> None:
    talk = Talk(answers={"CLOSE_CONNECTION": None}).greet()
    talk.do(talk.session.stop(T0))
    assert talk.names()[-1] == "CLOSE_CONNECTION"
    talk.say("CLOSE_CONNECTION_RESPONSE", status(), talk.last().id)
    assert talk.seen[-1] == Close("stopped")
    assert talk.session.state is State.ENDED
    assert talk.session.stop(T0) == []


def test_a_session_stopped_before_it_runs_just_ends() -> None:
    talk = Talk()
    assert talk.session.stop(T0) == [Close("stopped")]


# --- uptime ----------------------------------------------------------------------------------------------------------


def test_a_reader_with_only_an_uptime_is_used_where_our_clock_is_known() -> None:
    answers: dict[str, Params | None] = {
        "GET_READER_CAPABILITIES": {**status(), "GeneralDeviceCapabilities": general(utc=False)}
    }
    refused = Talk(answers=answers).greet({"Uptime": 5})
    assert isinstance(refused.seen[-1], Close)
    config = LlrpConfig(antennas=(1,), story_at=lambda now: Instant(UTC + now))
    talk = Talk(config, answers=answers).greet({"Uptime": 400})
    talk.now = Instant(T0 + 200)
    row: Params = {"EPC_96": "30" * 12, "AntennaID": 1, "FirstSeenTimestampUptime": 500}
    talk.say("RO_ACCESS_REPORT", {"TagReportData": [row]})
    talk.hear({"AISpecEvent": {"EventType": 0, "ROSpecID": 1, "SpecIndex": 1}}, {"Uptime": 600})
    read, ended = talk.seen[-2:]
    assert isinstance(read, TagRead)
    assert isinstance(ended, RoundEnded)
    assert read.first_seen == UTC + T0 + 100
    assert read.first_seen < ended.at <= UTC + T0 + 200


@given(st.lists(st.integers(0, 5_000_000), min_size=1, max_size=50))
def test_an_uptime_origin_is_never_later_than_the_quickest_message_says_and_drift(delays: list[int]) -> None:
    clock, origins = UptimeClock(), []
    for each, delay in enumerate(delays):
        uptime = each * 1_000_000
        origins.append(clock.learn(uptime, Instant(UTC + uptime + delay)))
    drift = 100 * (len(delays) + 5)
    assert UTC + min(delays) <= origins[-1] <= UTC + min(delays) + drift


# --- reads told twice ------------------------------------------------------------------------------------------------


def row_at(moment: int) -> Params:
    return {"EPC_96": "30" * 12, "AntennaID": 1, "FirstSeenTimestampUTC": moment, "LastSeenTimestampUTC": moment}


def test_reports_told_again_after_a_reconnect_are_taken_once() -> None:
    memory = ReaderMemory()
    first = Talk(memory=memory).greet()
    first.say("RO_ACCESS_REPORT", {"TagReportData": [row_at(UTC), row_at(UTC + 1)]})
    again = Talk(memory=memory).greet()
    again.say("RO_ACCESS_REPORT", {"TagReportData": [row_at(UTC + 1), row_at(UTC + 2)]})
    again.say("RO_ACCESS_REPORT", {"TagReportData": [row_at(UTC)]})
    again.say("RO_ACCESS_REPORT", {"TagReportData": [row_at(UTC + 3)]})
    reads = [each.first_seen - UTC for each in first.seen + again.seen if isinstance(each, TagRead)]
    assert reads == [0, 1, 2, 3]


def test_a_read_told_again_with_another_level_or_count_is_the_same_read() -> None:
    memory = ReaderMemory()
    Talk(memory=memory).greet().say("RO_ACCESS_REPORT", {"TagReportData": [{**row_at(UTC), "PeakRSSI": -60}]})
    again = Talk(memory=memory).greet()
    again.say("RO_ACCESS_REPORT", {"TagReportData": [{**row_at(UTC), "PeakRSSI": -40, "TagSeenCount": 9}]})
    assert not [each for each in again.seen if isinstance(each, TagRead)]


def test_a_memory_does_not_grow_without_end() -> None:
    memory = ReaderMemory()
    reads = [TagRead(epc("3034"), 1, None, Instant(each), Instant(each)) for each in range(1, 1000)]
    for _ in range(2 * RECENT_READS_MAX // len(reads) + 1):
        memory.new(reads)
    assert len(memory._recent) == RECENT_READS_MAX


# --- radio -----------------------------------------------------------------------------------------------------------

ABLE = Abilities(
    antennas=4,
    can_target=True,
    powers=tuple((each + 1, 10.0 + each) for each in range(21)),
    modes=(2, 5),
    hop_tables=((3, (902_750, 903_250)), (4, tuple(CHINA_KHZ))),
)


def test_powers_and_tables_are_numbers_of_the_readers_own() -> None:
    radio = Radio(powers_dbm=((1, 20.5), (2, 30.0)), mode=5, session=2, target="A", population=100)
    assert unfit(ABLE, radio, (1, 2)) == ""
    first, second = antenna_settings(ABLE, radio, (1, 2))
    assert first["RFTransmitter"] == {"HopTableID": 4, "ChannelIndex": 0, "TransmitPower": 11}
    assert number_at(second, "RFTransmitter", "TransmitPower") == 21
    config = LlrpConfig(antennas=(1, 2), radio=radio)
    request = request_of(State.ADDING, config, ABLE, 0)
    assert request is not None
    assert encode(Message(request[0], 1, request[1]))


def test_a_channel_inside_the_region_is_chosen_where_the_reader_does_not_hop() -> None:
    able = Abilities(powers=((1, 10.0),), fixed_khz=(915_000, 922_250))
    [row] = antenna_settings(able, Radio(powers_dbm=((1, 10.0),)), (1,))
    assert nested(row, "RFTransmitter") == {"HopTableID": 0, "ChannelIndex": 2, "TransmitPower": 1}


@pytest.mark.parametrize(
    ("radio", "said"),
    [
        (Radio(mode=9), "no mode 9, it has 2, 5"),
        (Radio(powers_dbm=((1, 9.0),)), "its lowest is 10 dBm"),
    ],
)
def test_what_the_reader_cannot_do_is_said(radio: Radio, said: str) -> None:
    assert said in unfit(ABLE, radio, (1,))


def test_a_reader_of_another_region_is_refused() -> None:
    able = Abilities(hop_tables=((1, (902_750, 927_250)),))
    assert "region CN allows 920 to 925 MHz" in unfit(able, Radio(), (1,))
    assert unfit(able, Radio(region=""), (1,)) == ""


@pytest.mark.parametrize(
    "wrong", [{"region": "US"}, {"session": 4}, {"target": "C"}, {"population": 0}, {"powers_dbm": ((1, 99.0),)}]
)
def test_a_radio_that_cannot_be_is_not_made(wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        Radio(**wrong)  # type: ignore[arg-type]  # wrong on purpose


# --- outputs and tags ------------------------------------------------------------------------------------------------


def test_an_output_is_switched_and_a_refusal_does_not_end_the_session() -> None:
    talk = Talk().greet()
    talk.do(talk.session.set_output(2, T0, on=True))
    assert rows_at(talk.last().params, "GPOWriteData") == [{"GPOPortNumber": 2, "GPOData": True}]
    talk.answers["SET_READER_CONFIG"] = status(101)
    talk.do(talk.session.set_output(3, T0, on=True))
    assert talk.seen[-1] == CommandRefused("output 3", "SET_READER_CONFIG: M_FieldError")
    assert talk.session.state is State.RUNNING


def test_what_waits_for_a_slow_reader_is_limited() -> None:
    talk = Talk().greet()
    talk.answers["SET_READER_CONFIG"] = None
    for _ in range(JOBS_MAX + 1):
        talk.do(talk.session.set_output(1, T0, on=True))
    assert isinstance(talk.seen[-1], CommandRefused)
    assert talk.names().count("SET_READER_CONFIG") == 2
    *refused, end = talk.session.tick(plus(T0, 10))
    assert refused == [CommandRefused("output 1", "the connection is gone")] * JOBS_MAX
    assert isinstance(end, Close)


def test_an_order_whose_link_is_lost_ends_once() -> None:
    talk = Talk().greet()
    talk.do(talk.session.access(ORDER, T0))
    done, down = talk.session.closed("unplugged")
    assert done == AccessDone(TID, ok=False, data="", reason="the connection is gone")
    assert down == LinkDown("unplugged")


def result(*rows: Params) -> Params:
    return {"TagReportData": [{**row_at(UTC), "AccessSpecID": ACCESS_SPEC_ID, "AccessCommandOpSpecResult": list(rows)}]}


def wrote(code: int = 0) -> Params:
    return {"C1G2WriteOpSpecResult": {"Result": code, "OpSpecID": 1, "NumWordsWritten": 2}}


def read(data: str, code: int = 0) -> Params:
    return {"C1G2ReadOpSpecResult": {"Result": code, "OpSpecID": 2, "ReadData": data}}


ORDER = AccessOrder(TID, bank=3, word=4, data="CAFE0001", password=0x1234)


@pytest.mark.parametrize(
    ("rows", "done"),
    [
        ((wrote(), read("CAFE0001")), AccessDone(TID, ok=True, data="CAFE0001")),
        ((wrote(), read("CAFE0000")), AccessDone(TID, False, "CAFE0000", "wrote CAFE0001, read back CAFE0000")),
        ((wrote(7),), AccessDone(TID, False, "", "not written: Incorrect_Password_Error")),
        ((wrote(), read("", 2)), AccessDone(TID, False, "", "not read: No_Response_From_Tag")),
        ((wrote(),), AccessDone(TID, False, "", "the words were not read back")),
    ],
)
def test_a_tag_is_written_only_when_it_reads_back(rows: tuple[Params, ...], done: AccessDone) -> None:
    talk = Talk().greet()
    talk.do(talk.session.access(ORDER, T0))
    assert talk.names()[-3:] == ["DELETE_ACCESSSPEC", "ADD_ACCESSSPEC", "ENABLE_ACCESSSPEC"]
    [target] = rows_at(talk.asked[-2].params, "AccessSpec", "AccessCommand", "C1G2TagSpec", "C1G2TargetTag")
    assert (target["MB"], target["TagData"]) == (2, TID)
    talk.say("RO_ACCESS_REPORT", result(*rows))
    assert isinstance(talk.seen[-2], TagRead)
    assert talk.seen[-1] == done
    assert talk.names()[-1] == "DELETE_ACCESSSPEC"


def test_a_tag_that_is_not_met_is_given_up_and_its_spec_deleted() -> None:
    talk = Talk(LlrpConfig(antennas=(1,), keepalive_ms=60_000, access_timeout_s=3)).greet()
    talk.do(talk.session.access(AccessOrder(TID, bank=1, word=2, words=6), T0))
    talk.do(talk.session.set_output(1, T0, on=True))
    assert talk.names()[-1] == "ENABLE_ACCESSSPEC"
    assert talk.session.due() == plus(T0, 3)
    talk.do(talk.session.tick(plus(T0, 3)))
    assert talk.seen[-1] == AccessDone(TID, False, "", "the tag was not met within 3 s")
    assert talk.names()[-2:] == ["DELETE_ACCESSSPEC", "SET_READER_CONFIG"]


def test_rounds_go_on_while_a_tag_is_waited_for() -> None:
    talk = Talk(LlrpConfig(antennas=(1,), reader_starts=False)).greet()
    talk.do(talk.session.access(ORDER, T0))
    talk.hear({"ROSpecEvent": {"EventType": 1, "ROSpecID": 1, "PreemptingROSpecID": 0}})
    assert talk.names()[-1] == "START_ROSPEC"
    talk.say("RO_ACCESS_REPORT", result(wrote(), read("CAFE0001")))
    assert talk.seen[-1] == AccessDone(TID, True, "CAFE0001")


def test_a_refused_access_is_told_and_nothing_is_left_behind() -> None:
    talk = Talk(answers={"ADD_ACCESSSPEC": status(111)}).greet()
    talk.do(talk.session.access(ORDER, T0))
    assert talk.seen[-1] == AccessDone(TID, False, "", "ADD_ACCESSSPEC: M_UnsupportedParameter")
    assert talk.session._jobs.ordered is None
    assert talk.session.state is State.RUNNING


@pytest.mark.parametrize(
    "wrong",
    [
        {"tid": ""},
        {"tid": "e280"},
        {"bank": 4},
        {"bank": 2},
        {"data": "CA"},
        {"data": "", "words": 0},
        {"data": "", "words": 33},
        {"password": -1},
    ],
)
def test_an_order_that_cannot_be_is_not_made(wrong: dict[str, object]) -> None:
    with pytest.raises(BadValue):
        AccessOrder(**{"tid": TID, "bank": 3, "word": 0, "data": "CAFE"} | wrong)  # type: ignore[arg-type]  # on purpose
