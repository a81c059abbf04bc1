"""Policy `3x` in the checker's own words: when a line must be ordered, and how much, from the rows that say so.

    trigger      3 x ADU90 + ADU90 x the supplier's lead days; order when the position is below it
    order up to  trigger + cover x ADU90, rounded up; cover 7 days in a ward, 14 in the hospital's store
    quantity     what is missing to that, at least the supplier's minimum, in whole packs

ADU90 is the use of the 90 whole days before a day, divided by 90: imported days and the ledger's issues, less returns
on the day of their issue. Sources: requirement D4 in its fair reading, and the cover of the reorder engine. The rule
that must not be broken: nothing here is shared with central's code.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

from hardware_sim.evidence.tables import TermsRow
from hardware_sim.sample.policy import USE_DAYS, mean_daily_use, trigger

COVER_DAYS: Mapping[int, int] = {1: 14, 2: 7}
"""Days an order lasts, by the storeroom's level."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the policy says of one line at one moment; quantities in base units."""

    trigger: Fraction
    order_up_to: int
    position: int
    qty: int

    @property
    def due(self) -> bool:
        """Tell whether it must be ordered."""
        return self.position < self.trigger


def wanted(use90: int, position: int, terms: TermsRow, level: int) -> Wanted:
    """Return what `3x` says of a line whose use, position and supplier's terms are known."""
    threshold = trigger(use90, terms.lead_days)
    upper = ceil(threshold + mean_daily_use(use90) * COVER_DAYS[level])
    gap = max(upper - position, terms.moq, 1)
    return Wanted(threshold, upper, position, ceil(Fraction(gap, terms.pack)) * terms.pack)


def use90(today: date, imported: Mapping[date, int], recorded: Mapping[date, int]) -> int:
    """Return the use of a line in the 90 days before a day; a day netted to nothing or below counts as none."""
    first = today - timedelta(USE_DAYS)
    days = (day for day in imported.keys() | recorded.keys() if first <= day < today)
    return sum(max(0, imported.get(day, 0) + recorded.get(day, 0)) for day in days)
