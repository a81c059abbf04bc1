"""EPCs: the bits a tag carries, and the same identity as tag URI, pure identity, element string and Digital Link.

The layouts are rows in `epc_schemes`; this module runs a row both ways. It says nothing about which item an EPC is
bound to. The rule that must not be broken: an EPC that no scheme decodes is still an id, so `decode_epc` answers for
any bits.

Source: GS1 EPC Tag Data Standard 2.3; Digital Link: GS1 Digital Link Standard, URI Syntax 1.6.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocols.codes.bits import WORD_BITS, BitReader, BitWriter
from protocols.codes.epc_fields import Parts
from protocols.codes.epc_schemes import BY_HEADER, BY_TAG_WORD, SGTIN_96, Key, Scheme
from protocols.codes.gtin import Gtin14, gtin14, gtin_check_digit
from protocols.errors import BadValue, ProtocolsError
from protocols.values import ids
from protocols.values.ids import Epc

RESOLVER = "https://id.gs1.org"
HEADER_BITS = 8
HEX_DIGITS_A_WORD = WORD_BITS // 4
PREFIX_DIGITS = range(6, 13)
"""Lengths of a GS1 company prefix (TDS section 14.3)."""

SERIAL_BELOW = 1 << 38
FILTER_BELOW = 8

_HEX = re.compile(r"[0-9A-Fa-f]+")
_URI_ESCAPED = re.compile(r'["#%&/<>?]')
_LINK_ESCAPED = re.compile(r"[^A-Za-z0-9._~-]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_TAG_URI = re.compile(r"urn:epc:tag:([a-z0-9+-]{1,12}):([!-~]{1,200})")


@dataclass(frozen=True, slots=True)
class EpcIdentity:
    """What an EPC says. Without a scheme only `epc` is known and `reason` says why; other fields may be None.

    `epc` is the id in whole words; `gtin14` is set only where the scheme carries a GTIN.
    """

    epc: Epc
    scheme: str | None = None
    tag_uri: str | None = None
    pure_identity: str | None = None
    element_string: str | None = None
    digital_link: str | None = None
    gtin14: Gtin14 | None = None
    serial: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sgtin96:
    """One serialised trade item in 96 bits (TDS section 14.6.1): a number from 0 to 2**38 - 1 is its serial.

    `item_reference` begins with the GTIN's indicator digit; with the company prefix it makes 13 digits.
    """

    filter: int
    company_prefix: str
    item_reference: str
    serial: int

    def __post_init__(self) -> None:
        if not 0 <= self.filter < FILTER_BELOW:
            raise BadValue(f"SGTIN-96 filter: expected 0..{FILTER_BELOW - 1}, got {self.filter}")
        if not 0 <= self.serial < SERIAL_BELOW:
            raise BadValue(f"SGTIN-96 serial: expected 0..{SERIAL_BELOW - 1}, got {self.serial}")
        _write(SGTIN_96, self._parts())

    def _parts(self) -> Parts:
        return {
            "filter": str(self.filter),
            "prefix": self.company_prefix,
            "reference": self.item_reference,
            "serial": str(self.serial),
        }

    @property
    def epc(self) -> Epc:
        """Return the tag's bits as hex."""
        return _write(SGTIN_96, self._parts())

    @property
    def gtin14(self) -> Gtin14:
        """Return the item's GTIN with its check digit."""
        return Gtin14(_key_value(Key("01", indicator_first=True), self._parts()))


def sgtin96(gtin: str, *, company_prefix_length: int, serial: int, filter: int) -> Sgtin96:
    """Build an SGTIN-96 from a GTIN of 8 to 14 digits; the length of its company prefix is known only to its owner.

    Raises `BadValue`.
    """
    if company_prefix_length not in PREFIX_DIGITS:
        raise BadValue(f"company prefix length: expected 6..12 digits, got {company_prefix_length}")
    number = gtin14(gtin)
    prefix = number[1 : 1 + company_prefix_length]
    return Sgtin96(filter, prefix, number[0] + number[1 + company_prefix_length : -1], serial)


def encode_sgtin96(gtin: str, *, company_prefix_length: int, serial: int, filter: int) -> Epc:
    """Return the EPC of one serialised trade item. Raises `BadValue`."""
    return sgtin96(gtin, company_prefix_length=company_prefix_length, serial=serial, filter=filter).epc


def decode_sgtin96(text: str) -> Sgtin96:
    """Parse the hex of an SGTIN-96. Raises `BadValue` or `PeerBroke` for anything else."""
    scheme, parts = _read(_whole_words(text))
    if scheme is not SGTIN_96:
        raise BadValue(f"EPC: expected SGTIN-96, got {scheme.name}")
    return Sgtin96(int(parts["filter"]), parts["prefix"], parts["reference"], int(parts["serial"]))


def decode_epc(text: str) -> EpcIdentity:
    """Say all that the hex of an EPC says; `scheme` is None for bits that no scheme built here decodes.

    Raises `BadValue` only for text that is no hex or longer than a tag can hold.
    """
    epc = _whole_words(text)
    try:
        scheme, parts = _read(epc)
    except ProtocolsError as error:
        return EpcIdentity(epc, reason=str(error))
    key = _key_value(scheme.key, parts) if scheme.key else ""
    qualifiers = [(q.ai, parts[q.part]) for q in scheme.qualifiers if parts[q.part] != q.absent]
    return EpcIdentity(
        epc=epc,
        scheme=scheme.name,
        tag_uri=f"urn:epc:tag:{scheme.tag_word}:{_dotted(parts, scheme, tag=True)}",
        pure_identity=f"urn:epc:id:{scheme.identity}:{_dotted(parts, scheme, tag=False)}",
        element_string=_element_string(scheme.key, key, qualifiers),
        digital_link=_digital_link(scheme.key, key, qualifiers),
        gtin14=Gtin14(key) if scheme.key and scheme.key.ai == "01" else None,
        serial=parts.get("serial"),
    )


def encode_tag_uri(uri: str) -> Epc:
    """Return the EPC of a tag URI such as `urn:epc:tag:sgtin-96:3.95060001343.05.123456789`. Raises `BadValue`."""
    match = _TAG_URI.fullmatch(uri)
    scheme = BY_TAG_WORD.get(match[1]) if match else None
    if match is None or scheme is None:
        raise BadValue(f"tag URI: expected urn:epc:tag:SCHEME:VALUE with a scheme built here, got {uri!r:.120}")
    names = ("filter", *scheme.uri) if scheme.filtered else scheme.uri
    values = match[2].split(".", len(names) - 1)
    if len(values) != len(names):
        raise BadValue(f"tag URI: expected {'.'.join(names)} after {match[1]}, got {match[2]!r:.120}")
    return _write(scheme, {name: _unescaped(value) for name, value in zip(names, values, strict=True)})


def _whole_words(text: str) -> Epc:
    if not isinstance(text, str) or len(text) > ids.EPC_HEX_MAX or _HEX.fullmatch(text) is None:
        raise BadValue(f"EPC: expected 1..{ids.EPC_HEX_MAX} hex digits, got {text!r:.140}")
    return ids.epc(text + "0" * (-len(text) % HEX_DIGITS_A_WORD))


def _read(epc: Epc) -> tuple[Scheme, Parts]:
    bits = BitReader(int(epc, 16), len(epc) * 4)
    header = bits.take(HEADER_BITS)
    scheme = BY_HEADER.get(header)
    if scheme is None:
        raise BadValue(f"EPC header {header:02X}: no scheme built here; the EPC is kept as an id")
    parts: Parts = {}
    for field in scheme.fields:
        field.read(bits, parts)
    if bits.left >= WORD_BITS or bits.take(bits.left):
        raise BadValue(f"EPC: expected only zeros up to the next whole word after {scheme.name}, got more")
    return scheme, parts


def _write(scheme: Scheme, parts: Mapping[str, str]) -> Epc:
    bits = BitWriter()
    bits.put(scheme.header, HEADER_BITS)
    for field in scheme.fields:
        field.write(bits, parts)
    return Epc(bits.hex())


def _key_value(key: Key, parts: Parts) -> str:
    prefix, reference = parts["prefix"], parts["reference"]
    number = reference[0] + prefix + reference[1:] if key.indicator_first else prefix + reference
    check = gtin_check_digit(number) if key.checked else ""
    return key.lead + number + check + "".join(parts[name] for name in key.tail)


def _dotted(parts: Parts, scheme: Scheme, *, tag: bool) -> str:
    names = ("filter", *scheme.uri) if tag and scheme.filtered else scheme.uri
    return ".".join(_escaped(parts[name], _URI_ESCAPED) for name in names)


def _element_string(key: Key | None, value: str, qualifiers: list[tuple[str, str]]) -> str | None:
    if key is None:
        return None
    return f"({key.ai}){value}" + "".join(f"({ai}){part}" for ai, part in qualifiers)


def _digital_link(key: Key | None, value: str, qualifiers: list[tuple[str, str]]) -> str | None:
    if key is None:
        return None
    steps = [(key.ai, value), *qualifiers]
    return RESOLVER + "".join(f"/{ai}/{_escaped(part, _LINK_ESCAPED)}" for ai, part in steps)


def _escaped(text: str, reserved: re.Pattern[str]) -> str:
    return reserved.sub(lambda hit: f"%{ord(hit[0]):02X}", text)


def _unescaped(text: str) -> str:
    plain = _ESCAPE.sub(lambda hit: chr(int(hit[1], 16)), text)
    if _escaped(plain, _URI_ESCAPED) != text:
        raise BadValue(f"tag URI: expected only the reserved characters escaped as %HH, got {text!r:.80}")
    return plain
