"""Central's private keys as files: each its owner's alone, each beside the root's word that says what it may sign.

    root.pub                     the root's public half; its private half is kept offline, on a medium of its own
    sync-N.key    sync-N.cert    what signs everything that goes down; the lowest N is in use, the next one follows it
    policy-N.key  policy-N.cert  what signs policy
    statement.key statement.cert what signs the daily statements and heads; where [statements] says, best apart

Keys are PEM (PKCS#8), certificates the JSON of `protocols.sync.certified`. Not here: TLS certificates, see `authority`.
The rule that must not be broken: a key that others may read, that is of another kind, that the root has not signed or
whose time is over is not used; the message says which, and what to do.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from central.errors import NotReady
from central.links.keys import is_certified
from protocols.errors import BadValue
from protocols.sync.certified import CertifiedKey, KeyKind, read_certified, write_certified
from protocols.values.instant import Instant, to_iso

OWNER_ONLY = 0o600
FOLDER_OWNER_ONLY = 0o700
ROOT_PUBLIC = "root.pub"
KEY_BYTES_MAX = 10_000
"""Most bytes of a key's file that are read."""
PART = ".part"
"""The ending of a file that is being written; a power cut may leave one, and it is read by nobody."""
KEYS_STANDING_MAX = 2
"""The key in use and the one that follows it; edges believe both."""

MAKE_THEM = "make the keys with `wardstock-central keys init`"

_NUMBERED = re.compile(r"([a-z]+)-([1-9][0-9]{0,8})\.key")


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key of central with the root's word about it."""

    private: Ed25519PrivateKey
    certified: CertifiedKey

    @property
    def key_id(self) -> str:
        """The name under which edges know its public half."""
        return self.certified.key_id

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        return self.private.sign(message)


def load_signing_key(folder: Path, kind: KeyKind, now: Instant) -> SigningKey:
    """Return the key of a kind that is in use: the lowest number in the folder. Raises `NotReady`."""
    return load_key_at(folder / f"{_numbers(folder, kind)[0].name}.key", kind, load_root(folder), now)


def load_certified(folder: Path, kind: KeyKind) -> tuple[CertifiedKey, ...]:
    """Return the public halves of a kind with the root's word: the one in use first, then the next. Raises `NotReady`.

    Their time is not looked at: an edge may be told of a key before it is used and after.
    """
    root = load_root(folder)
    found = _numbers(folder, kind)[:KEYS_STANDING_MAX]
    return tuple(_load_certificate(folder / f"{each.name}.cert", kind, root) for each in found)


def load_key_at(path: Path, kind: KeyKind, root: Ed25519PublicKey, now: Instant) -> SigningKey:
    """Return the key in a file, with the certificate beside it (`.cert`). Raises `NotReady` when it may not be used."""
    private = load_private(path)
    certified = _load_certificate(path.with_suffix(".cert"), kind, root)
    if public_bytes(private.public_key()) != certified.public:
        raise NotReady(f"{kind} key: expected {path.name} and its .cert to be one pair, they are not; restore both")
    if now > certified.until:
        raise NotReady(
            f"{kind} key: {certified.key_id} could be used until {to_iso(certified.until)}; "
            "make the next one with `wardstock-central keys rotate`"
        )
    return SigningKey(private, certified)


def load_root(folder: Path) -> Ed25519PublicKey:
    """Return the root's public half. Raises `NotReady`."""
    path = folder / ROOT_PUBLIC
    try:
        key = load_pem_public_key(read_small(path))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise NotReady(f"keys: expected the root's public key in {path}, got: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise NotReady(f"keys: expected an Ed25519 key in {path}, got another sort")
    return key


def load_private(path: Path) -> Ed25519PrivateKey:
    """Return the private key of a file that only its owner may read. Raises `NotReady`."""
    check_private(path)
    try:
        key = load_pem_private_key(read_small(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NotReady(f"keys: expected an Ed25519 key in {path}, got: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NotReady(f"keys: expected an Ed25519 key in {path}, got another sort")
    return key


def check_private(path: Path) -> None:
    """Check that a private file is there and its owner's alone. Raises `NotReady`."""
    try:
        mode = path.stat().st_mode & 0o777
    except OSError as error:
        raise NotReady(f"keys: expected {path}: {error.strerror}; {MAKE_THEM}") from error
    if mode & 0o077:
        raise NotReady(f"keys: expected {path} to be its owner's alone, its mode is {mode:o}; run chmod 600 on it")


def read_small(path: Path) -> bytes:
    """Return a small file's bytes. Raises `NotReady`."""
    try:
        with path.open("rb") as file:
            data = file.read(KEY_BYTES_MAX + 1)
    except OSError as error:
        raise NotReady(f"keys: expected {path}: {error.strerror}; {MAKE_THEM}") from error
    if len(data) > KEY_BYTES_MAX:
        raise NotReady(f"keys: expected at most {KEY_BYTES_MAX} bytes in {path}, there are more")
    return data


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its owner may read, and never over another. Raises `NotReady`."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotReady(f"keys: expected to make {path}, got: {error.strerror}; what stands there is kept") from error


def write_public(path: Path, data: bytes) -> None:
    """Write a file that everybody may read, whole or not at all: it may replace one in use. Raises `NotReady`."""
    part = path.with_name(f"{path.name}.{os.getpid()}{PART}")  # several processes of one central start together
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise NotReady(f"keys: expected to write {path}, got: {error.strerror}") from error


def write_key(path: Path, private: Ed25519PrivateKey) -> None:
    """Write a private key as PEM, its owner's alone."""
    write_private(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def write_public_key(path: Path, public: Ed25519PublicKey) -> None:
    """Write a public key as PEM."""
    write_public(path, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def write_certificate(path: Path, certified: CertifiedKey) -> None:
    """Write the root's word about a key."""
    write_public(path, write_certified(certified) + b"\n")


def public_bytes(public: Ed25519PublicKey) -> bytes:
    """Return a public key's 32 bytes."""
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


@dataclass(frozen=True, slots=True, order=True)
class NumberedKey:
    """One file of a kind, such as `sync-2`."""

    number: int
    name: str


def numbered(folder: Path, kind: KeyKind) -> list[NumberedKey]:
    """Return the keys of a kind in a folder, the lowest number first."""
    try:
        names = [path.name for path in folder.iterdir()]
    except OSError:
        return []
    matches = [match for match in map(_NUMBERED.fullmatch, names) if match is not None and match[1] == kind]
    return sorted(NumberedKey(int(match[2]), f"{kind}-{match[2]}") for match in matches)


def _numbers(folder: Path, kind: KeyKind) -> list[NumberedKey]:
    found = numbered(folder, kind)
    if not found:
        raise NotReady(f"keys: expected a file such as {kind}-1.key in {folder}, there is none; {MAKE_THEM}")
    return found


def read_certificate(path: Path) -> CertifiedKey:
    """Return what a certificate's file says; whether the root signed it is not looked at. Raises `NotReady`."""
    try:
        return read_certified(read_small(path).strip())
    except BadValue as error:
        raise NotReady(f"keys: {path}: {error}") from error


def _load_certificate(path: Path, kind: KeyKind, root: Ed25519PublicKey) -> CertifiedKey:
    certified = read_certificate(path)
    if certified.kind is not kind:
        raise NotReady(f"keys: expected a key that signs {kind} in {path}, got one for {certified.kind}")
    if not is_certified(root, certified):
        raise NotReady(f"keys: expected the root's signature in {path}, got another; certify it with the root again")
    return certified
