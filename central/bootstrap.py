"""Where the parts of central meet: one store, one clock, ingest, the worker and its bell, the API and the pages.

Nothing is decided here. The rule that must not be broken: parts are stopped in the order that lets each finish: what
brings entries first, then who works on them, then the store.
"""

import logging
import signal
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware

from central.api.app import build_api
from central.api.enrolling import EnrolmentServer, Served
from central.clock import Clock, chance, new_secret
from central.config import LOOPBACK, Config
from central.core.jobs import Job
from central.core.rights import Caller
from central.errors import BadInput, NotReady
from central.links.broker import CentralBroker
from central.links.his_view import HisView
from central.links.news import Listener, tell
from central.links.notices import send as send_notice
from central.links.patient_key import read_patient_key
from central.links.timetable import bell_for
from central.links.tls_files import keep_server
from central.services.accounts import Accounts
from central.services.acts_kept import ACTS_S, let_old_acts_go
from central.services.agreements import Agreements
from central.services.approvals import approve_as
from central.services.catalogue import Catalogue
from central.services.charge_intake import Intake, read_view
from central.services.conflicts import settle_conflicts
from central.services.desk import Desk
from central.services.documents import Documents
from central.services.entrance import Entrance
from central.services.feed.hints import hinter
from central.services.feed.seals import feed_of
from central.services.hand import Hands
from central.services.his import His
from central.services.ingest import OnCommitted, Running, start_ingest
from central.services.invoices import Invoices
from central.services.looks import Looks
from central.services.master import Master
from central.services.metering import Meter
from central.services.notices import NOTICES_S, Notices
from central.services.orders import Approved
from central.services.overview import Name, Overview
from central.services.overview_now import overview_now
from central.services.own_keys import devices_of, gate_of, signing_of
from central.services.permits import Permits
from central.services.policy import seed_policy
from central.services.purchasing import Purchasing
from central.services.recalls import Recalls
from central.services.reports import REPORTS_S, make_due
from central.services.source_making import sources_of
from central.services.sources import Sources
from central.services.standby import STANDBY_S, StandbyWatch
from central.services.statements import Signer, make, signer_at
from central.services.suppliers import SupplierDesk
from central.services.worker import Duties, Worker
from central.store.alone import alone
from central.store.engine import BadStoreUrl, NoStore, Store, open_store
from central.store.migrate import migrate, pending
from central.web.pages import REFRESH_S, PageSources, build_pages
from central.web.render import About
from protocols.sync.topics import EVERY_SHARD
from protocols.values.instant import Instant

log = logging.getLogger(__name__)

SETUP_LETTERS = 12
"""Letters of the set-up code: 72 bits, and tries are limited."""

MASTER_S = 3600
"""Changes of master data that are to hold from a day on are looked for every hour."""
READER = "his-view"
"""Who charges that were read from a view are said to be sent by."""

BACKLOG = 128
GRACE_S = 3
"""How long requests under way may take when the server stops."""

REFRESH_FAST_S = 2
"""How often the page reads itself again while the story runs fast."""


@contextmanager
def store_of(config: Config, *, migrated: bool = True, url: str = "") -> Iterator[Store]:
    """Open a configuration's store. Raises `BadInput` for its address, `NotReady` when it is not migrated."""
    try:
        store = open_store(url or config.store.url, base=config.path.parent, existing=migrated)
    except BadStoreUrl as error:
        raise BadInput(f"store.url: {error}") from error
    except NoStore as error:
        raise NotReady(f"{error}; run `wardstock-central migrate` first") from error
    try:
        lacking = pending(store) if migrated else ""
        if lacking:
            raise NotReady(lacking)
        yield store
    finally:
        store.close()


def clock_of(config: Config) -> Clock:
    """Return the clock a configuration names."""
    return Clock(config.story())


def migrate_store(config: Config, *, owner_url: str = "", app_role: str = "") -> tuple[str, int]:
    """Bring the store to this version's schema and fill its policy table; returns the schema and the rules added.

    `owner_url` is the same store opened by the role that owns it; `app_role` is then let in with what `serve` needs.
    Raises `BadInput`.
    """
    with store_of(config, migrated=False, url=owner_url) as store:
        if app_role and store.is_sqlite:
            raise BadInput(f"--app-role: expected a PostgreSQL store, {config.store.url} is SQLite, which has no roles")
        reached = migrate(store, app_role)
        return reached, seed_policy(store, config.hospital_id)


def accounts_of(config: Config, store: Store, clock: Clock) -> Accounts:
    """Return the accounts of a configuration's hospital."""
    return Accounts(store, config.hospital_id, clock.real_now, new_secret)


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
        invoices=Invoices(documents),
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


def his_of(config: Config, documents: Documents) -> His:
    """Return the other system's side of a use. Raises `NotReady` for a key that cannot be read."""
    return His(documents, read_patient_key(config.patient_key))


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
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=names)  # no other site's name may lead here
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
    app.mount("/", build_pages(sources))
    return app


def listen(config: Config) -> socket.socket:
    """Bind the server's own socket. Raises `NotReady` when the port is taken."""
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named: else asyncio leaves Nagle on
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((config.http.host, config.http.port))
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise NotReady(
            f"http: expected a free port, {config.http.host}:{config.http.port} gives '{error.strerror}'; "
            "stop the other program, or set another [http] port (0 takes a free one)"
        ) from error
    return bound


def take_in_alone(
    config: Config, shards: Collection[int], ready: Callable[[], None], ends: Callable[[], None] | None = None
) -> None:
    """Take in what devices of some shards say, beside a server that does not, until a signal or until `ends` returns.

    Only on PostgreSQL: SQLite has one writer, which is the server. Raises `BadInput`, `NotReady`.
    """
    clock = clock_of(config)
    with ExitStack() as parts:
        store = parts.enter_context(store_of(config))
        if store.is_sqlite:
            raise BadInput(
                f"ingest: expected a PostgreSQL store, {config.store.url} is SQLite, which has one writer; let "
                "`wardstock-central serve` take in"
            )
        parts.callback(_ingest(config, store, clock, partial(tell, store), shards).stop)
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda _number, _frame: stopping.set())
        if ends is not None:
            threading.Thread(target=partial(_wait_and_stop, ends, stopping.set), name="parent", daemon=True).start()
        ready()
        stopping.wait()


def _ingest(
    config: Config, store: Store, clock: Clock, on_committed: OnCommitted, shards: Collection[int] = EVERY_SHARD
) -> Running:
    return start_ingest(
        store,
        clock,
        hospital=config.hospital_id,
        urls=config.broker.urls,
        signing=signing_of(config, clock),
        on_committed=on_committed,
        keepalive_s=config.broker.keepalive_s,
        gate=gate_of(config, clock),
        shards=shards,
    )


def serve(
    config: Config,
    listening: Callable[[str, int], None],
    ends: Callable[[], None] | None = None,
    *,
    ingest: bool = True,
) -> None:
    """Serve until a signal, or until `ends` (called on a thread of its own) returns.

    `listening` hears host and port once requests are answered. Without `ingest`, processes of their own take in and the
    server hears of it. Raises `BadInput` or `NotReady` before that.
    """
    clock = clock_of(config)
    signing = signing_of(config, clock)  # first: nothing starts without keys unless that is said
    with ExitStack() as parts:
        store = parts.enter_context(store_of(config))
        bound = parts.enter_context(listen(config))
        signer = signer_at(config.statement_key)
        feed = feed_of(config, store, clock, signer)
        application = build_app(config, store, clock, feed.changed)
        entrance: Entrance = application.state.entrance
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                log_level="warning",
                access_log=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )

        def state(now: Instant) -> int:
            return len(make(store, config.hospital_id, now, signer))

        duties = Duties(
            config.policy.reorder,
            config.jobs.reconcile_s,
            config.jobs.replenish_s,
            state,
            feed.round,
            his_of(config, Documents(store, config.hospital_id, clock)).settle,
            lambda rooms: settle_conflicts(store, config.hospital_id, clock, rooms).moved,
            (
                *_configured_jobs(config, store, clock, entrance.sources),
                *_standby_jobs(config, store),
                *_outgoing_jobs(config, store, clock, signer),
            ),
        )
        worker = Worker(store, config.hospital_id, clock.now, duties, clock.link_s)
        feed.wake_by(worker.ring)
        worker.start()
        parts.callback(worker.stop)
        bell = bell_for(clock.rate, worker.ring)
        bell.start()
        parts.callback(bell.stop)
        if ingest:
            parts.enter_context(alone(store))
            running = _ingest(config, store, clock, worker.committed)
            parts.callback(running.stop)
            broker = running.broker
        else:
            parts.callback(_listen_to_others(config, store, worker).stop)
            broker = _speak_only(config, clock)
            parts.callback(broker.stop)
        feed.speak_by(hinter(broker.keep, config.hospital_id, signing))
        if config.enrolment.port is not None:
            parts.callback(_start_enrolment(config, store, clock).stop)
        _end_kindly(server, ends)
        host, port = bound.getsockname()[:2]
        listening(host, port)
        server.run(sockets=[bound])


def _configured_jobs(
    config: Config, store: Store, clock: Clock, sources: Sources | None
) -> tuple[tuple[Job, Callable[[Instant], str]], ...]:
    """Return the jobs beside the comparing ones: coming changes of master data, and what only some hospitals have."""
    master = Master(Documents(store, config.hospital_id, clock))
    jobs: list[tuple[Job, Callable[[Instant], str]]] = [
        (Job("master", MASTER_S), lambda now: f"{master.apply_due(now)} changes took effect")
    ]
    jobs.append((Job("acts", ACTS_S), lambda _now: let_old_acts_go(store, config.hospital_id, clock.real_now())))
    if sources is not None:
        look_s = min(one.look_s for one in (config.ldap, config.oidc))
        jobs.append((Job("sources", look_s), lambda _now: sources.look_again()))
    said = config.his
    if said.charges_url:
        documents = Documents(store, config.hospital_id, clock)
        intake = Intake(his_of(config, documents), documents, "view", "view", said.wards, used=said.charges_use)
        view = HisView(said.charges_url, said.charges_view, said.charges_mark)
        read = partial(read_view, intake, view, said.charges_columns, READER)
        jobs.append((Job("charges", said.charges_every_s), lambda _now: read()))
    return tuple(jobs)


def _standby_jobs(config: Config, store: Store) -> tuple[tuple[Job, Callable[[Instant], str]], ...]:
    """Return the look at the store's standbys, for a store that can have some."""
    return () if store.is_sqlite else ((Job("standby", STANDBY_S), StandbyWatch(store, config.hospital_id).look),)


def _outgoing_jobs(
    config: Config, store: Store, clock: Clock, signer: Signer
) -> tuple[tuple[Job, Callable[[Instant], str]], ...]:
    """Return the jobs that report by month and quarter, and tell roles what needs them where addresses stand."""
    report = (Job("reports", REPORTS_S), lambda now: make_due(store, config.hospital_id, now, signer))
    said = config.notices
    if not said.urls:
        return (report,)
    zh = said.language == "zh"
    notices = Notices(store, config.hospital_id, clock.now, said.starts, said.urls, send_notice, zh)
    return report, (Job("notices", NOTICES_S), notices.work)


def _listen_to_others(config: Config, store: Store, worker: Worker) -> Listener:
    """Hear what processes of their own take in. Raises `BadInput` on SQLite."""
    if store.is_sqlite:
        raise BadInput(f"serve --no-ingest: expected a PostgreSQL store, {config.store.url} is SQLite; leave it out")
    listener = Listener(store, worker.committed)
    listener.start()
    return listener


def _speak_only(config: Config, clock: Clock) -> CentralBroker:
    """Connect to the brokers to speak and not to hear: other processes take in what devices say."""
    gate = gate_of(config, clock)
    broker = CentralBroker(
        config.broker.urls,
        config.hospital_id,
        keepalive_s=config.broker.keepalive_s,
        chance=chance,
        on_message=lambda _topic, _data, _answer: None,
        tls=None if gate is None else gate.tls,
        shards=(),
    )
    broker.start()
    return broker


def _start_enrolment(config: Config, store: Store, clock: Clock) -> EnrolmentServer:
    """Let devices enrol. Raises `NotReady` when the keys are not there or the port cannot be had."""
    certificate, key = keep_server(config.key_folder, config.enrolment_hosts, clock.real_now())
    served = Served(config.enrolment.host, config.enrolment.port or 0, certificate, key)
    server = EnrolmentServer(devices_of(config, store, clock), served)
    server.start(threading.Event().wait)
    return server


def _end_kindly(server: uvicorn.Server, ends: Callable[[], None] | None) -> None:
    """Let signals end the server without ending the process: uvicorn says a signal again after it has shut down."""

    def stop(_number: int | None = None, _frame: FrameType | None = None) -> None:
        server.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    if ends is not None:
        threading.Thread(target=partial(_wait_and_stop, ends, stop), name="parent", daemon=True).start()


def _wait_and_stop(ends: Callable[[], None], stop: Callable[[], None]) -> None:
    ends()
    stop()
