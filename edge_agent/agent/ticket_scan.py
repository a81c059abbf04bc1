"""Wait for one scan of an enrolment ticket with a scanner of the configuration.

It decides nothing about the ticket. The rule that must not be broken: it ends, with a reason a person can act on.
"""

import re
from typing import Protocol

from edge_agent.agent.inbox import Inbox, ScannerClosed, ScannerSaid
from edge_agent.agent.links import scanner_link
from edge_agent.clock import Clock
from edge_agent.config.scanners import KEYBOARD, ScannerConfig
from edge_agent.errors import LinkFault
from protocols.readers.keyboard import KeyboardDecoder
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import ScanForm, ScanFrame, ScannerDecoder

SCAN_WAIT_S = 120.0
TURN_S = 0.1

_AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")
"""The symbology identifier before a scan (ISO/IEC 15424): what was scanned is told by the text itself."""


class _Decoder(Protocol):
    def receive(self, data: bytes) -> list[ScanFrame | BadFrame]: ...


def scan_ticket(config: ScannerConfig, *, wait_s: float = SCAN_WAIT_S) -> str:
    """Return the text of the next scan. Raises `LinkFault` when none comes."""
    clock, inbox = Clock(), Inbox()
    link = scanner_link(config, inbox)
    link.start()
    try:
        return _wait(config, inbox, clock, wait_s)
    finally:
        inbox.stop("done")
        link.stop()


def _wait(config: ScannerConfig, inbox: Inbox, clock: Clock, wait_s: float) -> str:
    form = ScanForm(suffix=config.form.suffix)
    decoder: _Decoder = KeyboardDecoder(form) if config.kind == KEYBOARD else ScannerDecoder(form)
    until_s = clock.link_s() + wait_s
    while clock.link_s() < until_s:
        for happening in inbox.gather(TURN_S):
            if isinstance(happening, ScannerClosed):
                raise LinkFault(f"scanner {config.name}: {happening.reason}")
            frames = decoder.receive(happening.data) if isinstance(happening, ScannerSaid) else []
            if frames:
                return _text_of(frames[0], config)
    raise LinkFault(f"scanner {config.name}: nothing was scanned within {wait_s:g} s; type the ticket's text instead")


def _text_of(frame: ScanFrame | BadFrame, config: ScannerConfig) -> str:
    if isinstance(frame, BadFrame):
        raise LinkFault(f"scanner {config.name}: {frame.reason}; scan the ticket again")
    return _AIM.sub("", frame.text.removeprefix(config.form.prefix), count=1)
