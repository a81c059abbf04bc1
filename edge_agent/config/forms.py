"""The forms a value of edge.toml may have: each knows what it expects in words and how to read it.

It knows no key; `edge_agent.config` says which key has which form.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast
from urllib.parse import urlsplit

from protocols.errors import BadValue
from protocols.values import ids
from protocols.values.ids import Epc, PlaceId

T = TypeVar("T")

DAY_S = 86_400.0
BROKERS_MAX = 8
ANTENNAS_MAX = 64
SHOWN_MAX = 80
"""Characters of a wrong value that a message repeats."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


@dataclass(frozen=True, slots=True)
class Form(Generic[T]):
    """How one value is read: `read` returns None for what is not `expected`, or raises `BadValue` in its own words."""

    expected: str
    read: Callable[[object], T | None]


@dataclass(frozen=True, slots=True)
class Address:
    """A TCP address."""

    host: str
    port: int


class Section:
    """One table of the file: hands its keys out, checked, and notes every fault it meets."""

    def __init__(self, name: str, raw: object, faults: list[str]) -> None:
        self._name, self._faults = name, faults
        self._left: dict[str, object] = dict(raw) if isinstance(raw, Mapping) else {}
        self._asked: set[str] = set()
        self.refused = not isinstance(raw, Mapping)
        if self.refused:
            self.note("", f"expected a table, got {raw!r:.{SHOWN_MAX}}")

    def need(self, key: str, form: Form[T]) -> T:
        """Return the value of a key that must be there; after a fault nothing of use, for the file is refused."""
        self._asked.add(key)
        if key not in self._left:
            self.note(f".{key}", f"it is missing; expected {form.expected}")
            return cast(T, None)
        return self.take(key, form, cast(T, None))

    def take(self, key: str, form: Form[T], default: T) -> T:
        """Return the value of a key, or the default where it is not given."""
        self._asked.add(key)
        if key not in self._left:
            return default
        raw = self._left.pop(key)
        try:
            value = form.read(raw)
        except BadValue as error:
            self.note(f".{key}", str(error))
            return default
        if value is None:
            self.note(f".{key}", f"expected {form.expected}, got {raw!r:.{SHOWN_MAX}}")
            return default
        return value

    def maybe(self, key: str, form: Form[T]) -> T | None:
        """Return the value of a key, None where it is not given."""
        return self.take(key, form, cast(T, None))

    def end(self) -> None:
        """Note every key that nobody asked for."""
        for key in self._left:
            self.note(f".{key}", f"this key is unknown; expected one of {', '.join(sorted(self._asked))}")

    def note(self, key: str, fault: str) -> None:
        """Keep a fault; `key` is empty for the table as a whole."""
        self.refused = True
        self._faults.append(f"{self._name}{key}: {fault}")


def named(parse: Callable[[str], T], expected: str) -> Form[T]:
    """A text that one of the product's own parsers reads."""
    return Form(expected, lambda raw: parse(raw) if isinstance(raw, str) else None)


def whole(low: int, high: int) -> Form[int]:
    """A whole number."""
    said = f"the number {low}" if low == high else f"a whole number from {low} to {high}"
    return Form(said, lambda raw: raw if type(raw) is int and low <= raw <= high else None)


def number(low: float, high: float) -> Form[float]:
    """A number, whole or not."""

    def read(raw: object) -> float | None:
        if isinstance(raw, bool) or not isinstance(raw, int | float) or not low <= raw <= high:
            return None
        return float(raw)

    return Form(f"a number from {low:g} to {high:g}", read)


def only(word: str) -> Form[str]:
    """The one word that is built so far."""
    return Form(f'"{word}", the only one built so far', lambda raw: word if raw == word else None)


def word_of(*admitted: str) -> Form[str]:
    """One of some words."""
    said = f"one of {', '.join(admitted)}"
    return Form(said, lambda raw: raw if isinstance(raw, str) and raw in admitted else None)


def one_of(*admitted: int) -> Form[int]:
    """One of some numbers."""
    said = f"one of {', '.join(map(str, admitted))}"
    return Form(said, lambda raw: raw if type(raw) is int and raw in admitted else None)


def path_under(root: Path) -> Form[Path]:
    """A path, relative to the configuration's folder."""

    def read(raw: object) -> Path | None:
        return root / raw if isinstance(raw, str) and raw and "\0" not in raw else None

    return Form("a path", read)


def serial_under(root: Path) -> Form[Path]:
    """A serial port by its path."""

    def read(raw: object) -> Path | None:
        scheme, _, path = raw.partition(":") if isinstance(raw, str) else ("", "", "")
        return root / path if scheme == "serial" and path and "\0" not in path else None

    return Form("serial:PATH such as 'serial:/dev/ttyACM0'", read)


def input_under(root: Path) -> Form[Path]:
    """An input device by its path."""

    def read(raw: object) -> Path | None:
        scheme, _, path = raw.partition(":") if isinstance(raw, str) else ("", "", "")
        return root / path if scheme == "input" and path and "\0" not in path else None

    return Form("input:PATH such as 'input:/dev/input/by-id/usb-…-event-kbd'", read)


def module_under(root: Path, auto: Path) -> Form[Path | Address]:
    """Where a serial module is: its port, or the TCP port of the converter it hangs on, which has no usual number.

    `serial:auto` gives `auto`: the port on which it is found.
    """
    serial = serial_under(root)

    def read(raw: object) -> Path | Address | None:
        if raw == "serial:auto":
            return auto
        return serial.read(raw) or (_address(raw, "tcp", 0) if _says_port(raw) else None)

    return Form("serial:PATH or tcp://HOST:PORT such as 'serial:/dev/ttyUSB0', or serial:auto", read)


def powers(most: float) -> Form[tuple[tuple[int, float], ...]]:
    """A power of every antenna, said as antenna 0, or a table of antenna and power; dBm."""
    one = number(0.0, most)

    def read(raw: object) -> tuple[tuple[int, float], ...] | None:
        rows = raw if isinstance(raw, Mapping) else {"0": raw}
        pairs = [(0 if rows is not raw else _antenna(key), one.read(value)) for key, value in rows.items()]
        if not pairs or not all(power is not None and (antenna or rows is not raw) for antenna, power in pairs):
            return None
        return tuple((antenna, power or 0.0) for antenna, power in pairs)

    return Form(f"dBm from 0 to {most:g}, or a table of antenna and dBm such as {{ 1 = 27, 2 = 24.5 }}", read)


def outputs(most: int) -> Form[dict[str, int]]:
    """Outputs of a reader by the answer they show."""

    def read(raw: object) -> dict[str, int] | None:
        if not isinstance(raw, Mapping) or not raw or set(raw) - {"ok", "look", "no"}:
            return None
        right = all(type(port) is int and 1 <= port <= most for port in raw.values())
        return dict(raw) if right else None

    return Form(f"a table of ok, look, no and outputs of 1..{most} such as {{ ok = 1, no = 2 }}", read)


def _says_port(raw: object) -> bool:
    return isinstance(raw, str) and re.search(r":[0-9]+/?$", raw) is not None


def _storeroom(text: str) -> PlaceId | None:
    place = ids.place_id(text)
    return None if ids.is_virtual(place) else place


def _brokers(raw: object) -> tuple[str, ...] | None:
    if not isinstance(raw, list) or not 1 <= len(raw) <= BROKERS_MAX:
        return None
    known = all(_address(url, "mqtt", 1883) or _address(url, "mqtts", 8883) for url in raw)
    return tuple(raw) if known else None


def _antennas(raw: object) -> tuple[int, ...] | None:
    if not isinstance(raw, list) or not 1 <= len(raw) <= ANTENNAS_MAX:
        return None
    right = all(type(each) is int and 1 <= each <= 65_535 for each in raw) and len(set(raw)) == len(raw)
    return tuple(raw) if right else None


def _address(raw: object, scheme: str, port: int) -> Address | None:
    try:
        parts = urlsplit(raw if isinstance(raw, str) else "")
        given = parts.port or port
    except ValueError:
        return None
    more = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme != scheme or not parts.hostname or more:
        return None
    return Address(parts.hostname, given)


def _reference(raw: object) -> tuple[tuple[int, Epc], ...] | None:
    if not isinstance(raw, Mapping) or not 1 <= len(raw) <= ANTENNAS_MAX:
        return None
    rows = [(_antenna(key), value) for key, value in raw.items()]
    if not all(antenna and isinstance(value, str) for antenna, value in rows):
        return None
    return tuple((antenna, ids.epc(value)) for antenna, value in rows)


def _antenna(key: object) -> int:
    """Return the antenna a key names, 0 for none."""
    right = isinstance(key, str) and key.isascii() and key.isdecimal() and 1 <= int(key) <= 65_535
    return int(str(key)) if right else 0


def _llrp(raw: object) -> tuple[Address, bool] | None:
    plain, secure = _address(raw, "tcp", 5084), _address(raw, "tls", 5085)
    return (plain, False) if plain else (secure, True) if secure else None


def _listen(raw: object) -> Address | None:
    host, colon, port = raw.rpartition(":") if isinstance(raw, str) else ("", "", "")
    fits = bool(host and colon) and port.isdecimal() and len(port) <= 5 and int(port) <= 65_535
    return Address(host.strip("[]"), int(port)) if fits else None


def _name(text: str) -> str | None:
    return text if _NAME.fullmatch(text) else None


NAME = Form("a short lower-case name such as 'r1'", lambda raw: _name(raw) if isinstance(raw, str) else None)
TEXT = Form("a text", lambda raw: raw if isinstance(raw, str) else None)
TRUTH = Form("true or false", lambda raw: raw if isinstance(raw, bool) else None)
STOREROOM = Form("the id of a storeroom", lambda raw: _storeroom(raw) if isinstance(raw, str) else None)
LISTEN = Form("HOST:PORT such as '127.0.0.1:8090'; port 0 takes a free one", _listen)
LLRP = Form("tcp://HOST:PORT, or tls://HOST:PORT", _llrp)
BROKERS = Form(f'a list of 1..{BROKERS_MAX} such as ["mqtt://127.0.0.1:1883"]', _brokers)
ANTENNAS = Form(f"a list of 1..{ANTENNAS_MAX} different antenna numbers such as [1, 2, 3, 4]", _antennas)
REFERENCE = Form('a table of antenna and EPC such as { 1 = "3034…" }', _reference)
SECONDS = number(1.0, DAY_S)
