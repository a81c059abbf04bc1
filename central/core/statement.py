"""The daily statement of one storeroom: what its ledger and whoever observed its lines said of a day, sealed.

It is of a business day from its first moment until its end, or until the moment it was made where the day is not over;
lines and head are as of that moment, and the head of the statement before stands beside. A line that nobody observed is
stated with its book alone.

A statement is one JSON object; what is signed is its canonical text (sorted keys, no blanks, UTF-8) behind a domain
tag. Signing and checking are passed in. The rule that must not be broken: nothing is said in a statement that its
signature does not cover, and reading one needs this file and a public key, nothing else.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any

from central.core.certainty import Certainty
from central.core.match import LINE_MATCH, UNIT_MATCH, VALUE_MATCH, Eyes, Match, Observed
from central.errors import BadInput
from protocols.values.instant import Instant, to_iso

FORM, FORM_BEFORE = "wardstock.statement.2", "wardstock.statement.1"
"""What is made, and what was made before and is still checked; the form is the domain of the signature too."""
BYTES_MAX = 32 * 1024 * 1024
"""A storeroom of 100,000 lines is far below it."""
DIGITS_MAX = 20
"""Of a number: a sign and 64 bits."""
SIGNATURE = re.compile("[0-9a-f]{128}")
"""An Ed25519 signature, as it is written."""

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
    """One line with who observed it, and how sure readers are of it."""

    seen: Observed
    sure: Certainty

    @property
    def certified(self) -> bool:
        """Tell whether readers certify it: they at work, and sure of every piece."""
        return self.seen.by is Eyes.READERS and self.seen.at is not None and self.sure.certified


@dataclass(frozen=True, slots=True)
class Stated:
    """All that a statement says of one storeroom at `at`, for business day `day`, `begun` until `until`.

    `before` is what the statement before said of the ledger, and of which day it was.
    """

    hospital: str
    place: str
    day: date
    begun: Instant
    until: Instant
    is_over: bool
    at: Instant
    head: LedgerHead | None
    before: Mapping[str, Any] | None
    match: Match
    value_match: Fraction | None
    lines: Sequence[StatedLine]
    discrepancies: Sequence[Mapping[str, Any]]
    readers: Mapping[str, Any]
    policy_version: str


def content(stated: Stated) -> dict[str, Any]:
    """Return what a statement says, as one map."""
    head = stated.head
    return {
        "form": FORM,
        "hospital": stated.hospital,
        "place": stated.place,
        "day": stated.day.isoformat(),
        "from": to_iso(stated.begun),
        "until": to_iso(stated.until),
        "day_over": stated.is_over,
        "at": to_iso(stated.at),
        "ledger": None
        if head is None
        else {"device": head.device, "incarnation": head.incarnation, "seq": head.seq, "hash": head.hash},
        "before": None if stated.before is None else dict(stated.before),
        "match": _match(stated.match, stated.value_match),
        "lines": [_line(one) for one in stated.lines],
        "lines_certified": sum(one.certified for one in stated.lines),
        "discrepancies": [dict(one) for one in stated.discrepancies],
        "readers": dict(stated.readers),
        "policy_version": stated.policy_version,
    }


def _match(match: Match, value_match: Fraction | None) -> dict[str, Any]:
    return {
        "definitions": {"line_match": LINE_MATCH, "unit_match": UNIT_MATCH, "value_match": VALUE_MATCH},
        "lines": match.lines_all,
        "lines_observed": match.lines,
        "lines_matching": match.lines_right,
        "lines_differing": match.lines_differing,
        "lines_not_observed": match.unobserved,
        "lines_misplaced": match.misplaced,
        "share_observed": _rate(match.share_observed),
        "line_match": _rate(match.line_match),
        "pieces_observed": match.book,
        "pieces_differing": match.differing,
        "unit_match": _rate(match.unit_match),
        "value_match": _rate(value_match),
    }


def _rate(share: Fraction | None) -> str | None:
    return None if share is None else f"{float(share):.6f}"


def _line(one: StatedLine) -> dict[str, Any]:
    """Say of a line only what somebody observed: a count knows no interval, and nobody knows no shelf."""
    line, by = one.seen.line, one.seen.by
    low, high = (one.sure.low, one.sure.high) if by is Eyes.READERS else (line.physical, line.physical)
    return {
        "item": line.item,
        "lot": line.lot,
        "book": line.book,
        "observed_by": by.value,
        "observed_at": None if one.seen.at is None else to_iso(one.seen.at),
        "physical": line.physical if one.seen.counts else None,
        "low": low if one.seen.counts else None,
        "high": high if one.seen.counts else None,
        "book_right": f"{one.sure.book_right:.3f}" if by is Eyes.READERS else None,
        "certified": one.certified,
    }


def canonical(said: Mapping[str, Any]) -> bytes:
    """Return the bytes that are signed."""
    return (
        f"{said['form']}\n".encode()
        + json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    )


def seal(said: Mapping[str, Any], key_id: str, sign: Sign) -> str:
    """Return the statement as the text of a file."""
    signature = sign(canonical(said)).hex()
    whole = {"statement": dict(said), "signature": {"algorithm": "Ed25519", "key": key_id, "value": signature}}
    return json.dumps(whole, sort_keys=True, ensure_ascii=False, indent=1) + "\n"


def read_sealed(text: str) -> tuple[dict[str, Any], str, bytes]:
    """Return what a statement says, the id of the key it names, and its signature. Raises `BadInput`, saying why."""
    try:
        whole = json.loads(
            text, parse_int=_plain, parse_float=_no_float, parse_constant=_no_float, object_pairs_hook=_each_key_once
        )
        json.dumps(whole, ensure_ascii=False).encode()  # half a surrogate pair is a text that nobody signed
    except json.JSONDecodeError as error:
        where = f"it stops being JSON at line {error.lineno}, column {error.colno}"
        raise _no_statement(f"{where}; it was cut, changed, or saved by another program") from error
    except RecursionError as error:
        raise _no_statement("it is nested deeper than any statement") from error
    except UnicodeEncodeError as error:
        raise _no_statement("it has half a character, which nobody signed") from error
    except ValueError as error:
        raise _no_statement(f"it has {error}") from error
    said, seal_ = _map(whole, "statement"), _map(whole, "signature")
    if said.get("form") not in (FORM, FORM_BEFORE) or seal_.get("algorithm") != "Ed25519":
        raise BadInput(f"statement: expected the form {FORM} signed with Ed25519, got another")
    key, value = seal_.get("key"), seal_.get("value")
    if set(whole) != {"statement", "signature"} or not isinstance(key, str) or not isinstance(value, str):
        raise _no_statement("it has other parts than a statement and a signature with its key and value")
    if not SIGNATURE.fullmatch(value):
        raise _no_statement("its signature is not 128 digits of 0..9 and a..f")
    return said, key, bytes.fromhex(value)


def _no_statement(why: str) -> BadInput:
    return BadInput(f"statement: expected a file made by `wardstock-central statement`; {why}")


def _map(whole: object, name: str) -> dict[str, Any]:
    found = whole.get(name) if isinstance(whole, dict) else None
    if not isinstance(found, dict):
        raise _no_statement(f"it has no part named {name}")
    return found


def _plain(text: str) -> int:
    if len(text) > DIGITS_MAX or text.startswith("-0"):
        raise ValueError(f"a number that is written as in no statement, {text:.20}")
    return int(text)


def _no_float(text: str) -> float:
    raise ValueError(f"a number with a fraction, {text:.20}, which a statement never has")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: an eye may read the one that the signature does not cover."""
    named = dict(pairs)
    if len(named) < len(pairs):
        raise ValueError("a name that stands twice in one object, which is never so in a statement")
    return named


def is_whole(said: Mapping[str, Any], signature: bytes, check: Check) -> bool:
    """Tell whether a statement is as it was signed."""
    return check(canonical(said), signature)
