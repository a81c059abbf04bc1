"""Digests over a real loopback receiver: once a role and shift, retried with a limit, no address in any word of it."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from central.core.notices import TRIES_MAX
from central.links.notices import send
from central.services.notices import Notices
from central.store.engine import Store
from central.store.tables.notices import NOTICE
from protocols.values.instant import Instant, plus
from protocols.values.money import yuan
from tests.central.core.test_notices import STARTS
from tests.central.doors import Watch
from tests.central.hospital import HOSPITAL, KIT, START
from tests.central.purchases import buying_hospital, propose

SECRET = "token-that-nobody-may-read"


class Receiver:
    """A web hook on this machine: keeps what came, and answers as it is told to."""

    def __init__(self) -> None:
        self.came: list[dict[str, str]] = []
        self.status = 200
        receiver = self

        class Hook(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.came.append(json.loads(body))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Hook)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"json://127.0.0.1:{self.server.server_port}/{SECRET}"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.server.shutdown()
    one.server.server_close()
    one.thread.join(5)


@pytest.fixture
def watch() -> Watch:
    return Watch(START)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """A hospital with one proposal that waits for a buyer."""
    desk = buying_hospital(tmp_path)
    propose(desk, KIT, "S02", yuan("268"))
    return desk.store


def notices(store: Store, watch: Watch, urls: dict[str, list[str]]) -> Notices:
    return Notices(store, HOSPITAL, watch.read, STARTS, urls, send)


def states(store: Store) -> list[tuple[str, str, int]]:
    with store.read() as connection:
        rows = connection.execute(NOTICE.select().order_by(NOTICE.c.recipient, NOTICE.c.shift))
        return [(row.recipient, row.state, row.tries) for row in rows]


def test_D8_a_role_is_told_once_a_shift_what_needs_it(  # noqa: N802 # the row's id
    store: Store, watch: Watch, receiver: Receiver
) -> None:
    one = notices(store, watch, {"purchaser": [receiver.url], "nurse@ward-01": [receiver.url]})
    assert (one.make(START), one.send_waiting()) == (1, 1)
    (came,) = receiver.came
    assert came["title"] == "待办提醒 2026-03-02 08:00 班次"
    assert "· 1 条补货建议待审批" in came["message"]
    assert (one.make(plus(START, 600)), one.send_waiting()) == (0, 0)
    assert states(store) == [("nurse@ward-01", "empty", 0), ("purchaser", "sent", 1)]
    watch.now = plus(START, 6 * 3600)
    assert (one.make(watch.now), one.send_waiting()) == (1, 1)
    assert len(receiver.came) == 2


def test_a_failure_is_kept_and_tried_again_and_who_took_it_is_not_told_twice(
    store: Store, watch: Watch, receiver: Receiver
) -> None:
    other = Receiver()
    other.status = 500
    try:
        one = notices(store, watch, {"purchaser": [receiver.url, other.url]})
        one.make(START)
        assert one.send_waiting() == 0
        assert states(store) == [("purchaser", "waiting", 1)]
        assert one.send_waiting() == 0  # its time has not come
        other.status, watch.now = 200, plus(START, 60)
        assert one.send_waiting() == 1
        assert (len(receiver.came), len(other.came)) == (1, 2)
    finally:
        other.server.shutdown()
        other.server.server_close()
        other.thread.join(5)


def test_what_nobody_takes_is_given_up_and_no_word_of_it_holds_the_address(
    store: Store, watch: Watch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    one = notices(store, watch, {"purchaser": [f"json://127.0.0.1:1/{SECRET}", f"nonsense://{SECRET}"]})
    one.make(START)
    for _ in range(TRIES_MAX + 2):
        one.send_waiting()
        watch.now = Instant(plus(watch.now, 3600))
    assert states(store) == [("purchaser", "given-up", TRIES_MAX)]
    assert "2 of 2 addresses did not take it" in caplog.text
    kept = "".join(str(row) for row in store.engine.connect().exec_driver_sql("SELECT * FROM notice").all())
    for words in (caplog.text, *capfd.readouterr(), kept):
        assert SECRET not in words
