"""Judges record against physical: central's book and beliefs against true shelves, its stated figures against ours.

Line match (line-match.2) = observed lines whose physical equals book / observed lines; unit match = 1 - sum
|difference| / sum book of observed lines; both over the wards' storerooms, physical as central believes. The rule that
must not be broken: a difference netted over lots is two wrong lines.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hardware_sim.evidence.case import Case
from hardware_sim.evidence.picture import LineView, Picture
from hardware_sim.evidence.truth import WardTruth

Lines = Mapping[tuple[str, str], LineView]


@dataclass(frozen=True, slots=True)
class ShelfFigures:
    """Lines of all wards, of these not observed, and how far record and physical agree over the others, 0..1."""

    lines: int
    unobserved: int
    line_match: float | None
    unit_match: float | None


def judge_shelves(case: Case) -> tuple[ShelfFigures, list[str]]:
    """Return the figures of all wards and what is wrong with them."""
    picture = last_picture(case)
    by_ward = {place: picture.lines(place) for place in case.wards}
    problems: list[str] = []
    for place, ward in case.wards.items():
        problems += _against_truth(case, ward, by_ward[place])
        problems += _against_stated(case, place, by_ward[place])
    every = [line for lines in by_ward.values() for line in lines.values()]
    lines, right, book, differ, unobserved = _figures(every)
    if not book:
        return ShelfFigures(len(every), unobserved, None, None), [*problems, "no line of any ward was observed"]
    return ShelfFigures(len(every), unobserved, round(right / lines, 6), round(1 - differ / book, 6)), problems


def last_picture(case: Case) -> Picture:
    """Return what central may know at the end: every entry it received that is an event."""
    picture = Picture({row.device: row.place for row in case.central.devices})
    seen: set[bytes] = set()
    for entry in sorted(case.central.entries, key=lambda one: (one.received_at, one.device, one.seq)):
        if entry.event_id in case.central.events and entry.event_id not in seen:
            seen.add(entry.event_id)
            picture.take(entry)
    return picture


def _figures(every: list[LineView]) -> tuple[int, int, int, int, int]:
    """Return observed lines, those right, sum of their book, sum of |difference|; and lines not observed."""
    lines = [line for line in every if line.is_observed]
    differ = [abs(line.physical - line.book) for line in lines]
    return len(lines), differ.count(0), sum(line.book for line in lines), sum(differ), len(every) - len(lines)


def _against_truth(case: Case, ward: WardTruth, lines: Lines) -> Iterator[str]:
    """The shelves as central sees them are the true ones; the book is the true shelf and what nobody scanned."""
    shelf = Counter((str(tag.item), str(tag.lot)) for tag in ward.on_shelf())
    unscanned = {move.epc for move in ward.moves if move.why == "unscanned"}
    book = shelf + Counter((str(tag.item), str(tag.lot)) for tag in ward.tags if tag.epc in unscanned)
    for item, lot in sorted(shelf.keys() | book.keys() | lines.keys()):
        line = lines.get((item, lot), LineView(0, 0))
        if (line.book, line.physical) != (book[item, lot], shelf[item, lot]):
            yield (
                f"{ward.place}: {item} lot {lot} is {line.book} in the book and {line.physical} on the shelf "
                f"at central; truly {book[item, lot]} and {shelf[item, lot]}"
            )
    planned = {case.truth.take.epc} if case.truth.take is not None and case.truth.take.ward == ward.place else set()
    if unscanned != planned:
        yield f"{ward.place}: the simulator took {len(unscanned)} pieces without a scan and names {len(planned)}"


def _against_stated(case: Case, place: str, lines: Lines) -> Iterator[str]:
    """Central's own figures of a storeroom are ours."""
    ours = _figures(list(lines.values()))
    stated = next((row for row in case.central.matches if row.place == place), None)
    if stated is None:
        yield f"{place}: central states no match of record and physical"
    else:
        said = (stated.lines, stated.lines_right, stated.book, stated.differing, stated.unobserved)
        if said != ours:
            yield f"{place}: central states lines, right, book, differing, unobserved {said}; its ledger gives {ours}"
