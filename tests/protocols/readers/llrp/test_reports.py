"""The quick way of reading tag reports against the general one: the same reads, the same refusals, the same memory."""

import random
import struct
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import BadValue, PeerBroke
from protocols.readers.llrp.codec import decode, encode
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import Message, rows_at
from protocols.readers.llrp.patterns import BATCH_ROWS_MAX, PATTERNS_MAX, Patterns
from protocols.readers.llrp.reports import REMEMBERED, Read, TagReports
from protocols.readers.reads import BadFrame, TagRead, make_tag_reads
from protocols.values.ids import epc
from protocols.values.instant import Instant

UTC = 1_772_438_400_000_000
MUTATIONS = 20_000

EPC = st.sampled_from(["30" * 12, "E2" * 12]).map(lambda code: {"EPC_96": code})
EPC_OF_ANY_LENGTH = st.sampled_from(["3036" * 8, "3036", "", "E2/7", "E2", "30" * 62, "30" * 64]).map(
    lambda code: {"EPCData": code}
)
REST = st.fixed_dictionaries(
    {},
    optional={
        "ROSpecID": st.just(1),
        "AntennaID": st.integers(0, 3),
        "PeakRSSI": st.integers(-128, 127),
        "ChannelIndex": st.just(4),
        "FirstSeenTimestampUTC": st.sampled_from([0, 1, UTC, UTC + 9, (1 << 64) - 1]),
        "LastSeenTimestampUTC": st.sampled_from([0, UTC + 10, 1 << 63]),
        "FirstSeenTimestampUptime": st.integers(0, 9),
        "LastSeenTimestampUptime": st.integers(0, 9),
        "TagSeenCount": st.integers(0, 3),
        "AirProtocolTagData": st.just([{"C1G2_PC": 1}, {"C1G2_CRC": 2}]),
        "Custom": st.just([{"VendorIdentifier": 1, "ParameterSubtype": 2, "Data": "00"}]),
    },
)
ROW = st.tuples(EPC | EPC_OF_ANY_LENGTH, REST).map(lambda parts: parts[0] | parts[1])


def report(rows: list[dict[str, Value]]) -> bytes:
    return encode(Message("RO_ACCESS_REPORT", 1, {"TagReportData": rows}))


def general(reports: TagReports, raw: bytes) -> list[Read]:
    return [reports.read(row) for row in rows_at(decode(raw).params, "TagReportData")]


def a_row(**change: Value) -> dict[str, Value]:
    row: dict[str, Value] = {"EPC_96": "30" * 12, "AntennaID": 1, "FirstSeenTimestampUTC": UTC, "TagSeenCount": 1}
    return row | change


def outcome(reports: TagReports, raw: bytes, *, quick: bool) -> object:
    try:
        return (reports.read_message(raw) if quick else general(reports, raw)), reports._last
    except PeerBroke as error:
        return str(error)


@settings(max_examples=500)
@given(st.lists(st.lists(st.tuples(ROW, st.integers(1, 4)), max_size=5), max_size=3), st.none() | st.just(UTC))
def test_the_quick_way_reads_what_the_general_way_reads(
    messages: list[list[tuple[dict[str, Value], int]]], origin: int | None
) -> None:
    quick, slow = TagReports(origin), TagReports(origin)
    for message in messages:
        raw = report([row for row, times in message for _ in range(times)])
        assert quick.read_message(raw) == general(slow, raw)
        assert quick._last == slow._last


def test_mutated_reports_read_the_same_both_ways() -> None:
    chance = random.Random(4)
    rows: list[dict[str, Value]] = [a_row(), a_row(PeakRSSI=-3), {"EPCData": "3036" * 8, "LastSeenTimestampUTC": UTC}]
    quick, slow = TagReports(), TagReports()
    for _ in range(MUTATIONS):
        raw = bytearray(report([chance.choice(rows) for _ in range(chance.randint(1, 4))]))
        for _ in range(chance.randint(0, 2)):
            raw[chance.randrange(10, len(raw))] = chance.choice((0, 1, 0x81, 0x86, 0xF0, chance.randrange(256)))
        assert outcome(quick, bytes(raw), quick=True) == outcome(slow, bytes(raw), quick=False)


@pytest.mark.parametrize("count", [1, BATCH_ROWS_MAX, BATCH_ROWS_MAX + 1, 3 * BATCH_ROWS_MAX])
def test_a_long_report_is_one_pattern_however_long(count: int) -> None:
    raw = report([a_row(EPC_96=f"{each:024X}") for each in range(count)])
    patterns = Patterns(frozenset(REMEMBERED))
    batches = patterns.read(raw)
    assert batches is not None
    assert [code for batch in batches for code in batch.epcs] == [f"{each:024X}" for each in range(count)]
    assert patterns._kept == 1


def test_patterns_are_kept_up_to_their_limit() -> None:
    patterns = Patterns(frozenset(REMEMBERED))
    lengths = [f"{30:04X}" * words for words in range(1, 31)]
    assert patterns.read(report([{"EPCData": code} for code in lengths])) is not None
    assert 0 < patterns._kept <= PATTERNS_MAX


@pytest.mark.parametrize(
    "row",
    [
        {"EPCData": "E2/7"},
        {"EPC_96": "30" * 12, "Custom": [{"VendorIdentifier": 1, "ParameterSubtype": 2, "Data": ""}]},
        {"EPC_96": "30" * 12, "AccessCommandOpSpecResult": [{"ClientRequestOpSpecResult": 1}]},
    ],
)
def test_a_row_that_is_more_than_numbers_has_no_pattern(row: Params) -> None:
    assert Patterns(frozenset(REMEMBERED)).read(report([dict(row)])) is None


def test_a_parameter_that_stands_twice_has_no_pattern() -> None:
    raw = bytearray(report([a_row()]))
    twice = bytes(raw) + struct.pack(">BH", 0x81, 3)
    twice = twice[:2] + len(twice).to_bytes(4, "big") + twice[6:12] + (len(twice) - 10).to_bytes(2, "big") + twice[14:]
    assert Patterns(frozenset(REMEMBERED)).read(twice) is None
    assert TagReports().read_message(twice) == general(TagReports(), twice)


def test_an_uptime_becomes_an_instant_once_its_origin_is_known() -> None:
    row: dict[str, Value] = {"EPC_96": "30" * 12, "AntennaID": 1, "FirstSeenTimestampUptime": 5}
    assert isinstance(TagReports().read_message(report([row]))[0], BadFrame)
    expected = TagRead(epc("30" * 12), 1, None, Instant(UTC + 5), Instant(UTC + 5))
    assert TagReports(UTC).read_message(report([row])) == [expected]


def test_reads_made_as_columns_are_checked_like_single_ones() -> None:
    codes, at = [epc("3034")] * 2, [Instant(1)] * 2
    good = make_tag_reads(codes, [1, 2], [None, -5], (at, at), [1, 9])
    assert good == [TagRead(codes[0], 1, None, at[0], at[0]), TagRead(codes[0], 2, -5, at[0], at[0], 9)]
    for antennas, counts in ([0, 1], [1, 1]), ([1, 65_536], [1, 1]), ([1, 1], [1, 0]), ([1], [1, 1]):
        with pytest.raises(BadValue):
            make_tag_reads(codes, antennas, [None, None], (at, at), counts)


def test_the_remembered_parameters_are_in_the_layout() -> None:
    assert all(first != second for first, second in pairwise(REMEMBERED))
    assert not rows_at({}, "TagReportData")
