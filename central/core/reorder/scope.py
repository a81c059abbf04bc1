"""Which lines are reordered by themselves: those asked for at least monthly, and still asked for.

On what is asked for less often no forecast holds (nor the figures of docs/reorder.md): such a line is ordered on
request, unless a person forces it or gives it a floor. TSB (Teunter, Syntetos and Babai 2011) is used for one thing,
to notice that nobody asks any more: its estimate of the chance of a request falls with each day without one, long
before a rolling window forgets. The rule that must not be broken: one line and many are judged by this one function.
"""

from collections.abc import Iterable
from enum import StrEnum

from central.core.reorder.moments import OWN_DAYS_MIN, Sums

REQUESTS_MIN, DAYS_A_REQUEST_MAX = 3, 30
"""Requests at least monthly, and so many in what is known."""

MEMORY_REQUESTS = 3.0
SMOOTHING_MAX = 0.05
"""TSB forgets over about so many requests, and never faster than over twenty days."""

FADING_SHARE = 1 / 8
"""A chance below this share of the window's: chance alone comes to it about twice in a thousand such silences."""


class Standing(StrEnum):
    """USUAL is reordered by itself; SELDOM is asked for too rarely, FADING no longer."""

    USUAL = "usual"
    SELDOM = "seldom"
    FADING = "fading"


def chance_lately(asked: Iterable[int], days: int) -> float:
    """Return TSB's chance of a request on the day after `days` days; `asked` are days with one, from 0, rising."""
    on = list(asked)
    if not on or days < 1:
        return 0.0
    chance = len(on) / days
    smoothing = min(SMOOTHING_MAX, chance / MEMORY_REQUESTS)
    before = -1
    for day in on:
        chance = chance * (1 - smoothing) ** (day - before) + smoothing
        before = day
    return float(chance * (1 - smoothing) ** (days - 1 - before))


def standing(own: Sums, kin: Sums, lately: float | None) -> Standing:
    """Return how a line stands; a place with little history of its own borrows days from `kin`, as its moments do."""
    days, requests = own.days, own.requests
    if days < OWN_DAYS_MIN and kin.days > 0:
        requests += (OWN_DAYS_MIN - days) / kin.days * kin.requests
        days = float(OWN_DAYS_MIN)
    if requests < REQUESTS_MIN or requests * DAYS_A_REQUEST_MAX < days:
        return Standing.SELDOM
    faded = lately is not None and own.days >= OWN_DAYS_MIN and lately * own.days < FADING_SHARE * own.requests
    return Standing.FADING if faded else Standing.USUAL
