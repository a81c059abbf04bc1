"""Judges what people were told: every ok beep is exactly one event at central, and nobody is refused for nothing.

A scan without an answer may have been written or not: the power may have gone between COMMIT and the beep. The rule
that must not be broken: the log of beeps is the simulator's, so no program under judgement can make it agree.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from hardware_sim.evidence.book import lines_of
from hardware_sim.evidence.case import Case
from hardware_sim.evidence.chains import Entry
from hardware_sim.evidence.truth import Beep, WardTruth
from protocols.values.instant import to_iso

UNANSWERED = ("none", "look")


@dataclass(frozen=True, slots=True)
class ActFigures:
    """Ok beeps that no edge wrote down, and pieces with more events at central than the one an act may have."""

    lost: int
    doubled: int


def judge_acts(case: Case) -> tuple[ActFigures, list[str]]:
    """Return the figures of all scans and what is wrong with them."""
    posted = [entry for entry in case.central.entries if entry.event_id in case.central.events]
    central = {entry.event_id: entry for entry in reversed(posted)}
    edges = {entry.event_id: entry for edge in case.edges.values() for entry in reversed(edge.entries)}
    lost, doubled = _compared(case, central.values(), "central")
    forgotten, _ = _compared(case, edges.values(), "its edge")
    problems = forgotten + lost + doubled
    for ward, beeps in case.beeps.items():
        problems += _log_against_truth(case.wards[ward], beeps)
        problems += _refused(case.wards[ward], beeps)
    scanned = {str(beep.epc) for beeps in case.beeps.values() for beep in beeps}
    phantoms = sorted(_issues(central.values()).keys() - scanned)
    problems += [f"unit {unit} is issued at central and nobody scanned it" for unit in phantoms]
    return ActFigures(len(forgotten), len(doubled)), problems


def _compared(case: Case, facts: Collection[Entry], where: str) -> tuple[list[str], list[str]]:
    """Compare every ward's beeps with what a ledger says was done: what is lost there, what is there too often."""
    lost: list[str] = []
    doubled: list[str] = []
    issues = _issues(facts)
    for ward, beeps in case.beeps.items():
        by_piece: defaultdict[str, list[Beep]] = defaultdict(list)
        for beep in beeps:
            if beep.what == "item":
                by_piece[beep.epc].append(beep)
        for epc, answers in by_piece.items():
            lost += _lost(ward, answers, issues.get(epc, []), where)
            doubled += _doubled(ward, answers, issues.get(epc, []), where)
        lost += _badges(ward, beeps, [entry for entry in facts if entry.device == ward], where)
    return lost, doubled


def _issues(facts: Iterable[Entry]) -> dict[str, list[Entry]]:
    """Return the issues of each unit."""
    found: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in facts:
        for line in lines_of(entry) if entry.kind == "issue" else ():
            found[line.unit].append(entry)
    return dict(found)


def _lost(ward: str, answers: Sequence[Beep], issues: Sequence[Entry], where: str) -> Iterator[str]:
    """Judge one piece: an ok has its issue, by that person, in that ward, before the beep."""
    told = next((beep for beep in answers if beep.answer == "ok"), None)
    if told is None:
        return
    if not issues:
        yield f"{ward}: {_said(told)} for {told.epc}; {where} has no such issue"
    elif not any((entry.device, entry.actor) == (ward, told.actor) and entry.at <= told.at for entry in issues):
        yield f"{ward}: {_said(told)} for {told.epc}; the issue at {where} is not that act"


def _doubled(ward: str, answers: Sequence[Beep], issues: Sequence[Entry], where: str) -> Iterator[str]:
    """Judge one piece: it is issued once, and only if somebody was told ok or heard no answer."""
    most = int(any(beep.answer == "ok" or beep.answer in UNANSWERED for beep in answers))
    if len(issues) > most:
        yield f"{ward}: {answers[0].epc} is issued {len(issues)} times at {where}; its scans admit {most}"


def _badges(ward: str, beeps: Sequence[Beep], facts: Iterable[Entry], where: str) -> Iterator[str]:
    """Judge the visits: each person's badge beeps against the visits begun, in order of time."""
    begun: defaultdict[str, list[Entry]] = defaultdict(list)
    for entry in facts:
        if entry.kind == "visit" and entry.said.get("phase") == "begin":
            begun[entry.actor].append(entry)
    badges = [beep for beep in beeps if beep.what == "badge"]
    for actor in sorted({str(beep.actor) for beep in badges} | begun.keys()):
        theirs = [beep for beep in badges if beep.actor == actor]
        yield from (f"{ward}: {wrong} at {where}" for wrong in _visits(actor, theirs, begun.get(actor, [])))


def _visits(actor: str, beeps: Sequence[Beep], begun: Sequence[Entry]) -> Iterator[str]:
    told = sorted((beep for beep in beeps if beep.answer == "ok"), key=lambda beep: beep.at)
    most = len(told) + sum(beep.answer in UNANSWERED for beep in beeps)
    if len(begun) > most:
        yield f"{len(told)} badges of {actor} were told ok, {len(begun)} visits stand"
    for number, beep in enumerate(told, start=1):
        if sum(entry.at <= beep.at for entry in begun) < number:
            yield f"{_said(beep)} for a badge, no such visit stands"
            return


def _said(beep: Beep) -> str:
    return f"{beep.actor} was told ok at {to_iso(beep.at)}"


def _refused(ward: WardTruth, beeps: Iterable[Beep]) -> Iterator[str]:
    """Every piece that is scanned lies on the shelf: its last answer is no only if an earlier one got lost."""
    answers: defaultdict[str, list[str]] = defaultdict(list)
    shelved = {str(tag.epc) for tag in ward.tags}
    for beep in beeps:
        if beep.what == "item" and beep.epc in shelved:
            answers[beep.epc].append(beep.answer)
    for epc, told in answers.items():
        if told[-1] == "no" and not any(answer in UNANSWERED for answer in told):
            yield f"{ward.place}: {epc} lay on the shelf, was scanned {len(told)} times and refused in the end"


def _log_against_truth(ward: WardTruth, beeps: Iterable[Beep]) -> Iterator[str]:
    """The simulator's own two records must agree, or there is nothing to judge by."""
    told = Counter(str(beep.epc) for beep in beeps if beep.what == "item" and beep.answer == "ok")
    scanned = {str(move.epc) for move in ward.moves if move.why == "scanned"}
    for epc in sorted(told.keys() ^ scanned):
        yield f"{ward.place}: the simulator's truth and its log of beeps disagree about {epc}"
    for epc in sorted(epc for epc, count in told.items() if count > 1):
        yield f"{ward.place}: {epc} was told ok {told[epc]} times"
