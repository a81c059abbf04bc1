"""Tag reports -> `TagRead`s. A parameter that is absent means "as in the last report" (LLRP 1.1 chapter 14).

It holds no more than one value a parameter. A report that names no whole EPC, no antenna or no believable time is a
`BadFrame`, never a guess.
"""

from dataclasses import dataclass, field

from protocols.errors import BadValue
from protocols.readers.llrp.fields import Params
from protocols.readers.reads import BadFrame, TagRead
from protocols.values.ids import epc
from protocols.values.instant import Instant

INSTANT_MAX = 253_402_300_799_999_999
"""End of the year 9999 in microseconds: a reader that says more is broken."""

REMEMBERED = ("AntennaID", "PeakRSSI", "FirstSeenTimestampUTC", "LastSeenTimestampUTC", "TagSeenCount")


def believable(moment: object) -> bool:
    """Tell whether a reader's UTC microseconds can be a time of this world."""
    return isinstance(moment, int) and 0 < moment <= INSTANT_MAX


@dataclass(slots=True)
class TagReports:
    """Turns the tag reports of one connection into reads, remembering what the last one said."""

    _last: dict[str, int] = field(default_factory=dict)

    def read(self, report: Params) -> TagRead | BadFrame:
        """Return what one TagReportData says."""
        last = self._last
        for name in REMEMBERED:
            value = report.get(name)
            if isinstance(value, int):
                last[name] = value
        first = last.get("FirstSeenTimestampUTC", last.get("LastSeenTimestampUTC", 0))
        latest = max(first, last.get("LastSeenTimestampUTC", first))
        code = report.get("EPC_96") or report.get("EPCData")
        if not believable(first) or not believable(latest):
            return BadFrame(f"tag report: expected a time in UTC, got {first}", str(code).encode())
        try:
            return TagRead(
                epc=epc(code if isinstance(code, str) else ""),
                antenna=last.get("AntennaID", 0),
                rssi_dbm=last.get("PeakRSSI"),
                first_seen=Instant(first),
                last_seen=Instant(latest),
                count=max(1, last.get("TagSeenCount", 1)),
            )
        except BadValue as error:
            return BadFrame(f"tag report: {error}", str(code).encode())
