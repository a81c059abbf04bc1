"""How central hears devices: by its own ingest, by processes beside it, or not at all and only speaking.

Nothing is decided here. The rule that must not be broken: a SQLite store has one writer, which is the server.
"""

import threading
from collections.abc import Callable, Collection
from contextlib import ExitStack
from functools import partial

from central.bootstrap.ending import end_by
from central.bootstrap.parts import clock_of, store_of
from central.clock import Clock, chance
from central.config import Config
from central.errors import BadInput
from central.links.broker import CentralBroker
from central.links.news import Listener, tell
from central.services.ingest import OnCommitted, Running, start_ingest
from central.services.own_keys import gate_of, signing_of
from central.services.worker import Worker
from central.store.engine import Store
from protocols.sync.topics import EVERY_SHARD


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
        parts.callback(take_in(config, store, clock, partial(tell, store), shards).stop)
        stopping = threading.Event()
        end_by(stopping.set, ends)
        ready()
        stopping.wait()


def take_in(
    config: Config, store: Store, clock: Clock, on_committed: OnCommitted, shards: Collection[int] = EVERY_SHARD
) -> Running:
    """Take in what devices of some shards say, until what this returns is stopped. Raises `NotReady` without keys."""
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


def listen_to_others(config: Config, store: Store, worker: Worker) -> Listener:
    """Hear what processes of their own take in. Raises `BadInput` on SQLite."""
    if store.is_sqlite:
        raise BadInput(f"serve --no-ingest: expected a PostgreSQL store, {config.store.url} is SQLite; leave it out")
    listener = Listener(store, worker.committed)
    listener.start()
    return listener


def speak_only(config: Config, clock: Clock) -> CentralBroker:
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
