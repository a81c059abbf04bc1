"""Run by the environment that wrote the client: use it as a program of a hospital would, and tell what happened.

Arguments: the server's address, a token; the client is the package `written`. The last line is one JSON object.
"""

import json
import sys

from written.api.discrepancies import get_discrepancies, get_discrepancies_by_id  # type: ignore[import-not-found] # written by the test
from written.api.orders import get_orders, get_proposals, post_proposals_by_proposal_approve  # type: ignore[import-not-found] # written by the test
from written.api.purchasing import post_orders_by_order_no_steps_by_step  # type: ignore[import-not-found] # written by the test
from written.api.storerooms import get_wards  # type: ignore[import-not-found] # written by the test
from written.client import AuthenticatedClient  # type: ignore[import-not-found] # written by the test
from written.models import Approval, PostOrdersByOrderNoStepsByStepStep, StepIn  # type: ignore[import-not-found] # written by the test

address, token = sys.argv[1:]
with AuthenticatedClient(base_url=address, token=token, raise_on_unexpected_status=True) as client:
    wards = get_wards.sync(client=client, limit=1)
    after = wards.next_.partition("cursor=")[2]
    more = get_wards.sync(client=client, limit=1000, cursor=after)
    (missing,) = get_discrepancies.sync(client=client).items
    case = get_discrepancies_by_id.sync_detailed(missing.id, client=client)
    (proposal,) = get_proposals.sync(client=client).items
    saw = Approval(version=proposal.version)
    first, again = (
        post_proposals_by_proposal_approve.sync_detailed(proposal.id, client=client, body=saw, idempotency_key="once")
        for _ in range(2)
    )
    orders = get_orders.sync(client=client)
    send = PostOrdersByOrderNoStepsByStepStep.SEND
    stale = post_orders_by_order_no_steps_by_step.sync_detailed(
        orders.items[-1].order_no, send, client=client, body=StepIn(), if_match='"v7"'
    )
    unknown = get_discrepancies_by_id.sync_detailed("none", client=client)

print(
    json.dumps(
        {
            "wards": [one.place for one in (*wards.items, *more.items)],
            "missing": missing.place,
            "case": [case.parsed.first_cause != "", case.headers["etag"][:4]],
            "approved": [first.status_code, again.status_code, again.headers.get("idempotency-replayed")],
            "same": first.parsed.order_no == again.parsed.order_no,
            "orders": len(orders.items),
            "stale": [stale.status_code, stale.parsed.title],
            "unknown": [unknown.status_code, unknown.parsed.detail[:12]],
        }
    )
)
