"""Processes that take in: they tell the server which books moved, and SQLite has none beside its server."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from central.cli import start
from central.links.news import PLACES_A_NEWS, Listener, tell
from central.store.engine import Store, open_store
from protocols.values.ids import HospitalId, PlaceId
from tests.system.postgresql import cluster
from tests.system.sync_field import eventually

MAIN = HospitalId("main")


@pytest.fixture
def store() -> Iterator[Store]:
    with cluster() as address:
        made = open_store(address)
        yield made
        made.close()


@pytest.mark.needs_postgresql
@pytest.mark.slow
def test_the_server_hears_which_books_another_process_moved_also_after_its_line_broke(store: Store) -> None:
    heard: set[PlaceId] = set()
    lock = threading.Lock()

    def committed(hospital: HospitalId, places: frozenset[PlaceId]) -> None:
        assert hospital == MAIN
        with lock:
            heard.update(places)

    many = frozenset(PlaceId(f"ward-{number:03d}") for number in range(PLACES_A_NEWS + 5))
    listener = Listener(store, committed)
    listener.start()
    eventually(listener.listening.is_set, "it listens")
    tell(store, MAIN, many)
    eventually(lambda: heard == many, "all are heard")
    with store.engine.begin() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE starts_with(query, 'LISTEN')"
        )
    eventually(lambda: not listener.listening.is_set(), "its line is lost")
    eventually(listener.listening.is_set, "it listens again")
    tell(store, MAIN, frozenset({PlaceId("ward-x")}))
    eventually(lambda: "ward-x" in heard, "what comes then is heard")
    listener.stop()


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (["ingest"], 2, "SQLite, which has one writer"),
        (["ingest", "--shards", "9-3"], 2, "--shards: shards: expected ranges of 0..255"),
        (["serve", "--no-ingest"], 2, "expected a PostgreSQL store"),
    ],
)
def test_on_sqlite_nobody_takes_in_beside_the_server(
    words: list[str], status: int, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "central.toml"
    config.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[sync]\nunsigned = true\n')
    assert start(["migrate", "--config", str(config)]) == 0
    assert start([words[0], "--config", str(config), *words[1:]]) == status
    assert says in capsys.readouterr().err
