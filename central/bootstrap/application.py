"""Where what requests are answered from meets the API and the pages.

Nothing is decided here and nothing runs. The rule that must not be broken: API and pages stand on the same desk.
"""

import logging
from collections.abc import Callable
from importlib.metadata import version

from fastapi import FastAPI

from central.api.app import build_api
from central.api.description import PREFIX
from central.api.hosts import Hosts
from central.api.straight import Beside, answer_straight
from central.bootstrap.parts import accounts_of, his_of
from central.clock import Clock, new_secret
from central.config import LOOPBACK, Config
from central.core.rights import Caller
from central.services.agreements import Agreements
from central.services.amendments import Amendments
from central.services.approvals import approve_as
from central.services.catalogue import Catalogue
from central.services.desk import Desk
from central.services.documents import Documents
from central.services.entrance import Entrance
from central.services.hand import Hands
from central.services.invoices import Invoices
from central.services.looks import Looks
from central.services.master import Master
from central.services.metering import Meter
from central.services.orders import Approved
from central.services.overview import Name, Overview
from central.services.overview_now import overview_now
from central.services.own_keys import devices_of
from central.services.permits import Permits
from central.services.purchasing import Purchasing
from central.services.recalls import Recalls
from central.services.requisitions import Requisitions
from central.services.returns import Returns
from central.services.source_making import sources_of
from central.services.suppliers import SupplierDesk
from central.store.engine import Store
from central.web.pages import REFRESH_S, PageSources, build_pages
from central.web.render import About

log = logging.getLogger("wardstock.accounts")

SETUP_LETTERS = 12
"""Letters of the set-up code: 72 bits, and tries are limited."""

REFRESH_FAST_S = 2
"""How often the page reads itself again while the story runs fast."""


def build_app(config: Config, store: Store, clock: Clock, changed: Callable[[], None] = lambda: None) -> FastAPI:
    """Return the API with the pages behind it; `changed` hears that edges have something new to be told."""
    desk = desk_of(config, store, clock, changed)
    name = Name(config.hospital.name_zh, config.hospital.name_en)

    def approve_on_page(caller: Caller, proposal: str, seen: str) -> Approved:
        return approve_as(caller, store, config.hospital_id, proposal, clock.now(), seen)

    def look(caller: Caller) -> Overview:
        return overview_now(store, config.hospital_id, name, clock.now(), caller)

    refresh_s = REFRESH_S if clock.rate == 1 else REFRESH_FAST_S
    about = About(version("wardstock"), told_time=config.clock is not None)
    app = build_api(desk, about.version, Meter(clock.link_s, config.http.requests_a_minute))
    names = [*LOOPBACK, config.http.host, *config.http.names]
    sources = PageSources(
        overview=look,
        approve=approve_on_page,
        desk=desk,
        refresh_s=refresh_s,
        about=about,
        secure=config.http.secure,
        statement_key=config.statement_key.with_suffix(".pub"),
        hospital=(config.hospital.name_zh, config.hospital.name_en),
    )
    pages = build_pages(sources)
    app.add_middleware(Hosts, names=names, page=pages.state.misdirected)
    answer_straight(pages)
    app.router.routes.insert(0, Beside(PREFIX, pages))
    return app


def desk_of(config: Config, store: Store, clock: Clock, changed: Callable[[], None] = lambda: None) -> Desk:
    """Return what requests are answered from; while there are no people, the set-up code is said in the log."""
    entrance = Entrance(
        store,
        config.hospital_id,
        clock.real_now,
        new_secret,
        config.people.everyone_is,
        new_secret()[:SETUP_LETTERS],
        sources_of(config, store, clock),
    )
    if entrance.is_new():
        log.warning("no account yet: open /first-account and enter the set-up code %s", entrance.setup_code)
    looks = Looks(store, config.hospital_id, clock.real_now)
    documents = Documents(store, config.hospital_id, clock)
    return Desk(
        store=store,
        hospital=config.hospital_id,
        now=clock.now,
        entrance=entrance,
        accounts=accounts_of(config, store, clock),
        looks=looks,
        purchasing=Purchasing(documents),
        amendments=Amendments(documents),
        invoices=Invoices(documents),
        requisitions=Requisitions(documents),
        returns=Returns(documents),
        agreements=Agreements(documents),
        suppliers=SupplierDesk(documents),
        catalogue=Catalogue(documents),
        permits=Permits(documents, changed),
        recalls=Recalls(documents, changed),
        devices=devices_of(config, store, clock),
        his=his_of(config, documents),
        hands=Hands(documents, his_of(config, documents)),
        master=Master(documents, changed),
    )
