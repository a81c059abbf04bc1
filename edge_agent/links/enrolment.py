"""What a device says to central over HTTPS: it asks for its first certificate, for the next, and for central's keys.

The first time it believes nobody: it fetches the authority's certificate, and goes on only if that is the one whose
fingerprint stands on the ticket; then, and ever after, it speaks over TLS that this authority vouches for. The rule
that must not be broken: a token is said only after that.

What reads certificates is imported where one is read: a start asks for none, and most days of a year neither.
"""

import hashlib
import json
import ssl
from http.client import HTTPException, HTTPSConnection

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from edge_agent.errors import LinkFault
from edge_agent.links.key_files import Enrolment
from edge_agent.links.keys import key_id_of, policy_keys, sync_keys
from protocols.errors import PeerBroke
from protocols.sync.certified import CertifiedKey
from protocols.sync.enrolment import (
    AUTHORITY,
    BODY_BYTES_MAX,
    ENROL,
    KEYS,
    PEM_LENGTH_MAX,
    RENEW,
    Asking,
    Enrolled,
    Renewing,
    Ticket,
    read_enrolled,
    read_keys,
    write_asked,
)
from protocols.values.ids import DeviceId

ANSWER_S_MAX = 20.0


def enrol(ticket: Ticket, key: Ed25519PrivateKey) -> Enrolment:
    """Become known to central by a ticket. Raises `LinkFault` with what to do."""
    authority = _authority_of(ticket)
    asking = write_asked(Asking(ticket.token, ticket.device, request_for(key, ticket.device)))
    said = _read_answer(_ask(ticket.host, ticket.port, trusting(authority), "POST", ENROL, asking))
    _check(said, ticket.device, key)
    return Enrolment(ticket.host, ticket.port, said)


def renew(given: Enrolment, key: Ed25519PrivateKey) -> Enrolled:
    """Ask for the next certificate. Raises `LinkFault`."""
    said = given.said
    asking = write_asked(Renewing(said.device, request_for(key, said.device)))
    newer = _read_answer(_ask(given.host, given.port, trusting(said.authority), "POST", RENEW, asking))
    _check(newer, said.device, key)
    return newer


def ask_keys(given: Enrolment) -> tuple[CertifiedKey, ...]:
    """Ask for central's keys; each has been signed by the root that was given. Raises `LinkFault`."""
    answer = _ask(given.host, given.port, trusting(given.said.authority), "GET", KEYS, b"")
    try:
        keys = read_keys(answer)
    except PeerBroke as error:
        raise LinkFault(str(error)) from error
    _check_keys(given.said.root, keys)
    return keys


def trusting(authority: str) -> ssl.SSLContext:
    """Return a TLS context that believes one authority only. Raises `LinkFault`."""
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cadata=authority)
    except (ssl.SSLError, ValueError) as error:
        raise LinkFault(f"authority: expected a certificate in PEM, got: {error}") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def request_for(key: Ed25519PrivateKey, device: DeviceId) -> str:
    """Return a certificate request, signed by the key it is for (RFC 2986)."""
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, None)
    return made.public_bytes(Encoding.PEM).decode()


def _authority_of(ticket: Ticket) -> str:
    """Fetch the authority's certificate from whoever answers, and believe it only by its fingerprint."""
    from cryptography import x509

    anybody = ssl.create_default_context()
    anybody.check_hostname = False
    anybody.verify_mode = ssl.CERT_NONE  # what it says is proven by the fingerprint, and nothing is said to it
    text = _ask(ticket.host, ticket.port, anybody, "GET", AUTHORITY, b"")
    try:
        found = x509.load_pem_x509_certificate(text[:PEM_LENGTH_MAX])
    except (ValueError, x509.InvalidVersion) as error:
        raise LinkFault(f"{ticket.host}:{ticket.port}: expected central's authority, got something else") from error
    if hashlib.sha256(found.public_bytes(Encoding.DER)).digest() != ticket.fingerprint:
        raise LinkFault(
            f"{ticket.host}:{ticket.port} is not the central that made this ticket: its authority has another "
            "fingerprint; nothing was told to it. Is the address right, and does nobody stand between?"
        )
    return found.public_bytes(Encoding.PEM).decode()


def _check(said: Enrolled, device: DeviceId, key: Ed25519PrivateKey) -> None:
    from cryptography import x509

    public = key.public_key()
    if (said.device, said.key_id) != (device, key_id_of(public)):
        raise LinkFault(
            f"central answered for {said.device}, key {said.key_id}; expected {device} and the key asked for"
        )
    try:
        if x509.load_pem_x509_certificate(said.certificate.encode()).public_key() != public:
            raise LinkFault("central's certificate is for another key than was asked for")
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise LinkFault(f"central's certificate cannot be read: {error}") from error
    _check_keys(said.root, said.keys)


def _check_keys(root: bytes, keys: tuple[CertifiedKey, ...]) -> None:
    """Check that the root signed keys of each kind an agent needs, before they are kept. Raises `LinkFault`."""
    sync_keys(root, keys)
    policy_keys(root, keys)


def _read_answer(answer: bytes) -> Enrolled:
    try:
        return read_enrolled(answer)
    except PeerBroke as error:
        raise LinkFault(str(error)) from error


def _ask(host: str, port: int, context: ssl.SSLContext, method: str, path: str, body: bytes) -> bytes:
    """Ask once and return the answer's bytes. Raises `LinkFault` for anything but a good answer."""
    where = f"{host}:{port}"
    connection = HTTPSConnection(host.strip("[]"), port, context=context, timeout=ANSWER_S_MAX)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        answer = response.read(BODY_BYTES_MAX + 1)
    except ssl.SSLCertVerificationError as error:
        raise LinkFault(
            f"{where} shows a certificate that is not by the hospital's authority or for another name: "
            f"{error.verify_message}"
        ) from error
    except (OSError, HTTPException) as error:
        raise LinkFault(
            f"central does not answer at {where}: {error}; is it served, and is [enrolment] set?"
        ) from error
    finally:
        connection.close()
    if response.status != 200:
        raise LinkFault(f"central says: {_reason_in(answer)}")
    if len(answer) > BODY_BYTES_MAX:
        raise LinkFault(f"central's answer: expected at most {BODY_BYTES_MAX} bytes, got more")
    return answer


def _reason_in(answer: bytes) -> str:
    try:
        said = json.loads(answer)
    except ValueError:
        return "no, without a reason"
    reason = said.get("error") if isinstance(said, dict) else None
    return reason[:400] if isinstance(reason, str) else "no, without a reason"
