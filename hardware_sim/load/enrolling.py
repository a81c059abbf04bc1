"""The enrolment of a load's devices at a central of our own: each gets a ticket, makes a key, and is let in over HTTPS.

It does what `wardstock-edge enrol` does for one device, for many in a row. It keeps no key: they end with the load.
The rule that must not be broken: a token is told only to whom the ticket's fingerprint vouches for.
"""

import hashlib
import ssl
import tomllib
from collections.abc import Sequence
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from hardware_sim.config import toml
from hardware_sim.errors import PartFailed
from protocols.errors import ProtocolsError
from protocols.sync.certified import KeyKind
from protocols.sync.codec import Signing
from protocols.sync.enrolment import AUTHORITY, ENROL, Asking, Enrolled, Ticket, read_enrolled, read_ticket, write_asked
from protocols.values.ids import DeviceId

ANSWER_S = 30.0


def make_signing(config: Path, host: str, port: int) -> None:
    """Change a configuration of central so that messages are signed and devices may enrol at a port."""
    said = tomllib.loads(config.read_text("utf-8"))
    said["sync"] = {"unsigned": False}
    said["enrolment"] = {"host": host, "port": port}
    config.write_text(toml(said), "utf-8")


def enrol_all(address: str, devices: Sequence[DeviceId]) -> dict[DeviceId, Signing]:
    """Let every device in at a central whose API is at an address. Raises `PartFailed`."""
    made: dict[DeviceId, Signing] = {}
    trusted: httpx.Client | None = None
    with httpx.Client(base_url=f"http://{address}", timeout=ANSWER_S) as desk:
        try:
            for device in devices:
                ticket = _ticket(desk, device)
                trusted = trusted or _trusting(ticket)
                made[device] = _let_in(trusted, ticket)
        except (httpx.HTTPError, ProtocolsError, InvalidSignature) as error:
            raise PartFailed(f"enrolment: expected {len(devices)} devices to be let in, got: {error}") from error
        finally:
            if trusted is not None:
                trusted.close()
    return made


def _ticket(desk: httpx.Client, device: DeviceId) -> Ticket:
    answer = desk.post(f"/api/v1/enrolments/{device}/tickets", json={})
    answer.raise_for_status()
    return read_ticket(answer.json()["ticket"])


def _trusting(ticket: Ticket) -> httpx.Client:
    """Return a client that believes the authority whose fingerprint the ticket has. Raises `PartFailed`."""
    where = f"https://{ticket.host}:{ticket.port}"
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # proven below, before anything is said
    authority = httpx.get(f"{where}{AUTHORITY}", verify=anybody, timeout=ANSWER_S).text
    found = x509.load_pem_x509_certificate(authority.encode()).public_bytes(Encoding.DER)
    if hashlib.sha256(found).digest() != ticket.fingerprint:
        raise PartFailed(f"enrolment: expected the ticket's authority at {where}, got another")
    return httpx.Client(base_url=where, verify=ssl.create_default_context(cadata=authority), timeout=ANSWER_S)


def _let_in(trusted: httpx.Client, ticket: Ticket) -> Signing:
    key = Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, ticket.device)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, None)
    asking = Asking(ticket.token, ticket.device, request.public_bytes(Encoding.PEM).decode())
    answer = trusted.post(ENROL, content=write_asked(asking))
    answer.raise_for_status()
    return _signing(key, read_enrolled(answer.content))


def _signing(key: Ed25519PrivateKey, said: Enrolled) -> Signing:
    """Return how a device signs, and whom it believes: sync keys that the root signed."""
    root = Ed25519PublicKey.from_public_bytes(said.root)
    believed: dict[str, Ed25519PublicKey] = {}
    for each in said.keys:
        root.verify(each.signature, each.signed)
        if each.kind is KeyKind.SYNC:
            believed[each.key_id] = Ed25519PublicKey.from_public_bytes(each.public)

    def verify(whose: DeviceId, key_id: str, data: bytes, signature: bytes) -> bool:
        known = believed.get(key_id)
        if known is None or whose != said.device:
            return False
        try:
            known.verify(signature, data)
        except InvalidSignature:
            return False
        return True

    return Signing(key_id=said.key_id, sign=key.sign, verify=verify)
