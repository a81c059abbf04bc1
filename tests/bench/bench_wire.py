"""What an entry costs on the wire and in the processor: beside json + pydantic, and in bytes of signed frames.

The codec's work is the ten fields of 500 entries written and read again, the limits of each checked; json + pydantic do
the same with a model of the same limits. `packed` is ours with the frame's compression, which the other does without;
`opened` makes each entry too, with what only Python can check. Bytes are those of whole signed messages of drawn wards.
"""

import json
import time
from collections.abc import Callable
from statistics import mean, median

from pydantic import BaseModel, Field

from protocols.entry import BODY_BYTES_MAX, WIRE, Entry, decode_entry, encode_entry
from protocols.sync.codec import Envelope, pack_entries, seal, unpack_entries
from protocols.sync.dictionary import DICTIONARY_NOW
from protocols.sync.frames import FRAME_ENTRIES_MAX, HALF_BYTES, Frame
from tests.bench.entries import issues
from tests.bench.measure import ROUNDS, report_bar
from tests.bench.wards import Ward, draw, signing

CODEC_BAR, BYTES_BAR, BYTES_OF_ONE_BAR = 1 / 8, 60.0, 350.0
TURNS = 20
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


def written_and_read(entries: list[Entry]) -> float:
    """Return the processor seconds of the entries' fields written and read."""
    began = time.process_time()
    for _ in range(TURNS):
        raws = [encode_entry(entry) for entry in entries]
        assert len([WIRE.decode(raw) for raw in raws]) == len(entries)
    return time.process_time() - began


def framed(entries: list[Entry], read: Callable[[bytes], object]) -> float:
    """Return the processor seconds of a frame written, packed, unpacked and read."""
    began = time.process_time()
    for _ in range(TURNS):
        packed = pack_entries([encode_entry(entry) for entry in entries], DICTIONARY_NOW)
        assert len([read(raw) for raw in unpack_entries(packed)]) == len(entries)
    return time.process_time() - began


def plain(models: list[Said]) -> float:
    """Return the processor seconds of the same with json and pydantic."""
    began = time.process_time()
    for _ in range(TURNS):
        text = json.dumps([model.model_dump() for model in models])
        assert len([Said(**said) for said in json.loads(text)]) == len(models)
    return time.process_time() - began


def sealed(ward: Ward, start: int, size: int) -> int:
    """Return the bytes of one signed message with so many entries."""
    ledger = ward.ledger
    raws = ledger.entries_raw(start, size, 1 << 30)
    before, last = ledger.hash_at(start - 1), ledger.hash_at(start + len(raws) - 1)
    assert before is not None
    assert last is not None
    envelope = Envelope(ward.topics.device, ledger.incarnation, bytes(range(16)), bytes(range(16)), 1)
    frame = Frame(start, len(raws), before, last[:HALF_BYTES], pack_entries(raws, DICTIONARY_NOW))
    return len(seal(envelope, frame, signing()))


def main() -> None:
    """Measure and print."""
    entries = issues(FRAME_ENTRIES_MAX)
    models = [model_of(entry) for entry in entries]
    rounds = [
        (written_and_read(entries), plain(models), framed(entries, WIRE.decode), framed(entries, decode_entry))
        for _ in range(ROUNDS)
    ]
    own, theirs, packed, opened = (median(column) for column in zip(*rounds, strict=True))
    us = 1e6 / (TURNS * len(entries))
    report_bar(
        "wire_codec",
        ratio=own / theirs,
        bar=CODEC_BAR,
        what="processor seconds of entries written and read, limits checked, over json + pydantic",
        ours_us=own * us,
        plain_us=theirs * us,
        packed_ratio=packed / theirs,
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
