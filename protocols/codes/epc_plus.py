"""The schemes of TDS 2.0 and 2.3, as data: every GS1 key kept whole (`+`), and the same with a host name (`++`).

It holds no procedure: `epc` runs the rows both ways. The rule that must not be broken: a pair of schemes is one row
here and nothing elsewhere. Headers: GS1 EPC Tag Data Standard 2.3, table 14-1; layouts: section 14.6.
"""

from protocols.codes.epc_dates import TypedDate
from protocols.codes.epc_fields import Field, Integer
from protocols.codes.epc_form import Key, Qualifier, Scheme, Shape
from protocols.codes.epc_host import Host
from protocols.codes.epc_text import CPI_TEXT, Bcd, CodedText, CountedDigits, Delimited

_OPENING = (Integer("aidc", 1), Integer("filter", 3))
_SERIAL = Qualifier("21", "serial")


def _pair(
    identity: str,
    headers: tuple[int, int],
    fields: tuple[Field, ...],
    key: Key,
    qualifiers: tuple[Qualifier, ...] = (),
    *,
    dated: bool = False,
) -> tuple[Scheme, Scheme]:
    """Return the scheme without and with a host name."""
    layout = _OPENING + ((TypedDate(),) if dated else ()) + fields
    name = identity.upper()
    first = Scheme(name + "+", identity, headers[0], layout, (), key, qualifiers, dated=dated, tagged=True)
    second = Scheme(
        name + "++", identity, headers[1], (*layout, Host()), (), key, qualifiers, dated=dated, hosted=True, tagged=True
    )
    return first, second


def _whole(ai: str, digits: int, *tail: tuple[str, int]) -> Key:
    return Key(ai, digits, Shape.WHOLE, tail=tail)


_GTIN = (Bcd("key", 14, 14), CodedText("serial", 20))

PLUS_SCHEMES: tuple[Scheme, ...] = (
    *_pair("sgtin", (0xF7, 0xFD), _GTIN, _whole("01", 13), (_SERIAL,)),
    *_pair("dsgtin", (0xFB, 0xFC), _GTIN, _whole("01", 13), (_SERIAL,), dated=True),
    *_pair("sscc", (0xF9, 0xEF), (Bcd("key", 18, 18),), _whole("00", 17)),
    *_pair(
        "sgln",
        (0xF2, 0xE9),
        (Bcd("key", 13, 13), CodedText("extension", 20)),
        _whole("414", 12),
        (Qualifier("254", "extension", absent="0"),),
    ),
    *_pair("grai", (0xF1, 0xEB), (Bcd("key", 14, 14), CodedText("serial", 16)), _whole("8003", 13, ("serial", 0))),
    *_pair("giai", (0xFA, 0xEE), (Delimited("key"),), _whole("8004", 0)),
    *_pair("gsrn", (0xF4, 0xE7), (Bcd("key", 18, 18),), _whole("8018", 17)),
    *_pair("gsrnp", (0xF5, 0xE8), (Bcd("key", 18, 18),), _whole("8017", 17)),
    *_pair("gdti", (0xF6, 0xEA), (Bcd("key", 13, 13), CodedText("serial", 17)), _whole("253", 12, ("serial", 0))),
    *_pair("sgcn", (0xF8, 0xEC), (Bcd("key", 13, 13), CountedDigits("serial", 12)), _whole("255", 12, ("serial", 0))),
    *_pair(
        "cpi",
        (0xF0, 0xE6),
        (Delimited("key", form=CPI_TEXT), CountedDigits("serial", 12)),
        _whole("8010", 0),
        (Qualifier("8011", "serial"),),
    ),
    *_pair(
        "itip",
        (0xF3, 0xED),
        (Bcd("key", 14, 14), Bcd("pieces", 4), CodedText("serial", 20)),
        _whole("8006", 13, ("pieces", 0)),
        (_SERIAL,),
    ),
)
