"""The device's own key and what it was given at enrolment, as files in a folder beside edge.toml.

    device.key      this device's private key (PEM, its owner's alone); made here, it never leaves
    device.key.new  the key of an enrolment under way, or of one whose last step a power cut took
    enrolment.json  what central gave: certificate, authority, root, keys of central, brokers; replaced whole by rename
    device.pem      the certificate again, for the library that wants a file

The rule that must not be broken: a key that others may read is not used, and a root once given is never replaced by a
message, only by a person who enrols anew.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from edge_agent.errors import BadConfig, LinkFault
from edge_agent.links.keys import key_id_of
from protocols.errors import PeerBroke
from protocols.sync.enrolment import Enrolled, read_enrolled, write_enrolled

KEY, KEY_NEW, ENROLMENT, CERTIFICATE = "device.key", "device.key.new", "enrolment.json", "device.pem"
OWNER_ONLY, FOLDER_OWNER_ONLY = 0o600, 0o700
FILE_BYTES_MAX = 100_000
ENROL_IT = "make a ticket with `wardstock-central enrol` and take it in with `wardstock-edge enrol`"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What this device was given, and where it asks for the next certificate."""

    host: str
    port: int
    said: Enrolled


class _File(msgspec.Struct):
    host: Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65_535)]
    said: msgspec.Raw


def read_enrolment(folder: Path) -> Enrolment | None:
    """Return what this device was given, None before its enrolment. Raises `BadConfig`."""
    path = folder / ENROLMENT
    if not path.exists():
        return None
    try:
        file = msgspec.json.decode(_read(path), type=_File)
        return Enrolment(file.host, file.port, read_enrolled(bytes(file.said)))
    except (msgspec.MsgspecError, PeerBroke) as error:
        raise BadConfig(f"{path}: expected what central gave at enrolment; {error}; {ENROL_IT}") from error


def keep_enrolment(folder: Path, given: Enrolment) -> None:
    """Keep what central gave, in place of what it gave before. Raises `LinkFault`."""
    data = msgspec.json.encode(_File(given.host, given.port, msgspec.Raw(write_enrolled(given.said))))
    _replace(folder / ENROLMENT, data)
    _replace(folder / CERTIFICATE, given.said.certificate.encode())


def keep_keys(folder: Path, given: Enrolment, said: Enrolled) -> Enrolment:
    """Keep a newer answer of the same central. Raises `LinkFault` when it names another root or another key."""
    if (said.root, said.key_id, said.device) != (given.said.root, given.said.key_id, given.said.device):
        raise LinkFault(f"central answers with another root or key than this device was enrolled with; {ENROL_IT} anew")
    newer = replace(given, said=said)
    keep_enrolment(folder, newer)
    return newer


def load_key(folder: Path, key_id: str) -> Ed25519PrivateKey:
    """Return this device's key, the one that was enrolled. Raises `BadConfig`."""
    new = folder / KEY_NEW
    if new.exists() and key_id_of(_load(new).public_key()) == key_id:
        new.replace(folder / KEY)  # the enrolment's last step
    key = _load(folder / KEY)
    if key_id_of(key.public_key()) != key_id:
        raise BadConfig(f"{folder / KEY}: expected the key that was enrolled ({key_id}), got another; {ENROL_IT} anew")
    return key


def next_key(folder: Path) -> Ed25519PrivateKey:
    """Return the key for an enrolment, made if none is under way. Raises `BadConfig`, `LinkFault`."""
    path = folder / KEY_NEW
    if path.exists():
        return _load(path)
    key = Ed25519PrivateKey.generate()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_OWNER_ONLY)
    except OSError as error:
        raise LinkFault(f"{folder}: expected to keep a new key there, got: {error.strerror}") from error
    _replace(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def certificate_path(folder: Path, given: Enrolment) -> Path:
    """Return the file of the certificate as it was given last, written anew if it is another. Raises `LinkFault`."""
    path = folder / CERTIFICATE
    if not path.exists() or path.read_text("utf-8", errors="replace") != given.said.certificate:
        _replace(path, given.said.certificate.encode())
    return path


def _load(path: Path) -> Ed25519PrivateKey:
    try:
        mode = path.stat().st_mode & 0o777
    except OSError as error:
        raise BadConfig(f"{path}: expected this device's key, {error.strerror}; {ENROL_IT}") from error
    if mode & 0o077:
        raise BadConfig(f"{path}: expected it to be its owner's alone, its mode is {mode:o}; run chmod 600 on it")
    try:
        key = load_pem_private_key(_read(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BadConfig(f"{path}: expected an Ed25519 key in PEM, got: {error}; {ENROL_IT} anew") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BadConfig(f"{path}: expected an Ed25519 key, got another sort; {ENROL_IT} anew")
    return key


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise BadConfig(f"{path}: expected a readable file, {error.strerror}") from error
    if len(data) > FILE_BYTES_MAX:
        raise BadConfig(f"{path}: expected at most {FILE_BYTES_MAX} bytes, there are more")
    return data


def _replace(path: Path, data: bytes) -> None:
    new = path.with_name(path.name + ".part")
    try:
        new.unlink(missing_ok=True)
        _write(new, data)
        new.replace(path)
    except OSError as error:
        raise LinkFault(f"{path}: expected to write it, got: {error.strerror}") from error


def _write(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
