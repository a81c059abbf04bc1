"""What every purchasing document shares: its order, what is still owed, its steps, and the record of who took them.

It decides nothing. The rule that must not be broken: a step is written in the transaction of what it tells of.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from central.clock import Clock
from central.core.rights import Caller, Right
from central.errors import BadInput, ChangedSince, NotThere
from central.store import queries_purchasing as kept
from central.store.audit import note
from central.store.engine import Store
from central.store.queries_work import Order, orders
from protocols.values.ids import HospitalId

DIGITS = 12
"""Hex digits of a document's number: 48 bits for the documents of one hospital."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of one hospital."""

    store: Store
    hospital: HospitalId
    clock: Clock

    def order(self, connection: Connection, caller: Caller, right: Right, order_no: str) -> Order:
        """Return an order that a right reaches. Raises `NotAllowed`, `NotThere`."""
        caller.need(right)
        found = orders(connection, self.hospital, caller.scope(right), named=[order_no])
        if not found:
            raise NotThere(f"order: expected one of your storerooms, got {order_no!r:.40}")
        return found[0]

    def write(
        self,
        connection: Connection,
        caller: Caller,
        document: str,
        kind: str,
        event: str,
        state: str,
        detail: Mapping[str, Any],
    ) -> None:
        """Add a step to a document and to the record of acts."""
        seq = len(kept.history(connection, self.hospital, document))
        step = kept.DocumentStep(seq, kind, event, state, self.clock.now(), caller.person, detail)
        kept.add_step(connection, self.hospital, document, kind, step)
        self.note(connection, caller, f"{kind}-{event}", document, detail)

    def note(self, connection: Connection, caller: Caller, act: str, subject: str, detail: Mapping[str, Any]) -> None:
        """Add to the record of acts."""
        note(connection, self.hospital, self.clock.now(), person=caller.person, act=act, subject=subject, detail=detail)


def check_seen(document: str, seen: int | None, steps: int) -> None:
    """Check that a document is as its caller saw it, where that was said. Raises `ChangedSince`."""
    if seen is not None and seen != steps:
        raise ChangedSince(
            f"document: expected version {steps} of {document:.40}, you saw another; read it again, then decide"
        )


def check_text(name: str, text: str, length_max: int, *, empty: bool = False) -> None:
    """Check a text that a person gave. Raises `BadInput`."""
    if len(text) > length_max or not (empty or text.strip()):
        raise BadInput(f"{name}: expected 1 to {length_max} characters, got {len(text)}")


def number_of(kind: str, *parts: str) -> str:
    """Return a document's number: a function of what makes it that document, so that entering twice finds it."""
    said = "\n".join(parts)
    return f"{kind}-{hashlib.sha256(said.encode()).hexdigest()[:DIGITS].upper()}"
