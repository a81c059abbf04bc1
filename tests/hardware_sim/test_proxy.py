"""A cut closes and refuses; what is restored is on the same port."""

import socket
from collections.abc import Iterator

import pytest

from hardware_sim.proxy import CLEAR, Proxy, Weather

TIMEOUT_S = 10.0


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIMEOUT_S)
        yield server


def _connected(proxy: Proxy, server: socket.socket) -> tuple[socket.socket, socket.socket]:
    near = socket.create_connection(("127.0.0.1", proxy.port), timeout=TIMEOUT_S)
    far, _ = server.accept()
    far.settimeout(TIMEOUT_S)
    return near, far


def test_bytes_go_both_ways(server: socket.socket) -> None:
    proxy = Proxy(server.getsockname())
    near, far = _connected(proxy, server)
    with near, far:
        near.sendall(b"up")
        assert far.recv(9) == b"up"
        far.sendall(b"down")
        assert near.recv(9) == b"down"
    proxy.close()


def test_a_cut_closes_and_refuses_and_the_restored_port_is_the_same(server: socket.socket) -> None:
    proxy = Proxy(server.getsockname())
    for _ in range(5):
        near, far = _connected(proxy, server)
        proxy.cut()
        with near, far:
            assert near.recv(9) == b""
            assert far.recv(9) == b""
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", proxy.port), timeout=TIMEOUT_S)
        proxy.restore()
    near, far = _connected(proxy, server)
    near.close()
    assert far.recv(9) == b""
    far.close()
    proxy.close()


def test_without_a_broker_behind_it_a_connection_is_closed_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = gone.getsockname()
    proxy = Proxy(address)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=TIMEOUT_S) as near:
        assert near.recv(9) == b""
    proxy.close()


def test_a_reset_is_an_error_at_both_ends_and_the_next_connection_stands(server: socket.socket) -> None:
    proxy = Proxy(server.getsockname())
    near, far = _connected(proxy, server)
    with near, far:
        proxy.reset()
        for end in (near, far):
            with pytest.raises(ConnectionResetError):
                end.recv(9)
    near, far = _connected(proxy, server)
    with near, far:
        near.sendall(b"again")
        assert far.recv(9) == b"again"
    proxy.close()


def test_bytes_come_in_slices_or_not_at_all_as_the_weather_is(server: socket.socket) -> None:
    proxy = Proxy(server.getsockname())
    near, far = _connected(proxy, server)
    with near, far:
        proxy.weather = Weather(delay_s=0.02, slice_bytes=1)
        near.sendall(b"abc")
        assert [far.recv(9) for _ in range(3)] == [b"a", b"b", b"c"]
        proxy.weather = Weather(swallows=True)
        near.sendall(b"lost")
        far.settimeout(0.2)
        with pytest.raises(TimeoutError):
            far.recv(9)
        proxy.weather = CLEAR
        near.sendall(b"d")
        assert far.recv(9) == b"d"
    proxy.close()
