"""Where the parts of a running central meet: one store, one clock, ingest, the worker and its bell, API and pages.

Nothing is decided here. The rule that must not be broken: parts are stopped in the order that lets each finish: what
brings entries first, then who works on them, then the store.
"""

import socket
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import uvicorn

from central.api.enrolling import EnrolmentServer, Served
from central.bootstrap.application import build_app
from central.bootstrap.ending import end_by
from central.bootstrap.hearing import listen_to_others, speak_only, take_in
from central.bootstrap.jobs import duties_of
from central.bootstrap.parts import clock_of, store_of
from central.clock import Clock
from central.config import Config
from central.errors import NotReady
from central.links.timetable import bell_for
from central.links.tls_files import keep_server
from central.services.entrance import Entrance
from central.services.feed.hints import hinter
from central.services.feed.seals import feed_of
from central.services.own_keys import devices_of, signing_of
from central.services.statements import signer_at
from central.services.worker import Worker
from central.store.alone import alone
from central.store.engine import Store

BACKLOG = 128

GRACE_S = 3
"""How long requests under way may take when the server stops."""

SWITCH_S = 0.0005
"""How long a thread that reckons may keep those waiting that come back from the database, which every page does often;
with Python's own 5 ms a page of thirty questions may wait 150 ms of it behind the worker (reckoned, not measured)."""


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
    sys.setswitchinterval(SWITCH_S)
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

        duties = duties_of(config, store, clock, feed, signer, entrance.sources)
        worker = Worker(store, config.hospital_id, clock.now, duties, clock.link_s)
        feed.wake_by(worker.ring)
        worker.start()
        parts.callback(worker.stop)
        bell = bell_for(clock.rate, worker.ring)
        bell.start()
        parts.callback(bell.stop)
        if ingest:
            parts.enter_context(alone(store))
            running = take_in(config, store, clock, worker.committed)
            parts.callback(running.stop)
            broker = running.broker
        else:
            parts.callback(listen_to_others(config, store, worker).stop)
            broker = speak_only(config, clock)
            parts.callback(broker.stop)
        feed.speak_by(hinter(broker.keep, config.hospital_id, signing))
        if config.enrolment.port is not None:
            parts.callback(_start_enrolment(config, store, clock).stop)
        end_by(partial(setattr, server, "should_exit", True), ends)
        host, port = bound.getsockname()[:2]
        listening(host, port)
        server.run(sockets=[bound])


def _start_enrolment(config: Config, store: Store, clock: Clock) -> EnrolmentServer:
    """Let devices enrol. Raises `NotReady` when the keys are not there or the port cannot be had."""
    certificate, key = keep_server(config.key_folder, config.enrolment_hosts, clock.real_now())
    served = Served(config.enrolment.host, config.enrolment.port or 0, certificate, key)
    server = EnrolmentServer(devices_of(config, store, clock), served)
    server.start(threading.Event().wait)
    return server
