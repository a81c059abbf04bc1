"""Change what stock of an item is worth (调价): one person proposes, another approves, and from then on it holds.

Its effect is reckoned by the stock book, line by line of what lay in stock at that moment. The rules that must not be
broken: who proposed does not approve (the database refuses it too); what was used before keeps its cost.
"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from central.core.refusals import refused
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.documents import Documents, check_text, number_of
from central.store.paging import Key, Keyset, Page, PageAsked
from central.store.queries_master import items
from central.store.queries_purchasing import history
from central.store.tables.month import PRICE_CHANGE
from protocols.values.instant import Instant
from protocols.values.money import Money

REASON_MAX, LOT_MAX = 500, 64
PRICE_MAX = 10_000_000_000
"""A million yuan a base unit; above it a month's value could leave 64 bits."""
CHANGES = Keyset("price-changes", (Key(PRICE_CHANGE.c.proposed_at, falling=True), Key(PRICE_CHANGE.c.change)))
"""The newest first."""
KIND = "price-change"


class ChangeState(StrEnum):
    """Where a price change stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"


class ChangeStep(StrEnum):
    """What may happen to it."""

    APPROVE = "approve"
    REFUSE = "refuse"


CHANGE_STEPS = MappingProxyType(
    {
        (ChangeState.PROPOSED, ChangeStep.APPROVE): ChangeState.APPROVED,
        (ChangeState.PROPOSED, ChangeStep.REFUSE): ChangeState.REFUSED,
    }
)
"""What is admitted; approved and refused are ends: another change puts a wrong one right."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """One price change as it stands."""

    change: str
    item: str
    lot: str
    price: Money
    reason: str
    proposed_at: Instant
    proposed_by: str
    state: ChangeState
    decided_by: str
    refusal: str = ""
    refusal_text: str = ""


@dataclass(frozen=True, slots=True)
class PriceChanges:
    """The price changes of one hospital."""

    documents: Documents

    def propose(self, caller: Caller, item: str, lot: str, price: Money, reason: str) -> str:
        """Propose a price a base unit for stock of an item, or of one lot of it; returns the document's number.

        Raises `NotAllowed`, `NotThere`, `BadInput`.
        """
        caller.need(Right.INVOICE)
        check_text("reason", reason, REASON_MAX)
        check_text("lot", lot, LOT_MAX, empty=True)
        if not 0 <= price <= PRICE_MAX:
            raise BadInput(f"price: expected 0 to {PRICE_MAX} (1e-4 yuan a base unit), got {price}")
        hospital, now = self.documents.hospital, self.documents.clock.now()
        number = number_of("PC", item, lot, str(price), str(now), caller.person)
        with self.documents.store.write() as connection:
            if item not in items(connection, hospital):
                raise NotThere(f"price change: expected an item of the catalogue, got {item!r:.40}")
            row = {"hospital": hospital, "change": number, "item": item, "lot": lot, "price": price}
            row |= {"reason": reason.strip(), "proposed_at": now, "proposed_by": caller.person}
            connection.execute(PRICE_CHANGE.insert().values(**row))
            detail = {"item": item, "lot": lot, "price": price}
            self.documents.write(connection, caller, number, KIND, "propose", ChangeState.PROPOSED, detail)
        return number

    def decide(self, caller: Caller, change: str, event: ChangeStep, why: tuple[str, str] = ("", "")) -> ChangeState:
        """Approve or refuse a price change; `why` is a refusal's code and words.

        Raises `NotAllowed` for who proposed it, `NotThere`, `NotNow`, `BadInput` for a refusal without a code.
        """
        caller.need(Right.APPROVE_HIGH)
        with self.documents.store.write() as connection:
            row = PRICE_CHANGE.c
            chosen = PRICE_CHANGE.select().where(row.hospital == self.documents.hospital, row.change == change)
            found = connection.execute(chosen).first()
            if found is None:
                raise NotThere(f"price change: expected one that was proposed, got {change!r:.40}")
            state = ChangeState(history(connection, self.documents.hospital, change)[-1].state)
            after = CHANGE_STEPS.get((state, event))
            if after is None:
                raise NotNow(f"price change {change}: cannot {event} one that is {state}; propose another")
            if found.proposed_by == caller.person and event is ChangeStep.APPROVE:
                raise NotAllowed("price change: expected somebody who did not propose it")
            detail = refused(*why).detail if event is ChangeStep.REFUSE else {}
            self.documents.write(connection, caller, change, KIND, event, after, detail)
        return after

    def page(self, caller: Caller, asked: PageAsked) -> Page[PriceChange]:
        """Return a page of the price changes, the newest first. Raises `NotAllowed`, `BadInput` for its cursor."""
        caller.need(Right.SEE_PRICES)
        hospital = self.documents.hospital
        with self.documents.store.read() as connection:
            query = PRICE_CHANGE.select().where(PRICE_CHANGE.c.hospital == hospital)
            rows, cursor = CHANGES.rows(connection, query, asked)
            steps = {one.change: history(connection, hospital, one.change)[-1] for one in rows}
        found = tuple(
            PriceChange(
                one.change, one.item, one.lot, Money(one.price), one.reason, Instant(one.proposed_at), one.proposed_by,
                ChangeState(steps[one.change].state),
                "" if steps[one.change].seq == 0 else steps[one.change].actor,
                str(steps[one.change].detail.get("refusal", "")), str(steps[one.change].detail.get("text", "")),
            )
            for one in rows
        )  # fmt: skip
        return Page(found, cursor)
