"""The conflicts that post nothing: unknown names, counts overtaken, master data changed meanwhile, acts entered again.

It decides nothing itself; `core.conflicts` does. The rule that must not be broken: a count that was kept is never
changed; its later version stands beside it.
"""

from collections.abc import Iterable

from sqlalchemy import Connection

from central.core.conflicts import DAY_S, Flag, Sort
from central.core.conflicts.acts import Suspension, against_suspension, entered_again, unknown_items
from central.core.conflicts.counts import late_entry, recount, version_of
from central.core.conflicts.master import at_another_price, by_old_data
from central.store import queries_conflict_signs as kept
from central.store import queries_master_conflicts as master
from central.store.queries_permits import standings
from protocols.codes.label import Label, read_label
from protocols.errors import ProtocolsError
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus

LOOKED_BACK_S = 35 * DAY_S
"""A month and what comes late into it; what is older is the auditor's."""
DRAWS = frozenset({"transfer_in", "ward_receipt"})
"""What a storeroom whose permit is closed may not do by itself."""
TEXT_SHOWN = 120


def signs(connection: Connection, hospital: HospitalId, now: Instant) -> list[Flag]:
    """Return what is to be flagged, and keep new versions of counts."""
    since = plus(now, -LOOKED_BACK_S)
    return [
        *_names(connection, hospital, since),
        *_counts(connection, hospital, since, now),
        *_suspended(connection, hospital),
        *_again(connection, hospital, since),
        *_changed(connection, hospital, since),
    ]


def _names(connection: Connection, hospital: HospitalId, since: Instant) -> Iterable[Flag]:
    known = kept.catalogue_of(connection, hospital)
    if not known:
        return  # nothing was imported yet: every name is new
    yield from unknown_items(kept.booked_names(connection, hospital, known), known)
    codes = {gtin for gtin in known.values() if gtin}
    for event, place, text in kept.unread_labels(connection, hospital, since):
        if _product(text) not in codes:
            yield Flag(Sort.UNKNOWN_ITEM, place, event, detail=(("text", text[:TEXT_SHOWN]),))


def _product(text: str) -> str | None:
    try:
        meaning = read_label(text)
    except ProtocolsError:
        return None
    return meaning.product if isinstance(meaning, Label) else None


def _counts(connection: Connection, hospital: HospitalId, since: Instant, now: Instant) -> Iterable[Flag]:
    for one in kept.counted(connection, hospital, since):
        again = recount(one.count, one.moves)
        if again is not None:
            yield again
        version = version_of(one.count, one.moves, one.kept)
        if version is not None:
            kept.keep_version(connection, hospital, one, version, now)
            yield late_entry(one.count, version)


def _suspended(connection: Connection, hospital: HospitalId) -> Iterable[Flag]:
    for place, standing in standings(connection, hospital).items():
        if not standing.is_closed or standing.last is None:
            continue
        suspension = Suspension(place, standing.version)
        for act in kept.acts_at(connection, hospital, place, DRAWS, standing.last.at):
            flag = against_suspension(act, suspension)
            if flag is not None:
                yield flag


def _again(connection: Connection, hospital: HospitalId, since: Instant) -> Iterable[Flag]:
    for forgotten, later in kept.forgotten_acts(connection, hospital, since):
        yield from entered_again(forgotten, later)


def _changed(connection: Connection, hospital: HospitalId, since: Instant) -> Iterable[Flag]:
    for change in master.item_changes(connection, hospital, since):
        if change.counts:
            yield from by_old_data(change, master.acts_since(connection, hospital, change.item, change.at))
    yield from at_another_price(master.bought_since(connection, hospital, since))
