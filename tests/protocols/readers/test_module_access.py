"""Reading and writing tags' memory at serial modules, against small modules that keep the memory of two tags."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from protocols.errors import BadValue
from protocols.readers.access import AccessOrder
from protocols.readers.columns import Fields, Value
from protocols.readers.errands import ORDERS_MAX
from protocols.readers.m100 import codec as m100
from protocols.readers.m100.layout import NO_TAG
from protocols.readers.m100.session import M100Session
from protocols.readers.outcomes import Outcome, Send
from protocols.readers.reads import AccessDone, LinkDown, RoundEnded
from protocols.readers.uhfreader18.codec import Uhf18CommandDecoder, Uhf18Frame, encode_answer, encode_command
from protocols.readers.uhfreader18.session import Uhf18Session
from protocols.readers.use import ReaderUse
from protocols.values.instant import Instant, plus

T0 = Instant(1_000_000)
EPC, COPY = "3066C4409047E140075BCD15", "3066C4409047E140075BCD16"
TID_A, TID_B = "E280110520001234ABCDEF01", "E280110520001234ABCDEF02"
ADDRESS = 3


def tag(epc: str, tid: str) -> dict[int, str]:
    return {0: "0" * 16, 1: "00003000" + epc, 2: tid, 3: "0" * 32}


@dataclass
class Module:
    """Two tags; `asked` are the names of the commands it heard."""

    tags: list[dict[int, str]] = field(default_factory=lambda: [tag(EPC, TID_A), tag(COPY, TID_B)])
    asked: list[str] = field(default_factory=list)
    chosen: str = ""
    sticky: bool = False
    """Writing is answered as done and changes nothing."""
    several: bool = True

    def by_tid(self, tid: str) -> dict[int, str] | None:
        return next((each for each in self.tags if each[2].startswith(tid)), None)

    def read(self, found: dict[int, str], bank: int, word: int, words: int) -> str:
        return found[bank][4 * word : 4 * (word + words)]

    def write(self, found: dict[int, str], bank: int, word: int, data: str) -> None:
        if not self.sticky:
            found[bank] = found[bank][: 4 * word] + data + found[bank][4 * word + len(data) :]

    # M100

    def answer_m100(self, asked: m100.M100Frame) -> bytes:
        self.asked.append(asked.type)
        if asked.type in ("read_memory", "write_memory"):
            return self._m100_memory(asked)
        if asked.type == "set_select":
            assert asked.number("target") == 2
            self.chosen = str(asked.fields["mask"])
        return {
            "set_select": m100.encode("select_set", {"status": 0}),
            "set_select_mode": m100.encode("select_mode_set", {"status": 0}),
            "get_module_info": m100.encode("module_info", {"what": 0, "text": "M100"}),
            "set_region": m100.encode("region_set", {"status": 0}),
            "get_power": m100.encode("power", {"centi_dbm": 2600}),
            "poll_many": m100.encode("error", {"code": NO_TAG}),
            "stop": m100.encode("stopped", {"status": 0}),
        }[asked.type]

    def _m100_memory(self, asked: m100.M100Frame) -> bytes:
        found = self.by_tid(self.chosen)
        if found is None:
            return m100.encode("error", {"code": 0x09 if asked.type == "read_memory" else 0x10})
        told: Fields = {"pc_epc_length": 14, "pc": "3000", "epc": EPC}
        where = (asked.number("bank"), asked.number("word"))
        if asked.type == "write_memory":
            self.write(found, *where, str(asked.fields["words"]))
            return m100.encode("written", {**told, "status": 0})
        return m100.encode("memory", {**told, "words": self.read(found, *where, asked.number("words"))})

    # UHFReader18 and 288

    def answer_uhf18(self, asked: Uhf18Frame) -> bytes:
        self.asked.append(asked.type)
        info: Fields = {"version": "0102", "board": 9, "protocols": 2, "highest": 0x13, "lowest": 0x40, "dbm": 26}
        many: Fields = {"antennas": 1, "switches": "000000"} if self.several else {}
        match asked.type:
            case "get_info":
                name, status, fields = "info", 0, {**info, "scan_time": 10, **many}
            case "inventory" | "inventory_at":
                name, status, fields = "error", 0xFB, {}
            case "set_realtime" | "set_work_mode":
                name, status, fields = "done", 0, {}
            case _:
                name, status, fields = self._memory(asked)
        return encode_answer(name, asked.command, status, fields, address=asked.address)

    def _memory(self, asked: Uhf18Frame) -> tuple[str, int, dict[str, Value]]:
        masked = asked.type.endswith("mask")
        assert masked is self.several
        named = [each for each in self.tags if each[1][8:] == asked.fields.get("epc")]
        found = self.by_tid(str(asked.fields["mask"])) if masked else next(iter(named), None)
        if found is None:
            return "error", 0xFB, {}
        bank, word = asked.number("bank"), asked.number("word")
        if asked.type.startswith("write"):
            self.write(found, bank, word, str(asked.fields["data"]))
            return "done", 0, {}
        return "memory", 0, {"words": self.read(found, bank, word, asked.number("words"))}


class Line:
    """One session and one module, without a port; time passes as the session wants it to."""

    def __init__(self, kind: str, module: Module) -> None:
        use = ReaderUse(address=ADDRESS)
        self.session = M100Session(use) if kind == "m100" else Uhf18Session(use)
        self.decoder = m100.M100Decoder() if kind == "m100" else Uhf18CommandDecoder()
        self.answer = module.answer_m100 if kind == "m100" else module.answer_uhf18
        self.now, self.heard = T0, list[Outcome]()
        self.do(self.session.opened(T0))

    def do(self, outcomes: Sequence[Outcome]) -> None:
        for each in outcomes:
            if not isinstance(each, Send):
                self.heard.append(each)
                continue
            for frame in self.decoder.receive(each.data):
                self.do(self.session.receive(self.answer(frame), self.now))  # type: ignore[arg-type]

    def order(self, order: AccessOrder) -> AccessDone:
        self.do(self.session.access(order, self.now))
        self.rounds(1)
        [done] = [each for each in self.heard if isinstance(each, AccessDone)]
        self.heard.clear()
        return done

    def rounds(self, count: int) -> None:
        while sum(isinstance(each, RoundEnded) for each in self.heard) < count:
            self.now = self.session.due() or plus(self.now, 1)
            self.do(self.session.tick(self.now))


KINDS = [("m100", True), ("uhfreader18", True), ("uhfreader18", False)]


def line_of(kind: str, module: Module) -> Line:
    line = Line(kind, module)
    line.rounds(1)
    line.heard.clear()
    return line


@pytest.mark.parametrize(("kind", "several"), KINDS)
def test_memory_is_written_to_the_tag_with_the_tid_and_read_back(kind: str, several: bool) -> None:
    module = Module(several=several)
    line = line_of(kind, module)
    assert line.order(AccessOrder(TID_B, 3, 2, data="CAFE0001", epc=COPY)) == AccessDone(TID_B, True, "CAFE0001")
    assert module.tags[1][3][8:16] == "CAFE0001"
    assert module.tags[0] == tag(EPC, TID_A)
    assert line.order(AccessOrder(TID_B, 3, 1, words=3, epc=COPY)) == AccessDone(TID_B, True, "0000CAFE0001")


@pytest.mark.parametrize(("kind", "several"), KINDS)
def test_a_write_that_is_not_there_afterwards_is_told(kind: str, several: bool) -> None:
    line = line_of(kind, Module(several=several, sticky=True))
    done = line.order(AccessOrder(TID_A, 3, 0, data="CAFE", epc=EPC))
    assert done == AccessDone(TID_A, False, "0000", "wrote CAFE, read back 0000")


@pytest.mark.parametrize(("kind", "several"), KINDS)
def test_a_tag_that_is_not_there_ends_the_order_and_rounds_go_on(kind: str, several: bool) -> None:
    line = line_of(kind, Module(several=several))
    done = line.order(AccessOrder("E2801105FFFF", 3, 0, data="CAFE", epc="E200"))
    assert (done.ok, done.data) == (False, "")
    line.rounds(2)


@pytest.mark.parametrize(("kind", "several"), KINDS)
def test_a_new_epc_is_written_and_read_back(kind: str, several: bool) -> None:
    module = Module(several=several)
    done = line_of(kind, module).order(AccessOrder(TID_A, 1, 6, data="BEEF0001", epc=EPC))
    assert done == AccessDone(TID_A, True, "BEEF0001")
    assert module.tags[0][1] == "00003000" + EPC[:16] + "BEEF0001"


def test_a_copied_epc_is_not_written_where_the_tid_is_another() -> None:
    module = Module(several=False)
    done = line_of("uhfreader18", module).order(AccessOrder(TID_B, 3, 0, data="CAFE", epc=EPC))
    assert done == AccessDone(TID_B, False, "", f"the tag has the TID {TID_A}: nothing was done")
    assert module.tags[0] == tag(EPC, TID_A)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        (AccessOrder(TID_A, 3, 0, words=1), "can only be told an EPC"),
        (AccessOrder(TID_A, 1, 1, data="3000", epc=EPC), "inside the EPC"),
        (AccessOrder(TID_A, 3, 256, words=1, epc=EPC), "counts words up to 255"),
    ],
)
def test_what_a_board_cannot_be_told_is_refused_at_once(order: AccessOrder, said: str) -> None:
    done = line_of("uhfreader18", Module(several=False)).order(order)
    assert said in done.reason


@pytest.mark.parametrize("kind", ["m100", "uhfreader18"])
def test_orders_wait_within_a_limit_and_end_with_the_line(kind: str) -> None:
    line = Line(kind, Module())
    order = AccessOrder(TID_A, 3, 0, words=1)
    if line.session.state.name != "POLLING":
        line.rounds(0)
    before = Line(kind, Module()).session
    assert not [each for each in before.closed("gone") if isinstance(each, AccessDone)]
    for _ in range(ORDERS_MAX + 2):
        line.heard += line.session.access(order, line.now)
    line.heard += line.session.closed("gone")
    ended = [each for each in line.heard if isinstance(each, AccessDone)]
    assert len(ended) == ORDERS_MAX + 2
    assert line.heard[-1] == LinkDown("gone")
    [late] = line.session.access(order, line.now)
    assert isinstance(late, AccessDone)


def test_every_form_of_a_memory_command_is_told_by_its_fields() -> None:
    where: Fields = {"bank": 3, "word": 0, "words": 2, "password": "00000000"}
    by_epc = encode_command("read_by_epc", {**where, "epc_words": 6, "epc": EPC})
    by_mask = encode_command("read_by_mask", {**where, "mask_bank": 2, "mask_bit": 0, "mask_bits": 96, "mask": TID_A})
    other = encode_command("read_memory", {"what": "06" + EPC + "0300020000000000" + "0010"})
    frames = Uhf18CommandDecoder().receive(by_epc + by_mask + other)
    assert [each.type for each in frames if isinstance(each, Uhf18Frame)] == [
        "read_by_epc",
        "read_by_mask",
        "read_memory",
    ]


def test_an_order_for_an_epc_no_board_can_be_told_is_not_made() -> None:
    with pytest.raises(BadValue, match="EPC"):
        AccessOrder(TID_A, 3, 0, words=1, epc="0000" * 16)
