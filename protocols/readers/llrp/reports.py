"""Tag reports -> `TagRead`s. A parameter that is absent means "as in the last report" (LLRP 1.1 chapter 14).

It holds no more than one value a parameter. A report that names no whole EPC, no antenna or no believable time is a
`BadFrame`, never a guess. Rows that follow a pattern are read as columns (`patterns`), all others one by one; both ways
end in the same values. A reader without UTC says its uptime instead; `uptime_origin` turns that into an instant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from protocols.errors import BadValue
from protocols.readers.llrp.codec import decode
from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import rows_at
from protocols.readers.llrp.patterns import Batch, Patterns
from protocols.readers.reads import BadFrame, TagRead, make_tag_reads
from protocols.values.ids import Epc, epc
from protocols.values.instant import INSTANT_MAX, Instant

UTC, UPTIME = "SeenTimestampUTC", "SeenTimestampUptime"

REMEMBERED = (
    "AntennaID",
    "PeakRSSI",
    "First" + UTC,
    "Last" + UTC,
    "First" + UPTIME,
    "Last" + UPTIME,
    "TagSeenCount",
)

Read = TagRead | BadFrame


def believable(moment: object) -> bool:
    """Tell whether a reader's UTC microseconds can be a time of this world."""
    return isinstance(moment, int) and 0 < moment <= INSTANT_MAX


@dataclass(slots=True)
class TagReports:
    """Turns the tag reports of one connection into reads, remembering what the last one said.

    `uptime_origin` is the instant at which the reader's uptime was 0, None while nobody knows.
    """

    uptime_origin: int | None = None
    _last: dict[str, int] = field(default_factory=dict)
    _patterns: Patterns = field(default_factory=lambda: Patterns(frozenset(REMEMBERED)))

    def read_message(self, raw: bytes) -> list[Read]:
        """Return what the bytes of one RO_ACCESS_REPORT say. Raises `PeerBroke` when they break the layout."""
        batches = self._patterns.read(raw)
        if batches is None:
            return [self.read(row) for row in rows_at(decode(raw).params, "TagReportData")]
        if len(batches) == 1:
            return self._read_batch(batches[0])
        return [read for batch in batches for read in self._read_batch(batch)]

    def read(self, report: Params) -> Read:
        """Return what one TagReportData says."""
        last = self._last
        for name in REMEMBERED:
            value = report.get(name)
            if isinstance(value, int):
                last[name] = value
        first, latest = self._first_and_last()
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

    def _first_and_last(self) -> tuple[int, int]:
        """Return first and last seen as what was said last; 0 where nothing was."""
        last = self._last
        kind, origin = self._clock(last)
        first = last.get("First" + kind, last.get("Last" + kind, -origin)) + origin
        return first, last.get("Last" + kind, first - origin) + origin

    def _clock(self, said: dict[str, int] | set[str]) -> tuple[str, int]:
        """Return which clock counts and its origin: UTC if it was ever said, else uptime if its origin is known."""
        if self.uptime_origin is None or "First" + UTC in said or "Last" + UTC in said:
            return UTC, 0
        return UPTIME, self.uptime_origin

    def _read_batch(self, batch: Batch) -> list[Read]:
        """Read rows of one pattern as columns; one by one where a column holds what no read may hold."""
        rows, columns = len(batch.epcs), batch.columns
        kind, origin = self._clock(set(columns) | set(self._last))
        antennas = self._column(columns, "AntennaID", rows, 0)
        firsts = self._column(columns, "First" + kind, rows, None)
        lasts = self._column(columns, "Last" + kind, rows, None)
        firsts = lasts if firsts is None else firsts
        lasts = firsts if lasts is None else lasts
        if firsts is None or lasts is None or antennas is None:
            return self._read_rows(batch)
        if origin:
            firsts, lasts = [each + origin for each in firsts], [each + origin for each in lasts]
        if min(antennas) < 1 or not (_all_believable(firsts) and _all_believable(lasts)):
            return self._read_rows(batch)
        counts = self._column(columns, "TagSeenCount", rows, 1) or ()
        if min(counts) < 1:
            counts = [max(1, each) for each in counts]
        rssis: Sequence[int | None] = columns.get("PeakRSSI") or (self._last.get("PeakRSSI"),) * rows
        reads = make_tag_reads(
            _as_epcs(batch.epcs), antennas, rssis, (_as_instants(firsts), _as_instants(lasts)), counts
        )
        self._last.update({name: column[-1] for name, column in columns.items()})
        return list[Read](reads)

    def _column(
        self, columns: dict[str, tuple[int, ...]], name: str, rows: int, default: int | None
    ) -> Sequence[int] | None:
        """Return a column as the rows say it, or as the last report said it, or as the default."""
        column = columns.get(name)
        if column is not None:
            return column
        value = self._last.get(name, default)
        return None if value is None else (value,) * rows

    def _read_rows(self, batch: Batch) -> list[Read]:
        names = tuple(batch.columns)
        values = zip(*batch.columns.values(), strict=True) if names else [()] * len(batch.epcs)
        return [
            self.read({"EPCData": code, **dict(zip(names, row, strict=True))})
            for code, row in zip(batch.epcs, values, strict=True)
        ]


def _all_believable(moments: Sequence[int]) -> bool:
    return min(moments) > 0 and max(moments) <= INSTANT_MAX


def _as_epcs(codes: Sequence[str]) -> Sequence[Epc]:
    return codes  # type: ignore[return-value]  # a pattern lets whole words through, and its hex is upper case


def _as_instants(moments: Sequence[int]) -> Sequence[Instant]:
    return moments  # type: ignore[return-value]  # they were compared with the limits
