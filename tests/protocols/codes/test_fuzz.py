"""Every decoder of codes and scans against shapes nobody thought of and against many small mutations.

Nothing but the package's own errors may escape, and no decoder may keep what it was fed.
"""

import contextlib
import random
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.codes.digital_link import read_link
from protocols.codes.epc import decode_epc, decode_sgtin96, encode_digital_link, encode_elements, encode_tag_uri
from protocols.codes.epc_memory import read_epc_bank, read_tid
from protocols.codes.gs1 import read_bracketed, read_elements, read_message
from protocols.codes.gtin import gtin14
from protocols.codes.hibc import read_hibc
from protocols.codes.label import make_badge, read_label
from protocols.codes.ma import read_ma
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
    "hibc": [
        "+A123BJC5D6E71G",
        "+A99912345/$$812710X3/16D20111212/14D20200906/S77DEFG453",
        "+A123BJC5D6E71G+$$52001510X3GD",
    ],
    "ma": [
        "MA.156.M0.100350.01004YA10017.SLMSAGAAAC.M210628.LAY21062803.E220628.V220627.C3",
        "MA.156.M0.100204.13351764",
    ],
    "link": ["https://id.gs1.org/01/79521141123453/21/32a%2Fb?17=220630", "http://a.b/c/8004/952114132a"],
    "elements": ["(01)79521141123453(21)32a/b", "(01)79521141123453(17)270131(21)1"],
    "plus": [
        "F73795211411234538566CB0AFC4",
        "FD3795211411234538566CB0AFC525065F1876F0D996D800",
        "FA3952114132E83C2BF10",
        "F0395211415E87A145BAFB4D19A8C0E4",
        "F839521141678909509338",
        "F7B795211411234538566CB0AFC42E6C7E2045433200",
        "FB342CDE795211411234538566CB0AFC4",
        "3D" + "7" * 40,
        "3B0E0CF5E76C9047759AD00373DC7602E7200000",
    ],
    "bank": ["30003066C4409047E140075BCD15", "E280119120006363C2A1B4D5E6"],
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
    "read_hibc": (read_hibc, "hibc"),
    "read_ma": (read_ma, "ma"),
    "read_link": (lambda text: read_elements(read_link(text).elements), "link"),
    "read_label of every issuer": (lambda text: read_label(text, expected=frozenset({"GS1"})), "hibc"),
    "encode_elements": (lambda text: encode_elements(text, scheme="DSGTIN+"), "elements"),
    "encode_digital_link": (lambda text: encode_digital_link(text, scheme="DSGTIN++"), "link"),
    "decode_epc of a plus scheme": (decode_epc, "plus"),
    "read_epc_bank": (read_epc_bank, "bank"),
    "read_tid": (read_tid, "bank"),
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
