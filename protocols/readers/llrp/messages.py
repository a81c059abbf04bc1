"""LLRP messages as values, and the layouts they follow, read once from the text tables of `layout.py`.

A `Message` is what both ends speak: `params` is JSON as it stands. A parameter stands under its own name; one that may
repeat is a list; a choice that may repeat is a list of one-key mappings, because its order means something. A parameter
that is nothing but one field is that field's value (`"AntennaID": 1`). Parameters no layout expects are kept raw under
`Unexpected`. Numbers of an enumeration stay numbers; `number_of` and `name_of` translate.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from protocols.errors import WeBroke
from protocols.readers.llrp import layout as rows
from protocols.readers.llrp.fields import Params, Run, Step, Value, parse_steps

UNEXPECTED = "Unexpected"
"""Key of parameters that a layout has no room for: `{"type": number, "data": hex}`, written back at the end."""

ID_MAX = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Message:
    """One LLRP message: `version` 1 is LLRP 1.0.1, 2 is LLRP 1.1; `id` ties a response to its request."""

    type_name: str
    id: int
    params: Params = field(default_factory=dict)
    version: int = 1

    def __post_init__(self) -> None:
        if self.type_name not in tables().messages:
            raise WeBroke(f"LLRP message: expected a type of the table, got {self.type_name!r:.60}")
        if not 0 <= self.id <= ID_MAX or not 1 <= self.version <= 7:
            raise WeBroke(f"{self.type_name}: expected a 32-bit id and a 3-bit version, got {self.id}, {self.version}")


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for nested parameters in a layout: which may stand there and how often."""

    key: str
    names: tuple[str, ...]
    required: bool
    repeats: bool
    is_choice: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """How one message or parameter is laid out.

    `sole_field` names the only field of a parameter that is its value; `fixed_bytes` is the size of its fixed fields,
    which for a TV parameter is its length; `quick` reads the value where that is one number, as most TVs are.
    `slot_of` finds a slot by a parameter's number, `place_of` its place in `slots` by a key of the decoded mapping.
    """

    name: str
    number: int
    is_tv: bool
    steps: tuple[Step, ...]
    slots: tuple[Slot, ...]
    sole_field: str
    fixed_bytes: int
    quick: struct.Struct | None
    keys: frozenset[str]
    slot_of: Mapping[int, Slot]
    place_of: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Tables:
    """Every layout by name and number, and every enumeration both ways."""

    messages: Mapping[str, Layout]
    message_of: Mapping[int, Layout]
    parameters: Mapping[str, Layout]
    parameter_of: Mapping[int, Layout]
    numbers: Mapping[str, Mapping[str, int]]
    names: Mapping[str, Mapping[int, str]]


@cache
def tables() -> Tables:
    """Return the tables, built at the first call: about five milliseconds."""
    choices = {words[0]: tuple(words[1:]) for words in _rows(rows.CHOICES)}
    tv, tlv, top = _rows(rows.TV), _rows(rows.TLV), _rows(rows.MESSAGES)
    numbers = {words[1]: int(words[0]) for words in tv + tlv}
    parameters = {
        row[1]: _make_layout(row, is_tv=is_tv, nested=True, choices=choices, numbers=numbers)
        for part, is_tv in ((tv, True), (tlv, False))
        for row in part
    }
    messages = {row[1]: _make_layout(row, is_tv=False, nested=False, choices=choices, numbers=numbers) for row in top}
    enumerations = {
        words[0]: {name: int(number) for name, _, number in (word.partition("=") for word in words[1:])}
        for words in _rows(rows.ENUMERATIONS)
    }
    return Tables(
        messages=messages,
        message_of={each.number: each for each in messages.values()},
        parameters=parameters,
        parameter_of={each.number: each for each in parameters.values()},
        numbers=enumerations,
        names={name: {number: word for word, number in row.items()} for name, row in enumerations.items()},
    )


def _rows(text: str) -> list[list[str]]:
    """Split a table into rows of words; an indented line continues the row above it."""
    return [row.split() for row in text.strip().replace("\n ", " ").split("\n")]


def _make_layout(
    words: list[str], *, is_tv: bool, nested: bool, choices: Mapping[str, tuple[str, ...]], numbers: Mapping[str, int]
) -> Layout:
    cut = words.index("/") if "/" in words else len(words)
    slots = tuple(_make_slot(word, choices) for word in words[cut + 1 :])
    steps = parse_steps(" ".join(words[2:cut]))
    fields = [word.partition(":")[0] for word in words[2:cut] if not word.startswith("-")]
    slot_of: dict[int, Slot] = {}
    for slot in slots:
        for name in slot.names:
            slot_of.setdefault(numbers[name], slot)
    keys = frozenset(fields) | {key for slot in slots for key in _keys_of(slot)} | {UNEXPECTED}
    sole = fields[0] if nested and len(fields) == 1 and not slots else ""
    fixed = sum(step.packer.size for step in steps if isinstance(step, Run))
    quick = steps[0].packer if sole and isinstance(steps[0], Run) and steps[0].plain else None
    place_of = {key: place for place, slot in enumerate(slots) for key in _keys_of(slot)}
    return Layout(words[1], int(words[0]), is_tv, steps, slots, sole, fixed, quick, keys, slot_of, place_of)


def _keys_of(slot: Slot) -> tuple[str, ...]:
    """Return the keys a slot may fill: a choice that stands once stands under the chosen parameter's own name."""
    return slot.names if slot.is_choice and not slot.repeats else (slot.key,)


def _make_slot(word: str, choices: Mapping[str, tuple[str, ...]]) -> Slot:
    key = word.rstrip("?*+")
    mark = word[len(key) :]
    names = choices.get(key, (key,))
    return Slot(key, names, required=mark in ("", "+"), repeats=mark in ("*", "+"), is_choice=key in choices)


def number_of(enumeration: str, name: str) -> int:
    """Return the number of an enumeration's name. Raises `WeBroke` for an unknown one."""
    try:
        return tables().numbers[enumeration][name]
    except KeyError as error:
        raise WeBroke(f"LLRP enumeration: expected a name of the table, got {enumeration}.{name}") from error


def name_of(enumeration: str, number: int) -> str:
    """Return the name of an enumeration's number, or the number as text where the table has none."""
    return tables().names.get(enumeration, {}).get(number, str(number))


def response_of(request: str) -> str:
    """Return the type that answers a request, or "" where LLRP has no answer to it (LLRP 1.1 chapter 17)."""
    name = f"{request}_RESPONSE"
    return name if name in tables().messages else ""


def nested(params: Params, *path: str) -> Params:
    """Follow mappings by name; an absent one is empty."""
    here: Value = params
    for name in path:
        here = here.get(name, {}) if isinstance(here, Mapping) else {}
    return here if isinstance(here, Mapping) else {}


def number_at(params: Params, *path: str) -> int | None:
    """Return the number (or boolean, as 0 or 1) at a path, or None."""
    value = nested(params, *path[:-1]).get(path[-1])
    return int(value) if isinstance(value, int) else None


def text_at(params: Params, *path: str) -> str:
    """Return the text at a path, or ""."""
    value = nested(params, *path[:-1]).get(path[-1])
    return value if isinstance(value, str) else ""


def rows_at(params: Params, *path: str) -> list[Params]:
    """Return the list of mappings at a path; an absent one is empty."""
    value = nested(params, *path[:-1]).get(path[-1])
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list | tuple) else []
