"""A scanner that types: events of keys become the text it read, or a bad frame, however the bytes come."""

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.readers.keyboard import ENTER, EV_KEY, EVENT, US, KeyboardDecoder
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import SCAN_MAX, ScanForm, ScanFrame

SHIFT, CONTROL, ALT, TAB, CAPS, F1 = 42, 29, 56, 15, 58, 59
KEYS = {pair[shifted]: (code, shifted) for code, pair in sorted(US.items(), reverse=True) for shifted in (1, 0)}
DIGITS = {str(digit): code for digit, code in zip("7894561230", (71, 72, 73, 75, 76, 77, 79, 80, 81, 82), strict=True)}


def event(code: int, value: int, kind: int = EV_KEY) -> bytes:
    return EVENT.pack(1, 2, kind, code, value)


def press(code: int, *held: int) -> bytes:
    down = b"".join(event(each, 1) for each in held)
    up = b"".join(event(each, 0) for each in held)
    return down + event(4, 30, kind=4) + event(code, 1) + event(0, 0, kind=0) + event(code, 0) + up


def typed(text: str) -> bytes:
    out = b""
    for character in text:
        if character == "\x1d":
            out += press(KEYS["]"][0], CONTROL)
        elif character in KEYS:
            code, shifted = KEYS[character]
            out += press(code, SHIFT) if shifted else press(code)
        else:
            out += event(ALT, 1) + b"".join(press(DIGITS[digit]) for digit in f"0{ord(character)}") + event(ALT, 0)
    return out


@given(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E) | st.sampled_from("\x1d中é"), min_size=1, max_size=80)
)
def test_what_is_typed_is_read(text: str) -> None:
    assert KeyboardDecoder().receive(typed(text) + press(ENTER)) == [ScanFrame(text)]


def test_a_gs1_label_comes_with_its_separator_byte_by_byte() -> None:
    text = "]d20106901234567892" + "10LOT\x1d21S"
    decoder = KeyboardDecoder()
    frames = [each for byte in typed(text) + press(TAB) for each in decoder.receive(bytes([byte]))]
    assert frames == [ScanFrame(text)]
    assert decoder.waiting == 0


def test_a_key_held_down_repeats_nothing_and_locks_say_nothing() -> None:
    code = KEYS["a"][0]
    held = press(CAPS) + event(code, 1) + event(code, 2) * 5 + event(code, 0) + press(CAPS)
    assert KeyboardDecoder().receive(held + press(ENTER) + press(ENTER)) == [ScanFrame("a")]


def test_a_key_without_a_character_spoils_its_scan_and_no_other() -> None:
    bad, good = KeyboardDecoder().receive(typed("LOT") + press(F1) + press(ENTER) + typed("OK") + press(ENTER))
    assert isinstance(bad, BadFrame)
    assert "key 59" in bad.reason
    assert good == ScanFrame("OK")


def test_a_scan_without_an_end_is_kept_within_the_limit() -> None:
    decoder = KeyboardDecoder()
    decoder.receive(typed("A" * (SCAN_MAX + 50)))
    assert decoder.waiting == SCAN_MAX
    [bad] = decoder.receive(press(ENTER))
    assert isinstance(bad, BadFrame)


def test_a_typed_scan_is_held_to_the_scanners_form() -> None:
    decoder = KeyboardDecoder(ScanForm(aim_required=True))
    [bad] = decoder.receive(typed("0106901234567892") + press(ENTER))
    assert isinstance(bad, BadFrame)
    assert "AIM" in bad.reason


@settings(max_examples=2000)
@given(st.lists(st.binary(max_size=100) | st.integers(0, 255).map(press), max_size=10))
def test_any_bytes_are_scans_or_bad_frames(pieces: list[bytes]) -> None:
    decoder = KeyboardDecoder()
    for piece in pieces:
        assert all(isinstance(each, ScanFrame | BadFrame) for each in decoder.receive(piece))
        assert decoder.waiting <= SCAN_MAX
