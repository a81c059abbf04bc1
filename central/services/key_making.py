"""Make central's keys and have the root certify them; the root's private half is read from its medium and forgotten.

Two keys of a kind stand at a time, the one in use and the one that follows, so that edges know the next before it is
used. The rule that must not be broken: a key that stands is never written over, and the root is never copied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from central.errors import BadInput, NotReady
from central.links.key_files import (
    FOLDER_OWNER_ONLY,
    KEYS_STANDING_MAX,
    ROOT_PUBLIC,
    load_private,
    load_root,
    numbered,
    public_bytes,
    read_certificate,
    write_certificate,
    write_key,
    write_public_key,
)
from central.links.keys import certify, is_certified, key_id_of
from central.links.tls_files import make_authority_files
from central.services.statements import signer_at
from protocols.sync.certified import KeyKind
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus

ROOT_PRIVATE = "root.key"
KEY_S = 5 * 366 * 86_400.0
"""How long a service key may sign; they are meant to be rotated each year."""
ROTATED = (KeyKind.SYNC, KeyKind.POLICY)
REPLACED = ".replaced"
"""What a key's file is called once another took its place; it signs nothing more and may be destroyed."""


@dataclass(frozen=True, slots=True)
class Where:
    """Whose keys, and where they are: the root's medium, the service's folder, the file of the statements' key."""

    hospital: HospitalId
    root: Path
    folder: Path
    statement: Path


def make_keys(where: Where, now: Instant) -> list[Path]:
    """Make whatever is lacking of a hospital's keys; returns the files made. Doing it again makes nothing.

    Raises `BadInput` when the root's folder lies in the service's, `NotReady` for a file that cannot be made or read.
    """
    _check_apart(where)
    made: list[Path] = []
    root = _root(where, made)
    _take_root(where.folder, root.public_key(), made)
    until = plus(now, KEY_S)
    for kind in ROTATED:
        standing = numbered(where.folder, kind)
        last = standing[-1].number if standing else 0
        numbers = range(last + 1, last + 1 + KEYS_STANDING_MAX - len(standing))
        made += [_make(root, where.folder, kind, number, until) for number in numbers]
    made += _certify_statements(root, where.statement, until)
    return made + make_authority_files(where.folder, where.hospital, now)


def rotate_keys(where: Where, now: Instant, kinds: Sequence[KeyKind] = ROTATED) -> list[Path]:
    """Put the next key of each kind to use and make the one after it; returns the files made.

    What was in use is set aside under another name. Raises `NotReady` when there is no next one.
    """
    root = _open_root(where.root)
    _take_root(where.folder, root.public_key(), [])
    made = []
    for kind in kinds:
        standing = numbered(where.folder, kind)
        if len(standing) < KEYS_STANDING_MAX:
            raise NotReady(f"keys: expected two {kind} keys in {where.folder}, got {len(standing)}; run `keys init`")
        made.append(_make(root, where.folder, kind, standing[-1].number + 1, plus(now, KEY_S)))
        for ending in (".key", ".cert"):
            old = where.folder / f"{standing[0].name}{ending}"
            old.rename(old.with_name(old.name + REPLACED))
    return made


def _check_apart(where: Where) -> None:
    if where.root.resolve().is_relative_to(where.folder.resolve()):
        raise BadInput(
            f"--root: expected a folder apart from the service's keys, best on a medium that is taken out, got "
            f"{where.root} within {where.folder}"
        )


def _root(where: Where, made: list[Path]) -> Ed25519PrivateKey:
    """Return the root, made only where this service never had one."""
    folder, path = where.root, where.root / ROOT_PRIVATE
    if not path.exists() and not (where.folder / ROOT_PUBLIC).exists():
        _make_folder(folder)
        key = Ed25519PrivateKey.generate()
        write_key(path, key)
        write_public_key(folder / ROOT_PUBLIC, key.public_key())
        made += [path, folder / ROOT_PUBLIC]
    return _open_root(folder)


def _open_root(folder: Path) -> Ed25519PrivateKey:
    if not (folder / ROOT_PRIVATE).exists():
        raise NotReady(f"--root: expected {ROOT_PRIVATE} in {folder}; put the root's medium in")
    return load_private(folder / ROOT_PRIVATE)


def _take_root(folder: Path, root: Ed25519PublicKey, made: list[Path]) -> None:
    """Keep the root's public half beside the service's keys. Raises `NotReady` when another stands there."""
    if not (folder / ROOT_PUBLIC).exists():
        _make_folder(folder)
        write_public_key(folder / ROOT_PUBLIC, root)
        made.append(folder / ROOT_PUBLIC)
    if public_bytes(load_root(folder)) != public_bytes(root):
        raise NotReady(f"--root: expected the root whose {ROOT_PUBLIC} is in {folder}, got another; put that one in")


def _make(root: Ed25519PrivateKey, folder: Path, kind: KeyKind, number: int, until: Instant) -> Path:
    name = f"{kind}-{number}"
    key = Ed25519PrivateKey.generate()
    certified = certify(root, name, key.public_key(), kind=kind, until=until)
    write_certificate(folder / f"{name}.cert", certified)  # first: a key without one stops the service
    write_key(folder / f"{name}.key", key)
    return folder / f"{name}.key"


def _certify_statements(root: Ed25519PrivateKey, path: Path, until: Instant) -> list[Path]:
    certificate = path.with_suffix(".cert")
    made = [] if path.exists() else [path]
    public = signer_at(path).key.public_key()
    if certificate.exists() and is_certified(root.public_key(), read_certificate(certificate)):
        return made
    certified = certify(root, key_id_of(public), public, kind=KeyKind.HEAD, until=until)
    write_certificate(certificate, certified)
    return [*made, certificate]


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_OWNER_ONLY)
    except OSError as error:
        raise NotReady(f"keys: expected to make {folder}, got: {error.strerror}") from error
