"""The simulated reader's tag memories, inputs and outputs: its own rules, and our session using them."""

import random
from collections.abc import Callable

import pytest

from hardware_sim.devices.device import Heard
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.llrp_answers import ACCESSSPECS_MAX
from hardware_sim.devices.tag_memory import TagMemory
from protocols.readers.access import AccessOrder
from protocols.readers.llrp import access, requests
from protocols.readers.llrp.codec import LlrpDecoder, encode
from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import Message, number_at, rows_at
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.outcomes import Outcome, Send
from protocols.readers.reads import AccessDone, CommandRefused, InputChanged, RoundEnded, TagRead
from protocols.values.instant import Instant, plus

LINK0 = Instant(5_000_000)
STORY0 = Instant(1_772_438_400_000_000)
A, B = "3034" + "0" * 19 + "1", "3034" + "0" * 19 + "2"
TID_A, TID_B = "E2801105200000A1", "E2801105200000B2"
SECRET = 0x1234_5678
MUTATIONS = 5_000


def hear(at: Instant, antennas: tuple[int, ...]) -> list[Heard]:
    del at
    return [(code, each, -50, 1) for each in antennas for code in (A, B)]


class Room:
    """A reader with two tags that can be written, and our session on an ideal link; a round takes a second."""

    def __init__(self, config: LlrpConfig | None = None) -> None:
        self.tags = {A: TagMemory(A, TID_A), B: TagMemory(B, TID_B, access_password=SECRET, locked=True)}
        self.device = LlrpReaderDevice(hear, tags=self.tags)
        self.session = LlrpSession(
            config or LlrpConfig(antennas=(1,), round_ms=1_000, keepalive_ms=60_000, inputs=(1,))
        )
        self.now, self.story = LINK0, STORY0
        self.seen: list[Outcome] = []
        self.do(self.session.opened(self.now))
        self.carry(self.device.connected(self.now, self.story))

    def do(self, outcomes: list[Outcome]) -> None:
        self.seen += [each for each in outcomes if not isinstance(each, Send)]
        asked = b"".join(each.data for each in outcomes if isinstance(each, Send))
        if asked:
            self.carry(self.device.receive(asked, self.now, self.story))

    def carry(self, data: bytes) -> None:
        if data:
            self.do(self.session.receive(data, self.now))

    def run(self, seconds: int) -> None:
        for _ in range(seconds):
            self.now, self.story = plus(self.now, 1), plus(self.story, 1)
            self.carry(self.device.tick(self.now, self.story))
            self.do(self.session.tick(self.now))

    def done(self, order: AccessOrder) -> AccessDone:
        self.do(self.session.access(order, self.now))
        self.run(15)
        [done] = [each for each in self.seen if isinstance(each, AccessDone)]
        self.seen.clear()
        return done


def test_user_memory_is_written_read_back_and_only_on_the_tag_named() -> None:
    room = Room()
    assert room.done(AccessOrder(TID_A, bank=3, word=1, data="CAFE0001")) == AccessDone(TID_A, True, "CAFE0001")
    assert room.tags[A].banks[3].hex().upper() == "0000CAFE00010000"
    assert not any(room.tags[B].banks[3])
    assert room.done(AccessOrder(TID_A, bank=3, word=0, words=4)).data == "0000CAFE00010000"


def test_a_new_epc_is_what_the_tag_says_from_then_on() -> None:
    room = Room()
    renewed = "3035" + "0" * 19 + "9"
    assert room.done(AccessOrder(TID_A, bank=1, word=2, data=renewed)).ok
    room.run(2)
    assert {each.epc for each in room.seen if isinstance(each, TagRead)} == {renewed, B}


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (AccessOrder(TID_B, 3, 0, data="CAFE"), "not written: Tag_Memory_Locked_Error"),
        (AccessOrder(TID_B, 3, 0, data="CAFE", password=9), "not written: Incorrect_Password_Error"),
        (AccessOrder(TID_B, 0, 0, words=4), "not read: Tag_Memory_Locked_Error"),
        (AccessOrder(TID_A, 3, 3, data="CAFECAFE"), "not written: Tag_Memory_Overrun_Error"),
        (AccessOrder(TID_A, 3, 3, words=2), "not read: Tag_Memory_Overrun_Error"),
        (AccessOrder("E280110520000000", 3, 0, words=1), "the tag was not met within 10 s"),
    ],
)
def test_what_a_tag_refuses_is_told_and_leaves_nothing_behind(order: AccessOrder, said: str) -> None:
    room = Room()
    assert room.done(order) == AccessDone(order.tid, False, "", said)
    assert not any(room.tags[A].banks[3] + room.tags[B].banks[3])
    [specs] = ask(room.device, "GET_ACCESSSPECS")
    assert rows_at(specs.params, "AccessSpec") == []


def test_the_access_password_opens_a_locked_tag() -> None:
    assert Room().done(AccessOrder(TID_B, 3, 0, data="CAFE", password=SECRET)).ok


def test_rounds_go_on_while_memory_is_read_and_written() -> None:
    room = Room(LlrpConfig(antennas=(1,), round_ms=1_000, keepalive_ms=60_000, reader_starts=False))
    room.do(room.session.access(AccessOrder(TID_A, 3, 0, data="CAFE"), room.now))
    room.run(5)
    assert any(isinstance(each, AccessDone) and each.ok for each in room.seen)
    assert sum(isinstance(each, RoundEnded) for each in room.seen) >= 4


def test_a_door_tells_when_it_moves_and_not_when_it_stands() -> None:
    room = Room()
    for high in (True, True, False):
        room.carry(room.device.switch_input(1, room.story, high=high))
    room.carry(room.device.switch_input(2, room.story, high=True))  # nobody asked for this one
    assert [each.high for each in room.seen if isinstance(each, InputChanged)] == [False, True, False]


def test_a_light_is_switched_and_a_light_that_is_not_there_is_refused() -> None:
    room = Room()
    room.do(room.session.set_output(2, room.now, on=True))
    assert room.device.ports.lit == {1: False, 2: True, 3: False, 4: False}
    room.do(room.session.set_output(9, room.now, on=True))
    assert isinstance(room.seen[-1], CommandRefused)


def test_a_rospec_that_waits_for_a_door_runs_while_it_is_open() -> None:
    device = connected()
    name, params = requests.add_rospec(LlrpConfig(antennas=(1,)))
    rospec = {**params["ROSpec"]} if isinstance(params["ROSpec"], dict) else {}
    door: Params = {"GPIPortNum": 1, "GPIEvent": True, "Timeout": 0}
    shut: Params = {"GPIPortNum": 1, "GPIEvent": False, "Timeout": 0}
    rospec["ROBoundarySpec"] = {
        "ROSpecStartTrigger": {"ROSpecStartTriggerType": 3, "GPITriggerValue": door},
        "ROSpecStopTrigger": {"ROSpecStopTriggerType": 2, "DurationTriggerValue": 0, "GPITriggerValue": shut},
    }
    ask(device, name, {"ROSpec": rospec})
    ask(device, "ENABLE_ROSPEC", {"ROSpecID": 1})
    assert device.tick(LINK0, plus(STORY0, 5)) == b""
    device.switch_input(1, plus(STORY0, 5), high=True)
    assert code_of(device, "START_ROSPEC", {"ROSpecID": 1}) == 101  # it runs already
    reports = said(device.switch_input(1, plus(STORY0, 6), high=False))
    assert [len(rows_at(each.params, "TagReportData")) for each in reports] == [2]


# --- the rules of real readers ---------------------------------------------------------------------------------------


def said(raw: bytes) -> list[Message]:
    return [each for each in LlrpDecoder().receive(raw) if isinstance(each, Message)]


def ask(device: LlrpReaderDevice, type_name: str, params: Params | None = None) -> list[Message]:
    return said(device.receive(encode(Message(type_name, 3, params or {})), LINK0, STORY0))


def connected() -> LlrpReaderDevice:
    device = LlrpReaderDevice(hear, tags={A: TagMemory(A, TID_A)})
    device.connected(LINK0, STORY0)
    return device


def code_of(device: LlrpReaderDevice, type_name: str, params: Params) -> int | None:
    return number_at(ask(device, type_name, params)[0].params, "LLRPStatus", "StatusCode")


def spec_of(number: int = 1, order: AccessOrder | None = None) -> Params:
    _, params = access.add_access_spec(order or AccessOrder(TID_A, 3, 0, words=1), 0)
    spec = params["AccessSpec"]
    assert isinstance(spec, dict)
    return {"AccessSpec": spec | {"AccessSpecID": number}}


def test_an_access_spec_goes_through_its_states_and_wrong_turns_are_refused() -> None:
    device = connected()
    assert code_of(device, "ADD_ACCESSSPEC", spec_of()) == 0
    assert code_of(device, "ADD_ACCESSSPEC", spec_of()) == 100
    assert code_of(device, "ENABLE_ACCESSSPEC", {"AccessSpecID": 2}) == 101
    assert code_of(device, "ENABLE_ACCESSSPEC", {"AccessSpecID": 0}) == 0
    [row] = rows_at(ask(device, "GET_ACCESSSPECS")[0].params, "AccessSpec")
    assert row["CurrentState"] == 1
    assert code_of(device, "DISABLE_ACCESSSPEC", {"AccessSpecID": 1}) == 0
    assert code_of(device, "DELETE_ACCESSSPEC", {"AccessSpecID": 1}) == 0
    assert code_of(device, "DELETE_ACCESSSPEC", {"AccessSpecID": 1}) == 101


def test_one_access_spec_too_many_is_refused_and_a_reset_forgets_all() -> None:
    device = connected()
    codes = [code_of(device, "ADD_ACCESSSPEC", spec_of(each)) for each in range(1, ACCESSSPECS_MAX + 2)]
    assert codes == [0] * ACCESSSPECS_MAX + [105]
    ask(device, "SET_READER_CONFIG", {"ResetToFactoryDefault": True})
    assert code_of(device, "DELETE_ACCESSSPEC", {"AccessSpecID": 1}) == 101


@pytest.mark.parametrize("make", [spec_of, lambda: spec_of(1, AccessOrder(TID_A, 1, 2, data="3035"))])
def test_mutated_requests_never_raise(make: Callable[[], Params]) -> None:
    chance = random.Random(8)
    raw = encode(Message("ADD_ACCESSSPEC", 1, make()))
    enable = encode(Message("ENABLE_ACCESSSPEC", 2, {"AccessSpecID": 0}))
    rospec = encode(Message(*_numbered(requests.add_rospec(LlrpConfig(antennas=(1,), round_ms=1_000)))))
    for _ in range(MUTATIONS // 50):
        device = connected()
        device.receive(rospec + encode(Message("ENABLE_ROSPEC", 4, {"ROSpecID": 0})), LINK0, STORY0)
        for each in range(50):
            broken = bytearray(raw)
            for _ in range(chance.randint(1, 3)):
                broken[chance.randrange(10, len(broken))] = chance.randrange(256)
            now = plus(STORY0, each)
            device.receive(bytes(broken) + enable, LINK0, now)
            device.tick(LINK0, now)
            device.receive(encode(Message("DELETE_ACCESSSPEC", 5, {"AccessSpecID": 0})), LINK0, now)


def _numbered(request: tuple[str, Params]) -> tuple[str, int, Params]:
    return request[0], 3, request[1]
