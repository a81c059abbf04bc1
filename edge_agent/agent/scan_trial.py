"""`doctor --scan`: one scan of the printed test label shows how a scanner is set, and what is wrong with it.

A scanner on its port, or one that is a keyboard, is read raw, without the settings of the configuration but its prefix.
A serial scanner that types into the doctor's own window instead is told apart too. The rule that must not be broken:
every fault is named in words of the set-up sheet, with what to do.
"""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from queue import Empty, Queue
from typing import Protocol

from edge_agent.agent.inbox import Inbox, ScannerClosed, ScannerSaid
from edge_agent.agent.links import scanner_link
from edge_agent.clock import Clock
from edge_agent.config.scanners import KEYBOARD, ScannerConfig
from protocols.readers.keyboard import ENTER, EV_KEY, EVENT, PRESSED, KeyboardDecoder
from protocols.readers.reads import BadFrame
from protocols.readers.scan_sheet import TEST_DATA, TEST_GTIN, TEST_LOT, judge_scan
from protocols.readers.scanner import ScanForm, ScanFrame, ScannerDecoder

SCAN_WAIT_S = 60.0
"""How long a person has to scan."""
SUFFIX_WAIT_S = 1.0
"""Silence after which a scan without its suffix is over."""
TURN_S = 0.1
TYPED_MAX = 8
"""Lines typed into the window that wait to be judged."""

ENTER_PRESSED = EVENT.pack(0, 0, EV_KEY, ENTER, PRESSED)

WRONG_MODE = (
    "keyboard mode: the scanner types into this window; set it to a serial port (USB CDC) by the sheet, "
    'or say kind = "keyboard" and its input device'
)


class _Decoder(Protocol):
    @property
    def waiting(self) -> int: ...

    def receive(self, data: bytes) -> list[ScanFrame | BadFrame]: ...


@dataclass(frozen=True, slots=True)
class ScanVerdict:
    """What one scan of the test label showed: `faults` are one line each, none when the scanner is set right."""

    text: str
    faults: tuple[str, ...]


def try_scan(config: ScannerConfig, typed: "Queue[str]", *, wait_s: float = SCAN_WAIT_S) -> ScanVerdict:
    """Wait for one scan of the test label. `typed` brings lines that were typed into the doctor's window."""
    clock, inbox = Clock(), Inbox()
    link = scanner_link(config, inbox)
    link.start()
    try:
        return _wait(config, inbox, typed, clock.link_s, wait_s)
    finally:
        inbox.stop("done")
        link.stop()


def _wait(
    config: ScannerConfig, inbox: Inbox, typed: "Queue[str]", link_s: Callable[[], float], wait_s: float
) -> ScanVerdict:
    keys = config.kind == KEYBOARD
    form = ScanForm(suffix=config.form.suffix)
    decoder: _Decoder = KeyboardDecoder(form) if keys else ScannerDecoder(form)
    until_s, heard_s = link_s() + wait_s, link_s()
    while link_s() < until_s:
        for happening in inbox.gather(TURN_S):
            if isinstance(happening, ScannerClosed):
                return ScanVerdict("", (happening.reason,))
            if not isinstance(happening, ScannerSaid):
                continue
            heard_s = link_s()
            for frame in decoder.receive(happening.data):
                return _verdict(frame, config)
        line = _typed(typed)
        if line:
            return ScanVerdict(line, (WRONG_MODE, *judge_typed(line)))
        if decoder.waiting and link_s() - heard_s > SUFFIX_WAIT_S:
            (frame,) = decoder.receive(ENTER_PRESSED if keys else b"\r")
            told = _verdict(frame, config)
            missing = f"suffix missing: nothing came behind the scan; set it to {config.form.suffix}"
            return replace(told, faults=(missing, *told.faults))
    return ScanVerdict("", (f"nothing was scanned within {wait_s:g} s: is it plugged in, and is its url right?",))


def _verdict(frame: ScanFrame | BadFrame, config: ScannerConfig) -> ScanVerdict:
    if isinstance(frame, BadFrame):
        return ScanVerdict(frame.raw.decode("latin-1"), (frame.reason,))
    text = frame.text
    if not text.startswith(config.form.prefix):
        return ScanVerdict(text, (f"prefix {config.form.prefix!r} of the configuration did not come", *judge(text)))
    return ScanVerdict(text, judge(text.removeprefix(config.form.prefix)))


def judge(text: str) -> tuple[str, ...]:
    """Return what a text of the test label shows: keyboards spoil letters before anything else can be told."""
    spoilt = judge_typed(text)
    if not spoilt:
        return judge_scan(text)
    plain = unicodedata.normalize("NFKC", text)
    plain = plain.swapcase() if TEST_LOT.swapcase() in plain else plain
    return (*spoilt, *(judge_scan(plain) if TEST_GTIN in plain else ()))


def judge_typed(text: str) -> tuple[str, ...]:
    """Return what a keyboard did to the letters of the test label."""
    faults = []
    plain = unicodedata.normalize("NFKC", text)
    if plain != text or any(ord(each) > 0x7F for each in plain):
        faults.append("keyboard mode with an input method (IME): switch the computer's keyboard to English")
    if TEST_LOT.swapcase() in plain:
        faults.append("keyboard mode with Caps Lock: the letters are swapped; switch Caps Lock off")
    return tuple(faults)


def how_to_scan() -> tuple[str, ...]:
    """Return what a person is told before the scan: which label, and where it is printed."""
    shown = TEST_DATA.replace("\x1d", "<GS>")
    return (
        "Scan the test label of the set-up sheet, docs/scanner-setup.md: a GS1 DataMatrix of",
        f"  {shown}",
    )


def _typed(typed: "Queue[str]") -> str:
    try:
        return typed.get_nowait().strip("\r\n")
    except Empty:
        return ""
