"""EPCs both ways: the standard's own examples, the partition table, the bounds, and ids that no scheme decodes."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codes.epc import (
    PREFIX_DIGITS,
    SERIAL_BELOW,
    Sgtin96,
    decode_epc,
    decode_sgtin96,
    encode_sgtin96,
    encode_tag_uri,
    identify,
)
from protocols.codes.epc_bits import whole_words
from protocols.codes.epc_fields import Cage, Partition
from protocols.codes.epc_form import Scheme
from protocols.codes.epc_schemes import BY_HEADER, SCHEMES
from protocols.codes.gtin import gtin14, gtin_check_digit
from protocols.errors import BadValue, ProtocolsError

ANNEX = Path(__file__).parents[2] / "vectors" / "epc" / "tds23_annex_e3.tsv"
SGTIN = "3066C4409047E140075BCD15"


def annex_rows() -> list[dict[str, str]]:
    lines = [line for line in ANNEX.read_text().splitlines() if not line.startswith("#")]
    return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def is_built(row: dict[str, str]) -> bool:
    return int(row["hex"][:2], 16) in BY_HEADER


@pytest.mark.parametrize("row", [row for row in annex_rows() if is_built(row)], ids=lambda row: row["scheme"])
def test_an_example_of_the_standard_reads_as_printed(row: dict[str, str]) -> None:
    identity = decode_epc(row["hex"])
    assert identity.scheme == row["scheme"]
    for name in ("element_string", "digital_link", "pure_identity", "tag_uri"):
        if row[name]:
            assert getattr(identity, name) == row[name]


@pytest.mark.parametrize(
    "row", [row for row in annex_rows() if is_built(row) and row["tag_uri"]], ids=lambda r: r["scheme"]
)
def test_the_tag_uri_of_the_standard_writes_the_bits_of_the_standard(row: dict[str, str]) -> None:
    assert encode_tag_uri(row["tag_uri"]) == decode_epc(row["hex"]).epc


@pytest.mark.parametrize("row", annex_rows(), ids=lambda row: row["scheme"])
def test_every_epc_is_an_id_even_where_no_scheme_decodes_it(row: dict[str, str]) -> None:
    identity = decode_epc(row["hex"].lower())
    assert identity.epc.startswith(row["hex"])
    assert (identity.scheme is None) == bool(identity.reason)


def test_an_sgtin_is_its_four_numbers() -> None:
    assert decode_sgtin96(SGTIN) == Sgtin96(3, "95060001343", "05", 123456789)
    assert encode_sgtin96("09506000134352", company_prefix_length=11, serial=123456789, filter=3) == SGTIN
    identity = decode_epc(SGTIN)
    assert (identity.gtin14, identity.serial) == ("09506000134352", "123456789")


@given(
    st.text("0123456789", min_size=13, max_size=13), st.sampled_from(PREFIX_DIGITS), st.integers(0, SERIAL_BELOW - 1)
)
def test_every_gtin_with_every_prefix_length_comes_back(payload: str, length: int, serial: int) -> None:
    gtin = gtin14(payload + gtin_check_digit(payload))
    epc = encode_sgtin96(gtin, company_prefix_length=length, serial=serial, filter=1)
    identity = decode_epc(epc)
    assert len(epc) == 24
    assert (identity.gtin14, identity.serial) == (gtin, str(serial))
    assert identity.tag_uri is not None
    assert encode_tag_uri(identity.tag_uri) == epc
    assert decode_sgtin96(epc).gtin14 == gtin


@given(st.sampled_from(SCHEMES), st.binary(min_size=11, max_size=27))
def test_what_decodes_has_one_tag_uri_and_that_writes_the_same_bits(scheme: object, tail: bytes) -> None:
    header = next(number for number, known in BY_HEADER.items() if known is scheme)
    identity = decode_epc(bytes([header]).hex() + tail.hex())
    if identity.tag_uri:
        written = encode_tag_uri(identity.tag_uri)
        assert identity.epc == written.ljust(len(identity.epc), "0")


@given(st.binary(min_size=11, max_size=11))
def test_the_fast_path_says_what_the_table_says(tail: bytes) -> None:
    text = "30" + tail.hex()
    assert decode_epc(text) == identify(whole_words(text))


@given(st.integers(0, 7), st.sampled_from(PREFIX_DIGITS), st.integers(0, 10**13 - 1), st.integers(0, SERIAL_BELOW - 1))
def test_the_fast_path_says_what_the_table_says_of_every_item(
    filter_value: int, length: int, item: int, serial: int
) -> None:
    digits = f"{item:013}"
    value = Sgtin96(filter_value, digits[:length], digits[length:], serial)
    assert decode_epc(value.epc) == identify(value.epc)
    assert decode_sgtin96(value.epc) == value
    uri = f"urn:epc:tag:sgtin-96:{filter_value}.{digits[:length]}.{digits[length:]}.{serial}"
    assert encode_tag_uri(uri) == value.epc


def widths(field: object) -> set[int]:
    """Return every width in bits that a field can have."""
    if isinstance(field, Partition):
        return {3 + row.prefix_bits + row.reference_bits for row in field.rows}
    return {48} if isinstance(field, Cage) else {getattr(field, "bits")}  # noqa: B009 - the kinds share it


@pytest.mark.parametrize("scheme", [s for s in SCHEMES if s.name[-1].isdigit()], ids=lambda scheme: scheme.name)
def test_a_scheme_fills_the_bits_of_its_name(scheme: Scheme) -> None:
    total = {8}
    for field in scheme.fields:
        total = {before + width for before in total for width in widths(field)}
    assert total == {int(scheme.name.rpartition("-")[2])}


TEXTS = {
    "SGTIN-198": ("3.9521141.012345.32a%2Fb", "(01)09521141123454(21)32a/b"),
    "SSCC-96": ("0.952012.03456789123", "(00)095201234567891235"),
    "SGLN-96": ("3.952114112345..0", "(414)9521141123454"),
    "SGLN-195": ("3.9521141.12345.32a%2Fb", "(414)9521141123454(254)32a/b"),
    "GRAI-96": ("3.9521141.12345.5678", "(8003)095211411234545678"),
    "GIAI-202": ("3.9521141.32a%2Fb.c", "(8004)952114132a/b.c"),
    "GSRN-96": ("3.9521141.1234567890", "(8018)952114112345678906"),
    "GSRNP-96": ("3.9521141.1234567890", "(8017)952114112345678906"),
    "GDTI-96": ("3.9521141.98765.5678", "(253)95211419876505678"),
    "SGCN-96": ("3.9521141.67890.04711", "(255)952114167890904711"),
    "ITIP-212": ("3.9521141.012345.01.02.rif981", "(8006)095211411234540102(21)rif981"),
    "GDTI-113": ("3.9521141.98765.005678", "(253)9521141987650005678"),
    "CPI-var": ("3.9521141.5PQ7%2FZ43.12345", "(8010)95211415PQ7/Z43(8011)12345"),
    "ADI-var": ("3.35962.PQ7VZ4.M37GXB92", None),
    "GID-96": ("952056.2718.1414", None),
    "USDOD-96": ("11.W81XWH.5678", None),
}
MORE_TAG_URIS = (
    "urn:epc:tag:adi-var:3.35962..849",
    "urn:epc:tag:adi-var:63.W81XWH.A-1%2F2.%23M37",
    "urn:epc:tag:cpi-var:0.952114112345.%23-9.1099511627775",
)


@pytest.mark.parametrize("uri", MORE_TAG_URIS)
def test_a_text_of_six_bits_a_character_goes_both_ways(uri: str) -> None:
    assert decode_epc(encode_tag_uri(uri)).tag_uri == uri


EARLIER = {
    "3B0E0CF5E76C9047759AD00373DC7602E7200": "urn:epc:tag:adi-var:3.35962.PQ7VZ4.M37GXB92",
    "3D74257BF75411DEF6B4CC00000003039": "urn:epc:tag:cpi-var:3.0614141.5PQ7%2FZ43.12345",
    "3674257BF6B7A659B2C2BF1000000000000000000000000000": "urn:epc:tag:sgtin-198:3.0614141.712345.32a%2Fb",
    "350007AB70425D4000000586": "urn:epc:tag:gid-96:31415.271828.1414",
}
"""Examples of annex E.3 in edition 1.13 of the standard."""


@pytest.mark.parametrize(("bits", "uri"), EARLIER.items())
def test_an_example_of_an_earlier_edition_reads_and_writes(bits: str, uri: str) -> None:
    assert decode_epc(bits).tag_uri == uri
    assert encode_tag_uri(uri).startswith(bits)


def test_a_reader_that_reports_the_whole_bank_is_understood() -> None:
    identity = decode_epc(SGTIN + "0000" * 4)
    assert (identity.scheme, identity.serial, identity.filter) == ("SGTIN-96", "123456789", 3)


@pytest.mark.parametrize(("name", "value", "element_string"), [(name, *forms) for name, forms in TEXTS.items()])
def test_a_scheme_goes_from_its_tag_uri_to_bits_and_back(name: str, value: str, element_string: str | None) -> None:
    uri = f"urn:epc:tag:{name.lower()}:{value}"
    identity = decode_epc(encode_tag_uri(uri))
    assert (identity.scheme, identity.tag_uri, identity.element_string) == (name, uri, element_string)
    assert (identity.digital_link is None) == (element_string is None)


@pytest.mark.parametrize(
    ("gtin", "length", "serial", "filter_value"),
    [
        ("09506000134353", 11, 1, 1),
        ("09506000134352", 5, 1, 1),
        ("09506000134352", 13, 1, 1),
        ("09506000134352", 11, SERIAL_BELOW, 1),
        ("09506000134352", 11, -1, 1),
        ("09506000134352", 11, 1, 8),
    ],
)
def test_what_does_not_fit_an_sgtin_is_refused(gtin: str, length: int, serial: int, filter_value: int) -> None:
    with pytest.raises(BadValue):
        encode_sgtin96(gtin, company_prefix_length=length, serial=serial, filter=filter_value)


@pytest.mark.parametrize(
    "uri",
    [
        "urn:epc:tag:sgtin-96:3.95060001343.05.0123456789",
        "urn:epc:tag:sgtin-96:3.95060001343.05.274877906944",
        "urn:epc:tag:sgtin-96:3.95060001343.5.1",
        "urn:epc:tag:sgtin-96:8.95060001343.05.1",
        "urn:epc:tag:sgtin-96:3.95060001343.05",
        "urn:epc:tag:sgtin-96:3.95060001343.05.1.2",
        "urn:epc:tag:sgtin-96:3.95060001343.05.%31",
        "urn:epc:tag:unheard-96:3.1",
        "urn:epc:tag:sgcn-96:3.9521141.67890.",
        "urn:epc:tag:sgtin-198:3.9521141.012345.",
        "urn:epc:tag:sgtin-198:3.9521141.012345.a^b",
        "urn:epc:tag:giai-96:3.9521141.05678",
        "urn:epc:tag:usdod-96:3.CAGEO.5678",
        "urn:epc:tag:adi-var:3.35962.PQ7VZ4.",
        "urn:epc:tag:adi-var:64.35962.PQ7VZ4.1",
        "urn:epc:tag:adi-var:3.35962.%23P.1",
        "urn:epc:tag:cpi-var:3.9521141.a.1",
        "urn:epc:tag:cpi-var:3.9521141.A.1099511627776",
        "urn:epc:tag:sgtin+:3.79521141123453.1",
        "urn:epc:tag:sscc-96:0.95201.203456789123",
        "urn:epc:id:sgtin:95060001343.05.1",
        "",
    ],
)
def test_a_tag_uri_that_is_not_canonical_is_refused(uri: str) -> None:
    with pytest.raises(ProtocolsError):
        encode_tag_uri(uri)


@pytest.mark.parametrize(
    ("bits", "why"),
    [
        ("307C00000000000000000000", "partition"),
        ("3019FFFFFFFFFFFFC0000001", "at most"),
        (SGTIN[:-4], "more bits"),
        (SGTIN + "0001", "zeros"),
        ("311BA1B300CE0A6A83000001", "zero bits"),
        ("3676451FD40C0E40" + "0" * 36, "set 82"),
        ("2F320000000000000000162E", "CAGE"),
        ("3F76451FD46072000000162E", "expected 1 and"),
        ("E2801191", "no scheme"),
        ("0000000000000000", "no scheme"),
    ],
)
def test_bits_that_break_a_scheme_stay_an_id_with_a_reason(bits: str, why: str) -> None:
    identity = decode_epc(bits)
    assert identity.epc == bits
    assert identity.scheme is None
    assert why in identity.reason


@pytest.mark.parametrize("text", ["", "XY", "30 66", "0" * 125, "٣٠"])
def test_text_that_is_no_hex_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        decode_epc(text)
