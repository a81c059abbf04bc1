"""The daily statement of one storeroom: what the ledger and the readers said at a moment, sealed to be shown.

A statement is one JSON object; what is signed is its canonical text (sorted keys, no blanks, UTF-8) behind a domain
tag. Signing and checking are passed in. The rule that must not be broken: nothing is said in a statement that its
signature does not cover, and reading one needs this file and a public key, nothing else.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from central.core.certainty import Certainty
from central.core.reconcile import Line, Match
from central.errors import BadInput
from protocols.values.instant import Instant, to_iso

FORM = "wardstock.statement.1"
DOMAIN = b"wardstock.statement.1\n"
BYTES_MAX = 32 * 1024 * 1024
"""A storeroom of 100,000 lines is far below it."""

Sign = Callable[[bytes], bytes]
Check = Callable[[bytes, bytes], bool]


@dataclass(frozen=True, slots=True)
class LedgerHead:
    """Where the storeroom's own chain stood: the device, its incarnation (hex), the last entry and its hash (hex)."""

    device: str
    incarnation: str
    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class StatedLine:
    """One line with how sure it is."""

    line: Line
    sure: Certainty


@dataclass(frozen=True, slots=True)
class Stated:
    """All that a statement says of one storeroom at `at`, for business day `day`."""

    hospital: str
    place: str
    day: date
    at: Instant
    head: LedgerHead | None
    match: Match
    lines: Sequence[StatedLine]
    discrepancies: Sequence[Mapping[str, Any]]
    readers: Mapping[str, Any]
    policy_version: str


def content(stated: Stated) -> dict[str, Any]:
    """Return what a statement says, as one map."""
    match, head = stated.match, stated.head
    line_match, unit_match = match.line_match, match.unit_match
    return {
        "form": FORM,
        "hospital": stated.hospital,
        "place": stated.place,
        "day": stated.day.isoformat(),
        "at": to_iso(stated.at),
        "ledger": None
        if head is None
        else {"device": head.device, "incarnation": head.incarnation, "seq": head.seq, "hash": head.hash},
        "match": {
            "lines": match.lines,
            "lines_right": match.lines_right,
            "line_match": None if line_match is None else f"{float(line_match):.6f}",
            "book": match.book,
            "differing": match.differing,
            "unit_match": None if unit_match is None else f"{float(unit_match):.6f}",
        },
        "lines": [_line(one) for one in stated.lines],
        "lines_certified": sum(one.sure.certified for one in stated.lines),
        "discrepancies": [dict(one) for one in stated.discrepancies],
        "readers": dict(stated.readers),
        "policy_version": stated.policy_version,
    }


def _line(one: StatedLine) -> dict[str, Any]:
    return {
        "item": one.line.item,
        "lot": one.line.lot,
        "book": one.line.book,
        "physical": one.line.physical,
        "low": one.sure.low,
        "high": one.sure.high,
        "book_right": f"{one.sure.book_right:.3f}",
        "certified": one.sure.certified,
    }


def canonical(said: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed."""
    return DOMAIN + json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def seal(said: Mapping[str, Any], key_id: str, sign: Sign) -> str:
    """Return the statement as the text of a file."""
    signature = sign(canonical(said)).hex()
    whole = {"statement": dict(said), "signature": {"algorithm": "Ed25519", "key": key_id, "value": signature}}
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, indent=1) + "\n"


def read_sealed(text: str) -> tuple[dict[str, Any], str, bytes]:
    """Return what a statement says, the id of the key it names, and its signature. Raises `BadInput`."""
    try:
        whole = json.loads(text, parse_float=_no_float, parse_constant=_no_float)
        said, seal_ = whole["statement"], whole["signature"]
        if set(whole) != {"statement", "signature"} or said["form"] != FORM or seal_["algorithm"] != "Ed25519":
            raise BadInput(f"statement: expected the form {FORM} signed with Ed25519, got another")
        return said, str(seal_["key"]), bytes.fromhex(seal_["value"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadInput(f"statement: expected a file made by `wardstock-central statement`; {error!r:.120}") from error


def _no_float(text: str) -> float:
    raise ValueError(f"a number with a fraction, {text:.20}, which a statement never has")


def is_whole(said: Mapping[str, Any], signature: bytes, check: Check) -> bool:
    """Tell whether a statement is as it was signed."""
    return check(canonical(said), signature)
