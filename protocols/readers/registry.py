"""The readers we speak to, by the name that stands in a configuration: one row makes a reader known.

A row says how to cut its bytes into frames and how to talk to it. It opens nothing; the application brings the link.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from protocols.readers.llrp.codec import LlrpDecoder
from protocols.readers.llrp.requests import LlrpConfig
from protocols.readers.llrp.session import LlrpSession


@dataclass(frozen=True, slots=True)
class ReaderKind:
    """One kind of reader: its usual TCP port, a fresh decoder for a stream, a fresh session for a connection."""

    name: str
    port_default: int
    decoder: Callable[[], LlrpDecoder]
    session: Callable[[LlrpConfig], LlrpSession]


READERS: Mapping[str, ReaderKind] = {
    "llrp": ReaderKind("llrp", 5084, LlrpDecoder, LlrpSession),
}
"""Every kind of reader by name. A test feeds each with noise, cuts and single bytes."""
