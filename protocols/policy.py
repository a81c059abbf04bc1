"""What the hospital signs and every edge reads: the policy of one storeroom, and the heads of all ledgers of one day.

A policy says which permit holds, since when, and until when an edge that hears nothing more may rely on it. The heads
of a day are one digest over the end of every chain central holds; each edge writes it into its own ledger, so that the
owner of central's server cannot sign another history afterwards. Both are JSON texts signed as they are; this module
knows no algorithm and no key. The rule that must not be broken: the text that was signed is what is read.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, TypeVar

import msgspec

from protocols.entry import Digest
from protocols.errors import PeerBroke
from protocols.permits import Permit
from protocols.values.ids import DeviceId, Incarnation

POLICY_TAG = b"wardstock.policy.1"
HEADS_TAG = b"wardstock.heads.1"
TEXT_MAX = 4_000
WHY_MAX = 500

PERMIT_KEY = "permit"
"""The key of a row of kind `policy` that carries the signed policy."""

Micros = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class PolicyText(msgspec.Struct, frozen=True):
    """The policy of a storeroom: instants in µs UTC; `after_lease` holds when the lease is over; `version` counts."""

    hospital: str
    place: str
    version: Micros
    permit: Permit
    since: Micros
    issued_at: Micros
    lease_until: Micros
    after_lease: Permit
    why: Annotated[str, msgspec.Meta(max_length=WHY_MAX)] = ""


class HeadsText(msgspec.Struct, frozen=True):
    """The heads of a hospital's chains at the end of a business day: how many, and their digest, hex."""

    hospital: str
    day: str
    at: Micros
    chains: Micros
    digest: Annotated[str, msgspec.Meta(min_length=64, max_length=64)]


class SignedText(msgspec.Struct, frozen=True):
    """A signed text as a row of the feed or an entry carries it; `signature` is hex, both empty where nobody signs."""

    text: Annotated[str, msgspec.Meta(max_length=TEXT_MAX)]
    key: Annotated[str, msgspec.Meta(max_length=64)] = ""
    signature: Annotated[str, msgspec.Meta(max_length=512)] = ""


T = TypeVar("T", PolicyText, HeadsText)


def text_of(said: PolicyText | HeadsText) -> str:
    """Return the text to sign: JSON, keys in their order."""
    return msgspec.json.encode(said).decode()


def signed_bytes(said: type[T], text: str) -> bytes:
    """Return the bytes that a key signs for a text of a sort."""
    return (POLICY_TAG if said is PolicyText else HEADS_TAG) + text.encode()


def read_text(said: type[T], text: str) -> T:
    """Read a text; unknown keys are skipped. Raises `PeerBroke`."""
    try:
        return msgspec.json.decode(text, type=said)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PeerBroke(f"signed text: expected the JSON of a {said.__name__}; {error}") from error


def digest_of_heads(heads: Iterable[tuple[DeviceId, Incarnation, int, Digest]]) -> str:
    """Return the digest of chains' ends as hex: SHA-256 over each, in order of the chains' names."""
    state = hashlib.sha256(HEADS_TAG)
    for device, incarnation, seq, digest in sorted(heads, key=lambda head: head[1]):
        raw = device.encode()
        state.update(len(raw).to_bytes(2, "big") + raw + incarnation + seq.to_bytes(9, "big", signed=True) + digest)
    return state.hexdigest()
