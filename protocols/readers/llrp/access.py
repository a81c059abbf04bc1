"""Reading and writing one tag's memory: the AccessSpec that asks for it, and what its results say (chapter 11).

A tag is named by its TID, which nobody can write: an EPC may be a copy, and it changes when it is written. A write is
always followed by a read of the same words in the same AccessSpec: only words that were read back are written words.
It says nothing about when to ask; that is `session.py`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from protocols.errors import BadValue
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import name_of, number_at, number_of, rows_at, text_at
from protocols.readers.reads import AccessDone

ACCESS_SPEC_ID = 1
WRITE_ID, READ_ID = 1, 2
TID_BANK = 2
WORDS_MAX = 32
"""Words in one order: what common readers take in one operation."""

_WORDS = re.compile(r"(?:[0-9A-F]{4})+")
RESULTS = {"C1G2WriteOpSpecResult": "C1G2WriteResultType", "C1G2ReadOpSpecResult": "C1G2ReadResultType"}


@dataclass(frozen=True, slots=True)
class AccessOrder:
    """Read `words` words from `word` on of bank 0..3 (reserved, EPC, TID, user) of the tag whose TID begins with `tid`.

    With `data` (hex of whole words) it writes these first. `password` is the tag's access password, 0 for none.
    """

    tid: str
    bank: int
    word: int
    words: int = 0
    data: str = ""
    password: int = 0

    def __post_init__(self) -> None:
        if not _WORDS.fullmatch(self.tid) or (self.data and not _WORDS.fullmatch(self.data)):
            raise BadValue(f"tag access: expected upper-case hex of whole words, got TID {self.tid!r:.40}")
        if not 0 <= self.bank <= 3 or not 0 <= self.word <= 0xFFFF or not 0 <= self.password <= 0xFFFF_FFFF:
            raise BadValue(
                f"tag access: expected bank 0..3, a 16-bit word and a 32-bit password, got {self.bank}, {self.word}"
            )
        if not 1 <= self.count <= WORDS_MAX or (self.data and self.bank == TID_BANK):
            raise BadValue(f"tag access: expected 1..{WORDS_MAX} words, none written to the TID, got {self.count}")

    @property
    def count(self) -> int:
        """Return how many words are read."""
        return len(self.data) // 4 or self.words


def add_access_spec(order: AccessOrder, rospec_id: int) -> tuple[str, Params]:
    """Return the request that adds an order's AccessSpec: once, on any antenna, reported when it is done."""
    target: Params = {
        "MB": TID_BANK,
        "Match": True,
        "Pointer": 0,
        "TagMask": "F" * len(order.tid),
        "TagData": order.tid,
    }
    where: Params = {"AccessPassword": order.password, "MB": order.bank, "WordPointer": order.word}
    commands: list[Value] = [{"C1G2Read": {"OpSpecID": READ_ID, **where, "WordCount": order.count}}]
    if order.data:
        commands.insert(0, {"C1G2Write": {"OpSpecID": WRITE_ID, **where, "WriteData": order.data}})
    spec: Params = {
        "AccessSpecID": ACCESS_SPEC_ID,
        "AntennaID": 0,
        "ProtocolID": number_of("AirProtocols", "EPCGlobalClass1Gen2"),
        "CurrentState": 0,
        "ROSpecID": rospec_id,
        "AccessSpecStopTrigger": {"AccessSpecStopTrigger": 1, "OperationCountValue": 1},
        "AccessCommand": {"C1G2TagSpec": {"C1G2TargetTag": [target]}, "AccessCommandOpSpec": commands},
        "AccessReportSpec": number_of("AccessReportTriggerType", "End_Of_AccessSpec"),
    }
    return "ADD_ACCESSSPEC", {"AccessSpec": spec}


def name_access_spec(request: str) -> tuple[str, Params]:
    """Return a request that only names our AccessSpec."""
    return request, {"AccessSpecID": ACCESS_SPEC_ID}


def read_results(order: AccessOrder, report: Params) -> AccessDone | None:
    """Return what one TagReportData says of an order, or None where it says nothing."""
    results = rows_at(report, "AccessCommandOpSpecResult")
    if number_at(report, "AccessSpecID") not in (None, ACCESS_SPEC_ID) or not results:
        return None
    read = ""
    is_read = False
    for row in results:
        name, value = next(iter(row.items()))
        if name not in RESULTS or not isinstance(value, Mapping):
            continue
        code = number_at(value, "Result") or 0
        if code:
            what = "written" if name == "C1G2WriteOpSpecResult" else "read"
            return AccessDone(order.tid, ok=False, data="", reason=f"not {what}: {name_of(RESULTS[name], code)}")
        if name == "C1G2ReadOpSpecResult":
            read, is_read = text_at(value, "ReadData"), True
    if not is_read:
        return AccessDone(order.tid, ok=False, data="", reason="the words were not read back")
    if order.data and read != order.data:
        return AccessDone(order.tid, ok=False, data=read, reason=f"wrote {order.data}, read back {read}")
    return AccessDone(order.tid, ok=True, data=read)
