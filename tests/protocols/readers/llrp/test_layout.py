"""Laws over every row of the LLRP tables: what is written is read, and a field owns its bits and no others."""

import random
from collections.abc import Iterator

import pytest

from protocols.readers.llrp import layout as rows
from protocols.readers.llrp.codec import decode, encode
from protocols.readers.llrp.fields import BITS, Value, parse_steps, read_steps, write_steps
from protocols.readers.llrp.messages import Layout, Message, Slot, name_of, number_of, response_of, tables

SIZES = {"u1": 1, "u2": 2, "flag": 1, "u8": 8, "u16": 16, "u32": 32, "u64": 64, "s8": 8, "s16": 16, "hex12": 96}
NESTED_MAX = 4


def table_rows() -> Iterator[tuple[str, list[str]]]:
    """Give the name and the fields of every row, read from the text itself."""
    for text in (rows.MESSAGES, rows.TLV, rows.TV):
        for row in text.strip().replace("\n ", " ").split("\n"):
            words = row.split()
            yield words[1], words[2 : words.index("/") if "/" in words else len(words)]


def size_of(word: str) -> int:
    """Return the bits of a field of fixed size, 0 for another."""
    name, _, kind = word.partition(":")
    return int(kind) if name == "-" else SIZES.get(kind.partition("=")[0], 0)


def fixed_rows() -> list[tuple[str, list[str]]]:
    return [(name, words) for name, words in table_rows() if words and all(size_of(word) for word in words)]


@pytest.mark.parametrize(("name", "words"), fixed_rows(), ids=lambda value: value if isinstance(value, str) else "")
def test_a_field_owns_its_bits_and_no_others(name: str, words: list[str]) -> None:
    steps = parse_steps(" ".join(words))
    total = sum(size_of(word) for word in words)
    named = [word for word in words if not word.startswith("-")]
    zero: dict[str, Value] = {word.partition(":")[0]: "00" * 12 if ":hex12" in word else 0 for word in named}
    at = 0
    for word in words:
        at += size_of(word)
        if word not in named:
            continue
        field, _, kind = word.partition(":")
        ones: Value = "FF" * 12 if kind == "hex12" else -1 if kind[0] == "s" else (1 << size_of(word)) - 1
        raw = write_steps(steps, zero | {field: ones})
        assert len(raw) * 8 == total
        assert int.from_bytes(raw, "big") == ((1 << size_of(word)) - 1) << total - at
        assert read_steps(steps, raw, 0, len(raw))[0][field] == ones


def some_field(chance: random.Random, kind: str) -> Value:
    if kind == "flag":
        return chance.random() < 0.5
    if kind in BITS or kind in ("u8", "u16", "u32", "u64"):
        return chance.randrange(1 << SIZES[kind])
    if kind in ("s8", "s16"):
        return chance.randrange(-(1 << SIZES[kind] - 1), 1 << SIZES[kind] - 1)
    if kind == "text":
        return "".join(chance.choice("abc 纱布") for _ in range(chance.randrange(6)))
    if kind == "bits":
        size = chance.randrange(1, 5)
        cut = chance.randrange(8)
        return chance.randbytes(size).hex().upper() + (f"/{size * 8 - cut}" if cut else "")
    if kind in ("u8v", "u16v", "u32v"):
        return [chance.randrange(1 << int(kind[1:-1])) for _ in range(chance.randrange(4))]
    return chance.randbytes(12 if kind == "hex12" else 2 * chance.randrange(5)).hex().upper()


def some_params(chance: random.Random, layout: Layout, words: dict[str, list[str]], depth: int) -> dict[str, Value]:
    out: dict[str, Value] = {}
    for word in words[layout.name]:
        name, _, kind = word.partition(":")
        if name != "-":
            out[name] = some_field(chance, kind.partition("=")[0])
    for slot in layout.slots:
        # a Custom that could stand in two places is read into the first: both write the same bytes
        shadowed = slot.key == "Custom" and layout.slot_of[1023] is not slot
        if slot.required or (depth and not shadowed and chance.random() < 0.5):
            out.update(some_slot(chance, slot, words, max(0, depth - 1)))
    return out


def some_slot(chance: random.Random, slot: Slot, words: dict[str, list[str]], depth: int) -> dict[str, Value]:
    names = [name for name in slot.names if name != "Custom" or slot.names == ("Custom",)]
    chosen = chance.choice(names)
    layout = tables().parameters[chosen]
    params = some_params(chance, layout, words, depth)
    value = params[layout.sole_field] if layout.sole_field else params
    if not slot.repeats:
        return {chosen: value}
    return {slot.key: [{chosen: value}] * 2 if slot.is_choice else [value] * 2}


@pytest.mark.parametrize("type_name", tables().messages)
def test_a_message_of_every_type_is_read_as_it_was_written(type_name: str) -> None:
    chance = random.Random(type_name)
    top = {name: words for name, words in table_rows() if name in tables().messages}
    below = {name: words for name, words in table_rows() if name in tables().parameters}
    for _ in range(30):
        params = some_params(chance, tables().messages[type_name], top | below, NESTED_MAX)
        message = Message(type_name, chance.randrange(1 << 32), params, chance.choice((1, 2)))
        assert decode(encode(message)) == message


def test_no_two_rows_share_a_number() -> None:
    known = tables()
    assert len(known.messages) == len(known.message_of) == 44
    assert len(known.parameters) == len(known.parameter_of) == 119


def test_every_response_answers_a_request() -> None:
    answered = {response_of(name) for name in tables().messages} - {""}
    assert answered == {name for name in tables().messages if name.endswith("_RESPONSE")}


def test_an_enumeration_is_read_both_ways() -> None:
    assert number_of("StatusCode", "R_DeviceError") == 401
    assert name_of("StatusCode", 401) == "R_DeviceError"
    assert name_of("StatusCode", 999) == "999"
