"""`/proposals`: what is proposed and why, and the one approval by which it becomes an order."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from central.api.door import Asks, sees_prices
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.approval import Routed
from central.core.priceless import without_prices
from central.core.refusals import TEXT_MAX, Alteration, Refusal
from central.core.rights import Right
from central.services.approvals import Another, approve_as, approve_in, proposed_qty, reject, routes
from central.services.desk import Desk
from central.services.reasons import Names, names_now
from central.store.queries_work import Proposal, proposals_page
from protocols.values.instant import to_iso
from protocols.values.quantity import LINE_QTY_MAX


class ProposalOut(BaseModel):
    """One proposal: `qty` base units from `source`, and why as data and in one sentence. `proposed_qty` is what was
    proposed, where a person changed it; `reason.changed` says who did and why.

    `price` is in 1e-4 yuan a base unit: 0 between the hospital's own storerooms, null to who may not see it. `version`
    names source, quantity and price together; an approval says which it saw. `route` is
    who must approve (automatic, buyer, head), `route_why` the checks it did not pass. `refusal` is the code of why it
    was refused, empty where it was not.
    """

    id: str
    version: str
    place: str
    item: str
    name_zh: str
    name_en: str
    qty: int
    proposed_qty: int
    source: str
    internal: bool
    price: int | None
    reason: dict[str, Any]
    reason_zh: str
    reason_en: str
    policy: str
    policy_version: str
    status: str
    made_at: str
    order_no: str
    route: str
    route_why: list[str]
    refusal: str
    refusal_text: str


class Proposals(Listed):
    """Proposals, the newest first."""

    items: list[ProposalOut]


class Approval(BaseModel):
    """`version` is the proposal's that was seen: the approval is refused when it is another by now. Who approves is
    who asks. `qty` is another quantity than proposed, null for the same: it needs `why` by a code, and in words too
    above the limit (rule `approval.text_yuan`), or where it is `other`."""

    version: str = Field(min_length=1, max_length=64)
    qty: int | None = Field(default=None, ge=1, le=LINE_QTY_MAX)
    why: Alteration | Literal[""] = ""
    text: str = Field(default="", max_length=TEXT_MAX)


class RefusalIn(BaseModel):
    """Why not, by a code; in words too above the limit (rule `approval.text_yuan`), or where it is `other`."""

    version: str = Field(min_length=1, max_length=64)
    refusal: Refusal
    text: str = Field(default="", max_length=TEXT_MAX)


class Approved(BaseModel):
    """The order that the proposal became."""

    order_no: str


def proposal_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("orders")

    @router.get("/proposals")
    def listed(
        caller: Asks,
        page: Paged,
        status: Annotated[Literal["open", "ordered", "withdrawn", "rejected", "all"], Query()] = "open",
    ) -> Proposals:
        """List proposals with their reasons."""
        caller.need(Right.SEE_ORDERS)
        scope, prices = caller.scope(Right.SEE_ORDERS), sees_prices(desk, caller, "proposals")
        wanted = "" if status == "all" else status
        with desk.store.read() as connection:
            found = proposals_page(connection, desk.hospital, page.asked, status=wanted, scope=scope)
            names = names_now(connection, desk.hospital)
            asked = routes(connection, desk.hospital, list(found.items), desk.now())
        shown = [_proposal(one, names, asked[one.id], prices=prices) for one in found.items]
        return Proposals(items=shown, next=page.next(found))

    @router.post(
        "/proposals/{proposal}/approve",
        status_code=201,
        responses={200: {"model": Approved}, 404: {"model": Problem}, 409: {"model": Problem}},
    )
    def approved(caller: Asks, proposal: str, body: Approval, response: Response) -> Approved:
        """Make a proposal an order: 201 when this made it, 200 with the same order number ever after."""
        if body.qty is None:
            done = approve_as(caller, desk.store, desk.hospital, proposal, desk.now(), body.version)
        else:
            another = Another(body.qty, body.why, body.text)
            done = approve_in(caller, desk.store, desk.hospital, proposal, another, desk.now(), body.version)
        response.status_code = 201 if done.fresh else 200
        return Approved(order_no=done.order_no)

    @router.post(
        "/proposals/{proposal}/reject", status_code=204, responses={404: {"model": Problem}, 409: {"model": Problem}}
    )
    def rejected(caller: Asks, proposal: str, body: RefusalIn) -> None:
        """Refuse a proposal; the same need is not proposed again for some days."""
        reject(caller, desk.store, desk.hospital, proposal, (body.refusal, body.text), desk.now(), body.version)

    return router


def _proposal(one: Proposal, names: Names, asked: Routed, *, prices: bool) -> ProposalOut:
    item = names.catalogue.get(one.item)
    reason_zh, reason_en = names.said(one.item, one.source, one.reason)
    return ProposalOut(
        id=one.id,
        version=one.version,
        place=one.place,
        item=one.item,
        name_zh=item.name_zh if item is not None else "",
        name_en=item.name_en if item is not None else "",
        qty=one.qty,
        proposed_qty=proposed_qty(one),
        source=one.source,
        internal=one.internal,
        price=one.price if prices else None,
        reason=dict(one.reason) if prices else without_prices(one.reason),
        reason_zh=reason_zh,
        reason_en=reason_en,
        policy=one.policy,
        policy_version=one.policy_version,
        status=one.status,
        made_at=to_iso(one.made_at),
        order_no=one.order_no,
        route=asked.route,
        route_why=list(asked.failed),
        refusal=one.refusal,
        refusal_text=one.refusal_text,
    )
