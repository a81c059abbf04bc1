"""The readers we speak to, by the name that stands in a configuration: one row makes a reader known.

A row says how to cut its bytes into frames and, where the reader is one to converse with, how. It opens nothing; the
application brings the link. The simulator's registry of devices has the same names.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from protocols.readers.card import CardDecoder
from protocols.readers.llrp.codec import LlrpDecoder
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession
from protocols.readers.m100.codec import M100Decoder
from protocols.readers.m100.session import M100Session
from protocols.readers.scanner import ScannerDecoder
from protocols.readers.uhfreader18.codec import Uhf18Decoder
from protocols.readers.uhfreader18.session import Uhf18Session
from protocols.readers.use import ReaderSession, ReaderUse


class FrameDecoder(Protocol):
    """What every decoder is: bytes in any pieces in, whole frames out, nothing raised for what the bytes hold."""

    def receive(self, data: bytes) -> Sequence[object]:
        """Take bytes and return the frames they complete."""


@dataclass(frozen=True, slots=True)
class ReaderKind:
    """One kind of reader: a fresh decoder for a stream, a fresh session for a connection (None: it only talks).

    `baud` is its port's factory setting, `antennas_max` how many it can have.
    """

    name: str
    decoder: Callable[[], FrameDecoder]
    session: Callable[[ReaderUse], ReaderSession] | None = None
    tcp_port_default: int | None = None
    baud: int = 115_200
    antennas_max: int = 64


def llrp_session(use: ReaderUse) -> LlrpSession:
    """Return a session with an LLRP reader that is used in the common way."""
    round_ms, keepalive_ms = round(use.round_s * 1000), round(use.keepalive_s * 1000)
    return LlrpSession(LlrpConfig(antennas=use.antennas, round_ms=round_ms, keepalive_ms=keepalive_ms))


READERS: Mapping[str, ReaderKind] = MappingProxyType(
    {
        "llrp": ReaderKind("llrp", LlrpDecoder, llrp_session, tcp_port_default=5084),
        "m100": ReaderKind("m100", M100Decoder, M100Session, antennas_max=1),
        "uhfreader18": ReaderKind("uhfreader18", Uhf18Decoder, Uhf18Session, baud=57_600, antennas_max=8),
        "scanner": ReaderKind("scanner", ScannerDecoder),
        "card": ReaderKind("card", CardDecoder, baud=9_600),
    }
)
"""Every kind of reader by name. A test feeds each with noise, cuts and single bytes."""
