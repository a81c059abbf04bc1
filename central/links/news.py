"""Processes of one PostgreSQL store tell each other that books moved: LISTEN and NOTIFY, on connections of their own.

News wake people up and carry nothing that is not in the store; one that is lost costs the wait until the next
comparison. The rule that must not be broken: whoever listens holds no transaction and no connection of the pool.
"""

import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import psycopg
from sqlalchemy import func, select

from central.store.engine import Store
from protocols.values.ids import HospitalId, PlaceId

CHANNEL = "wardstock_committed"
PLACES_A_NEWS = 100
"""PostgreSQL takes 8,000 bytes; a place is at most 64 characters."""
LOOK_S = 0.5
AGAIN_S = 2.0
STOP_S_MAX = 5.0

OnCommitted = Callable[[HospitalId, frozenset[PlaceId]], None]

log = logging.getLogger("wardstock.news")


def tell(store: Store, hospital: HospitalId, places: frozenset[PlaceId]) -> None:
    """Tell whoever listens which storerooms' books moved."""
    ordered = sorted(places)
    with store.write() as connection:
        for start in range(0, len(ordered), PLACES_A_NEWS):
            said = json.dumps([hospital, *ordered[start : start + PLACES_A_NEWS]])
            connection.execute(select(func.pg_notify(CHANNEL, said)))


class Listener:
    """A thread that hears what other processes committed, and asks again when its line is lost."""

    def __init__(self, store: Store, on_committed: OnCommitted) -> None:
        self._address = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._on_committed = on_committed
        self._stopping = threading.Event()
        self.listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="news", daemon=True)

    def start(self) -> None:
        """Begin to listen; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_S_MAX)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._address, autocommit=True) as connection:
                    self._listen(connection)
            except psycopg.Error as error:
                log.warning("news: the line to the store is lost (%s); trying again", " ".join(str(error).split()))
            self.listening.clear()
            self._stopping.wait(AGAIN_S)

    def _listen(self, connection: psycopg.Connection[Any]) -> None:
        connection.execute(f"LISTEN {CHANNEL}".encode())
        self.listening.set()
        while not self._stopping.is_set():
            for heard in connection.notifies(timeout=LOOK_S):
                hospital, *places = json.loads(heard.payload)
                self._on_committed(HospitalId(hospital), frozenset(map(PlaceId, places)))
