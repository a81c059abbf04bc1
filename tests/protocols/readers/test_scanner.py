"""Scanner framing: suffixes, one byte at a time, noise, a missing suffix; and the beeps that go back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import BadValue, WeBroke
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import (
    BEEP_MAX,
    SCAN_MAX,
    Beep,
    BeepDecoder,
    BeepFrame,
    ScanForm,
    ScanFrame,
    ScannerDecoder,
    frame_scan,
)

SCAN = "]d201069012345678921727013110LOT\x1d21SERIAL"
TEXTS = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), min_size=1, max_size=60)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize("suffix", [b"\r", b"\n", b"\r\n", b"\n\r\r\n"])
def test_any_suffix_ends_one_scan(suffix: bytes) -> None:
    decoder = ScannerDecoder()
    assert decoder.receive(SCAN.encode() + suffix) == [ScanFrame(SCAN)]
    assert decoder.waiting == 0


def test_a_scan_keeps_the_spaces_at_its_ends() -> None:
    assert ScannerDecoder().receive(b" +A123 \r\n") == [ScanFrame(" +A123 ")]


@given(st.lists(TEXTS, max_size=5), st.lists(st.integers(0, 400), max_size=30))
def test_scans_come_back_however_the_bytes_are_cut(texts: list[str], cuts: list[int]) -> None:
    stream = b"".join(frame_scan(text) for text in texts)
    decoder = ScannerDecoder()
    frames = [frame for piece in pieces(stream, cuts) for frame in decoder.receive(piece)]
    assert frames == [ScanFrame(text) for text in texts]


def test_one_byte_at_a_time_is_as_good_as_all() -> None:
    decoder = ScannerDecoder()
    frames = [frame for byte in frame_scan(SCAN) for frame in decoder.receive(bytes([byte]))]
    assert frames == [ScanFrame(SCAN)]


def test_noise_costs_its_own_line_and_no_more() -> None:
    frames = ScannerDecoder().receive(b"\xff\xfe\x80\r" + frame_scan(SCAN))
    assert isinstance(frames[0], BadFrame)
    assert frames[0].raw == b"\xff\xfe\x80"
    assert frames[1:] == [ScanFrame(SCAN)]


@pytest.mark.parametrize("step", [1, 7, 100_000])
def test_a_missing_suffix_costs_bounded_memory_and_one_bad_frame(step: int) -> None:
    decoder = ScannerDecoder()
    noise = b"A" * 20_000
    for start in range(0, len(noise), step):
        assert decoder.receive(noise[start : start + step]) == []
        assert decoder.waiting <= SCAN_MAX
    frames = decoder.receive(b"\r" + frame_scan(SCAN))
    assert isinstance(frames[0], BadFrame)
    assert frames[0].raw == b"A" * SCAN_MAX
    assert frames[1:] == [ScanFrame(SCAN)]


def test_the_longest_scan_passes_and_one_byte_more_does_not() -> None:
    decoder = ScannerDecoder()
    assert decoder.receive(b"A" * SCAN_MAX + b"\r") == [ScanFrame("A" * SCAN_MAX)]
    assert isinstance(decoder.receive(b"A" * (SCAN_MAX + 1) + b"\r")[0], BadFrame)


def test_a_reset_forgets_half_a_scan() -> None:
    decoder = ScannerDecoder()
    decoder.receive(b"half of a sc")
    decoder.reset()
    assert decoder.receive(b"LOT7\r") == [ScanFrame("LOT7")]


@pytest.mark.parametrize("text", ["", "A\rB", "A\n", "A" * (SCAN_MAX + 1), "\udc80"])
def test_a_text_that_no_scan_can_carry_is_refused(text: str) -> None:
    with pytest.raises(WeBroke):
        frame_scan(text)


@given(st.lists(st.sampled_from(Beep), max_size=6), st.lists(st.integers(0, 30), max_size=10))
def test_beeps_come_back_however_the_bytes_are_cut(beeps: list[Beep], cuts: list[int]) -> None:
    stream = b"".join(beep.wire for beep in beeps)
    decoder = BeepDecoder()
    frames = [frame for piece in pieces(stream, cuts) for frame in decoder.receive(piece)]
    assert frames == [BeepFrame(beep) for beep in beeps]


def test_the_beeps_are_one_two_and_three_bells() -> None:
    assert [Beep.OK.wire, Beep.LOOK.wire, Beep.NO.wire] == [b"\x07\x00", b"\x07\x07\x00", b"\x07\x07\x07\x00"]


@pytest.mark.parametrize("raw", [b"", b"\x07" * 4, b"A", b"\x07A", b"\x07" * 1000])
def test_a_group_that_is_no_beep_is_reported_and_the_next_is_heard(raw: bytes) -> None:
    frames = BeepDecoder().receive(raw + b"\x00" + Beep.NO.wire)
    assert isinstance(frames[0], BadFrame)
    assert len(frames[0].raw) <= BEEP_MAX
    assert frames[1:] == [BeepFrame(Beep.NO)]


# --- how a scanner is set --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("suffix", "sent"), [("TAB", b"\t"), ("ETX", b"\x03"), ("CRLF", b"\r\n"), ("TAB", b"\r")])
def test_a_scan_ends_as_the_scanner_was_set_or_with_cr(suffix: str, sent: bytes) -> None:
    assert ScannerDecoder(ScanForm(suffix=suffix)).receive(SCAN.encode() + sent) == [ScanFrame(SCAN)]


def test_a_prefix_is_removed_and_a_scan_without_it_is_refused() -> None:
    bad, good = ScannerDecoder(ScanForm(prefix="\x02")).receive(b"LOT\r\x02LOT\r")
    assert isinstance(bad, BadFrame)
    assert good == ScanFrame("LOT")


def test_a_scanner_that_lost_its_identifiers_is_told_apart() -> None:
    bad, good = ScannerDecoder(ScanForm(aim_required=True)).receive(b"0106901234567892\r" + SCAN.encode() + b"\r")
    assert isinstance(bad, BadFrame)
    assert "AIM" in bad.reason
    assert good == ScanFrame(SCAN)


@pytest.mark.parametrize("wrong", [{"suffix": "EOT"}, {"prefix": "123456789"}, {"prefix": "\r"}, {"prefix": "é"}])
def test_a_form_no_scanner_has_is_not_made(wrong: dict[str, str]) -> None:
    with pytest.raises(BadValue):
        ScanForm(**wrong)  # type: ignore[arg-type]  # on purpose
