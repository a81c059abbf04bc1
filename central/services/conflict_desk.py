"""Conflicts as people see and close them.

The rule that must not be broken: closing one changes no book; a wrong fact is undone by a reversal of its own.
"""

from dataclasses import dataclass

from central.core.rights import Caller, Right
from central.errors import NotNow, NotThere
from central.services.documents import Documents, check_text
from central.store import queries_conflicts as kept
from central.store.paging import Page, PageAsked
from protocols.values.ids import PlaceId

REMARK_MAX = 500


@dataclass(frozen=True, slots=True)
class Conflicts:
    """The conflicts of one hospital, as people see and close them."""

    documents: Documents

    def page(self, caller: Caller, asked: PageAsked, status: str = kept.OPEN) -> Page[kept.Standing]:
        """Return a page of what concerns the caller's storerooms, the newest first. Raises `BadInput`, `NotAllowed`."""
        caller.need(Right.SEE_STOCK)
        scope, hospital = caller.scope(Right.SEE_STOCK), self.documents.hospital
        with self.documents.store.read() as connection:
            return kept.conflicts_page(connection, hospital, asked, status=status, scope=scope)

    def close(self, caller: Caller, id: str, remark: str) -> None:
        """Note that a person has looked and what was found. Raises `NotThere`, `NotAllowed`, `NotNow`, `BadInput`.

        What the book says is not changed by it: a wrong fact is undone by a reversal of its own.
        """
        caller.need(Right.SETTLE)
        check_text("remark", remark, REMARK_MAX)
        hospital, now = self.documents.hospital, self.documents.clock.now()
        with self.documents.store.write() as connection:
            found = kept.standing(connection, hospital, status="", id=id)
            if not found or PlaceId(found[0].place) not in caller.scope(Right.SEE_STOCK):
                raise NotThere(f"conflict: expected one of your storerooms, got {id!r:.40}")
            caller.need(Right.SETTLE, PlaceId(found[0].place))
            if not kept.close(connection, hospital, [id], now, by=caller.person, remark=remark.strip()):
                raise NotNow("conflict: expected an open one, it is closed; look again")
            detail = {"sort": found[0].sort, "unit": found[0].unit, "remark": remark.strip()}
            self.documents.note(connection, caller, "close-conflict", id, detail)
