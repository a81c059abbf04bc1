"""Conflicts: facts that cannot all be the whole truth. What each sort is, and what a person must look at. Pure.

Facts are never rewritten: a conflict is answered by an entry of central's own that goes through `suspense@` or
`transit@`, or by a flag that a person closes. Who sees them and how they are kept is not here. The rule that must not
be broken: what is flagged follows from the set of facts alone, never from the order in which they came, so that two
centrals which hold the same facts flag the same.

Source: SYNC.md, the table of conflicts.
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum

from protocols.values.instant import Instant

DAY_S = 86_400.0
ID_DIGITS = 24


class Sort(StrEnum):
    """Sorts of conflict; the comments are the rows of the table."""

    DOUBLE_ISSUE = "double_issue"
    """One serial issued at two edges: one side's goes to suspense, its charge is to be reconciled."""
    IMPLIED_TRANSFER = "implied_transfer"
    """Used here, received elsewhere: the sender confirms within a day, or it is the sender's variance."""
    NEGATIVE = "negative"
    """The book is below zero: a physical act beats the book; to be counted within a day."""
    UNKNOWN_ITEM = "unknown_item"
    """Something was recorded of what the catalogue does not know; kept as it came."""
    RECOUNT = "recount"
    """A line moved while it was being counted."""
    LATE_ENTRY = "late_entry"
    """An entry from before a count came after it: the count has a new version."""
    BEFORE_IT_KNEW = "before_it_knew"
    """Done while suspended, before the storeroom knew: valid, and tagged with the policy it knew."""
    AGAINST_POLICY = "against_policy"
    """Done while suspended, and the storeroom knew."""
    MASTER_CHANGED = "master_changed"
    """Recorded by what an item was before master data changed: the entry keeps it; the line is to be counted."""
    PRICE_CHANGED = "price_changed"
    """Goods came at the price of their order, another is agreed since: the difference goes to price variance."""
    ENTERED_AGAIN = "entered_again"
    """What a rolled-back disk forgot, a person entered again: the same act twice?"""


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing a person must look at: where, what, since which event (hex); `other` is the other storeroom.

    `provisional`: decided by the earlier receipt, not by a chain of custody. `due_at`: until when it should be done,
    None where nobody waits. `detail` is what the rule saw, for the page.
    """

    sort: Sort
    place: str
    event: str
    item: str = ""
    lot: str = ""
    unit: str = ""
    other: str = ""
    provisional: bool = False
    due_at: Instant | None = None
    detail: tuple[tuple[str, str | int], ...] = field(default=())

    @property
    def id(self) -> str:
        """Return its id: a function of what it is about, so that finding it again opens nothing twice."""
        about = (self.sort, self.place, self.other, self.item, self.lot, self.unit, self._since())
        return hashlib.sha256("\n".join(about).encode()).hexdigest()[:ID_DIGITS]

    def _since(self) -> str:
        """A line below zero, and acts by one change's old data, are one conflict, whichever entry showed it first."""
        if self.sort is Sort.MASTER_CHANGED:
            return str(dict(self.detail).get("change", ""))
        return "" if self.sort is Sort.NEGATIVE else self.event
