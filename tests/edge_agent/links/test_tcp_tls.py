"""The TCP link over TLS, against real sockets and a throwaway authority: it believes its own and nobody else."""

import contextlib
import ipaddress
import queue
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge_agent.links.tcp import TcpConnection, TcpLink, tls_context
from protocols.errors import BadValue

LIMIT_S = 10
BURST_BYTES = 1 << 20


@dataclass
class Authority:
    """Signs certificates for 127.0.0.1 into one folder."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        self.path = self.folder / f"{self.name}.pem"
        self.path.write_bytes(self._sign(self.subject, self.key.public_key(), is_authority=True))

    def issue(self, name: str) -> Path:
        """Return a file with a key and its certificate."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        path = self.folder / f"{self.name}-{name}.pem"
        form = (
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        path.write_bytes(key.private_bytes(*form) + self._sign(subject, key.public_key(), is_authority=False))
        return path

    def _sign(self, subject: x509.Name, key: ec.EllipticCurvePublicKey, *, is_authority: bool) -> bytes:
        now = datetime.now(UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "hospital")


Talk = Callable[[ssl.SSLSocket], None]


@contextmanager
def reader(authority: Authority, talk: Talk, *, wants: Path | None = None) -> Iterator[int]:
    """Serve one reader over TLS; each connection is one `talk`. `wants` is the authority its clients need."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.issue("reader"))
    if wants is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(wants)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        thread = threading.Thread(target=serve, args=(listening, context, talk, ended), daemon=True)
        thread.start()
        try:
            yield int(listening.getsockname()[1])
        finally:
            ended.set()
            thread.join(LIMIT_S)


def serve(listening: socket.socket, context: ssl.SSLContext, talk: Talk, ended: threading.Event) -> None:
    """Take one client after the other; one that goes, or is not believed, costs nothing but itself."""
    while not ended.is_set():
        with contextlib.suppress(OSError):
            plain, _ = listening.accept()
            plain.settimeout(LIMIT_S)
            with plain, context.wrap_socket(plain, server_side=True) as end:
                talk(end)


@contextmanager
def linked(port: int, context: ssl.SSLContext) -> Iterator["queue.Queue[tuple[str, object]]"]:
    seen: queue.Queue[tuple[str, object]] = queue.Queue()
    link = TcpLink(
        "127.0.0.1",
        port,
        on_open=lambda connection: seen.put(("open", connection)),
        on_bytes=lambda data: seen.put(("bytes", data)),
        on_close=lambda reason: seen.put(("close", reason)),
        chance=lambda: 0.01,
        tls=context,
    )
    link.start()
    try:
        yield seen
    finally:
        link.stop()


def opened(seen: "queue.Queue[tuple[str, object]]") -> TcpConnection:
    kind, value = seen.get(timeout=LIMIT_S)
    assert isinstance(value, TcpConnection), (kind, value)
    return value


def echo(end: ssl.SSLSocket) -> None:
    while data := end.recv(65_536):
        end.sendall(data)


def read(seen: "queue.Queue[tuple[str, object]]", size: int) -> bytes:
    got = b""
    while len(got) < size:
        kind, value = seen.get(timeout=LIMIT_S)
        assert isinstance(value, bytes), (kind, value)
        got += value
    return got


def test_bytes_go_both_ways_over_tls(ours: Authority) -> None:
    with reader(ours, echo) as port, linked(port, tls_context(ours.path)) as seen:
        connection = opened(seen)
        connection.send(b"hello")
        assert read(seen, 5) == b"hello"
        connection.send(b"there")
        assert read(seen, 5) == b"there"


def test_a_long_burst_comes_whole_while_we_send(ours: Authority) -> None:
    burst = bytes(range(256)) * (BURST_BYTES // 256)

    def talk(end: ssl.SSLSocket) -> None:
        end.sendall(burst)
        heard = b""
        while len(heard) < 1000:
            heard += end.recv(1000)
        end.sendall(heard)

    with reader(ours, talk) as port, linked(port, tls_context(ours.path)) as seen:
        connection = opened(seen)
        for _ in range(1000):
            connection.send(b"k")
        assert read(seen, len(burst) + 1000) == burst + b"k" * 1000


def test_a_reader_of_another_authority_is_not_believed(ours: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    with reader(stranger, echo) as port, linked(port, tls_context(ours.path)) as seen:
        kind, reason = seen.get(timeout=LIMIT_S)
        assert kind == "close"
        assert "a certificate we do not believe" in str(reason)


def test_a_reader_that_wants_our_certificate_gets_it(ours: Authority) -> None:
    context = tls_context(ours.path, certificate=ours.issue("edge"))
    with reader(ours, echo, wants=ours.path) as port, linked(port, context) as seen:
        opened(seen).send(b"hello")
        assert read(seen, 5) == b"hello"


def test_a_port_without_tls_is_named_as_such(ours: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        plain.settimeout(LIMIT_S)
        port = int(plain.getsockname()[1])
        with linked(port, tls_context(ours.path)) as seen:
            end, _ = plain.accept()
            with end:
                end.sendall(b"\x04\x3f" + bytes(30))  # what a reader says in the clear
                kind, reason = seen.get(timeout=LIMIT_S)
    assert kind == "close"
    assert "does not speak TLS" in str(reason)


def test_a_stopped_link_ends_at_once_though_the_reader_is_silent(ours: Authority) -> None:
    silent = threading.Event()

    def talk(_end: ssl.SSLSocket) -> None:
        silent.wait(LIMIT_S)

    with reader(ours, talk) as port, linked(port, tls_context(ours.path)) as seen:
        connection = opened(seen)
        connection.close("stopped")
        silent.set()
        assert seen.get(timeout=LIMIT_S) == ("close", "stopped")


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_files_that_are_no_certificates_are_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "authority.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BadValue, match="PEM files"):
        tls_context(path)
