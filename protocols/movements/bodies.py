"""The body of an entry as bytes and as one of the forms beside: read, written, and what every form asks of a moment.

The forms themselves stand by subject in `posting`, `tags`, `counts` and `reports`. The rule that must not be broken:
keys of a later version are skipped, so that an older reader never refuses an entry for what it does not know.
"""

from typing import TypeVar

import msgspec

from protocols.entry import decode_body
from protocols.errors import BadValue, PeerBroke

T = TypeVar("T")

MOMENT_END = 1 << 63
"""A moment is stored as a signed number of 64 bits, at the edge and at central."""


def read_body(raw_body: bytes, form: type[T]) -> T:
    """Parse body bytes into one of the forms beside; unknown keys are skipped. Raises `PeerBroke` or `BadValue`."""
    try:
        return msgspec.convert(decode_body(raw_body), form)
    except msgspec.ValidationError as error:
        if isinstance(error.__cause__, BadValue):
            raise BadValue(str(error.__cause__)) from error
        raise PeerBroke(f"entry body: expected the form {form.__name__}; {error}") from error


def write_body(form: msgspec.Struct) -> dict[str, object]:
    """Return one of the forms beside as the map that `encode_body` takes."""
    built = msgspec.to_builtins(form)
    assert isinstance(built, dict)
    return built


def storable(name: str, moment: int) -> None:
    """Check that a store can hold a moment; whether it is one to believe is asked by who reads the fact."""
    if not -MOMENT_END <= moment < MOMENT_END:
        raise BadValue(f"{name}: expected microseconds in 64 bits, got a number of {moment.bit_length()} and its sign")
