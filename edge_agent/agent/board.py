"""What the ward panel shows: the work before the scanners, and what the book has for it, as one state.

It only reads. The rule that must not be broken: in a blind count the panel does not tell what the book expects.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from edge_agent.agent.counter import Answer
from edge_agent.core.permits import standing_of
from edge_agent.core.work.bodies import who_may
from edge_agent.core.work.scene import Room, Visit
from edge_agent.core.work.sets import CLAIM_GROUP_S, proposed
from edge_agent.core.work.states import Doing, Event, expected, own
from edge_agent.core.work.words import DOINGS, EVENTS, Said, sentence
from edge_agent.store.catalogue import item_of, policy_of
from edge_agent.store.connection import Connection
from edge_agent.store.counts import open_lines
from edge_agent.store.ledger import Ledger
from edge_agent.store.scene import unclaimed
from protocols.entry import decode_body
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, plus, to_iso

ANSWERS_SHOWN = 9
CLAIMS_SHOWN = 12
LINES_SHOWN = 40
"""Lines of a count that fit a screen with some scrolling; what must be counted again comes first."""
DUTIES_SHOWN = 4
UNSAID = frozenset({Event.IDLE, Event.DOOR, Event.UNREADABLE})
KEEPERS = {Event.ADJUST: "adjust", Event.SCRAP: "scrap", Event.RECONCILE: "duty"}
"""Cards that are offered only while somebody is here who may, by the kind of entry that they write."""

State = dict[str, Any]


def board(
    ledger: Ledger,
    room: Room,
    visits: Mapping[str, Visit],
    answers: Iterable[Answer],
    now: Instant,
    lease_now: Instant | None = None,
) -> State:
    """Return the panel's state; `lease_now` is the time leases go by. Raises `StoreFault`."""
    connection = ledger.connection
    names = _Names(connection)
    standing = standing_of(policy_of(connection), now if lease_now is None else lease_now)
    ((open_now,),) = connection.query("SELECT COUNT(*) FROM discrepancy WHERE closed_event_id = x''")
    return {
        "ward": room.ward,
        "now": to_iso(now)[:16].replace("T", " "),
        "mode": room.mode.value,
        "permit": standing.permit.value,
        "stale": standing.stale,
        "visits": [_visit(scanner, visit) for scanner, visit in visits.items()],
        "next": _next(visits),
        "answers": [_answer(answer, names) for answer in list(answers)[: -ANSWERS_SHOWN - 1 : -1]],
        "unclaimed": _unclaimed(connection, room.ward, visits, names),
        "count": _count(connection, room, names),
        "duties": _duties(connection),
        "discrepancies": open_now,
        "pending": ledger.head().seq - ledger.acked(),
    }


class _Names:
    """Items' names, each asked once."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, State] = {}

    def of(self, item: str) -> State:
        if item not in self._known:
            found = item_of(self._connection, item)
            names = ("", "") if found is None else (found.name_zh, found.name_en)
            self._known[item] = {"item": item, "name_zh": names[0], "name_en": names[1]}
        return self._known[item]

    def in_words(self, about: Mapping[str, object], language: str) -> Mapping[str, object]:
        """Return what a sentence is about with the item's name in the place of its code, also within another."""
        told = {name: self._in(value, language) for name, value in about.items()}
        known = self.of(str(about.get("item", "")))
        name = known[f"name_{language}"] or known["name_zh"] or known["name_en"]
        return {**told, "item": name} if name else told

    def _in(self, value: object, language: str) -> object:
        return Said(value.word, self.in_words(value.about, language)) if isinstance(value, Said) else value


def _visit(scanner: str, visit: Visit) -> State:
    en, zh = DOINGS[visit.doing]
    return {
        "scanner": scanner,
        "actor": visit.actor,
        "doing_en": en,
        "doing_zh": zh,
        "emergency": visit.emergency,
        "patient": bool(visit.patient),
        "taken": sum(line.qty for done in visit.done if done.kind in ("issue", "pack_open") for line in done.lines),
    }


def _next(visits: Mapping[str, Visit]) -> list[State]:
    doings = [visit.doing for visit in visits.values()] or [Doing.NOBODY]
    roles = [visit.roles for visit in visits.values()]
    unsaid = UNSAID | {event for event, kind in KEEPERS.items() if not any(who_may(each, kind) for each in roles)}
    events = dict.fromkeys(event for doing in doings for event in expected(doing) if event not in unsaid)
    main = {event for doing in doings for event in own(doing)}
    return [{"en": event.value, "zh": EVENTS[event], "main": event in main} for event in events]


def _answer(answer: Answer, names: _Names) -> State:
    decision = answer.decision
    item = str(decision.about.get("item", ""))
    return {
        "time": to_iso(answer.at)[11:19],
        "beep": decision.beep.name.lower(),
        "en": sentence(decision.word, names.in_words(decision.about, "en"), "en"),
        "zh": sentence(decision.word, names.in_words(decision.about, "zh"), "zh"),
        **names.of(item),
    }


def _unclaimed(connection: Connection, ward: PlaceId, visits: Mapping[str, Visit], names: _Names) -> list[State]:
    waiting = unclaimed(connection, ward)
    began = min((visit.began for visit in visits.values()), default=Instant(2**62))
    marked = {one.stock.unit for one in proposed(waiting, plus(began, -CLAIM_GROUP_S))}
    return [
        {
            **names.of(one.stock.item),
            "lot": one.stock.lot,
            "unit": one.stock.unit,
            "time": to_iso(one.since)[11:16],
            "proposed": one.stock.unit in marked,
        }
        for one in waiting[:CLAIMS_SHOWN]
    ]


def _count(connection: Connection, room: Room, names: _Names) -> State | None:
    number, lines = open_lines(connection, room.ward)
    if not number:
        return None
    waiting = [line for line in lines if line.recount or (line.book and not line.counted)]
    shown = sorted(waiting, key=lambda line: not line.recount)[:LINES_SHOWN]
    return {
        "sheet": number,
        "of": len(lines),
        "done": len(lines) - len(waiting),
        "lines": [
            {
                **names.of(line.key.item),
                "lot": line.key.lot,
                "unit": line.key.unit,
                "counted": line.counted,
                "book": None if room.blind_counts else line.book,
                "recount": line.recount,
            }
            for line in shown
        ],
    }


def _duties(connection: Connection) -> Sequence[State]:
    rows = connection.query(
        "SELECT body FROM ledger WHERE kind = 'duty' AND actor = '' ORDER BY seq DESC LIMIT ?", (DUTIES_SHOWN,)
    )
    bodies = [decode_body(raw) for (raw,) in rows]
    return [
        {"duty": body["duty"], "due": to_iso(Instant(body["due"]))[5:16].replace("T", " "), "state": body["state"]}
        for body in bodies
    ]
