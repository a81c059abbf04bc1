"""The real agent with an LLRP reader behind TLS: its door ends a visit, its lights show the answers."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.serve import Port
from hardware_sim.wires import TcpWire
from protocols.codes.label import make_badge
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId
from tests.edge_agent.links.test_tcp_tls import Authority
from tests.system.edge_ward import CONFIG, WAIT_S, Ward, label

pytestmark = pytest.mark.needs_linux

READER = """
[[reader]]
name = "r1"
kind = "llrp"
url = "tls://127.0.0.1:{port}"
authority = "{authority}"
antennas = [1, 2]
door = [3]
keepalive_s = 1
round_s = 0.2
power_dbm = {{ 1 = 27, 3 = 20 }}
session = 1
population = 100
door_input = 2
door_open = "low"
lights = {{ ok = 1, no = 2, look = 3 }}
light_s = 0.5
"""
BADGE = make_badge(ActorId("1001"))
CHUNK = 65_536


class TlsFront:
    """Takes TLS connections and hands their bytes to a reader in the clear, as a reader's own TLS port does."""

    def __init__(self, certificate: Path, target: tuple[str, int]) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                threading.Thread(target=self._carry, args=(raw,), daemon=True).start()

    def _carry(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError), self._context.wrap_socket(raw, server_side=True) as near:
            near.settimeout(0.02)
            with socket.create_connection(self._target) as far:
                far.settimeout(0.02)
                while _hand_on(near, far) and _hand_on(far, near):
                    pass


def _hand_on(source: socket.socket, target: socket.socket) -> bool:
    try:
        data = source.recv(CHUNK)
    except TimeoutError:
        return True
    target.sendall(data)
    return bool(data)


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        yield made


@pytest.fixture
def reader() -> Iterator[Port]:
    port = Port(LlrpReaderDevice(lambda _at, _antennas: []), Clock(real_time()), TcpWire())
    port.start()
    yield port
    port.close()


@pytest.fixture
def front(tmp_path: Path, reader: Port) -> Iterator[TlsFront]:
    host, _, port = reader.where.rpartition("//")[2].rpartition(":")
    made = TlsFront(Authority(tmp_path, "wardstock").issue("reader"), (host or "127.0.0.1", int(port)))
    yield made
    made.close()


def wait_until(ward: Ward, holds: Callable[[], bool]) -> None:
    limit = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < limit, ward.log()
        time.sleep(0.02)


def test_a_reader_behind_tls_shows_answers_on_its_lights_and_its_door_ends_a_visit(
    ward: Ward, reader: Port, front: TlsFront
) -> None:
    device = reader.device
    assert isinstance(device, LlrpReaderDevice)
    more = READER.format(port=front.port, authority=ward.folder / "wardstock.pem")
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + more)
    reader.do(lambda now: device.switch_input(2, now, high=True))
    ward.start_ready()
    ward.wait_for("reader r1: inventories")
    ward.wait_for("door of r1: is closed")
    shown: list[tuple[int, bool]] = []  # every change: a light that nobody looked at in time was on all the same
    device.ports.show = lambda port, on: shown.append((port, on))

    assert ward.plug.scan(BADGE) == [Beep.OK]
    wait_until(ward, lambda: shown == [(1, True), (1, False)])
    assert ward.plug.scan("hello") == [Beep.NO]
    wait_until(ward, lambda: shown[2:] == [(2, True), (2, False)])
    assert ward.plug.scan("]d20109506000134352", "]C110L1\x1d215") == [Beep.LOOK, Beep.OK]
    wait_until(ward, lambda: (1, True) in shown[4:] and not device.ports.lit[3])

    assert ward.kinds()[2:] == ["visit", "issue"]
    reader.do(lambda now: device.switch_input(2, now, high=False))
    ward.wait_for("door of r1: is open")
    reader.do(lambda now: device.switch_input(2, now, high=True))
    wait_until(ward, lambda: ward.kinds()[2:] == ["visit", "issue", "visit"])
    assert ward.plug.scan(label(6)) == [Beep.NO]
    assert "Traceback" not in ward.log()


def test_a_reader_of_another_authority_is_an_outage_that_says_so(ward: Ward, front: TlsFront) -> None:
    other = Authority(ward.folder, "other")
    more = READER.format(port=front.port, authority=other.path)
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + more)
    agent = ward.start_ready()
    ward.wait_for("shows a certificate we do not believe")
    agent.terminate()
    agent.wait(WAIT_S)
    ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + READER.format(port=1, authority="nothing.pem"))
    told = ward.tool("doctor", "--config", str(ward.config))
    assert "TLS: expected PEM files" in told.stdout + told.stderr
    assert "Traceback" not in told.stderr
