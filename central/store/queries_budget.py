"""What budgets cut, kept and read back. No rule lives here.

The rule that must not be broken: every query names the hospital, and a cut is never removed.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from central.core.rights import EVERYWHERE, Scope
from central.store.merge import add_new
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_work import LISTED_MAX, within
from central.store.tables.budget import BUDGET_CUT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant
from protocols.values.money import Money, times


@dataclass(frozen=True, slots=True)
class Cut:
    """One line that a budget left `given` of the `wanted` base units; `budget` is that of the whole run."""

    run: str
    place: str
    item: str
    source: str
    budget: Money
    wanted: int
    given: int
    price: Money
    reason: Mapping[str, Any]
    made_at: Instant
    closed_at: Instant | None = None
    """When a later run did not repeat it; None while it stands."""

    @property
    def saved(self) -> Money:
        """What is not spent on the line."""
        return times(self.price, self.wanted - self.given)


def keep_cuts(connection: Connection, hospital: HospitalId, run: str, cuts: Iterable[Cut], at: Instant) -> int:
    """Keep a run's cuts, and close those of runs before; returns how many are new."""
    cut = BUDGET_CUT.c
    standing = (cut.hospital == hospital, cut.closed_at.is_(None), cut.run != run)
    connection.execute(BUDGET_CUT.update().where(*standing).values(closed_at=at))
    rows = [
        {
            "hospital": hospital,
            "run": run,
            "place": one.place,
            "item": one.item,
            "source": one.source,
            "budget": one.budget,
            "wanted": one.wanted,
            "given": one.given,
            "price": one.price,
            "reason": json.dumps(dict(one.reason), sort_keys=True),
            "made_at": one.made_at,
        }
        for one in cuts
    ]
    return add_new(connection, BUDGET_CUT, rows)


def cuts_standing(
    connection: Connection, hospital: HospitalId, scope: Scope = EVERYWHERE, *, place: str = ""
) -> list[Cut]:
    """Return what the last run's budget cut in a scope, the dearest first, LISTED_MAX at most."""
    chosen = _chosen(hospital, scope, standing=True)
    rows = connection.execute(chosen if not place else chosen.where(BUDGET_CUT.c.place == place))
    found = [_cut(row) for row in rows]
    return sorted(found, key=lambda one: (-one.saved, one.place, one.item))[:LISTED_MAX]


_ROW = BUDGET_CUT.c
CUTS = Keyset("budget-cuts", (Key(_ROW.made_at, falling=True), Key(_ROW.run), Key(_ROW.place), Key(_ROW.item)))


def cuts_page(
    connection: Connection, hospital: HospitalId, asked: PageAsked, scope: Scope, *, standing: bool
) -> Page[Cut]:
    """Return a page of the cuts in a scope, the newest first: those that stand, or all. Raises `BadInput`."""
    rows, cursor = CUTS.rows(connection, _chosen(hospital, scope, standing=standing), asked)
    return Page(tuple(_cut(row) for row in rows), cursor)


def _chosen(hospital: HospitalId, scope: Scope, *, standing: bool) -> Select[Any]:
    chosen = select(BUDGET_CUT).where(_ROW.hospital == hospital, within(_ROW.place, scope))
    return chosen.where(_ROW.closed_at.is_(None)) if standing else chosen


def _cut(row: Row[Any]) -> Cut:
    return Cut(
        row.run, row.place, row.item, row.source, Money(row.budget), row.wanted, row.given, Money(row.price),
        json.loads(row.reason), Instant(row.made_at), None if row.closed_at is None else Instant(row.closed_at),
    )  # fmt: skip
