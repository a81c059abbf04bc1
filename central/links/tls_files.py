"""The authority and central's own certificates as files, beside the signing keys.

    authority.key authority.pem   the hospital's own authority: it signs certificates of devices, brokers and central
    server.key    server.pem      shown by the HTTPS end point of enrolment; made anew when half its time is over
    central.key   central.pem     shown by central to its brokers, under the name `central`

The rule that must not be broken: a private key here is made where it is used, and is its owner's alone.
"""

import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from central.errors import NotReady
from central.links.authority import SERVER_S, Issuer, Wanted, issue, make_authority, new_key, pem, serves
from central.links.key_files import check_private, read_small, write_private, write_public
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, to_datetime

AUTHORITY, SERVER, OWN = "authority", "server", "central"
OWN_HOSTS = ("central",)


def make_authority_files(folder: Path, hospital: HospitalId, now: Instant) -> list[Path]:
    """Make the hospital's authority unless it is there; returns the files made."""
    key_path, path = folder / f"{AUTHORITY}.key", folder / f"{AUTHORITY}.pem"
    if key_path.exists():
        return []
    key = new_key()
    write_public(path, pem(make_authority(key, f"Wardstock {hospital}"[:64], now)).encode())
    write_private(key_path, _key_pem(key))
    return [key_path, path]


def load_issuer(folder: Path) -> Issuer:
    """Return the authority. Raises `NotReady`."""
    return load_authority(folder), _load_key(folder / f"{AUTHORITY}.key")


def load_authority(folder: Path) -> x509.Certificate:
    """Return the authority's certificate. Raises `NotReady`."""
    return _load_certificate(folder / f"{AUTHORITY}.pem")


def keep_server(folder: Path, hosts: Sequence[str], now: Instant) -> tuple[Path, Path]:
    """Return certificate and key for serving under these names, made if they lack or grow old. Raises `NotReady`."""
    return _keep(folder, SERVER, Wanted(hosts[0][:64], tuple(hosts), serves=True), now)


def keep_own(folder: Path, now: Instant) -> tuple[Path, Path]:
    """Return certificate and key that central shows to brokers, made if they lack or grow old. Raises `NotReady`."""
    return _keep(folder, OWN, Wanted(OWN, OWN_HOSTS, asks=True), now)


def broker_tls(folder: Path, now: Instant) -> ssl.SSLContext:
    """Return how central speaks to brokers: it believes the hospital's authority and shows its own certificate.

    Raises `NotReady`.
    """
    certificate, key = keep_own(folder, now)
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=str(folder / f"{AUTHORITY}.pem"))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise NotReady(
            f"keys: expected {certificate.name} and {key.name} to be one pair in {folder}: {error}"
        ) from error
    return context


def make_pair(folder: Path, name: str, issuer: Issuer, wanted: Wanted, now: Instant) -> tuple[Path, Path]:
    """Write a certificate, and its key unless that stands there; returns both paths."""
    path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
    if not key_path.exists():
        write_private(key_path, _key_pem(new_key()))
    public = _load_key(key_path).public_key()
    write_public(path, pem(issue(issuer, wanted, public, SERVER_S, now)).encode())
    return path, key_path


def _keep(folder: Path, name: str, wanted: Wanted, now: Instant) -> tuple[Path, Path]:
    path, key_path = folder / f"{name}.pem", folder / f"{name}.key"
    if path.exists() and key_path.exists():
        check_private(key_path)
        standing = _load_certificate(path)
        if serves(standing, wanted.hosts, now) and to_datetime(now) >= standing.not_valid_before_utc:
            return path, key_path
    return make_pair(folder, name, load_issuer(folder), wanted, now)


def _load_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_small(path))
    except (ValueError, x509.InvalidVersion) as error:
        raise NotReady(f"keys: expected a certificate in {path}, got: {error}") from error


def _load_key(path: Path) -> EllipticCurvePrivateKey:
    check_private(path)
    try:
        key = load_pem_private_key(read_small(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotReady(f"keys: expected a P-256 key in {path}, got: {error}") from error
    if not isinstance(key, EllipticCurvePrivateKey):
        raise NotReady(f"keys: expected a P-256 key in {path}, got another sort")
    return key


def _key_pem(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
