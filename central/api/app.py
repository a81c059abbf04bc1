"""The API: one application under `/api/v1`, with its OpenAPI document at `/api/v1/openapi.json`.

It is not the pages. The rule that must not be broken: a route holds no rule about stock, it calls one service.
"""

from typing import Any

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel

from central.api.agreements import agreement_routes
from central.api.alarms import alarm_routes
from central.api.bodies import Bodies
from central.api.budget import budget_routes
from central.api.catalogue import catalogue_routes
from central.api.conflicts import conflict_routes
from central.api.consignment import consignment_routes
from central.api.counts import count_routes
from central.api.description import PREFIX, describe
from central.api.discrepancies import discrepancy_routes
from central.api.enrolments import enrolment_routes
from central.api.etags import Etags
from central.api.events import event_routes
from central.api.exports import export_routes
from central.api.figures import figure_routes
from central.api.handing_out import handing_out_routes
from central.api.heads import Heads
from central.api.his import his_routes
from central.api.invoices import invoice_routes
from central.api.month import month_routes
from central.api.one_hop import resource
from central.api.orders import order_routes
from central.api.people import people_routes
from central.api.permits import permit_routes
from central.api.problems import add_problems
from central.api.proposals import proposal_routes
from central.api.purchasing import purchasing_routes
from central.api.quarantine import quarantine_routes
from central.api.repeats import Repeats
from central.api.requisitions import requisition_routes
from central.api.returns import return_routes
from central.api.rules import rule_routes
from central.api.settling import settling_routes
from central.api.statements import statement_routes
from central.api.straight import answer_straight
from central.api.suppliers import supplier_routes
from central.api.trace import trace_routes
from central.api.wards import ward_routes
from central.links.telemetry import UNTOLD
from central.services.desk import Desk
from central.services.metering import Meter
from central.services.once import Once
from protocols.values.instant import to_iso

RESOURCES = (
    ward_routes,
    discrepancy_routes,
    conflict_routes,
    quarantine_routes,
    proposal_routes,
    budget_routes,
    order_routes,
    people_routes,
    purchasing_routes,
    handing_out_routes,
    invoice_routes,
    requisition_routes,
    return_routes,
    trace_routes,
    statement_routes,
    settling_routes,
    count_routes,
    figure_routes,
    enrolment_routes,
    permit_routes,
    rule_routes,
    alarm_routes,
    agreement_routes,
    supplier_routes,
    catalogue_routes,
    month_routes,
    consignment_routes,
    his_routes,
    export_routes,
    event_routes,
)


class Health(BaseModel):
    """That the server answers, and its story time in ISO 8601."""

    ok: bool
    story_time: str


def build_api(desk: Desk, version: str, meter: Meter | None = None) -> FastAPI:
    """Return the application of the API; it stands at its full paths, so that a page can be mounted behind it.

    `meter` counts requests; without one there is no limit to them.
    """
    app = FastAPI(
        title="Wardstock",
        summary="Storerooms, discrepancies, proposals and orders of one hospital",
        version=version,
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        telemetry=UNTOLD,
    )

    app.state.entrance, app.state.meter = desk.entrance, meter
    for routes in (_health_routes, *RESOURCES):
        app.router.routes.extend(routes(desk).routes)
    document = app.openapi

    def told() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(document())
        return app.openapi_schema

    app.openapi = told  # type: ignore[method-assign] # the way FastAPI documents to extend its document
    add_problems(app, PREFIX)
    answer_straight(app, PREFIX)
    app.add_middleware(Repeats, prefix=PREFIX, once=Once(desk.store, desk.hospital, desk.entrance.now))
    app.add_middleware(Etags, prefix=PREFIX)
    app.add_middleware(Bodies, prefix=PREFIX)
    app.add_middleware(Heads)
    return app


def _health_routes(desk: Desk) -> APIRouter:
    router = resource("health")

    @router.get("/health")
    def health() -> Health:
        """Tell that the server and its store answer."""
        with desk.store.read() as connection:
            connection.exec_driver_sql("SELECT 1")
        return Health(ok=True, story_time=to_iso(desk.now()))

    return router
