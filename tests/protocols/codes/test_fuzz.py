"""Every decoder of codes and scans against shapes nobody thought of and against many small mutations.

Nothing but the package's own errors may escape, and no decoder may keep what it was fed.
"""

import contextlib
import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from protocols.codes.epc import decode_epc, decode_sgtin96, encode_tag_uri
from protocols.codes.gs1 import read_bracketed, read_message
from protocols.codes.gtin import gtin14
from protocols.codes.label import make_badge, read_label
from protocols.codes.own import read_own
from protocols.decode import decode_line
from protocols.errors import ProtocolsError
from protocols.readers.scanner import SCAN_MAX, BeepDecoder, ScannerDecoder
from protocols.values.ids import actor_id

MUTANTS = 100_000
MEMORY_GROWTH_MAX = 256 * 1024
SEEDS = {
    "epc": ["3066C4409047E140075BCD15", "F73795211411234538566CB0AFC4", "3776451FD40C0E59B2C2BF1000000000000000000000"],
    "tag uri": ["urn:epc:tag:sgtin-96:3.95060001343.05.123456789", "urn:epc:tag:gid-96:1.2.3"],
    "gs1": [
        "]d2010690123456789217270131112601011" + "0LOT\x1d21SERIAL",
        "]C100095201234567891235",
        "]Q3800309521141123454A",
    ],
    "bracketed": ["(01)06901234567892(17)270131(10)LOT(21)S", "(7007)270101270131(8006)095211411234540102"],
    "own": [make_badge(actor_id("N0042")), "WSC1UNDOB", "+A123BJC5D6E71G", "MA.156.M0.100761"],
    "number": ["06901234567892", "6901234567892"],
}
ALPHABET = "0123456789ABCDEFabcxyz()[].:%/\\+-\x1d\r\n\t \x00\x7fé٣中\udc80"
Decoder = Callable[[str], object]
DECODERS: dict[str, tuple[Decoder, str]] = {
    "decode_epc": (decode_epc, "epc"),
    "decode_sgtin96": (decode_sgtin96, "epc"),
    "encode_tag_uri": (encode_tag_uri, "tag uri"),
    "read_message": (lambda text: read_message(text[3:]), "gs1"),
    "read_bracketed": (read_bracketed, "bracketed"),
    "read_label": (read_label, "gs1"),
    "read_own": (read_own, "own"),
    "gtin14": (gtin14, "number"),
}


def mutant(text: str, rng: random.Random) -> str:
    """Return a text with one to four characters changed, put in, taken out, doubled, or its end cut off."""
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text) + 1)
        new = rng.choice(ALPHABET)
        match rng.randrange(5):
            case 0:
                text = text[:at] + new + text[at + 1 :]
            case 1:
                text = text[:at] + new + text[at:]
            case 2:
                text = text[:at] + text[at + 1 :]
            case 3:
                text = text[:at] + text[at : at + 5] + text[at:]
            case _:
                text = text[:at] if rng.random() < 0.2 else text
    return text


def try_mutants(decode: Decoder, seeds: list[str], count: int) -> int:
    """Feed mutants; return how many were accepted."""
    rng = random.Random(20260302)
    accepted = 0
    for number in range(count):
        with contextlib.suppress(ProtocolsError):
            decode(mutant(seeds[number % len(seeds)], rng))
            accepted += 1
    return accepted


@pytest.mark.parametrize("name", DECODERS)
def test_mutated_codes_raise_nothing_but_our_own_errors(name: str) -> None:
    decode, kind = DECODERS[name]
    accepted = try_mutants(decode, SEEDS[kind], MUTANTS)
    assert 0 < accepted < MUTANTS


@pytest.mark.parametrize("name", DECODERS)
@settings(max_examples=2000, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_text_raises_nothing_but_our_own_errors(name: str, data: st.DataObject) -> None:
    decode, kind = DECODERS[name]
    anything = st.text(st.characters(codec=None), max_size=60)
    near = st.tuples(st.sampled_from(SEEDS[kind]), anything, st.integers(0, 60)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    )
    with contextlib.suppress(ProtocolsError):
        decode(data.draw(anything | near))


def test_mutated_lines_are_always_answered() -> None:
    seeds = [f"{kind}\t{text}" for kind, texts in (("epc", SEEDS["epc"]), ("barcode", SEEDS["gs1"])) for text in texts]
    seeds += ["llrp\t04" + "3E0000000A00000007"]
    rng = random.Random(7)
    for number in range(MUTANTS):
        answer = decode_line(mutant(seeds[number % len(seeds)], rng))
        assert len(answer) == 1


def test_a_decoder_keeps_nothing_of_what_it_was_fed() -> None:
    tracemalloc.start()
    try:
        for decode, kind in DECODERS.values():
            try_mutants(decode, SEEDS[kind], 500)
        before = tracemalloc.get_traced_memory()[0]
        for decode, kind in DECODERS.values():
            try_mutants(decode, SEEDS[kind], 2000)
        assert tracemalloc.get_traced_memory()[0] - before < MEMORY_GROWTH_MAX
    finally:
        tracemalloc.stop()


@settings(max_examples=2000)
@given(st.lists(st.binary(max_size=80), max_size=8))
def test_any_bytes_are_scans_or_bad_frames(chunks: list[bytes]) -> None:
    scanner, beeps = ScannerDecoder(), BeepDecoder()
    for chunk in chunks:
        scanner.receive(chunk)
        beeps.receive(chunk)
        assert scanner.waiting <= SCAN_MAX


def test_mutated_streams_of_scans_are_scans_or_bad_frames() -> None:
    rng = random.Random(11)
    scanner, beeps = ScannerDecoder(), BeepDecoder()
    frames = 0
    for number in range(MUTANTS):
        text = mutant(SEEDS["gs1"][number % 3] + "\r", rng)
        raw = text.encode("utf-8", errors="surrogatepass")
        frames += len(scanner.receive(raw)) + len(beeps.receive(b"\x07\x00" + raw))
        assert scanner.waiting <= SCAN_MAX
    assert frames > MUTANTS
