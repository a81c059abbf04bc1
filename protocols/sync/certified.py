"""A key of central with the root's signature: what an edge needs to believe central, as data. It knows no algorithm.

The root signs the key's kind and last day with it: a key that signs policy can never sign an acknowledgement. The rule
that must not be broken: what is signed begins with a tag of its kind, so that one kind's signature is never another's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec

from protocols.errors import BadValue
from protocols.sync.codec import KEY_ID_MAX, SIGNATURE_BYTES_MAX
from protocols.values.instant import INSTANT_MAX, Instant

PUBLIC_BYTES = 32
FOREVER = Instant(INSTANT_MAX)
CERTIFIED_BYTES_MAX = 2_000
"""Most bytes of the text form: far above what the fields need."""


class KeyKind(StrEnum):
    """What a key of central may sign."""

    SYNC = "sync"
    POLICY = "policy"
    HEAD = "head"


@dataclass(frozen=True, slots=True)
class CertifiedKey:
    """One public key of central, what it may sign, its name, its last instant, and the root's signature over all."""

    key_id: str
    public: bytes
    signature: bytes
    kind: KeyKind = KeyKind.SYNC
    until: Instant = FOREVER

    def __post_init__(self) -> None:
        if not 1 <= len(self.key_id) <= KEY_ID_MAX or len(self.public) != PUBLIC_BYTES:
            raise BadValue(
                f"{self.kind} key: expected a name of 1..{KEY_ID_MAX} characters and {PUBLIC_BYTES} bytes, "
                f"got {self.key_id!r:.80} and {len(self.public)} bytes"
            )

    @property
    def signed(self) -> bytes:
        """The bytes that the root signs."""
        return signed_part(self.key_id, self.public, self.kind, self.until)


def signed_part(key_id: str, public: bytes, kind: KeyKind = KeyKind.SYNC, until: Instant = FOREVER) -> bytes:
    """Return the bytes that the root signs."""
    tag = b"wardstock." + kind.value.encode() + b"-key.1"
    return tag + len(key_id.encode()).to_bytes(1, "big") + key_id.encode() + public + until.to_bytes(8, "big")


def is_over(keys: Iterable[CertifiedKey], key_id: str, now: Instant) -> bool:
    """Tell whether a key's last instant has passed while another of its kind goes on after it.

    The last key that there is stays believed: a clock that is decades ahead must not shut central out.
    """
    known = {key.key_id: key for key in keys}
    own = known.get(key_id)
    if own is None or now <= own.until:
        return False
    return any(other.kind is own.kind and other.until > own.until for other in known.values())


class _Text(msgspec.Struct, forbid_unknown_fields=True):
    kind: KeyKind
    key_id: Annotated[str, msgspec.Meta(min_length=1, max_length=KEY_ID_MAX)]
    public: Annotated[bytes, msgspec.Meta(min_length=PUBLIC_BYTES, max_length=PUBLIC_BYTES)]
    until: Annotated[int, msgspec.Meta(ge=0, le=INSTANT_MAX)]
    signature: Annotated[bytes, msgspec.Meta(max_length=SIGNATURE_BYTES_MAX)]


def write_certified(key: CertifiedKey) -> bytes:
    """Return the text form: one JSON object, bytes in base64."""
    return msgspec.json.encode(_Text(key.kind, key.key_id, key.public, key.until, key.signature))


def read_certified(text: bytes) -> CertifiedKey:
    """Read the text form; whether the root signed it is not looked at. Raises `BadValue`."""
    try:
        if len(text) > CERTIFIED_BYTES_MAX:
            raise BadValue(f"certified key: expected at most {CERTIFIED_BYTES_MAX} bytes, got {len(text)}")
        said = msgspec.json.decode(text, type=_Text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadValue(f"certified key: expected JSON of kind, key_id, public, until and signature; {error}") from error
    return CertifiedKey(said.key_id, said.public, said.signature, said.kind, Instant(said.until))
