"""The hospital's own certificate authority: certificates for devices, for central and for its brokers (RFC 5280).

Only what this product needs: one authority without a level between, P-256 for what we make ourselves, whatever key a
device brings. Instants and serial numbers come in as arguments. Not here: files, see `tls_files`; who may have a
certificate, see `services/enrolment`. The rule that must not be broken: a device's certificate names the device and
nothing that its request says of itself.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from central.errors import BadInput
from protocols.values.instant import Instant, plus, to_datetime

DAY_S = 86_400.0
AUTHORITY_S = 20 * 366 * DAY_S
SERVER_S = 825 * DAY_S
"""Certificates of central and of brokers; central makes its own anew when half of it is over."""
DEVICE_S = 90 * DAY_S
BACKDATED_S = 3_600.0
"""A certificate begins so much earlier: a device's clock may be late."""
REVOKED_LIST_S = 20 * 366 * DAY_S
"""A list of revoked certificates that ends would stop every device; it is replaced when it changes."""

Issuer = tuple[x509.Certificate, EllipticCurvePrivateKey]
"""An authority's certificate and key."""
Public = EllipticCurvePublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate to be: whose name it carries, the names it serves under, and whether it may serve, ask or both."""

    name: str
    hosts: tuple[str, ...] = ()
    serves: bool = False
    asks: bool = False


def new_key() -> EllipticCurvePrivateKey:
    """Make a key for what we serve ourselves."""
    return generate_private_key(SECP256R1())


def make_authority(key: EllipticCurvePrivateKey, name: str, now: Instant) -> x509.Certificate:
    """Return the authority's own certificate."""
    subject = _name(name)
    return (
        _builder(subject, now, AUTHORITY_S)
        .issuer_name(subject)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def issue(issuer: Issuer, wanted: Wanted, public: Public, lifetime_s: float, now: Instant) -> x509.Certificate:
    """Return a certificate for a public key."""
    certificate, key = issuer
    uses = [ExtendedKeyUsageOID.SERVER_AUTH] * wanted.serves + [ExtendedKeyUsageOID.CLIENT_AUTH] * wanted.asks
    made = (
        _builder(_name(wanted.name), now, lifetime_s)
        .issuer_name(certificate.subject)
        .public_key(public)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    if wanted.hosts:
        made = made.add_extension(x509.SubjectAlternativeName([_host(one) for one in wanted.hosts]), critical=False)
    return made.sign(key, SHA256())


def device_key_in(request: str) -> Ed25519PublicKey:
    """Return the key of a device's request (PEM), which it must have signed. Raises `BadInput`."""
    try:
        read = x509.load_pem_x509_csr(request.encode())
        public = read.public_key()
        whole = read.is_signature_valid
    except (ValueError, x509.InvalidVersion, UnsupportedAlgorithm, InvalidSignature) as error:
        raise BadInput("certificate request: expected PKCS#10 in PEM; update the agent") from error
    if not isinstance(public, Ed25519PublicKey):
        raise BadInput("certificate request: expected an Ed25519 key; update the agent")
    if not whole:
        raise BadInput("certificate request: expected its own key's signature, got another; make it again")
    return public


def make_revoked_list(issuer: Issuer, serials: Iterable[tuple[int, Instant]], now: Instant) -> bytes:
    """Return the list of revoked certificates as PEM."""
    certificate, key = issuer
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(certificate.subject)
        .last_update(to_datetime(plus(now, -BACKDATED_S)))
        .next_update(to_datetime(plus(now, REVOKED_LIST_S)))
    )
    for serial, at in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(to_datetime(at)).build()
        made = made.add_revoked_certificate(revoked)
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM)


def fingerprint(certificate: x509.Certificate) -> bytes:
    """Return the SHA-256 of a certificate's bytes."""
    return hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest()


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(Encoding.PEM).decode()


def serves(certificate: x509.Certificate, hosts: Sequence[str], now: Instant) -> bool:
    """Tell whether a server's certificate is for these names and in its first half."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return list(names) == [_host(one) for one in hosts] and to_datetime(now) < begins + (ends - begins) / 2


def _builder(subject: x509.Name, now: Instant, lifetime_s: float) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .serial_number(x509.random_serial_number())
        .not_valid_before(to_datetime(plus(now, -BACKDATED_S)))
        .not_valid_after(to_datetime(plus(now, lifetime_s)))
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(text.strip("[]")))
    except ValueError:
        return x509.DNSName(text)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
