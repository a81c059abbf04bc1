"""The EPC schemes of a fixed length and the two of variable length, as data; with those of `epc_plus` all there are.

It holds no procedure: `epc` runs the rows both ways. The rule that must not be broken: a scheme is one row here and
nothing elsewhere. Sections and tables are those of the GS1 EPC Tag Data Standard 2.3.
"""

from protocols.codes.epc_fields import (
    Cage,
    Digits,
    DigitText,
    Integer,
    Partition,
    Reference,
    Spare,
    Split,
    Text,
)
from protocols.codes.epc_form import Key, Qualifier, Scheme, Shape
from protocols.codes.epc_plus import PLUS_SCHEMES
from protocols.codes.epc_sixbit import ADI_PART, ADI_SERIAL, AdiCage, PrefixedSixBit, SixBit

_PREFIX_BITS = (40, 37, 34, 30, 27, 24, 20)
"""Bits of a GS1 company prefix of 12, 11, … 6 digits: partition values 0..6 of every partition table (section 14.3)."""


def _rows(reference_bits: tuple[int, ...], digits_at_12: int) -> tuple[Split, ...]:
    """Return a partition table: the company prefix loses a digit a row, the reference gains one."""
    return tuple(
        Split(prefix_bits, 12 - row, bits, digits_at_12 + row)
        for row, (prefix_bits, bits) in enumerate(zip(_PREFIX_BITS, reference_bits, strict=True))
    )


_FILTER = Integer("filter", 3)
_ITEM = Partition(_rows((4, 7, 10, 14, 17, 20, 24), 1))
_ASSET = Partition(_rows((4, 7, 10, 14, 17, 20, 24), 0))
_PLACE = Partition(_rows((1, 4, 7, 11, 14, 17, 21), 0))
_SERVICE = Partition(_rows((18, 21, 24, 28, 31, 34, 38), 5))

SGTIN_96 = Scheme(
    name="SGTIN-96",
    identity="sgtin",
    header=0x30,
    fields=(_FILTER, _ITEM, Integer("serial", 38)),
    uri=("prefix", "reference", "serial"),
    key=Key("01", 13, Shape.INDICATOR),
    qualifiers=(Qualifier("21", "serial"),),
)

SCHEMES: tuple[Scheme, ...] = (
    SGTIN_96,
    Scheme(
        name="SGTIN-198",
        identity="sgtin",
        header=0x36,
        fields=(_FILTER, _ITEM, Text("serial", 140, 20)),
        uri=("prefix", "reference", "serial"),
        key=Key("01", 13, Shape.INDICATOR),
        qualifiers=(Qualifier("21", "serial"),),
    ),
    Scheme(
        name="SSCC-96",
        identity="sscc",
        header=0x31,
        fields=(_FILTER, _SERVICE, Spare(24)),
        uri=("prefix", "reference"),
        key=Key("00", 17, Shape.INDICATOR),
    ),
    Scheme(
        name="SGLN-96",
        identity="sgln",
        header=0x32,
        fields=(_FILTER, _PLACE, Integer("extension", 41)),
        uri=("prefix", "reference", "extension"),
        key=Key("414", 12),
        qualifiers=(Qualifier("254", "extension", absent="0"),),
    ),
    Scheme(
        name="SGLN-195",
        identity="sgln",
        header=0x39,
        fields=(_FILTER, _PLACE, Text("extension", 140, 20)),
        uri=("prefix", "reference", "extension"),
        key=Key("414", 12),
        qualifiers=(Qualifier("254", "extension", absent="0"),),
    ),
    Scheme(
        name="GRAI-96",
        identity="grai",
        header=0x33,
        fields=(_FILTER, _ASSET, Integer("serial", 38)),
        uri=("prefix", "reference", "serial"),
        key=Key("8003", 12, lead="0", tail=(("serial", 0),)),
    ),
    Scheme(
        name="GRAI-170",
        identity="grai",
        header=0x37,
        fields=(_FILTER, _ASSET, Text("serial", 112, 16)),
        uri=("prefix", "reference", "serial"),
        key=Key("8003", 12, lead="0", tail=(("serial", 0),)),
    ),
    Scheme(
        name="GIAI-96",
        identity="giai",
        header=0x34,
        fields=(_FILTER, Partition(_rows((42, 45, 48, 52, 55, 58, 62), 13), Reference.UNPADDED)),
        uri=("prefix", "reference"),
        key=Key("8004", 0),
    ),
    Scheme(
        name="GIAI-202",
        identity="giai",
        header=0x38,
        fields=(_FILTER, Partition(_rows((148, 151, 154, 158, 161, 164, 168), 18), Reference.TEXT)),
        uri=("prefix", "reference"),
        key=Key("8004", 0),
    ),
    Scheme(
        name="GSRN-96",
        identity="gsrn",
        header=0x2D,
        fields=(_FILTER, _SERVICE, Spare(24)),
        uri=("prefix", "reference"),
        key=Key("8018", 17),
    ),
    Scheme(
        name="GSRNP-96",
        identity="gsrnp",
        header=0x2E,
        fields=(_FILTER, _SERVICE, Spare(24)),
        uri=("prefix", "reference"),
        key=Key("8017", 17),
    ),
    Scheme(
        name="GDTI-96",
        identity="gdti",
        header=0x2C,
        fields=(_FILTER, _PLACE, Integer("serial", 41)),
        uri=("prefix", "reference", "serial"),
        key=Key("253", 12, tail=(("serial", 0),)),
    ),
    Scheme(
        name="GDTI-174",
        identity="gdti",
        header=0x3E,
        fields=(_FILTER, _PLACE, Text("serial", 119, 17)),
        uri=("prefix", "reference", "serial"),
        key=Key("253", 12, tail=(("serial", 0),)),
    ),
    Scheme(
        name="CPI-96",
        identity="cpi",
        header=0x3C,
        fields=(_FILTER, Partition(_rows((11, 14, 17, 21, 24, 27, 31), 3), Reference.UNPADDED), Integer("serial", 31)),
        uri=("prefix", "reference", "serial"),
        key=Key("8010", 0),
        qualifiers=(Qualifier("8011", "serial"),),
    ),
    Scheme(
        name="GDTI-113",
        identity="gdti",
        header=0x3A,
        fields=(_FILTER, _PLACE, DigitText("serial", 58, 17)),
        uri=("prefix", "reference", "serial"),
        key=Key("253", 12, tail=(("serial", 0),)),
    ),
    Scheme(
        name="CPI-var",
        identity="cpi",
        header=0x3D,
        fields=(
            _FILTER,
            PrefixedSixBit(tuple(zip(_PREFIX_BITS, range(12, 5, -1), strict=True))),
            Integer("serial", 40),
        ),
        uri=("prefix", "reference", "serial"),
        key=Key("8010", 0),
        qualifiers=(Qualifier("8011", "serial"),),
    ),
    Scheme(
        name="ADI-var",
        identity="adi",
        header=0x3B,
        fields=(
            Integer("filter", 6),
            AdiCage("cage"),
            SixBit("part", ADI_PART, 0, 32),
            SixBit("serial", ADI_SERIAL, 1, 30),
        ),
        uri=("cage", "part", "serial"),
    ),
    Scheme(
        name="SGCN-96",
        identity="sgcn",
        header=0x3F,
        fields=(_FILTER, _PLACE, DigitText("serial", 41, 12)),
        uri=("prefix", "reference", "serial"),
        key=Key("255", 12, tail=(("serial", 0),)),
    ),
    Scheme(
        name="ITIP-110",
        identity="itip",
        header=0x40,
        fields=(_FILTER, _ITEM, Digits("piece", 7, 2), Digits("total", 7, 2), Integer("serial", 38)),
        uri=("prefix", "reference", "piece", "total", "serial"),
        key=Key("8006", 13, Shape.INDICATOR, tail=(("piece", 2), ("total", 0))),
        qualifiers=(Qualifier("21", "serial"),),
    ),
    Scheme(
        name="ITIP-212",
        identity="itip",
        header=0x41,
        fields=(_FILTER, _ITEM, Digits("piece", 7, 2), Digits("total", 7, 2), Text("serial", 140, 20)),
        uri=("prefix", "reference", "piece", "total", "serial"),
        key=Key("8006", 13, Shape.INDICATOR, tail=(("piece", 2), ("total", 0))),
        qualifiers=(Qualifier("21", "serial"),),
    ),
    Scheme(
        name="GID-96",
        identity="gid",
        header=0x35,
        fields=(Integer("manager", 28), Integer("class", 24), Integer("serial", 36)),
        uri=("manager", "class", "serial"),
        filtered=False,
    ),
    Scheme(
        name="USDOD-96",
        identity="usdod",
        header=0x2F,
        fields=(Integer("filter", 4), Cage("cage"), Integer("serial", 36)),
        uri=("cage", "serial"),
    ),
    *PLUS_SCHEMES,
)

BY_HEADER: dict[int, Scheme] = {scheme.header: scheme for scheme in SCHEMES}
BY_NAME: dict[str, Scheme] = {scheme.name: scheme for scheme in SCHEMES}
BY_TAG_WORD: dict[str, Scheme] = {scheme.tag_word: scheme for scheme in SCHEMES if scheme.uri}
