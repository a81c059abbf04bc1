"""The readers we speak to, by the name that stands in a configuration: one row makes a reader known.

A row says how to cut its bytes into frames and, where the reader is one to converse with, how. It opens nothing; the
application brings the link. The simulator's registry of devices has the same names. The rule that must not be broken: a
kind's code is imported when it is used, so that a storeroom without readers does not load all of them at its start.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

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


def _llrp_decoder() -> FrameDecoder:
    from protocols.readers.llrp.codec import LlrpDecoder

    return LlrpDecoder()


def llrp_session(use: ReaderUse) -> ReaderSession:
    """Return a session with an LLRP reader that is used in the common way."""
    from protocols.readers.llrp.requests import LlrpConfig
    from protocols.readers.llrp.session import LlrpSession

    round_ms, keepalive_ms = round(use.round_s * 1000), round(use.keepalive_s * 1000)
    return LlrpSession(LlrpConfig(antennas=use.antennas, round_ms=round_ms, keepalive_ms=keepalive_ms))


def _m100_decoder() -> FrameDecoder:
    from protocols.readers.m100.codec import M100Decoder

    return M100Decoder()


def _m100_session(use: ReaderUse) -> ReaderSession:
    from protocols.readers.m100.session import M100Session

    return M100Session(use)


def _uhf18_decoder() -> FrameDecoder:
    from protocols.readers.uhfreader18.codec import Uhf18Decoder

    return Uhf18Decoder()


def _uhf18_session(use: ReaderUse) -> ReaderSession:
    from protocols.readers.uhfreader18.session import Uhf18Session

    return Uhf18Session(use)


def _scanner_decoder() -> FrameDecoder:
    from protocols.readers.scanner import ScannerDecoder

    return ScannerDecoder()


def _card_decoder() -> FrameDecoder:
    from protocols.readers.card import CardDecoder

    return CardDecoder()


READERS: Mapping[str, ReaderKind] = MappingProxyType(
    {
        "llrp": ReaderKind("llrp", _llrp_decoder, llrp_session, tcp_port_default=5084),
        "m100": ReaderKind("m100", _m100_decoder, _m100_session, antennas_max=1),
        "uhfreader18": ReaderKind("uhfreader18", _uhf18_decoder, _uhf18_session, baud=57_600, antennas_max=8),
        "scanner": ReaderKind("scanner", _scanner_decoder),
        "card": ReaderKind("card", _card_decoder, baud=9_600),
    }
)
"""Every kind of reader by name. A test feeds each with noise, cuts and single bytes."""
