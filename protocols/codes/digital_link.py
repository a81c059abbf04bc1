"""GS1 Digital Link: a web address that carries element strings, read and written.

It asks no network and resolves nothing; what the values mean is checked in `gs1`. The rule that must not be broken: an
address without a GS1 key in its path is refused, never searched for digits.

Source: GS1 Digital Link Standard, URI Syntax 1.6. Compressed links are not read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from protocols.codes.gtin import gtin14
from protocols.errors import BadValue

RESOLVER_HOST = "id.gs1.org"
LINK_MAX = 2048
"""Longest address read, in characters."""

QUALIFIERS: dict[str, tuple[str, ...]] = {
    "01": ("22", "10", "21", "235"),
    "8006": ("22", "10", "21"),
    "8010": ("8011",),
    "414": ("254", "7040"),
    "417": ("7040",),
    "8004": ("7040",),
    "8017": ("8019",),
    "8018": ("8019",),
    **dict.fromkeys(("00", "253", "255", "401", "402", "8003", "8013", "410", "411", "412", "413", "415", "416"), ()),
}
"""Keys that may stand in a path, and the identifiers that may follow each there (section 4.4)."""

_LINK = re.compile(r"(?i:https?)://(?P<host>[^/?#\s]+)(?P<path>/[^?#\s]*)(?:\?(?P<query>[^#\s]*))?(?:#\S*)?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_ESCAPED = re.compile(r"[^A-Za-z0-9._~-]")
_AI = re.compile(r"[0-9]{2,4}")

Elements = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """The host and the element strings of one address: the key first, its qualifiers, then those of the query."""

    host: str
    elements: tuple[tuple[str, str], ...]


def read_link(text: str) -> DigitalLink:
    """Take an address apart. Raises `BadValue`."""
    match = _LINK.fullmatch(text) if len(text) <= LINK_MAX else None
    if match is None:
        raise BadValue(f"Digital Link: expected https://host/AI/value…, got {text!r:.120}")
    path = _path(match["path"].strip("/").split("/"))
    if not path:
        raise BadValue(f"Digital Link: expected a GS1 key such as /01/ in the path, got {match['path']!r:.120}")
    return DigitalLink(match["host"], (*path, *_query(match["query"] or "")))


def write_link(key: tuple[str, str], qualifiers: Elements, data: Elements = (), host: str = RESOLVER_HOST) -> str:
    """Return the address of a key with its qualifiers in the path and further data in the query."""
    path = "".join(f"/{ai}/{_escaped(value)}" for ai, value in (key, *qualifiers))
    query = "&".join(f"{ai}={_escaped(value)}" for ai, value in data)
    return f"https://{host}{path}" + (f"?{query}" if query else "")


def _path(steps: list[str]) -> list[tuple[str, str]]:
    """Return key and qualifiers at the end of a path; what stands before belongs to the server."""
    for start in range(len(steps) % 2, len(steps), 2):
        allowed = QUALIFIERS.get(steps[start])
        if allowed is not None and all(step in allowed for step in steps[start + 2 :: 2]):
            pairs = zip(steps[start::2], steps[start + 1 :: 2], strict=True)
            return [(ai, _unescaped(value, ai)) for ai, value in pairs]
    return []


def _query(query: str) -> list[tuple[str, str]]:
    """Return the element strings of a query; other words in it are not for us."""
    words = (word.partition("=") for word in re.split("[&;]", query))
    return [(ai, _unescaped(value, ai)) for ai, mark, value in words if mark and _AI.fullmatch(ai)]


def _escaped(text: str) -> str:
    return _ESCAPED.sub(lambda hit: f"%{ord(hit[0]):02X}", text)


def _unescaped(text: str, ai: str) -> str:
    plain = _ESCAPE.sub(lambda hit: chr(int(hit[1], 16)), text)
    return gtin14(plain) if ai == "01" and plain.isdecimal() else plain
