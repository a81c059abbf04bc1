"""The TCP link against real sockets on loopback: it connects, carries, says why it ended, and tries again."""

import queue
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.links.backoff import BackOff
from edge_agent.links.tcp import TcpConnection, TcpLink, say

LIMIT_S = 10


class Seen:
    """What the link said, in order."""

    def __init__(self) -> None:
        self.events: queue.Queue[tuple[str, object]] = queue.Queue()

    def next(self, kind: str) -> object:
        got, value = self.events.get(timeout=LIMIT_S)
        assert got == kind, value
        return value

    def connection(self) -> TcpConnection:
        value = self.next("open")
        assert isinstance(value, TcpConnection)
        return value


@contextmanager
def linked(port: int, host: str = "127.0.0.1") -> Iterator[tuple[TcpLink, Seen]]:
    seen = Seen()
    link = TcpLink(
        host,
        port,
        on_open=lambda connection: seen.events.put(("open", connection)),
        on_bytes=lambda data: seen.events.put(("bytes", data)),
        on_close=lambda reason: seen.events.put(("close", reason)),
        chance=lambda: 0.01,
    )
    link.start()
    try:
        yield link, seen
    finally:
        link.stop()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(LIMIT_S)
        yield listening


def port_of(server: socket.socket) -> int:
    port = server.getsockname()[1]
    assert isinstance(port, int)
    return port


def test_bytes_go_both_ways(server: socket.socket) -> None:
    with linked(port_of(server)) as (_, seen):
        reader, _ = server.accept()
        with reader:
            connection = seen.connection()
            reader.sendall(b"hello")
            assert seen.next("bytes") == b"hello"
            connection.send(b"there")
            assert reader.recv(5) == b"there"


def test_a_reader_that_goes_is_told_and_tried_again(server: socket.socket) -> None:
    with linked(port_of(server)) as (_, seen):
        server.accept()[0].close()
        seen.connection()
        assert "closed the connection" in str(seen.next("close"))
        reader, _ = server.accept()
        with reader:
            seen.connection()


def test_a_reset_is_a_reason(server: socket.socket) -> None:
    with linked(port_of(server)) as (_, seen):
        reader, _ = server.accept()
        seen.connection()
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reader.close()
        assert "broke the connection off" in str(seen.next("close"))


def test_a_refused_connection_is_a_reason_each_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = port_of(closed)
    with linked(port) as (_, seen):
        assert "refused" in str(seen.next("close"))
        assert "refused" in str(seen.next("close"))


def test_a_connection_we_close_says_our_reason_and_sends_nothing_more(server: socket.socket) -> None:
    with linked(port_of(server)) as (_, seen):
        reader, _ = server.accept()
        with reader:
            old = seen.connection()
            old.close("silent for 2 s")
            assert seen.next("close") == "silent for 2 s"
            assert reader.recv(1) == b""
        again, _ = server.accept()
        with again:
            seen.connection().send(b"new")
            old.send(b"old")
            again.settimeout(LIMIT_S)
            assert again.recv(10) == b"new"


def test_a_stopped_link_ends_at_once_even_while_it_pauses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = port_of(closed)
    with linked(port) as (link, seen):
        seen.next("close")
        link.stop()
        assert not link._thread.is_alive()


def test_a_stopped_link_closes_an_open_connection(server: socket.socket) -> None:
    with linked(port_of(server)) as (link, seen):
        reader, _ = server.accept()
        with reader:
            seen.connection()
            link.stop()
            assert seen.next("close") == "stopped"
            assert reader.recv(1) == b""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (socket.gaierror(-2, "Name or service not known"), "no such host name"),
        (TimeoutError(), "did not answer"),
        (BrokenPipeError(), "broke the connection off"),
        (OSError(113, "No route to host"), "No route to host"),
    ],
)
def test_every_network_error_is_said_in_words(error: OSError, said: str) -> None:
    assert said in say(error, "reader:5084")


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_a_pause_is_never_longer_than_its_limit(failures: int, chance: float) -> None:
    assert 0 <= BackOff(first_s=0.5, max_s=8.0).wait_s(failures, chance) <= 8.0


def test_pauses_grow_with_failures_to_their_limit() -> None:
    back_off = BackOff(first_s=0.5, max_s=3.0)
    assert [back_off.wait_s(each, 1.0) for each in range(4)] == [0.5, 1.0, 2.0, 3.0]
