"""A recorded storeroom played through the edge's filter and central: what the readers heard becomes beliefs, beliefs
and people's entries become a ledger, and central compares.

Two edges hear one trace: the room's own, and the neighbour's, whose reader is the trace's `next`. People badge in when
they scan; who takes something without a scan does not. Only the wire and the disk of the edges are left out. The rule
that must not be broken: neither edge nor central reads what truly happened.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from central.services.reconcile import reconcile
from central.store.engine import Store
from edge_agent.agent.replay import feed
from edge_agent.core.presence.columns import column_course
from edge_agent.core.presence.course import Course
from edge_agent.core.presence.saying import Saying
from edge_agent.core.presence.shelves import Shelves
from edge_agent.core.presence.ward import Bin, Fact, Place, Ward
from edge_agent.links.trace import Trace
from hardware_sim.storeroom.rates import WORLDS
from hardware_sim.storeroom.script import read_script
from hardware_sim.storeroom.ward import Plan, draw_ward, write_ward
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.reports import DutyBody, VisitBody
from protocols.movements.tags import ObserveBody
from protocols.values.instant import plus
from tests.central import hospital as main

OWN, BESIDE = "ward-01", "ward-02"
BIN_S = 60.0
DAY_BINS = 1_440
SHIFT_ENDS = (450, 930, 1_410)
"""Bins of a day at which a shift ends."""
BADGE_BINS = 5
"""Scans within so many bins are of one visit."""
CLAIM_BINS = 60
"""A take that is named later than so is a claim."""
COMPARED_EVERY = 60
LATER_S = {OWN: 30.0, BESIDE: 30.5}
"""When in a bin an edge writes; never two in the same instant, of which their test identifiers are made."""
NEXT_ANTENNA = "7"
Form = Callable[[Ward], Course]
"""Over all tags at once, as a replay has it, or one by one, as the live agent has."""
SWAPPED = {Place.HERE: Place.NEXT, Place.NEXT: Place.HERE, Place.OUT: Place.OUT}


@dataclass(frozen=True, slots=True)
class Said:
    """One thing an edge writes: in which bin, and what."""

    number: int
    ward: str
    kind: str
    body: dict[str, object]
    actor: str = ""


def drawn(folder: Path, seed: int, *, story: str = "", days: int = 3, tags: int = 60) -> Path:
    """Draw a storeroom: a story in a quiet world, or a quiet week; return the folder of its trace."""
    script = read_script(story) if story else None
    folder.mkdir(parents=True)
    write_ward(draw_ward(Plan(seed, days, tags, WORLDS["quiet"], script=script)), folder)
    return folder


def words_of(folder: Path) -> Mapping[str, str]:
    """Return the tag of each word of a story."""
    events = json.loads((folder / "happened.json").read_bytes())["events"]
    return {event[key]["word"]: event[key]["epc"] for event in events for key in ("piece", "other") if key in event}


def play(folder: Path, store: Store, form: Form = column_course) -> None:
    """Play a trace through one form of the filter. Central compares every hour."""
    trace = Trace(folder)
    told = list(feed(trace.bins(), trace.facts))
    said = [
        *_acts(trace),
        *_shift_ends(len(told)),
        *beliefs(trace, told, form),
    ]
    wards = {name: main.Ward(store, name) for name in (OWN, BESIDE)}
    for name, ward in wards.items():
        _open(ward, trace.ward, Place.HERE if name == OWN else Place.NEXT)
    compared = 0
    for each in sorted(said, key=lambda one: one.number):
        while each.number >= compared + COMPARED_EVERY:
            compared += COMPARED_EVERY
            _compare(store, compared)
        wards[each.ward].say(each.kind, each.body, each.number * BIN_S + LATER_S[each.ward], each.actor)
    _compare(store, len(told) + 1)


def _compare(store: Store, number: int) -> None:
    assert not reconcile(store, main.HOSPITAL, plus(main.START, number * BIN_S)).failed


def _open(ward: main.Ward, room: Ward, place: Place) -> None:
    lines: dict[tuple[str, str], list[str]] = {}
    for number, tag in enumerate(room.tags):
        if tag.book is place and number not in (room.ref or {}).values():
            lines.setdefault((tag.item, tag.lot), []).append(tag.epc)
    for (item, lot), units in lines.items():
        ward.open(item, lot, units, LATER_S[ward.name] - LATER_S[OWN])


# --- what people write ---


def _acts(trace: Trace) -> Iterator[Said]:
    last = -DAY_BINS
    for fact in trace.facts:
        tag = trace.ward.tags[fact.tag]
        if fact.known - last > BADGE_BINS:
            yield Said(fact.known, OWN, "visit", write_body(VisitBody("begin")), "N1001")
        last = fact.known
        claimed = fact.known - fact.at > CLAIM_BINS
        kind, source, target = {
            Place.HERE: ("ward_receipt", f"supplier@{OWN}", OWN),
            Place.OUT: ("issue", OWN, f"issued@{OWN}"),
            Place.NEXT: ("transfer_out", OWN, BESIDE),
        }[fact.to]
        line = PostingLine(tag.item, 1, source, target, lot=tag.lot, unit=tag.epc)
        flags = ("claimed",) if claimed else ()
        yield Said(fact.known, OWN, kind, write_body(MovementBody((line,), flags=flags)), "N1001")


def _shift_ends(bins: int) -> Iterator[Said]:
    for day in range(bins // DAY_BINS):
        for at in SHIFT_ENDS:
            due = plus(main.START, (day * DAY_BINS + at) * BIN_S)
            body = write_body(DutyBody("shift_end", due, "done"))
            yield from (Said(day * DAY_BINS + at + 30, ward, "duty", body) for ward in (OWN, BESIDE))


# --- what readers believe ---


class Edge:
    """The filter of one storeroom, and what it writes."""

    def __init__(self, name: str, room: Ward, said: list[Said], form: Form) -> None:
        self.name, self.room, self.said = name, room, said
        self.course = form(room)
        self._saying = Saying(self.course, Shelves(room))

    def take(self, heard: Bin, facts: list[Fact]) -> None:
        fixed = (self.room.ref or {}).values()
        raised = self.course.take(heard, facts)
        for said in self._saying.after(heard.number, raised, self.course.p()):
            if said.tag not in fixed:
                at = plus(main.START, said.since * BIN_S)
                door = 0 if said.door is None else plus(main.START, said.door * BIN_S)
                epc = self.room.tags[said.tag].epc
                body = ObserveBody(epc, round(said.p, 4), "filter-2", at, round(said.dead, 4), door)
                self.said.append(Said(heard.number, self.name, "observe", write_body(body)))


def beliefs(trace: Trace, told: Iterable[tuple[Bin, list[Fact]]], form: Form) -> list[Said]:
    """Return what both edges write of what they hear."""
    said: list[Said] = []
    own, beside = Edge(OWN, trace.ward, said, form), Edge(BESIDE, _beside(trace.ward), said, form)
    for heard, facts in told:
        own.take(heard, facts)
        beside.take(*_heard_beside(heard, facts, whole=all(own.course.listened)))
    return said


def _beside(room: Ward) -> Ward:
    """Return the neighbour's storeroom: its reader is our `next`, ours is its."""
    tags = [replace(tag, book=SWAPPED[tag.book]) for tag in room.tags]
    return Ward(tags, room=room.next, next=room.room, bin_s=room.bin_s, round_s=room.round_s)


def _heard_beside(heard: Bin, facts: list[Fact], *, whole: bool) -> tuple[Bin, list[Fact]]:
    """Return what the neighbour hears, and what we tell it: nothing while one of our antennas does not listen."""
    room = tuple((tag, reads, dbm, 0.0) for tag, reads, dbm in heard.next)
    beside = tuple((tag, reads, dbm) for tag, reads, dbm, _ in heard.room if whole)
    rounds = heard.rounds if whole else {name: n for name, n in heard.rounds.items() if name == NEXT_ANTENNA}
    turned = [replace(fact, to=SWAPPED[fact.to]) for fact in facts]
    return Bin(heard.number, {**dict.fromkeys(heard.rounds, 0), **rounds}, None, room=room, next=beside), turned
