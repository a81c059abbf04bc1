"""How storerooms stand: when they were last heard, how far book and shelf agree, what stands open; and their lines.

Reading only. The rule that must not be broken: silence is judged by one threshold of the policy table, here and nowhere
else.
"""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from central.core.match import Match
from central.core.rights import EVERYWHERE, Scope
from central.services.policy import rules_at
from central.store.chains import OWN_DEVICE
from central.store.queries_book import DeviceSeen, devices, quarantined
from central.store.queries_master import Place, places
from central.store.queries_misplaced import misplaced_lines
from central.store.queries_work import matches, open_counts, open_proposal_counts
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, seconds_between


@dataclass(frozen=True, slots=True)
class Standing:
    """One storeroom now. `seen` is None where its device was never enrolled.

    `never_connected` tells that a device should watch and was not heard yet; `offline` is None then, and where none
    watches.
    """

    place: Place
    seen: DeviceSeen | None
    offline: bool | None
    never_connected: bool
    quarantined: int
    looked_at: Instant | None
    match: Match | None
    discrepancies: int
    proposals: int


def standings(connection: Connection, hospital: HospitalId, now: Instant, scope: Scope = EVERYWHERE) -> list[Standing]:
    """Return how every storeroom in a scope stands, wards first."""
    silent_s = float(rules_at(connection, hospital, now).number("contact.silent_s"))
    seen = {one.device: one for one in devices(connection, hospital)}
    looked, elsewhere = matches(connection, hospital), misplaced_lines(connection, hospital)
    open_here = open_counts(connection, hospital)
    aside = quarantined(connection, hospital)
    wanted = open_proposal_counts(connection, hospital)
    return [
        Standing(
            place=place,
            seen=seen.get(place.device),
            offline=is_silent(seen.get(place.device), now, silent_s) if _watched(place) else None,
            never_connected=_watched(place) and not _heard(seen.get(place.device)),
            quarantined=aside.get(place.device, 0),
            looked_at=looked[place.place][0] if place.place in looked else None,
            match=_beside(looked.get(place.place), elsewhere.get(place.place, 0)),
            discrepancies=open_here.get(place.place, 0),
            proposals=wanted.get(place.place, 0),
        )
        for place in places(connection, hospital)
        if place.place in scope
    ]


def _beside(looked: tuple[Instant, Match] | None, misplaced: int) -> Match | None:
    """Return how far a storeroom agreed, with the lines that have a piece in another storeroom now."""
    return None if looked is None else replace(looked[1], misplaced=misplaced)


def _watched(place: Place) -> bool:
    return place.device not in {"", OWN_DEVICE}


def _heard(seen: DeviceSeen | None) -> bool:
    return seen is not None and seen.last_seen_at is not None


def is_silent(seen: DeviceSeen | None, now: Instant, silent_s: float) -> bool | None:
    """Tell whether a device has not been heard for longer than the policy allows, None before it was ever heard."""
    if seen is None or seen.last_seen_at is None:
        return None
    return seconds_between(seen.last_seen_at, now) > silent_s
