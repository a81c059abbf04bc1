"""The seasons of a hospital's items: the index of each, from years of use of the storerooms of one level together.

It is asked for by `reorder.season`, of one item or of all, and read in the transaction of the scene. The rules that
must not be broken: a storeroom known for less than two years does not speak, for its beginning would look like a
season; wards and the stores that serve them are never added up, for that would count use twice.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from central.core.policy import Rules
from central.core.reorder.season import YEARS_MIN, Index, index_of

RULE = "reorder.season"
KNOWN_DAYS_MIN = YEARS_MIN * 365


def is_asked_for(rules: Rules) -> bool:
    """Tell whether any item is to be reckoned with its season."""
    return any(code == RULE and value for (code, _), value in rules.values.items())


@dataclass(slots=True)
class Pool:
    """Use by day of the items of storerooms of one level, and since when all of them are known."""

    known_since: date = date.min
    used: defaultdict[str, defaultdict[date, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )

    def add(self, used: Mapping[str, Mapping[date, int]], today: date) -> None:
        """Add a storeroom's use by item and day, unless it is not known for long enough."""
        first = min((day for by_day in used.values() for day, qty in by_day.items() if qty > 0), default=today)
        if (today - first).days < KNOWN_DAYS_MIN:
            return
        self.known_since = max(self.known_since, first)
        for item, by_day in used.items():
            for day, qty in by_day.items():
                self.used[item][day] += max(0, qty)

    def seasons(self, rules: Rules, today: date) -> dict[str, Index]:
        """Return the index of each item that is asked for and has one."""
        found = {
            item: index_of(by_day, self.known_since, today)
            for item, by_day in self.used.items()
            if rules.values.get((RULE, item), rules.values.get((RULE, ""), 0))
        }
        return {item: index for item, index in found.items() if index is not None}
