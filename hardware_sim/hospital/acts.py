"""What the edge of a drawn storeroom would write into its ledger: the opening, then visits, movements and beliefs.

It is the people of `storeroom` in the words of `protocols.movements`; a scan that custody would refuse is left out, as
an edge leaves it out. It is pure. The rule that must not be broken: every act is one that a real edge could have
written, in an order in which it could have written it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import NamedTuple

import msgspec

from hardware_sim.storeroom.happenings import BIN_S, Change, Fact, Visit
from hardware_sim.storeroom.stock import SHELVES, Piece, Where
from hardware_sim.storeroom.ward import Ward
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.reports import VisitBody
from protocols.movements.tags import BindBody, Binding, ObserveBody
from protocols.values.ids import PlaceId, virtual_place
from protocols.values.instant import Instant, plus

LINES_AN_ENTRY = 100
MODEL = "simulated"
FOUND_AFTER_S = 600.0
"""Seconds after which a reader is sure that a piece has come or gone."""

SURE_HERE, SURE_GONE = 0.99, 0.01


class Act(NamedTuple):
    """One entry to be written: seconds since the days began, its kind and body, who did it."""

    at_s: float
    kind: str
    body: Mapping[str, object]
    actor: str


@dataclass(frozen=True, slots=True)
class Book:
    """Whose acts these are: the storeroom's place, the first day, and the instant at which the days began."""

    place: PlaceId
    day: date
    start: Instant


class _Way(NamedTuple):
    """How a kind moves a piece: from where to where, and the custody it needs."""

    kind: str
    source: str
    target: str
    needs: Where


WAYS: Mapping[tuple[str, Where], _Way] = {
    ("issue", Where.OUT): _Way("issue", "", "issued", Where.HERE),
    ("return", Where.HERE): _Way("return_to_store", "issued", "", Where.OUT),
    ("transfer", Where.NEXT): _Way("transfer_out", "", "transit", Where.HERE),
}
"""The fact of a trace -> the movement; an empty role is the storeroom itself."""


def acts_of(ward: Ward, book: Book) -> Iterator[Act]:
    """Return everything in the order in which it is written."""
    pieces = ward.stock.pieces
    yield from _opening([piece for piece in pieces if piece.first == piece.home == Where.HERE], book)
    visits = [_visited(visit) for visit in ward.life.visits]
    moves = _moves(ward, book)
    beliefs = [_belief(change, pieces, book) for change in ward.life.changes if pieces[change.tag].home == Where.HERE]
    yield from sorted([*visits, *moves, *beliefs], key=lambda act: act.at_s)


def _opening(pieces: Sequence[Piece], book: Book) -> Iterator[Act]:
    for some in _by_lot(pieces):
        yield Act(0.0, "bind_tag", _bound(some, book), "")
        lines = tuple(_line(piece, virtual_place("opening", book.place), book.place, book) for piece in some)
        yield Act(0.0, "opening", write_body(MovementBody(lines=lines)), "")


def _by_lot(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    def key(piece: Piece) -> tuple[str, str]:
        return piece.item, piece.lot

    for _, same in groupby(sorted(pieces, key=key), key=key):
        those = list(same)
        yield from (those[start : start + LINES_AN_ENTRY] for start in range(0, len(those), LINES_AN_ENTRY))


def _moves(ward: Ward, book: Book) -> list[Act]:
    """Return the movements of the facts, each piece's in turn; what custody does not admit was refused."""
    actors = sorted((visit.since_s, visit.actor) for visit in ward.life.visits)
    custody = {tag: piece.first for tag, piece in enumerate(ward.stock.pieces) if piece.home == Where.HERE}
    acts: list[Act] = []
    for fact in sorted(ward.life.facts):
        if fact.tag not in custody or fact.kind in {"count", "look"}:
            continue
        piece, at_s = ward.stock.pieces[fact.tag], float(fact.known * BIN_S)
        body = _received(piece, custody[fact.tag], fact, book) or _moved(piece, custody[fact.tag], fact, book)
        if body is None:
            continue
        custody[fact.tag] = fact.to
        kind = "ward_receipt" if fact.kind == "receipt" else WAYS[fact.kind, fact.to].kind
        if kind == "ward_receipt":
            acts.append(Act(at_s, "bind_tag", _bound([piece], book), ""))
        acts.append(Act(at_s, kind, body, _who(actors, at_s)))
    return acts


def _received(piece: Piece, custody: Where, fact: Fact, book: Book) -> Mapping[str, object] | None:
    if fact.kind != "receipt" or custody != Where.OUT:
        return None
    return write_body(MovementBody(lines=(_line(piece, virtual_place("supplier", book.place), book.place, book),)))


def _moved(piece: Piece, custody: Where, fact: Fact, book: Book) -> Mapping[str, object] | None:
    way = WAYS.get((fact.kind, fact.to))
    if way is None or custody != way.needs:
        return None
    source, target = (virtual_place(role, book.place) if role else book.place for role in (way.source, way.target))
    occurred = plus(book.start, fact.at * BIN_S) if fact.at < fact.known else None
    return write_body(MovementBody(lines=(_line(piece, source, target, book),), occurred_at=occurred))


def _who(actors: Sequence[tuple[float, str]], at_s: float) -> str:
    """Return who came last before the end of a bin."""
    low, high = 0, len(actors)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if actors[middle][0] < at_s + BIN_S else (low, middle)
    return actors[low - 1][1] if low else ""


def _visited(visit: Visit) -> Act:
    return Act(visit.since_s, "visit", write_body(VisitBody("begin")), visit.actor)


def _belief(change: Change, pieces: Sequence[Piece], book: Book) -> Act:
    sure = SURE_HERE if change.where == Where.HERE else SURE_GONE
    body = ObserveBody(pieces[change.tag].epc, sure, MODEL, plus(book.start, change.at_s))
    return Act(change.at_s + FOUND_AFTER_S, "observe", write_body(body), "")


def _bound(pieces: Sequence[Piece], book: Book) -> Mapping[str, object]:
    bindings = tuple(
        Binding(
            piece.epc,
            piece.item,
            piece.gtin,
            piece.lot,
            piece.serial,
            (book.day + timedelta(piece.expiry_day)).isoformat(),
        )
        for piece in pieces
    )
    return write_body(BindBody(bindings))


def _line(piece: Piece, source: PlaceId, target: PlaceId, book: Book) -> PostingLine:
    shelf = SHELVES[piece.shelf]
    return PostingLine(
        item=piece.item,
        qty=1,
        source=source,
        target=target,
        lot=piece.lot,
        unit=piece.epc,
        source_position=shelf if source == book.place else "",
        target_position=shelf if target == book.place else "",
    )


def size_of(act: Act) -> int:
    """Return the bytes of an act's body, for a budget of load."""
    return len(msgspec.json.encode(act.body))
