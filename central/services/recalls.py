"""Recall a lot, and lift a recall: every edge hears of it by the feed, holds what it has of it and refuses it.

It holds no rule about stock. The rule that must not be broken: a recall and its record are one transaction.
"""

from collections.abc import Callable
from dataclasses import dataclass

from central.core.rights import Caller, Right
from central.errors import NotNow, NotThere
from central.services.documents import Documents, check_text
from central.store.queries_master import items
from central.store.queries_permits import Recalled, keep_recall, recalled
from protocols.errors import BadValue
from protocols.values.ids import lot_no

WHY_MAX = 500
LOT_MAX = 64


@dataclass(frozen=True, slots=True)
class Recalls:
    """The recalls of one hospital; `changed` makes the feed look at once."""

    documents: Documents
    changed: Callable[[], None] = lambda: None

    def every(self, caller: Caller) -> list[Recalled]:
        """Return every recall, the newest first."""
        caller.need(Right.SEE_STOCK)
        with self.documents.store.read() as connection:
            return recalled(connection, self.documents.hospital)

    def recall(self, caller: Caller, item: str, lot: str, why: str) -> None:
        """Recall a lot; said again it only changes why. Raises `NotAllowed`, `NotThere`, `BadInput`."""
        check_text("why", why, WHY_MAX)
        check_text("lot", lot, LOT_MAX)
        caller.need(Right.MANAGE_MASTER)
        documents = self.documents
        with documents.store.write() as connection:
            if item not in items(connection, documents.hospital):
                raise NotThere(f"recall: expected an item of the catalogue, got {item!r:.40}")
            try:
                lot_no(lot)
            except BadValue as error:
                raise NotThere(f"recall: {error}") from error
            said = {"at": documents.clock.now(), "person": caller.person, "why": why.strip()}
            keep_recall(connection, documents.hospital, item, lot, **said, lifted_at=None, lifted_by="")
            documents.note(connection, caller, "recall", f"{item} {lot}", {"why": why.strip()})
        self.changed()

    def lift(self, caller: Caller, item: str, lot: str) -> None:
        """Lift a recall; what an edge holds because of it is released there by an inspection. Raises `NotNow`."""
        caller.need(Right.MANAGE_MASTER)
        documents = self.documents
        with documents.store.write() as connection:
            found = [one for one in recalled(connection, documents.hospital) if (one.item, one.lot) == (item, lot)]
            if not found or found[0].lifted_at is not None:
                raise NotNow(f"recall: expected a lot that is recalled, got {item!r:.40} {lot!r:.40}")
            one = found[0]
            lifted = {"lifted_at": documents.clock.now(), "lifted_by": caller.person}
            keep_recall(connection, documents.hospital, item, lot, at=one.at, person=one.person, why=one.why, **lifted)
            documents.note(connection, caller, "lift-recall", f"{item} {lot}", {})
        self.changed()
