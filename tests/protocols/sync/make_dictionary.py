"""How the dictionary of packed entries was made: `python -m tests.protocols.sync.make_dictionary > FILE`.

It is trained on one entry at a time, of wards as the simulator draws them, in which every name, code, number and time
was replaced by another, so that it learns the forms and the alphabets of entries and no hospital's words. Run again it
gives another dictionary, which would be another version: what was released is a constant in `protocols`.
"""

import base64
import random
import re
import sys
from collections.abc import Iterator
from typing import Any

import msgspec
import zstandard

from hardware_sim.hospital.acts import Book, acts_of
from hardware_sim.storeroom.rates import NOMINAL
from hardware_sim.storeroom.ward import START, Plan, draw_ward
from protocols.entry import SCHEMA_NOW, ClockQuality, Entry, encode_body, encode_entry
from protocols.values.hlc import Hlc
from protocols.values.ids import ActorId, BootId, PlaceId, make_event_id
from protocols.values.instant import MICROS, Instant, business_day, from_iso

BYTES = 2_048
ID = 32_769
"""Numbers from 32,768 on are for private use (RFC 8878, section 6); this is the first of ours."""
WARDS = 60
ACTS_A_WARD = 400
LINE = 112
LEVEL = 3
HEX, DIGITS, CODE = "0123456789ABCDEF", "0123456789", "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
ROOMS = ("ward-{}", "icu-{}", "or-{}", "bu{}", "ks-{}", "storeroom.{}", "cath-lab-{}", "w{}")
SINCE = from_iso("2026-01-01T00:00:00+08:00")
SPAN_S = 6 * 365 * 86_400


def words(chance: random.Random, alphabet: str, length: int) -> str:
    """Return a word of an alphabet."""
    return "".join(chance.choices(alphabet, k=length))


def disguised(body: bytes, room: str, chance: random.Random) -> bytes:
    """Return a body in which every name, code and number is another, the same one the same."""
    known: dict[str, str] = {}

    def other(found: re.Match[str]) -> str:
        text = found[0]
        if text not in known:
            known[text] = _other(text, chance)
        return known[text]

    text = body.decode().replace("ward-0001", room)
    text = re.sub(r"\b[0-9A-F]{24}\b|\bHC\d{4}\b|\b\d{6}[A-Z]\d\b|\b\d{14,16}\b|\d\d\d\d-\d\d-\d\d", other, text)
    return text.replace("simulated", chance.choice(("live-1", "step-1", "window-2"))).encode()


def _other(text: str, chance: random.Random) -> str:
    if re.fullmatch("[0-9A-F]{24}", text):
        return words(chance, HEX, 24)
    if text.startswith("HC"):
        return words(chance, CODE, chance.randint(4, 9))
    if "-" in text:
        return f"20{chance.randint(26, 33)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    if text.isdigit():
        return words(chance, DIGITS, len(text))
    return words(chance, CODE, chance.randint(5, 10))


def samples() -> Iterator[bytes]:
    """Return entries, each packed as a frame of one is before compression."""
    chance = random.Random("the dictionary of entries")
    for ward in range(WARDS):
        at = Instant(SINCE + chance.randrange(SPAN_S) * MICROS)
        book = Book(PlaceId("ward-0001"), business_day(from_iso(START)), from_iso(START))
        drawn = acts_of(draw_ward(Plan(seed=90_000 + ward, days=5, tags=120, rates=NOMINAL)), book)
        for act, _ in zip(drawn, range(ACTS_A_WARD), strict=False):
            room = chance.choice(ROOMS).format(chance.randint(1, 40))
            wall = Instant(at + round(act.at_s * MICROS) + chance.randrange(MICROS))
            entry = Entry(
                make_event_id(wall // 1000, chance.randbytes(10)),
                Hlc(wall // 1000 << 16),
                wall,
                round(act.at_s * MICROS) + chance.randrange(MICROS),
                BootId(chance.randbytes(16)),
                ClockQuality.SYNCED,
                act.kind,
                SCHEMA_NOW,
                disguised(encode_body(act.body), room, chance),
                ActorId(act.actor and words(chance, CODE, chance.randint(3, 6))),
            )
            yield msgspec.msgpack.encode((encode_entry(entry),))


def main() -> None:
    """Train, and write the dictionary as text."""
    entries: list[Any] = list(samples())
    random.Random("mixed").shuffle(entries)
    made = zstandard.train_dictionary(BYTES, entries, dict_id=ID, level=LEVEL)
    text = base64.b64encode(made.as_bytes()).decode()
    sys.stdout.write("\n".join(text[at : at + LINE] for at in range(0, len(text), LINE)) + "\n")


if __name__ == "__main__":
    main()
