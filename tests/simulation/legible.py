"""What a message says, for the trace: opened without a key, its entries unpacked."""

from protocols.errors import PeerBroke
from protocols.sync.codec import Signing, unpack_entries, unseal
from protocols.sync.frames import Frame

READABLE = Signing(unsigned=True, sign=lambda _data: b"", verify=lambda *_: True)
"""Opens any message for the trace."""


def legible(data: bytes) -> tuple[str, bytes, int]:
    """Return what a message is, its bytes before compression, and whether it is a frame (1) or not (0)."""
    try:
        envelope, message = unseal(data, READABLE)
        if isinstance(message, Frame):
            raws = b"".join(unpack_entries(message.entries))
            return f"frame {message.from_seq} {message.n} {envelope.incarnation.hex()[:8]}", raws, 1
    except PeerBroke:
        return "illegible", b"", 0
    return f"{message} {envelope.generation}", b"", 0
