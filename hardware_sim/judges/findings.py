"""Judges the discrepancies: the piece that nobody scanned was missed, in time and for a reason; nothing else was, and
no piece is said to stand on a shelf where it does not.

The rule that must not be broken: a discrepancy counts only if the entry it names is in the ledger and says so.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hardware_sim.evidence.case import Case
from hardware_sim.evidence.chains import Entry
from hardware_sim.evidence.tables import DiscrepancyRow
from hardware_sim.scenario.plan import Misput, Take
from hardware_sim.world import SHELF_ANTENNAS
from protocols.values.ids import Position
from protocols.values.instant import Instant, seconds_between

FOUND_WITHIN_S = 7200.0
"""Story seconds in which a missing piece must be found: some rounds of a minute after the door has heard it, then one
round of reconciling; a busy machine stretches each. Time the ward was cut off is added.
It bounds when the reader found it and when central opened it; neither may lie before the piece left."""
MISSING_BELOW = 0.05


@dataclass(frozen=True, slots=True)
class Found:
    """One discrepancy; `found_after_s` story seconds after the piece truly left, None when it did not."""

    kind: str
    item: str
    ward: str
    lot: str
    unit: str
    status: str
    found_after_s: float | None


def judge_findings(case: Case) -> tuple[tuple[Found, ...], list[str]]:
    """Return the discrepancies and what is wrong with them."""
    rows = sorted(case.central.discrepancies, key=lambda row: (row.opened_at, row.unit))
    found = tuple(_found(case, row) for row in rows)
    problems = [wrong for row in rows for wrong in _unfounded(case, row)]
    take = case.truth.take
    due = [row for row in rows if take is not None and (row.kind, row.unit) == ("missing", take.epc)]
    problems += [
        f"{row.place}: a discrepancy '{row.kind}' of {row.item} ({row.unit}) that is not true"
        for row in rows
        if row not in due
    ]
    if take is not None:
        problems += _of_take(case, take, due)
    return found, [*problems, *shelves_said(case.central.entries, case.truth.misput)]


def _found(case: Case, row: DiscrepancyRow) -> Found:
    left = next((move.at for ward in case.wards.values() for move in ward.moves if move.epc == row.unit), None)
    after_s = None if left is None else round(seconds_between(Instant(left), Instant(row.opened_at)), 1)
    return Found(row.kind, row.item, row.place, row.lot, row.unit, row.status, after_s)


def _of_take(case: Case, take: Take, rows: list[DiscrepancyRow]) -> Iterator[str]:
    """Judge what central made of the piece that nobody scanned."""
    if len(rows) != 1:
        opened = f"central opened {len(rows)} discrepancies for it"
        yield f"{take.ward}: {take.item} ({take.epc}) was taken without a scan; {opened}"
        return
    row, tags = rows[0], {tag.epc: tag for ward in case.wards.values() for tag in ward.tags}
    tag = tags.get(take.epc)
    if tag is None or (row.place, row.item, row.lot) != (take.ward, tag.item, tag.lot):
        yield f"{take.ward}: {take.epc} is missing as {row.item} lot {row.lot} at {row.place}, which it is not"
    if row.status != "open":
        yield f"{take.ward}: the discrepancy of {take.epc} is {row.status}; the piece is still gone"
    cut_s = sum(seconds_between(cut.since, cut.until) for cut in case.truth.cuts if cut.ward == take.ward)
    most_s = FOUND_WITHIN_S + cut_s
    for what, at in (("found by the reader", row.found_at), ("opened by central", row.opened_at)):
        after_s = seconds_between(take.at, Instant(at))
        if not 0 < after_s <= most_s:
            yield f"{take.ward}: {take.epc} was {what} {after_s:.0f} s after it left; expected 0..{most_s:.0f}"


def shelves_said(entries: Iterable[Entry], put: Misput | None) -> Iterator[str]:
    """Judge every belief that a piece stands on another shelf: it does, and as far as antennas tell on the one named.

    Shelves that the same antennas face are one to a reader. When it is told depends on its rounds, and is not judged.
    """
    for entry in entries:
        said, unit = entry.said.get("position"), entry.said.get("epc")
        if entry.kind != "observe" or not said:
            continue
        if put is None or unit != put.epc or entry.at < put.at:
            yield f"{entry.device}: {unit} is said to stand on shelf {said}, where nobody put it"
        elif {*SHELF_ANTENNAS.get(Position(str(said)), ())} != {*SHELF_ANTENNAS[put.position]}:
            yield f"{entry.device}: {unit} is said to stand on shelf {said}; it stands on {put.position}"


def _unfounded(case: Case, row: DiscrepancyRow) -> Iterator[str]:
    """A discrepancy must name an entry that says what it says."""
    entry = next((one for one in case.central.entries if one.event_id == row.found_event_id), None)
    if entry is None or row.found_event_id not in case.central.events:
        yield f"{row.place}: the discrepancy of {row.unit} names an entry that central does not have"
        return
    p = entry.said.get("p")
    if entry.kind != "observe" or entry.said.get("epc") != row.unit or entry.at != row.found_at:
        yield f"{row.place}: the discrepancy of {row.unit} names an entry that is not a belief about it then"
    elif row.kind == "missing" and not (isinstance(p, (int, float)) and p < MISSING_BELOW):
        yield f"{row.place}: {row.unit} is called missing on a belief of {p}"
