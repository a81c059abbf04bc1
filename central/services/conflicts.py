"""Find conflicts among the facts of all edges, post what answers them through suspense and transit, flag the rest.

It decides nothing itself; `core.conflicts` does. The rules that must not be broken: facts are never rewritten, every
answer is an entry of central's own chain that cites them; what is posted and what stands open follow from the set of
facts, so that doing it again changes nothing and the order in which facts came leaves no trace; one transaction finds,
posts and flags.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from sqlalchemy import Connection

from central.clock import Clock
from central.core.conflicts import DAY_S, Flag, Sort
from central.core.conflicts.acts import below_zero
from central.core.conflicts.pieces import Judged, Piece, judge, line_of
from central.services.asking import CONFLICT, COUNT, LINES_A_DAY, ask_for
from central.services.conflict_signs import signs
from central.services.documents import number_of
from central.services.own_chain import Draft, append_within
from central.services.policy import rules_at
from central.store import queries_conflicts as kept
from central.store import queries_settling as tasks_kept
from central.store.engine import Store
from protocols.movements.bodies import write_body
from protocols.movements.posting import LINES_MAX, MovementBody
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, plus

PIECES_A_ROUND = 2_000
"""Pieces judged in one transaction; the next round goes on, because what is judged stands in `suspense` entries."""
REFS_MAX = 20
BY_FACTS = (Sort.DOUBLE_ISSUE, Sort.IMPLIED_TRANSFER, Sort.NEGATIVE)
"""Sorts that end by themselves once the facts no longer show them."""
TO_COUNT = frozenset({Sort.NEGATIVE, Sort.RECOUNT, Sort.MASTER_CHANGED})
VALID: Mapping[Sort, str] = MappingProxyType(
    {
        Sort.BEFORE_IT_KNEW: "valid: done before it knew",
        Sort.PRICE_CHANGED: "kept at the order's price: the difference goes to price variance with the invoice",
    }
)
"""Sorts that are kept as what they are, and why; nobody has to do anything."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What one look changed: entries posted, conflicts opened and closed."""

    posted: int
    opened: int
    closed: int

    @property
    def moved(self) -> int:
        """Return how much was changed in all."""
        return self.posted + self.opened + self.closed


def settle_conflicts(store: Store, hospital: HospitalId, clock: Clock, rooms: Collection[str] | None = None) -> Settled:
    """Look for conflicts in some storerooms or in all, and answer them. Doing it again changes nothing."""
    with store.write() as connection:
        return settle_within(connection, hospital, clock, rooms)


def settle_within(
    connection: Connection, hospital: HospitalId, clock: Clock, rooms: Collection[str] | None = None
) -> Settled:
    """Do what `settle_conflicts` does inside the caller's write transaction."""
    pieces = kept.suspicious(connection, hospital, rooms)[:PIECES_A_ROUND]
    said = kept.said_of(connection, hospital, pieces)
    judged = [(piece, judge(piece, said.get(piece, []))) for piece in pieces]
    drafts = [draft for piece, one in judged for draft in _drafts(piece, one)]
    if drafts:
        append_within(connection, hospital, drafts, clock)
    flags = [flag for _, one in judged for flag in one.flags]
    flags += [
        below_zero(*line, kept.last_taking(connection, hospital, *line[:4]))
        for line in kept.below_zero(connection, hospital, rooms)
    ]
    opened, closed = _bring_up_to_date(connection, hospital, flags, frozenset(pieces), rooms, clock)
    if rooms is None:
        opened += _open(connection, hospital, signs(connection, hospital, clock.now()), clock.now())
    return Settled(len(drafts), opened, closed)


def _drafts(piece: Piece, judged: Judged) -> Iterable[Draft]:
    lines = [line_of(piece, carry) for carry in judged.carries]
    reason = ", ".join(sorted({flag.sort for flag in judged.flags})) or "no conflict any more"
    for start in range(0, len(lines), LINES_MAX):
        body = MovementBody(tuple(lines[start : start + LINES_MAX]), refs=judged.cites[:REFS_MAX], reason=reason)
        yield Draft(kept.OURS, write_body(body))


def _bring_up_to_date(
    connection: Connection,
    hospital: HospitalId,
    flags: Sequence[Flag],
    pieces: Collection[Piece],
    rooms: Collection[str] | None,
    clock: Clock,
) -> tuple[int, int]:
    """Open what the facts show now, close what they no longer show; of what was not looked at nothing is said."""
    now, shown = clock.now(), {flag.id for flag in flags}
    judged = {(piece.item, piece.lot, piece.unit) for piece in pieces}
    over = [
        one.id
        for one in kept.standing(connection, hospital, sorts=BY_FACTS)
        if one.id not in shown and _was_looked_at(one, judged, rooms)
    ]
    closed = kept.close(connection, hospital, over, now, by="", remark="the facts no longer show it") if over else 0
    return _open(connection, hospital, flags, now), closed


def _open(connection: Connection, hospital: HospitalId, flags: Sequence[Flag], now: Instant) -> int:
    """Open conflicts that do not stand open, ask for the counts they call for, and return how many were opened."""
    stand = kept.kept_of(connection, hospital, [flag.id for flag in flags])
    once = {flag.id: flag for flag in flags if not (flag.sort in VALID and flag.id in stand)}
    stands_open = {id for id, one in stand.items() if one.status == kept.OPEN}
    fresh = [flag for flag in once.values() if flag.id not in stands_open]
    kept.renew(connection, hospital, [flag for flag in once.values() if _says_more(flag, stand.get(flag.id))])
    opened = kept.keep(connection, hospital, [_dated(flag, now) for flag in fresh if flag.id not in stand], now)
    again = [_dated(flag, now) for flag in fresh if flag.id in stand]
    opened += kept.open_again(connection, hospital, again)
    for sort, why in VALID.items():
        kept.close(connection, hospital, [flag.id for flag in fresh if flag.sort is sort], now, by="", remark=why)
    _ask_for_counts(connection, hospital, [flag for flag in fresh if flag.sort in TO_COUNT], now)
    return opened


def _ask_for_counts(connection: Connection, hospital: HospitalId, flags: Sequence[Flag], now: Instant) -> None:
    if not flags:
        return
    rules = rules_at(connection, hospital, now, LINES_A_DAY)
    for flag in flags:
        ask_for(connection, hospital, flag.place, [_count(flag, now)], rules, now)


def _says_more(flag: Flag, stands: kept.Standing | None) -> bool:
    if stands is None or stands.status != kept.OPEN:
        return False
    return (flag.provisional, flag.event, dict(flag.detail)) != (stands.provisional, stands.event, stands.detail)


def _dated(flag: Flag, now: Instant) -> Flag:
    """A line below zero is to be counted within a day of being flagged."""
    return replace(flag, due_at=plus(now, DAY_S)) if flag.sort is Sort.NEGATIVE else flag


def _count(flag: Flag, now: Instant) -> tasks_kept.Task:
    today = business_day(now)
    reason = {CONFLICT: flag.id, "sort": str(flag.sort)}
    id = number_of("CC", flag.id, today.isoformat())
    return tasks_kept.Task(id, COUNT, flag.place, flag.item, flag.lot, "", today, reason, kept.OPEN, None)


def _was_looked_at(one: kept.Standing, judged: Collection[tuple[str, str, str]], rooms: Collection[str] | None) -> bool:
    if one.sort is Sort.NEGATIVE:
        return rooms is None or one.place in rooms
    return rooms is None or (one.item, one.lot, one.unit) in judged
