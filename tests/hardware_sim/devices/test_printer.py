"""The simulated label printer: inlays written and read back, VOID on a mismatch, what ~HS tells; time is a value."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hardware_sim.devices.printer import LABEL_S, Printed, PrinterDevice
from hardware_sim.devices.zpl import Format, Immediate, ZplDecoder
from protocols.values.instant import Instant, plus

NOW = Instant(1_000_000)
EPC = "30340242201D8D4000000001"
LABEL = f"^XA^RS8,,,3,E^RR2^FO20,20^FDGauze^FS^RFW,H,,,E^FD{EPC}^FS^RFR,H^FN1^FS^RI2^HV1,24,EPC=^HV2,24,TID=^XZ"


@dataclass
class Desk:
    """A printer, its labels, and the host before it."""

    duds: frozenset[int] = frozenset()
    labels: int = 100
    out: list[Printed] = field(default_factory=list)
    now: Instant = NOW

    def __post_init__(self) -> None:
        numbers = frozenset(f"E2801160{each:016X}" for each in self.duds)
        self.printer = PrinterDevice(self.out.append, self.labels, lambda tid: tid in numbers)
        self.printer.connected(self.now, self.now)

    def send(self, text: str, piece: int = 0) -> str:
        raw, size = text.encode(), piece or len(text)
        parts = [raw[at : at + size] for at in range(0, len(raw), size)]
        return b"".join(self.printer.receive(part, self.now, self.now) for part in parts).decode()

    def run(self, seconds: float = 5.0) -> str:
        out, until = b"", plus(self.now, seconds)
        while self.now < until:
            self.now = plus(self.now, LABEL_S / 3)
            out += self.printer.tick(self.now, self.now)
        return out.decode()

    def flags(self) -> list[str]:
        return self.send("~HS").split("\r\n")[0].strip("\x02\x03").split(",")


@pytest.mark.parametrize("piece", [0, 1, 7])
def test_a_label_is_printed_its_inlay_written_and_read_back(piece: int) -> None:
    desk = Desk()
    assert desk.send(LABEL, piece) == ""
    assert desk.run() == f"EPC={EPC}\r\nTID=E28011600000000000000001\r\n"
    assert desk.out == [Printed(EPC, "E28011600000000000000001", ("Gauze",), void=False)]


def test_an_inlay_that_does_not_read_back_is_void_and_the_next_is_taken() -> None:
    desk = Desk(duds=frozenset({1, 2}))
    desk.send(LABEL)
    assert f"EPC={EPC}" in desk.run()
    assert [(each.void, each.texts) for each in desk.out] == [(True, ("VOID",))] * 2 + [(False, ("Gauze",))]
    assert desk.out[0].epc == "0" * 24


def test_after_as_many_void_labels_as_allowed_it_pauses_and_says_so() -> None:
    desk = Desk(duds=frozenset({1, 2, 3, 4}))
    desk.send(LABEL + LABEL)
    assert desk.run() == ""
    assert [each.void for each in desk.out] == [True] * 3
    assert desk.flags()[2] == "1"
    desk.send("~PS")
    assert f"EPC={EPC}" in desk.run()
    assert [each.void for each in desk.out] == [True, True, True, True, False]


def test_out_of_labels_it_keeps_the_formats_until_there_are_labels() -> None:
    desk = Desk(labels=1)
    desk.send(LABEL.replace("^XZ", "^PQ3^XZ"))
    desk.run()
    assert len(desk.out) == 1
    assert desk.flags()[1] == "1"
    assert desk.flags()[4] == "001"
    desk.printer.labels = 100
    desk.run()
    assert [each.void for each in desk.out] == [False] * 3
    assert desk.flags()[1] == "0"
    assert desk.flags()[4] == "000"


def test_status_is_three_lines_and_is_answered_in_the_middle_of_a_format() -> None:
    desk = Desk()
    said = desk.send("^XA^FDhalf" + "~HS" + "^FS")
    assert [line.count(",") for line in said.strip().split("\r\n")] == [11, 10, 1]
    assert said.split(",")[7] == "1"
    assert Desk().flags()[7] == "0"


def test_a_user_bank_takes_words_and_a_field_that_does_not_fit_is_void() -> None:
    desk = Desk()
    desk.send("^XA^RS8,,,1^RFW,H,1,4,3^FDCAFE0001^FS^RFR,H,0,8,3^FN1^FS^HV1,16^XZ")
    assert desk.run() == "0000CAFE00010000\r\n"
    desk.send("^XA^RS8,,,1^RFW,H,3,4,3^FDCAFE0001^FS^XZ^XA^RS8,,,1^RFW,H,,,E^FDxyz^FS^XZ")
    desk.run()
    assert [each.void for each in desk.out] == [False, True, True]


def test_a_reboot_loses_the_formats_and_nothing_else() -> None:
    desk = Desk()
    desk.send(LABEL)
    desk.printer.reboot(desk.now)
    assert desk.run() == ""
    assert desk.printer.labels == 100


def test_a_stream_is_cut_into_formats_and_orders() -> None:
    found = ZplDecoder().receive(b"noise^XA^FO1,1^FDa, b^FS^ZZ9^XZ~HS\r\n^XA^XZ")
    assert [type(each) for each in found] == [Format, Immediate, Format]
    assert isinstance(found[0], Format)
    assert [(each.name, each.text) for each in found[0].commands] == [
        ("FO", "1,1"), ("FD", "a, b"), ("FS", ""), ("ZZ", "9"),
    ]  # fmt: skip


@settings(max_examples=300)
@given(
    st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([LABEL.encode(), b"~HS", b"^XA", b"^XZ"])), max_size=8)
)
def test_a_printer_bears_any_bytes(pieces: list[bytes]) -> None:
    desk = Desk()
    for piece in pieces:
        desk.printer.receive(piece, desk.now, desk.now)
    desk.run(1.0)
    assert desk.flags()[0] == "030"
