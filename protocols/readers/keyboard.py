"""A scanner that pretends to be a keyboard: what Linux tells of its keys, as scans.

It takes the bytes of the device file (`struct input_event`) and the table of a US keyboard, the layout every scanner
has from the factory; it opens nothing. A scan ends with Enter or Tab. What a keyboard has no key for comes as Ctrl+] (a
GS) or as Alt with the number of the character on the keypad. The rule that must not be broken: a key that the table
does not have spoils its scan, it is never left out of it.

Source: linux/input-event-codes.h (numbers of keys), input.rst (`EV_KEY`: 0 released, 1 pressed, 2 held).
"""

import struct
from collections.abc import Mapping
from types import MappingProxyType

from protocols.readers.reads import BadFrame
from protocols.readers.scanner import SCAN_MAX, ScanForm, ScanFrame, frame_of

EVENT = struct.Struct("@llHHi")
"""Seconds, microseconds, type, code, value, as this machine lays them out."""

EV_KEY = 1
PRESSED, RELEASED = 1, 0
ENTER, KEYPAD_ENTER, TAB = 28, 96, 15
SHIFTS, CONTROLS, ALTS = frozenset({42, 54}), frozenset({29, 97}), frozenset({56, 100})
LOCKS = frozenset({58, 69, 70})
"""Caps, Num and Scroll Lock: a scanner may press one before and after a scan; they say nothing."""

_ROWS = (
    (2, "1234567890-=", "!@#$%^&*()_+"),
    (16, "qwertyuiop[]", "QWERTYUIOP{}"),
    (30, "asdfghjkl;'`", 'ASDFGHJKL:"~'),
    (43, "\\zxcvbnm,./", "|ZXCVBNM<>?"),
    (57, " ", " "),
)
_KEYPAD = ((71, "789-456+1230."), (55, "*"), (98, "/"))


def _keys() -> dict[int, tuple[str, str]]:
    keys = {first + at: pair for first, low, high in _ROWS for at, pair in enumerate(zip(low, high, strict=True))}
    return keys | {first + at: (each, each) for first, row in _KEYPAD for at, each in enumerate(row)}


US: Mapping[int, tuple[str, str]] = MappingProxyType(_keys())
"""Code of a key -> its character without and with Shift."""

CONTROL_OF = {"]": "\x1d", "^": "\x1e", "6": "\x1e", "\\": "\x1c", "[": "\x1b"}
"""What Ctrl makes of a character; a GS1 scanner sends Ctrl+] for the separator."""


class KeyboardDecoder:
    """Cuts the events of one keyboard into scans. Keys held down repeat nothing."""

    __slots__ = ("_alt_digits", "_bytes", "_form", "_held", "_text", "_wrong")

    def __init__(self, form: ScanForm | None = None) -> None:
        self._form = form or ScanForm()
        self._bytes = bytearray()
        self._held: set[int] = set()
        self._alt_digits = ""
        self.reset()

    def reset(self) -> None:
        """Forget a half scan, as after an unplugged cable."""
        self._text, self._wrong = "", ""

    @property
    def waiting(self) -> int:
        """Return how many characters wait for Enter or Tab."""
        return len(self._text)

    def receive(self, data: bytes) -> list[ScanFrame | BadFrame]:
        """Take bytes in any pieces and return the scans they complete. Never raises for what the bytes hold."""
        self._bytes += data
        whole = len(self._bytes) // EVENT.size * EVENT.size
        frames: list[ScanFrame | BadFrame] = []
        for _, _, kind, code, value in EVENT.iter_unpack(bytes(self._bytes[:whole])):
            if kind == EV_KEY and value in (PRESSED, RELEASED):
                frames += self._key(code, pressed=value == PRESSED)
        del self._bytes[:whole]
        return frames

    def _key(self, code: int, *, pressed: bool) -> list[ScanFrame | BadFrame]:
        if code in SHIFTS | CONTROLS | ALTS:
            (self._held.add if pressed else self._held.discard)(code)
            if code in ALTS and not pressed:
                self._alt_over()
            return []
        if not pressed or code in LOCKS:
            return []
        if code in (ENTER, KEYPAD_ENTER, TAB):
            return self._over()
        self._take(code)
        return []

    def _take(self, code: int) -> None:
        low, high = US.get(code, ("", ""))
        character = high if self._held & SHIFTS else low
        if self._held & ALTS and character.isdecimal():
            self._alt_digits = (self._alt_digits + character)[-5:]
            return
        if self._held & CONTROLS:
            character = CONTROL_OF.get(character, "")
        self._add(character, f"key {code}")

    def _alt_over(self) -> None:
        """Alt is up: the digits typed meanwhile are one character."""
        if self._alt_digits:
            number = int(self._alt_digits)
            self._add(chr(number) if 0 < number < 0xD800 else "", f"Alt+{self._alt_digits}")
        self._alt_digits = ""

    def _add(self, character: str, key: str) -> None:
        if not character:
            self._wrong = self._wrong or f"scan: expected keys of a US keyboard, got {key}: set the scanner to it"
        elif len(self._text) >= SCAN_MAX:
            self._wrong = self._wrong or f"scan: expected Enter within {SCAN_MAX} characters; set the scanner's suffix"
        else:
            self._text += character

    def _over(self) -> list[ScanFrame | BadFrame]:
        text, wrong = self._text, self._wrong
        self.reset()
        if wrong:
            return [BadFrame(wrong, text.encode())]
        return [frame_of(text, self._form)] if text else []
