"""The end point of enrolment over real HTTPS: who asks is believed by the authority's certificate alone."""

import ssl
import threading
from collections.abc import Iterator
from http.client import HTTPSConnection
from pathlib import Path
from socket import create_connection

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.testclient import TestClient

from central.api.enrolling import EnrolmentServer, Served, build_enrolling
from central.clock import Clock
from central.errors import NotReady
from central.links.tls_files import keep_server
from hardware_sim.demo.brokers import free_port
from protocols.sync.enrolment import (
    AUTHORITY,
    BODY_BYTES_MAX,
    ENROL,
    KEYS,
    RENEW,
    Asking,
    Renewing,
    read_enrolled,
    read_keys,
    write_asked,
)
from tests.central.services.fleet import ADMIN, WARD, Fleet, request
from tests.system.brokers import HOST

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return Fleet(tmp_path, Clock().now())


@pytest.fixture
def client(fleet: Fleet) -> Iterator[TestClient]:
    with TestClient(build_enrolling(fleet.devices)) as client:
        yield client


def test_a_device_is_enrolled_and_renewed_over_https(fleet: Fleet) -> None:
    certificate, key = keep_server(fleet.keys, ["localhost"], fleet.now)
    served = Served(HOST, free_port(), certificate, key)
    server = EnrolmentServer(fleet.devices, served)
    server.start(threading.Event().wait)
    try:
        believed = ssl.create_default_context(cafile=str(fleet.keys / "authority.pem"))
        asked = HTTPSConnection("localhost", served.port, context=believed, timeout=10)
        ticket = fleet.devices.ticket(ADMIN, WARD, 30)
        asked.request("POST", ENROL, write_asked(Asking(ticket.token, WARD, request(KEY))))
        enrolled = read_enrolled(asked.getresponse().read())
        asked.request("POST", RENEW, write_asked(Renewing(WARD, request(KEY))))
        assert read_enrolled(asked.getresponse().read()).key_id == enrolled.key_id
        asked.close()
        with pytest.raises(ssl.SSLCertVerificationError):
            HTTPSConnection("localhost", served.port, timeout=10).request("GET", KEYS)
        with pytest.raises(NotReady, match="free port"):
            EnrolmentServer(fleet.devices, served).start(threading.Event().wait)
    finally:
        server.stop()


def test_who_connects_and_says_nothing_is_not_waited_for(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    served = Served(HOST, free_port(), *keep_server(fleet.keys, ["localhost"], fleet.now), connection_s=0.2)
    server = EnrolmentServer(fleet.devices, served)
    server.start(threading.Event().wait)
    believed = ssl.create_default_context(cafile=str(fleet.keys / "authority.pem"))
    begun = f"POST {ENROL} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nabc".encode()
    try:
        for said in (b"", begun[:30], begun):
            with believed.wrap_socket(create_connection((HOST, served.port), 10), server_hostname="localhost") as line:
                line.sendall(said)
                assert ended(line)
    finally:
        server.stop()
    assert "Traceback" not in capsys.readouterr().err


def ended(line: ssl.SSLSocket) -> bool:
    """Tell whether the other end closes a connection, within the connection's own limit."""
    try:
        return line.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def test_what_lies_where_at_central_is_told_to_nobody(fleet: Fleet, client: TestClient) -> None:
    (fleet.keys / "authority.pem").unlink()
    for answer in (client.get(AUTHORITY), client.post(RENEW, content=write_asked(Renewing(WARD, request(KEY))))):
        assert str(fleet.keys) not in answer.text
    assert client.get(AUTHORITY).status_code == 503


def test_the_authority_and_the_keys_are_for_everybody(fleet: Fleet, client: TestClient) -> None:
    assert client.get(AUTHORITY).text == (fleet.keys / "authority.pem").read_text()
    assert [key.key_id for key in read_keys(client.get(KEYS).content)] == ["sync-1", "sync-2", "policy-1", "policy-2"]


def test_a_wrong_request_is_answered_with_what_to_do(client: TestClient) -> None:
    wrong = {
        400: b"nothing of the kind",
        403: write_asked(Asking("A" * 26, WARD, request(KEY))),
    }
    for status, body in wrong.items():
        answer = client.post(ENROL, content=body)
        assert answer.status_code == status
        assert len(answer.json()["error"]) > 20
    assert client.post(RENEW, content=write_asked(Renewing(WARD, request(KEY)))).status_code == 403
    assert client.post(ENROL, content=b" " * (BODY_BYTES_MAX + 1)).status_code == 400
    assert client.get("/api/v1/health").status_code == 404
