"""The host name at the end of a `++` EPC, so that its Digital Link leads to its owner's own server.

It is not a resolver and asks no network. The rule that must not be broken: a host name is lower case in seven-bit form
and written with the longest known ending at each place, so that one name has one bit string.

Source: GS1 EPC Tag Data Standard 2.3, section 14.5.16 with its tables of sequences.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocols.codes.bits import BitReader, BitWriter
from protocols.codes.epc_fields import Parts
from protocols.codes.epc_text import Code40
from protocols.errors import BadValue, PeerBroke

LENGTH_BITS = 6
UNIT_BITS = 7
UNITS_MAX = (1 << LENGTH_BITS) - 1

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")

_ONE_UNIT = {
    0x1E: "qr.", 0x1F: "www.", 0x20: "id.", 0x5B: ".com", 0x5C: ".org", 0x5D: ".net", 0x5E: ".int", 0x60: ".edu",
    0x7B: ".gov", 0x7C: ".mil", 0x7D: ".biz", 0x7E: ".eco", 0x7F: ".med",
}  # fmt: skip
"""Sequences in one unit, at codes that no host name needs as characters."""

_COUNTRIES = (
    "ac ad ae af ag ai al am ao aq ar as at au aw ax az ba bb bd be bf bg bh bi bj bm bn bo bq br bs bt bw by bz ca cc "
    "cd cf cg ch ci ck cl cm cn co cr cu cv cw cx cy cz de dj dk dm do dz ec ee eg eh er es et eu fi fj fk fm fo fr ga "
    "gd ge gf gg gh gi gl gm gn gp gq gr gs gt gu gw gy hk hm hn hr ht hu id ie il im in io iq ir is it je jm jo jp ke "
    "kg kh ki km kn kp kr kw ky kz la lb lc li",
    "lk lr ls lt lu lv ly ma mc md me mg mh mk ml mm mn mo mp mq mr ms mt mu mv mw mx my mz na nc ne nf ng ni nl no np "
    "nr nu nz om pa pe pf pg ph pk pl pm pn pr ps pt pw py qa re ro rs ru rw sa sb sc sd se sg sh si sk sl sm sn sr ss "
    "st su sv sx sy sz tc td tf tg th tj tk tl tm tn to tr tt tv tw tz ua ug us uy uz va vc ve vg vi vn vu wf ws ye yt "
    "za zm zw",
    "com.au net.au org.au co.at com.bd co.bd com.br net.br co.nz com.ng com.pk co.in com.in co.il co.jp co.za co.kr "
    "com.es com.lk co.th co.tt com.tt com.tr biz.tr com.ua co.uk co.zm com.zm com.cn org.cn net.cn gov.cn",
    "tech",
)
"""Endings in two units: the first unit is the row, the second the place in the row."""

_TWO_UNITS = tuple(tuple("." + ending for ending in row.split()) for row in _COUNTRIES)

_CODES: dict[str, tuple[int, ...]] = {
    **{chr(code): (code,) for code in range(0x21, 0x7B) if code not in _ONE_UNIT},
    **{text: (code,) for code, text in _ONE_UNIT.items()},
    **{text: (row, at) for row, texts in enumerate(_TWO_UNITS) for at, text in enumerate(texts)},
}
_SEQUENCE = re.compile("|".join(map(re.escape, sorted(_CODES, key=len, reverse=True))))


def _held(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        raise BadValue(f"EPC host: expected a host name such as id.example.com, got {text!r:.80}")
    return text


@dataclass(frozen=True, slots=True)
class Host:
    """A host name: in URN Code 40 where it has no small letters, else in units of seven bits. Part: `host`."""

    def read(self, bits: BitReader, parts: Parts) -> None:
        """Take the name. Raises `PeerBroke` or `BadValue`."""
        units = bits.take(1)
        count = bits.take(LENGTH_BITS)
        parts["host"] = _held(_read_units(bits, count) if units else Code40().read(bits, count))

    def write(self, bits: BitWriter, parts: Mapping[str, str]) -> None:
        """Append the name. Raises `BadValue`."""
        text = _held(parts["host"])
        if len(text) <= UNITS_MAX and Code40().length(text) is not None:
            bits.put(0, 1)
            bits.put(len(text), LENGTH_BITS)
            Code40().write(bits, text)
            return
        units = [unit for sequence in _SEQUENCE.findall(text) for unit in _CODES[sequence]]
        if len(units) > UNITS_MAX:
            raise BadValue(f"EPC host: expected at most {UNITS_MAX} units, got {len(units)} for {text!r:.80}")
        bits.put(1, 1)
        bits.put(len(units), LENGTH_BITS)
        for unit in units:
            bits.put(unit, UNIT_BITS)


def _read_units(bits: BitReader, count: int) -> str:
    text, left = "", count
    while left:
        unit = bits.take(UNIT_BITS)
        left -= 1
        if unit < len(_TWO_UNITS) and left:
            row, at = _TWO_UNITS[unit], bits.take(UNIT_BITS)
            left -= 1
            if at >= len(row):
                raise PeerBroke(f"EPC host: expected an ending 0..{len(row) - 1} of row {unit}, got {at}")
            text += row[at]
        else:
            text += _ONE_UNIT.get(unit) or chr(unit)
    return text
