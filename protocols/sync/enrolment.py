"""How a device becomes known: the ticket a person carries to it, and what it and central say over pinned HTTPS.

    ticket  = WARDSTOCK-1/HOST:PORT/DEVICE/TOKEN/FINGERPRINT     upper case, the alphabet of the smallest QR codes
    GET  /enrolment/1/authority   the authority's certificate, PEM; believed only if its fingerprint is the ticket's
    POST /enrolment/1/enrol       Asking -> Enrolled
    POST /enrolment/1/renew       Renewing -> Enrolled
    GET  /enrolment/1/keys        Keys

Texts are JSON, bytes in base64. It knows no algorithm and does no I/O. The rule that must not be broken: a ticket is
worth one enrolment of one device, and says by fingerprint whom the device may tell it to.
"""

import re
from base64 import b32decode, b32encode
from binascii import Error as Base32Broken
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec

from protocols.errors import BadValue, PeerBroke
from protocols.sync.certified import CERTIFIED_BYTES_MAX, CertifiedKey, read_certified, write_certified
from protocols.sync.topics import SHARD_MAX
from protocols.values.ids import DeviceId, HospitalId, PlaceId, device_id, hospital_id, place_id
from protocols.values.instant import INSTANT_MAX, Instant

TICKET_WORD = "WARDSTOCK-1"
TICKET_LENGTH_MAX = 400
TOKEN_BYTES = 16
FINGERPRINT_BYTES = 32
"""SHA-256 of the authority's certificate, DER."""

PATH = "/enrolment/1"
AUTHORITY, ENROL, RENEW, KEYS = (f"{PATH}/{word}" for word in ("authority", "enrol", "renew", "keys"))
BODY_BYTES_MAX = 65_536
PEM_LENGTH_MAX = 8_000
BROKERS_MAX = 8
KEYS_MAX = 8

_HOST = re.compile(r"[a-z0-9.-]{1,253}|\[[0-9a-f:]{2,45}\]")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a QR code says: where to ask, for which device, with which token, and who must answer."""

    host: str
    port: int
    device: DeviceId
    token: str
    fingerprint: bytes

    def __post_init__(self) -> None:
        ticket_host(self.host)
        if not 1 <= self.port <= 65_535:
            raise BadValue(f"ticket: expected a port from 1 to 65535, got {self.port}")
        if len(_unbase32(self.token)) != TOKEN_BYTES or len(self.fingerprint) != FINGERPRINT_BYTES:
            raise BadValue(f"ticket: expected a token of {TOKEN_BYTES} and a fingerprint of {FINGERPRINT_BYTES} bytes")


def ticket_host(name: str) -> str:
    """Check a host name or address as a ticket can carry it. Raises `BadValue`."""
    if _HOST.fullmatch(name) is None:
        raise BadValue(f"host: expected a lower-case name or an address, IPv6 in brackets, got {name!r:.80}")
    return name


def token_text(drawn: bytes) -> str:
    """Return the text of a token's random bytes."""
    return _base32(drawn)


def write_ticket(ticket: Ticket) -> str:
    """Return what the QR code says."""
    where = f"{ticket.host}:{ticket.port}"
    return "/".join((TICKET_WORD, where, ticket.device, ticket.token, _base32(ticket.fingerprint))).upper()


def read_ticket(text: str) -> Ticket:
    """Read a ticket as it was scanned or typed. Raises `BadValue`."""
    parts = text.strip().split("/") if len(text) <= TICKET_LENGTH_MAX else []
    if len(parts) != 5 or parts[0].upper() != TICKET_WORD:
        raise BadValue(f"ticket: expected {TICKET_WORD}/HOST:PORT/DEVICE/TOKEN/FINGERPRINT, got {text!r:.60}")
    host, _, port = parts[1].lower().rpartition(":")
    if not port.isdecimal() or len(port) > 5:
        raise BadValue(f"ticket: expected HOST:PORT of central, got {parts[1]!r:.80}")
    return Ticket(host, int(port), device_id(parts[2].lower()), parts[3].upper(), _unbase32(parts[4].upper()))


def _base32(data: bytes) -> str:
    return b32encode(data).decode().rstrip("=")


def _unbase32(text: str) -> bytes:
    try:
        return b32decode(text + "=" * (-len(text) % 8))
    except (Base32Broken, ValueError) as error:
        raise BadValue("ticket: expected letters A-Z and digits 2-7; scan it again") from error


# --- what is said ---------------------------------------------------------------------------------------------------

_Pem = Annotated[str, msgspec.Meta(min_length=1, max_length=PEM_LENGTH_MAX)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Device = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9][a-z0-9._-]{0,63}\Z")]
"""The form of `ids.device_id`, held to while reading: what a stranger says may stand in a log."""
_Url = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_Keys = Annotated[tuple[msgspec.Raw, ...], msgspec.Meta(max_length=KEYS_MAX)]


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device shows its token and asks for a certificate for the key it made."""

    token: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    device: _Device
    csr: _Pem


class Renewing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device asks for a new certificate for the key it was enrolled with; the request is signed by that key."""

    device: _Device
    csr: _Pem


class _EnrolledText(msgspec.Struct, frozen=True):
    device: _Name
    hospital: _Name
    place: Annotated[str, msgspec.Meta(max_length=128)]
    shard: Annotated[int, msgspec.Meta(ge=0, le=SHARD_MAX)]
    key_id: _Name
    until: Annotated[int, msgspec.Meta(ge=0, le=INSTANT_MAX)]
    certificate: _Pem
    authority: _Pem
    root: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    brokers: Annotated[tuple[_Url, ...], msgspec.Meta(min_length=1, max_length=BROKERS_MAX)]
    keys: _Keys


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a device is given: its certificate, whom to believe, and where to speak. `until` ends the certificate."""

    device: DeviceId
    hospital: HospitalId
    place: PlaceId
    shard: int
    key_id: str
    until: Instant
    certificate: str
    authority: str
    root: bytes
    brokers: tuple[str, ...]
    keys: tuple[CertifiedKey, ...]


def write_asked(asked: Asking | Renewing) -> bytes:
    """Return the text of a request."""
    return msgspec.json.encode(asked)


def read_asking(text: bytes) -> Asking:
    """Read a request with a token. Raises `PeerBroke`."""
    return _read(text, Asking)


def read_renewing(text: bytes) -> Renewing:
    """Read a request for a new certificate. Raises `PeerBroke`."""
    return _read(text, Renewing)


def write_enrolled(said: Enrolled) -> bytes:
    """Return the text of an answer."""
    keys = tuple(msgspec.Raw(write_certified(key)) for key in said.keys)
    form = _EnrolledText(
        device=said.device,
        hospital=said.hospital,
        place=said.place,
        shard=said.shard,
        key_id=said.key_id,
        until=said.until,
        certificate=said.certificate,
        authority=said.authority,
        root=said.root,
        brokers=said.brokers,
        keys=keys,
    )
    return msgspec.json.encode(form)


def read_enrolled(text: bytes) -> Enrolled:
    """Read an answer; whether the root signed its keys is not looked at. Raises `PeerBroke`."""
    form = _read(text, _EnrolledText)
    try:
        return Enrolled(
            device=device_id(form.device),
            hospital=hospital_id(form.hospital),
            place=place_id(form.place),
            shard=form.shard,
            key_id=form.key_id,
            until=Instant(form.until),
            certificate=form.certificate,
            authority=form.authority,
            root=form.root,
            brokers=form.brokers,
            keys=tuple(read_certified(bytes(key)) for key in form.keys),
        )
    except BadValue as error:
        raise PeerBroke(f"enrolment: {error}") from error


def write_keys(keys: tuple[CertifiedKey, ...]) -> bytes:
    """Return the text of central's public keys with the root's word."""
    return msgspec.json.encode(tuple(msgspec.Raw(write_certified(key)) for key in keys))


def read_keys(text: bytes) -> tuple[CertifiedKey, ...]:
    """Read central's public keys; whether the root signed them is not looked at. Raises `PeerBroke`."""
    found = _read(text, _Keys, KEYS_MAX * CERTIFIED_BYTES_MAX)
    try:
        return tuple(read_certified(bytes(key)) for key in found)
    except BadValue as error:
        raise PeerBroke(f"enrolment: {error}") from error


def _read(text: bytes, form: type[T], most: int = BODY_BYTES_MAX) -> T:
    if len(text) > most:
        raise PeerBroke(f"enrolment: expected at most {most} bytes, got {len(text)}")
    try:
        return msgspec.json.decode(text, type=form)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise PeerBroke(f"enrolment: expected JSON of the form this version speaks; {error}") from error
