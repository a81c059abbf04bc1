"""What an entry costs on the wire and in the processor: beside json + pydantic, and in bytes of signed frames.

The codec's work is a frame of 500 written, packed and read again, the limits of every field checked; json + pydantic do
the same ten fields with a model of the same limits, and pack nothing. `opened` makes each entry too, with what only
Python can check. Bytes are those of whole signed messages of drawn wards.
"""

import json
import time
from collections.abc import Callable
from statistics import mean, median

from pydantic import BaseModel, Field

from protocols.entry import BODY_BYTES_MAX, WIRE, Entry, decode_entry, encode_entry
from protocols.sync.codec import Envelope, pack_entries, seal, unpack_entries
from protocols.sync.frames import FRAME_ENTRIES_MAX, Frame
from tests.bench.entries import issues
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import Ward, draw, signing

CODEC_BAR, BYTES_BAR, BYTES_OF_ONE_BAR = 1 / 8, 60.0, 350.0
TURNS = 4
WARDS = 10


class Said(BaseModel):
    """An entry with the limits of ours."""

    event_id: str = Field(min_length=32, max_length=32)
    hlc: int = Field(ge=0)
    wall: int
    mono: int = Field(ge=0)
    boot_id: str = Field(min_length=32, max_length=32)
    clock_quality: int = Field(ge=0, le=3)
    kind: str = Field(min_length=1, max_length=32)
    schema_: int = Field(ge=1, le=0xFFFF)
    body: str = Field(max_length=BODY_BYTES_MAX)
    actor: str = Field(max_length=64)


def model_of(entry: Entry) -> Said:
    """Return an entry as the model."""
    return Said(
        event_id=entry.event_id.hex(),
        hlc=entry.hlc,
        wall=entry.wall,
        mono=entry.mono,
        boot_id=entry.boot_id.hex(),
        clock_quality=int(entry.clock_quality),
        kind=entry.kind,
        schema_=entry.schema,
        body=entry.body.decode(),
        actor=entry.actor,
    )


def ours(entries: list[Entry], read: Callable[[bytes], object]) -> float:
    """Return the seconds of writing and reading a frame."""
    began = time.perf_counter()
    for _ in range(TURNS):
        packed = pack_entries([encode_entry(entry) for entry in entries])
        assert len([read(raw) for raw in unpack_entries(packed)]) == len(entries)
    return time.perf_counter() - began


def plain(models: list[Said]) -> float:
    """Return the seconds of the same with json and pydantic."""
    began = time.perf_counter()
    for _ in range(TURNS):
        text = json.dumps([model.model_dump() for model in models])
        assert len([Said(**said) for said in json.loads(text)]) == len(models)
    return time.perf_counter() - began


def sealed(ward: Ward, start: int, size: int) -> int:
    """Return the bytes of one signed message with so many entries."""
    ledger = ward.ledger
    raws = ledger.entries_raw(start, size, 1 << 30)
    before, last = ledger.hash_at(start - 1), ledger.hash_at(start + len(raws) - 1)
    assert before is not None
    assert last is not None
    envelope = Envelope(ward.topics.device, ledger.incarnation, bytes(range(16)), bytes(range(16)), 1)
    return len(seal(envelope, Frame(start, len(raws), before, last, pack_entries(raws)), signing()))


def main() -> None:
    """Measure and print."""
    entries = issues(FRAME_ENTRIES_MAX)
    models = [model_of(entry) for entry in entries]
    rounds = [(ours(entries, WIRE.decode), plain(models), ours(entries, decode_entry)) for _ in range(ROUNDS)]
    own, theirs, opened = (median(column) for column in zip(*rounds, strict=True))
    us = 1e6 / (TURNS * len(entries))
    report_bar(
        "wire_codec",
        ratio=own / theirs,
        bar=CODEC_BAR,
        what="seconds of a frame written, packed and read with its fields' limits, over json + pydantic, unpacked",
        ours_us=own * us,
        plain_us=theirs * us,
        opened_us=opened * us,
        opened_ratio=opened / theirs,
    )
    wards = draw(WARDS, WARDS * FRAME_ENTRIES_MAX)
    many = mean(sealed(ward, 0, FRAME_ENTRIES_MAX) / FRAME_ENTRIES_MAX for ward in wards)
    report_bar(
        "wire_bytes_of_500",
        ratio=many / BYTES_BAR,
        bar=1.0,
        what="bytes an entry in a signed frame of 500 of a drawn ward, over 60",
        bytes_an_entry=many,
    )
    ones = [sealed(ward, seq, 1) for ward in wards for seq in range(100, 400)]
    report_bar(
        "wire_bytes_of_one",
        ratio=median(ones) / BYTES_OF_ONE_BAR,
        bar=1.0,
        what="median bytes of a signed frame of one entry of a drawn ward, over 350",
        bytes_a_frame=median(ones),
        bytes_max=max(ones),
    )


if __name__ == "__main__":
    main()
