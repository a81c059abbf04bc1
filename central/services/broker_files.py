"""The files of a mosquitto broker for this hospital: its configuration, its access list, its certificate.

    wardstock.conf      who may connect: only whoever shows a certificate of the hospital's authority, by its name
    wardstock.acl       who may say what: a device on its own topic, central on all of them
    authority.pem       whom the broker believes; revoked.pem, whom it no longer believes
    broker.pem .key     what it shows

The rule that must not be broken: the broker is never trusted to keep anything or to prove who spoke; signatures do.
Source: mosquitto.conf(5), sections "Certificate based SSL/TLS support", "acl_file".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from central.errors import NotReady
from central.links.authority import Wanted, make_revoked_list, pem
from central.links.key_files import write_public
from central.links.tls_files import OWN, load_issuer, make_pair
from protocols.sync.topics import ROOT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant

CONF, ACL, REVOKED, AUTHORITY, BROKER = "wardstock.conf", "wardstock.acl", "revoked.pem", "authority.pem", "broker"
PORT_TLS = 8883
PUBLISHED_BYTES_MAX = 300_000
"""Above the largest message of the sync, 256 KiB and its envelope."""


@dataclass(frozen=True, slots=True)
class BrokerWanted:
    """A broker to be: where its files go, the names it is reached by, its port."""

    folder: Path
    hosts: tuple[str, ...]
    port: int = PORT_TLS


def write_broker_files(
    wanted: BrokerWanted, keys: Path, hospital: HospitalId, revoked: Sequence[tuple[int, Instant]], now: Instant
) -> list[Path]:
    """Write a broker's files, over those of before; its key stays. Returns them. Raises `NotReady`."""
    issuer, folder = load_issuer(keys), wanted.folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotReady(f"broker's files: expected to make {folder}, got: {error.strerror}") from error
    certificate, key = make_pair(folder, BROKER, issuer, Wanted(wanted.hosts[0][:64], wanted.hosts, serves=True), now)
    texts = {
        AUTHORITY: pem(issuer[0]).encode(),
        REVOKED: make_revoked_list(issuer, revoked, now),
        ACL: access_list(hospital).encode(),
        CONF: configuration(wanted, folder.resolve()).encode(),
    }
    for name, text in texts.items():
        write_public(folder / name, text)
    return [*(folder / name for name in texts), certificate, key]


def access_list(hospital: HospitalId) -> str:
    """Return who may say and hear what; `%u` is the name in the certificate."""
    home = f"{ROOT}/{hospital}/+"
    return f"""# Who may say and hear what, by the name in the certificate. Made by `wardstock-central broker-conf`.
pattern write {home}/%u/up
pattern write {home}/%u/state
pattern read {home}/%u/down
pattern read {home}/%u/hint

user {OWN}
topic read {home}/+/up
topic read {home}/+/state
topic write {home}/+/down
topic write {home}/+/hint
"""


def configuration(wanted: BrokerWanted, folder: Path) -> str:
    """Return the broker's configuration; files are named by their full path, as mosquitto wants them."""
    return f"""# A broker for Wardstock: nobody without a certificate. Made by `wardstock-central broker-conf`.
per_listener_settings false
listener {wanted.port}
cafile {folder / AUTHORITY}
crlfile {folder / REVOKED}
certfile {folder / f"{BROKER}.pem"}
keyfile {folder / f"{BROKER}.key"}
require_certificate true
use_identity_as_username true
allow_anonymous false
acl_file {folder / ACL}
persistence false
message_size_limit {PUBLISHED_BYTES_MAX}
"""
