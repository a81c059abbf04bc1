"""One line of text in, one JSON value out: what an EPC, a scan or a captured message says.

It serves `wardstock-edge decode` and whoever looks at a wire with a text tool. It reads nothing and prints nothing. The
rule that must not be broken: every line gets an answer, `{"ok": …}` or `{"error": …}`, and no exception.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date

from protocols.codes.epc import decode_epc
from protocols.codes.label import Badge, Command, Label, Ticket, read_label
from protocols.errors import BadValue, ProtocolsError
from protocols.readers.llrp import codec
from protocols.readers.m100.codec import M100Decoder, M100Frame
from protocols.readers.m100.codec import describe as describe_m100
from protocols.readers.reads import BadFrame
from protocols.readers.uhfreader18.codec import Uhf18Frame, Uhf18LineDecoder
from protocols.readers.uhfreader18.codec import describe as describe_uhf18

Answer = Mapping[str, object]

LINE_MAX = 1 << 22
"""Longest line read, in characters: an LLRP message of the largest size as hex, and room beside it."""

_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|([rnt\\])|(.|$))", re.DOTALL)
_SHORT_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}


def decode_line(line: str) -> dict[str, object]:
    """Answer one line `KIND<TAB>DATA` with `{"ok": …}` or, in one clear sentence, `{"error": …}`."""
    kind, tab, text = line.removesuffix("\n").removesuffix("\r").partition("\t")
    if len(line) > LINE_MAX:
        return {"error": f"line: expected at most {LINE_MAX} characters, got {len(line)}"}
    decode = KINDS.get(kind)
    if decode is None or not tab:
        return {"error": f"line: expected KIND<TAB>DATA with KIND one of {', '.join(KINDS)}, got {line.rstrip()!r:.80}"}
    try:
        return {"ok": decode(text)}
    except ProtocolsError as error:
        return {"error": str(error)}


def _epc(text: str) -> Answer:
    identity = decode_epc(text)
    answer = {
        "scheme": identity.scheme,
        "tag_uri": identity.tag_uri,
        "pure_identity": identity.pure_identity,
        "element_string": identity.element_string,
        "digital_link": identity.digital_link,
    }
    if identity.data or identity.unread:
        return {**answer, "data": dict(identity.data), "unread": identity.unread}
    return answer if identity.scheme else {**answer, "reason": identity.reason}


def _barcode(text: str) -> Answer:
    meaning = read_label(_unescape(text).removesuffix("\n").removesuffix("\r"))
    match meaning:
        case Label():
            return {
                "issuer": meaning.issuer,
                "product": meaning.product,
                "lot": meaning.lot,
                "expiry": _iso(meaning.expiry),
                "made": _iso(meaning.made),
                "serial": meaning.serial,
                "elements": dict(meaning.elements),
            }
        case Badge():
            return _own("badge", {"staff": meaning.staff})
        case Command():
            return _own("command", {"command": meaning.name.value})
        case Ticket():
            return _own(meaning.sort.name.lower(), {"code": meaning.code})


def _own(issuer: str, elements: Answer) -> Answer:
    product_fields = ("product", "lot", "expiry", "made", "serial")
    return {"issuer": issuer, **dict.fromkeys(product_fields), "elements": elements}


def _llrp(text: str) -> Answer:
    return codec.describe(codec.decode(_bytes(text, "llrp: expected the hex of one message")))


def _m100(text: str) -> Sequence[Answer]:
    decoder = M100Decoder()
    frames = decoder.receive(_bytes(text, "m100: expected the hex of a stream")) + decoder.give_up()
    _need_one(frames, M100Frame, "m100")
    return [_bad(each) if isinstance(each, BadFrame) else describe_m100(each) for each in frames]


def _uhfreader18(text: str) -> Sequence[Answer]:
    decoder = Uhf18LineDecoder()
    frames = decoder.receive(_bytes(text, "uhfreader18: expected the hex of a stream")) + decoder.give_up()
    _need_one(frames, Uhf18Frame, "uhfreader18")
    told: list[Answer] = []
    for each in frames:
        told += [_bad(each)] if isinstance(each, BadFrame) else describe_uhf18(each)
    return told


def _need_one(frames: Sequence[object], kind: type, name: str) -> None:
    """Refuse a stream in which no frame stands, in the words of the first thing that is wrong with it."""
    if not any(isinstance(each, kind) for each in frames):
        bad = next((each for each in frames if isinstance(each, BadFrame)), None)
        said = f"{bad.reason}, from {bad.raw.hex().upper()!r:.80}" if bad else "got no bytes"
        raise BadValue(f"{name}: expected at least one whole frame; {said}")


def _bad(frame: BadFrame) -> Answer:
    return {"type": "bad_frame", "reason": frame.reason, "raw": frame.raw.hex().upper()}


def _bytes(text: str, expected: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise BadValue(f"{expected}, got {text!r:.80}") from error


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_character, text)


def _character(escape: re.Match[str]) -> str:
    two, four, short, _ = escape.groups()
    if two or four:
        return chr(int(two or four, 16))
    if short:
        return _SHORT_ESCAPES[short]
    raise BadValue(f"barcode: expected \\xHH, \\uHHHH, \\r, \\n, \\t or \\\\ after a backslash, got {escape[0]!r}")


KINDS: dict[str, Callable[[str], Answer | Sequence[Answer]]] = {
    "epc": _epc,
    "barcode": _barcode,
    "llrp": _llrp,
    "m100": _m100,
    "uhfreader18": _uhfreader18,
}
