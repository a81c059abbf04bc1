"""EPCs of TDS 2.0 and 2.3 both ways: the standard's examples, every coding of a text, dates, hosts and data behind."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codes.bits import BitReader, BitWriter
from protocols.codes.epc import decode_epc, encode_digital_link, encode_elements
from protocols.codes.epc_host import Host
from protocols.codes.epc_plus import PLUS_SCHEMES
from protocols.codes.epc_schemes import BY_NAME
from protocols.codes.epc_text import read_coded, write_coded
from protocols.errors import BadValue, ProtocolsError

ANNEX = Path(__file__).parents[2] / "vectors" / "epc" / "tds23_annex_e3.tsv"
LINK = "https://id.gs1.org/01/79521141123453/21/32a%2Fb"
SGTIN_PLUS = "F73795211411234538566CB0AFC4"
SET_82 = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def annex_rows() -> list[dict[str, str]]:
    lines = [line for line in ANNEX.read_text().splitlines() if not line.startswith("#")]
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    return [row for row in rows if row["element_string"]]


def padded(text: str) -> str:
    return text + "0" * (-len(text) % 4)


@pytest.mark.parametrize("row", annex_rows(), ids=lambda row: row["scheme"])
def test_an_element_string_writes_the_bits_of_the_standard(row: dict[str, str]) -> None:
    prefix = row["pure_identity"].split(":")[-1].split(".")[0]
    identity = decode_epc(row["hex"])
    assert identity.filter is not None
    host = "id.example.com" if row["scheme"].endswith("++") else None
    epc = encode_elements(
        row["element_string"],
        scheme=row["scheme"],
        filter=identity.filter,
        company_prefix_length=len(prefix) or None,
        host=host,
    )
    assert epc == padded(row["hex"])


@pytest.mark.parametrize("row", [row for row in annex_rows() if row["digital_link"]], ids=lambda row: row["scheme"])
def test_a_digital_link_writes_the_bits_of_the_standard(row: dict[str, str]) -> None:
    filter_value = decode_epc(row["hex"]).filter
    assert filter_value is not None
    length = 11 if row["scheme"] == "SGTIN-96" else None
    epc = encode_digital_link(
        row["digital_link"], scheme=row["scheme"], filter=filter_value, company_prefix_length=length
    )
    assert epc == padded(row["hex"])


EXAMPLES = {
    "sgtin": "/01/79521141123453/21/32a%2Fb",
    "dsgtin": "/01/79521141123453/21/32a%2Fb?17=220630",
    "sscc": "/00/095201234567891235",
    "sgln": "/414/9521141123454/254/32a%2Fb",
    "grai": "/8003/0952114112345432a%2Fb",
    "giai": "/8004/952114132a%2Fb",
    "gsrn": "/8018/952114112345678906",
    "gsrnp": "/8017/952114112345678906",
    "gdti": "/253/9521141987650ABCDefgh012345678",
    "sgcn": "/255/952114167890904711",
    "cpi": "/8010/95211415PQ7%2FZ43/8011/12345",
    "itip": "/8006/095211411234540102/21/rif981",
}


@pytest.mark.parametrize("scheme", PLUS_SCHEMES, ids=lambda scheme: scheme.name)
def test_every_plus_scheme_goes_from_its_link_to_bits_and_back(scheme: object) -> None:
    row = next(row for row in PLUS_SCHEMES if row is scheme)
    host = "id.example.com.cn" if row.hosted else "id.gs1.org"
    link = f"https://{host}{EXAMPLES[row.identity]}"
    identity = decode_epc(encode_digital_link(link, scheme=row.name, filter=5))
    assert (identity.scheme, identity.digital_link, identity.filter) == (row.name, link, 5)
    assert (identity.tag_uri, identity.pure_identity) == (None, None)
    assert identity.element_string is not None
    again = encode_elements(identity.element_string, scheme=row.name, filter=5, host=host if row.hosted else None)
    assert again == identity.epc


@pytest.mark.parametrize(
    ("ai", "kind"), [(ai, at) for at, ai in enumerate(("11", "13", "15", "16", "17", "7006", "7007"))]
)
def test_each_kind_of_date_has_its_number(ai: str, kind: int) -> None:
    epc = encode_digital_link(f"{LINK}?{ai}=260228", scheme="DSGTIN+")
    assert int(epc[3], 16) == kind
    identity = decode_epc(epc)
    assert identity.element_string == f"(01)79521141123453(21)32a/b({ai})260228"
    assert identity.digital_link == f"{LINK}?{ai}=260228"


@pytest.mark.parametrize(
    ("text", "indicator"),
    [
        ("007", 0),
        ("0AF", 1),
        ("0af", 2),
        ("rif981", 3),
        ("aF", 3),
        ("32a/b", 4),
        ("GHIJKL", 5),
        ("A.B:C-", 5),
        ("G", 3),
    ],
)
def test_a_text_is_written_in_the_coding_that_takes_fewest_bits(text: str, indicator: int) -> None:
    bits = BitWriter()
    write_coded(bits, text, 5)
    raw = bits.hex()
    assert int(raw, 16) >> len(raw) * 4 - 3 == indicator
    assert read_coded(BitReader(int(raw, 16), len(raw) * 4), 5) == text


@given(st.text(SET_82, min_size=1, max_size=20))
def test_every_serial_comes_back(serial: str) -> None:
    link = "https://id.gs1.org/01/79521141123453/21/" + "".join(f"%{ord(c):02X}" for c in serial)
    assert decode_epc(encode_digital_link(link, scheme="SGTIN+")).serial == serial


@given(st.text("0123456789", max_size=14), st.text(SET_82, max_size=14))
def test_every_asset_number_comes_back(digits: str, text: str) -> None:
    value = digits + text
    if not value:
        return
    link = "https://id.gs1.org/8004/" + "".join(f"%{ord(c):02X}" for c in value)
    try:
        epc = encode_digital_link(link, scheme="GIAI+")
    except BadValue:
        return
    assert decode_epc(epc).element_string == f"(8004){value}"


@given(st.from_regex(r"[a-z0-9]{1,12}(?:[.-][a-z0-9]{1,10}){0,2}(?:\.com|\.cn|\.com\.cn|\.tech|\.xyz)", fullmatch=True))
def test_every_host_comes_back(host: str) -> None:
    bits = BitWriter()
    Host().write(bits, {"host": host})
    raw = bits.hex()
    parts: dict[str, str] = {}
    Host().read(BitReader(int(raw, 16), len(raw) * 4), parts)
    assert parts == {"host": host}


def test_known_endings_save_bits() -> None:
    def length(host: str) -> int:
        bits = BitWriter()
        Host().write(bits, {"host": host})
        return int(f"{int(bits.hex(), 16):0{len(bits.hex()) * 4}b}"[1:7], 2)

    assert length("id.example.com") == 9
    assert length("example.com") == 8
    assert length("a.com.cn") == 3
    assert length("a.cn") == 3


@pytest.mark.parametrize("host", ["", "-a", "a b", "a/b", "中.cn", "x" * 64, "a."])
def test_a_host_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(BadValue):
        Host().write(BitWriter(), {"host": host})


def test_lot_and_expiry_behind_the_epc_are_read() -> None:
    bits = BitWriter()
    for value, width in ((0xF7, 8), (0b1011, 4), (0x79521141123453, 56)):
        bits.put(value, width)
    write_coded(bits, "32a/b", 5)
    for value, width in ((0x17, 8), (27, 7), (1, 4), (31, 5), (0x10, 8)):
        bits.put(value, width)
    write_coded(bits, "A1", 5)
    head = bits.hex()
    identity = decode_epc(head)
    assert (identity.data, identity.unread, identity.filter) == ((("17", "270131"), ("10", "A1")), "", 3)
    assert identity.element_string == "(01)79521141123453(21)32a/b"
    bits.put(0x99, 8)
    identity = decode_epc(bits.hex())
    assert identity.data == (("17", "270131"), ("10", "A1"))
    assert int(identity.unread, 16).bit_count() == 0x99.bit_count()
    assert identity.scheme == "SGTIN+"


@pytest.mark.parametrize(
    ("bits", "why"),
    [
        (SGTIN_PLUS.replace("3453", "3454"), "check digit"),
        (SGTIN_PLUS.replace("7952", "7A52"), "check digit"),
        (SGTIN_PLUS[:17] + "C5" + SGTIN_PLUS[19:], "coding"),
        (SGTIN_PLUS[:17] + "80" + SGTIN_PLUS[19:], "coding"),
        (SGTIN_PLUS + "0001", "zeros"),
        (SGTIN_PLUS[:-4], "more bits"),
        ("FB3F2CDE795211411234538566CB0AFC4", "type"),
        ("FB342DFF795211411234538566CB0AFC4", "day"),
        ("FA39521A4132E83C2BF10", "expected a digit"),
        ("F8395211416789090F9338", "digits"),
    ],
)
def test_bits_that_break_a_plus_scheme_stay_an_id_with_a_reason(bits: str, why: str) -> None:
    identity = decode_epc(bits)
    assert identity.scheme is None
    assert why in identity.reason


@pytest.mark.parametrize(
    ("text", "scheme", "length", "host"),
    [
        ("(01)79521141123453", "SGTIN+", None, None),
        ("(01)79521141123453(21)1(10)A", "SGTIN+", None, None),
        ("(01)79521141123453(21)1", "SGTIN-96", None, None),
        ("(01)79521141123453(21)1", "SGTIN-96", 13, None),
        ("(01)79521141123453(21)1", "SGTIN++", None, None),
        ("(01)79521141123453(21)1", "SGTIN+", None, "example.com"),
        ("(01)79521141123453(21)1", "DSGTIN+", None, None),
        ("(01)79521141123453(21)1", "SSCC+", None, None),
        ("(01)79521141123453(21)1", "GID-96", None, None),
        ("(01)79521141123453(21)1", "NONE", None, None),
        ("(253)9521141987650", "GDTI+", None, None),
        ("(253)9521141987650", "GDTI-96", 7, None),
        ("(8010)9521141a(8011)1", "CPI+", None, None),
    ],
)
def test_what_a_scheme_cannot_hold_is_refused(text: str, scheme: str, length: int | None, host: str | None) -> None:
    with pytest.raises(ProtocolsError):
        encode_elements(text, scheme=scheme, company_prefix_length=length, host=host)


@given(st.sampled_from(PLUS_SCHEMES), st.binary(min_size=8, max_size=40))
def test_what_decodes_without_further_data_writes_the_same_link(scheme: object, tail: bytes) -> None:
    row = next(row for row in PLUS_SCHEMES if row is scheme)
    identity = decode_epc(f"{row.header:02X}{tail.hex()}")
    if identity.scheme and identity.digital_link and not (identity.data or identity.unread):
        again = encode_digital_link(identity.digital_link, scheme=row.name, filter=identity.filter or 0)
        assert decode_epc(again).digital_link == identity.digital_link


def test_every_header_and_name_is_one_scheme() -> None:
    assert len(BY_NAME) == 46
    assert sorted({scheme.header for scheme in BY_NAME.values()}) == sorted(s.header for s in BY_NAME.values())
    assert all(re.fullmatch(r"D?[A-Z]+(?:-[0-9]+|-var|\+\+?)", name) for name in BY_NAME)
