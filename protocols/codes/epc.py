"""EPCs: the bits a tag carries, and the same identity as tag URI, pure identity, element string and Digital Link.

The layouts are rows in `epc_schemes` and `epc_plus`; this module runs a row both ways. It says nothing about which item
an EPC is bound to. The rule that must not be broken: an EPC that no scheme decodes is still an id, so `decode_epc`
answers for any bits.

Source: GS1 EPC Tag Data Standard 2.3.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from protocols.codes.digital_link import RESOLVER_HOST, read_link, write_link
from protocols.codes.epc_bits import read_bits, whole_words, write_bits
from protocols.codes.epc_dates import DATE_AIS
from protocols.codes.epc_fields import Parts
from protocols.codes.epc_form import PREFIX_DIGITS, Scheme
from protocols.codes.epc_schemes import BY_NAME, BY_TAG_WORD
from protocols.codes.gs1 import read_bracketed, read_elements
from protocols.codes.gtin import Gtin14
from protocols.codes.sgtin96 import (
    BYTES,
    HEADER,
    SERIAL_BELOW,
    SERIAL_BITS,
    Sgtin96,
    decode_sgtin96,
    encode_sgtin96,
    item_forms,
    sgtin96,
)
from protocols.errors import BadValue, ProtocolsError
from protocols.values.ids import Epc

__all__ = [
    "PREFIX_DIGITS",
    "SERIAL_BELOW",
    "EpcIdentity",
    "Sgtin96",
    "decode_epc",
    "decode_sgtin96",
    "encode_digital_link",
    "encode_elements",
    "encode_sgtin96",
    "encode_tag_uri",
    "identify",
    "sgtin96",
]

SGTIN_96 = "SGTIN-96"
SGTIN_96_STARTS = f"{HEADER:02X}"

_URI_ESCAPED = re.compile(r'["#%&/<>?]')
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_TAG_URI = re.compile(r"urn:epc:tag:([a-z0-9+-]{1,12}):([!-~]{1,200})")

Elements = Sequence[tuple[str, str]]


class EpcIdentity(NamedTuple):
    """What an EPC says. Without a scheme only `epc` is known and `reason` says why; other fields may be None.

    A named tuple, because one is made for every read of a tag and a frozen dataclass takes three times as long.

    `epc` is the id in whole words; `gtin14` is set only where the scheme carries a GTIN. `data` are element strings
    that stand on the tag behind the EPC, `unread` the bits there that nobody could read, as hex.
    """

    epc: Epc
    scheme: str | None = None
    tag_uri: str | None = None
    pure_identity: str | None = None
    element_string: str | None = None
    digital_link: str | None = None
    gtin14: Gtin14 | None = None
    serial: str | None = None
    filter: int | None = None
    data: tuple[tuple[str, str], ...] = ()
    unread: str = ""
    reason: str = ""


def decode_epc(text: str) -> EpcIdentity:
    """Say all that the hex of an EPC says; `scheme` is None for bits that no scheme decodes.

    Raises `BadValue` only for text that is no hex or longer than a tag can hold.
    """
    if isinstance(text, str) and len(text) == 2 * BYTES and text.startswith(SGTIN_96_STARTS):
        return _sgtin96_identity(text)
    return identify(whole_words(text))


def identify(epc: Epc) -> EpcIdentity:
    """Say all that an EPC says, by the row of its scheme."""
    try:
        scheme, parts, aidc = read_bits(epc)
    except ProtocolsError as error:
        return EpcIdentity(epc, reason=str(error))
    key = (scheme.key.ai, scheme.key.join(parts)) if scheme.key else None
    qualifiers = [(q.ai, parts[q.part]) for q in scheme.qualifiers if parts[q.part] != q.absent]
    dates = [(parts["date_ai"], parts["date"])] if scheme.dated else []
    return EpcIdentity(
        epc=epc,
        scheme=scheme.name,
        tag_uri=f"urn:epc:tag:{scheme.tag_word}:{_dotted(parts, scheme, tag=True)}" if scheme.uri else None,
        pure_identity=f"urn:epc:id:{scheme.identity}:{_dotted(parts, scheme, tag=False)}" if scheme.uri else None,
        element_string="".join(f"({ai}){value}" for ai, value in (key, *qualifiers, *dates)) if key else None,
        digital_link=write_link(key, qualifiers, dates, parts.get("host", RESOLVER_HOST)) if key else None,
        gtin14=Gtin14(key[1]) if key and key[0] == "01" else None,
        serial=parts.get("serial"),
        filter=int(parts["filter"]) if scheme.filtered else None,
        data=aidc.elements,
        unread=aidc.unread,
    )


def _sgtin96_identity(text: str) -> EpcIdentity:
    """Say the same as `identify` for nearly every tag of a storeroom, many times as fast."""
    try:
        raw = bytes.fromhex(text)
        value = int.from_bytes(raw, "big")
        forms = item_forms(value >> SERIAL_BITS)
    except (ValueError, ProtocolsError):
        return identify(whole_words(text))
    if len(raw) != BYTES:
        return identify(whole_words(text))
    serial = str(value & SERIAL_BELOW - 1)
    tag_uri, pure_identity, element_string, digital_link, gtin, filter_value = forms
    said = (
        text.upper(),
        SGTIN_96,
        tag_uri + serial,
        pure_identity + serial,
        element_string + serial,
        digital_link + serial,
        gtin,
        serial,
        filter_value,
        (),
        "",
        "",
    )
    return tuple.__new__(EpcIdentity, said)  # half the time of its own constructor


def encode_tag_uri(uri: str) -> Epc:
    """Return the EPC of a tag URI such as `urn:epc:tag:sgtin-96:3.95060001343.05.123456789`. Raises `BadValue`."""
    match = _TAG_URI.fullmatch(uri)
    scheme = BY_TAG_WORD.get(match[1]) if match else None
    if match is None or scheme is None:
        raise BadValue(f"tag URI: expected urn:epc:tag:SCHEME:VALUE with a scheme that has one, got {uri!r:.120}")
    names = ("filter", *scheme.uri) if scheme.filtered else scheme.uri
    values = match[2].split(".", len(names) - 1)
    if len(values) != len(names):
        raise BadValue(f"tag URI: expected {'.'.join(names)} after {match[1]}, got {match[2]!r:.120}")
    return write_bits(scheme, {name: _unescaped(value) for name, value in zip(names, values, strict=True)})


def encode_elements(
    text: str, *, scheme: str, filter: int = 0, company_prefix_length: int | None = None, host: str | None = None
) -> Epc:
    """Return the EPC of element strings such as `(01)09506000134352(21)123`, in the scheme of that name.

    Schemes with a partition need the length of the company prefix, `++` schemes a host. Raises `BadValue`.
    """
    row = _row(scheme)
    if row.hosted != (host is not None):
        raise BadValue(f"{scheme}: expected {'a' if row.hosted else 'no'} host name, got {host!r:.80}")
    return _encode(row, read_bracketed(text).elements, filter, company_prefix_length, host)


def encode_digital_link(link: str, *, scheme: str, filter: int = 0, company_prefix_length: int | None = None) -> Epc:
    """Return the EPC of a Digital Link in the scheme of that name; a `++` scheme keeps its host. Raises `BadValue`."""
    row = _row(scheme)
    parsed = read_link(link)
    elements = read_elements(parsed.elements).elements
    return _encode(row, elements, filter, company_prefix_length, parsed.host if row.hosted else None)


def _row(name: str) -> Scheme:
    scheme = BY_NAME.get(name)
    if scheme is None or scheme.key is None:
        raise BadValue(f"EPC scheme: expected one with a GS1 key such as SGTIN+, got {name!r:.40}")
    return scheme


def _encode(scheme: Scheme, elements: Elements, filter: int, prefix_length: int | None, host: str | None) -> Epc:
    left = dict(elements)
    key = scheme.key
    if key is None or key.ai not in left:
        raise BadValue(f"{scheme.name}: expected ({key.ai if key else 'key'}) among the element strings")
    parts: Parts = {"filter": str(filter), "aidc": "0", **key.split(left.pop(key.ai), prefix_length)}
    for qualifier in scheme.qualifiers:
        value = left.pop(qualifier.ai, qualifier.absent)
        if value is None:
            raise BadValue(f"{scheme.name}: expected ({qualifier.ai}) among the element strings")
        parts[qualifier.part] = value
    if scheme.dated:
        parts["date_ai"] = next((ai for ai in left if ai in DATE_AIS), "")
        parts["date"] = left.pop(parts["date_ai"], "")
    if host is not None:
        parts["host"] = host
    if left:
        raise BadValue(f"{scheme.name}: no place for ({') ('.join(left)}) in this scheme")
    return write_bits(scheme, parts)


def _dotted(parts: Parts, scheme: Scheme, *, tag: bool) -> str:
    names = ("filter", *scheme.uri) if tag and scheme.filtered else scheme.uri
    return ".".join(_escaped(parts[name]) for name in names)


def _escaped(text: str) -> str:
    return _URI_ESCAPED.sub(lambda hit: f"%{ord(hit[0]):02X}", text)


def _unescaped(text: str) -> str:
    plain = _ESCAPE.sub(lambda hit: chr(int(hit[1], 16)), text)
    if _escaped(plain) != text:
        raise BadValue(f"tag URI: expected only the reserved characters escaped as %HH, got {text!r:.80}")
    return plain
