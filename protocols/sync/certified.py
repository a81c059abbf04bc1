"""A sync key with the root's signature: what an edge needs to believe central, as data. It knows no algorithm."""

from dataclasses import dataclass

from protocols.errors import BadValue
from protocols.sync.codec import KEY_ID_MAX

CERTIFIED_TAG = b"wardstock.sync-key.1"
PUBLIC_BYTES = 32


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """Central's public sync key, its name, and the root's signature over both."""

    key_id: str
    public: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.key_id) <= KEY_ID_MAX or len(self.public) != PUBLIC_BYTES:
            raise BadValue(
                f"sync key: expected a name of 1..{KEY_ID_MAX} characters and {PUBLIC_BYTES} bytes, "
                f"got {self.key_id!r:.80} and {len(self.public)} bytes"
            )


def signed_part(key_id: str, public: bytes) -> bytes:
    """Return the bytes that the root signs."""
    return CERTIFIED_TAG + len(key_id.encode()).to_bytes(1, "big") + key_id.encode() + public
