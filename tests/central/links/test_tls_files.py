"""The authority: what it signs is believed in a real TLS hand-shake, and nothing else is."""

import socket
import ssl
import threading
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from central.clock import Clock
from central.errors import BadInput, NotReady
from central.links.authority import (
    DEVICE_S,
    SERVER_S,
    Wanted,
    device_key_in,
    fingerprint,
    issue,
    make_revoked_list,
    pem,
)
from central.links.tls_files import broker_tls, keep_own, keep_server, load_authority, load_issuer, make_authority_files
from protocols.values.ids import HospitalId
from protocols.values.instant import plus, to_datetime

NOW = Clock().now()
"""Now indeed: a hand-shake looks at this machine's clock."""
HOSTS = ("localhost", "127.0.0.1")


def request(key: Ed25519PrivateKey) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "central")])
    return (
        x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, None).public_bytes(Encoding.PEM).decode()
    )


def of_version(number: int) -> str:
    """A request that says a version which never was (RFC 2986 knows 0 only)."""
    lines = request(Ed25519PrivateKey.generate()).splitlines()
    data = b64decode("".join(lines[1:-1])).replace(b"\x02\x01\x00", bytes((2, 1, number)), 1)
    return "\n".join((lines[0], b64encode(data).decode(), lines[-1]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_authority_files(tmp_path, HospitalId("main"), NOW)
    return tmp_path


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str:
    """Return why two ends do not agree, empty when they do."""
    here, there = socket.socketpair()
    here.settimeout(10)
    there.settimeout(10)
    said: list[str] = []

    def serve() -> None:
        try:
            with server.wrap_socket(there, server_side=True) as accepted:
                said.append(str(accepted.getpeercert()))
                accepted.send(b"in")
        except OSError as error:
            said.append(f"refused: {error}")

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(here, server_hostname=name) as asked:
            asked.recv(2)
    except OSError as error:
        return str(error)
    finally:
        here.close()
        thread.join(10)
    return said[0] if said[0].startswith("refused") else ""


def test_central_and_a_broker_of_the_same_authority_believe_each_other(folder: Path) -> None:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*keep_server(folder, HOSTS, NOW))
    server.load_verify_locations(folder / "authority.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    assert shake_hands(server, broker_tls(folder, NOW), "localhost") == ""
    assert "Hostname mismatch" in shake_hands(server, broker_tls(folder, NOW), "elsewhere")
    stranger = ssl.create_default_context(cafile=str(folder / "authority.pem"))
    assert shake_hands(server, stranger, "localhost") != ""


def test_a_server_of_another_authority_is_not_believed(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    make_authority_files(other, HospitalId("main"), NOW)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*keep_server(other, HOSTS, NOW))
    assert "certificate verify failed" in shake_hands(server, broker_tls(folder, NOW), "localhost")


def test_a_servers_certificate_is_made_anew_for_other_names_and_when_half_its_time_is_over(folder: Path) -> None:
    first = keep_server(folder, HOSTS, NOW)[0].read_bytes()
    assert keep_server(folder, HOSTS, plus(NOW, SERVER_S / 2 - 86_400))[0].read_bytes() == first
    second = keep_server(folder, (*HOSTS, "more.lan"), NOW)[0].read_bytes()
    assert second != first
    assert keep_server(folder, (*HOSTS, "more.lan"), plus(NOW, SERVER_S / 2 + 86_400))[0].read_bytes() != second


def test_a_devices_certificate_has_its_key_its_name_and_ninety_days(folder: Path) -> None:
    key = Ed25519PrivateKey.generate()
    public = device_key_in(request(key))
    made = issue(load_issuer(folder), Wanted("ward-01", asks=True), public, DEVICE_S, NOW)
    assert made.subject.rfc4514_string() == "CN=ward-01"
    assert made.not_valid_after_utc == to_datetime(plus(NOW, 90 * 86_400)).replace(microsecond=0)
    made.verify_directly_issued_by(load_authority(folder))
    assert pem(made).startswith("-----BEGIN CERTIFICATE")
    assert len(fingerprint(made)) == 32


def test_a_request_that_its_key_did_not_sign_or_of_another_sort_is_refused() -> None:
    other = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    rsa = other.sign(generate_private_key(65_537, 2048), SHA256()).public_bytes(Encoding.PEM).decode()
    lines = request(Ed25519PrivateKey.generate()).splitlines()
    spoilt = "\n".join([*lines[:-2], ("B" if lines[-2][0] == "A" else "A") + lines[-2][1:], lines[-1]])
    for wrong in (rsa, spoilt, of_version(4), "nothing", ""):
        with pytest.raises(BadInput, match="certificate request"):
            device_key_in(wrong)


def test_a_list_of_revoked_certificates_names_them(folder: Path) -> None:
    revoked = x509.load_pem_x509_crl(make_revoked_list(load_issuer(folder), [(77, NOW)], NOW))
    assert [one.serial_number for one in revoked] == [77]
    assert revoked.is_signature_valid(load_issuer(folder)[1].public_key())


def test_a_folder_without_an_authority_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="keys init"):
        keep_own(tmp_path, NOW)
