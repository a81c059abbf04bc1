"""Make, keep and check the daily signed statements of the storerooms.

The key that signs them is a file of its own, apart from the store and its backups; whoever has only the public half can
check a statement from the file alone. The rule that must not be broken: a statement is made from one read of the store,
and one that was made is never made again differently for the same day.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from sqlalchemy import Connection, func, select

from central.core.statement import BYTES_MAX, is_whole, read_sealed, seal
from central.errors import BadInput, NotReady
from central.links.keys import key_id_of
from central.services.stated import stated_of
from central.services.wards import standings
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_figures import first_days
from central.store.queries_master import Place, places
from central.store.tables.ledger import INCARNATION
from central.store.tables.statement import STATEMENT
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day

OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class Signer:
    """A key that signs statements, and the id by which its public half is known."""

    key: Ed25519PrivateKey
    key_id: str

    def sign(self, message: bytes) -> bytes:
        """Sign a message."""
        return self.key.sign(message)


def signer_at(path: Path) -> Signer:
    """Read the key at a path, or make one there (only its owner may read it) with its public half beside it, `.pub`.

    Raises `NotReady` for a file that is no such key or that others may read.
    """
    if not path.exists():
        _make(path)
    if path.stat().st_mode & 0o077:
        raise NotReady(f"statement key: expected {path.name} to be its owner's alone; run chmod 600 on it")
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (ValueError, TypeError, OSError) as error:
        raise NotReady(f"statement key: expected an Ed25519 key in {path.name}, got: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NotReady(f"statement key: expected an Ed25519 key in {path.name}, got another sort")
    return Signer(key, key_id_of(key.public_key()))


def _make(path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY), "wb") as file:
            file.write(private)
        path.with_suffix(".pub").write_bytes(public)
    except OSError as error:
        raise NotReady(f"statement key: expected to make one at {path}, got: {error.strerror}") from error


def checker_at(path: Path) -> tuple[Callable[[bytes, bytes], bool], str]:
    """Read a public key; returns what checks with it, and its id. Raises `BadInput`."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, OSError) as error:
        raise BadInput(f"public key: expected the .pub file of a statement key, got {path.name}: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise BadInput(f"public key: expected an Ed25519 key in {path.name}, got another sort")
    public = key

    def check(message: bytes, signature: bytes) -> bool:
        try:
            public.verify(signature, message)
        except InvalidSignature:
            return False
        return True

    return check, key_id_of(public)


def verify_file(path: Path, public: Path) -> tuple[bool, dict[str, Any], str]:
    """Check a statement from files alone: whether it is whole, what it says, and why not.

    Raises `BadInput` for files that cannot be read, and for a key that is none.
    """
    check, key_id = checker_at(public)
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise BadInput(f"statement: expected a readable file, got {path.name}: {error.strerror}") from error
    if len(raw) > BYTES_MAX:
        return False, {}, f"statement: expected at most {BYTES_MAX} bytes, got more"
    try:
        said, named, signature = read_sealed(raw.decode())
    except UnicodeDecodeError as error:
        return False, {}, f"statement: expected UTF-8 text, got a byte that is none at {error.start}"
    except BadInput as error:
        return False, {}, str(error)
    if named != key_id:
        return False, said, f"it names the key {named:.80}, this is {key_id}; ask for that one's .pub"
    if not is_whole(said, signature, check):
        return False, said, "something in it is not as it was signed"
    return True, said, ""


def make(store: Store, hospital: HospitalId, now: Instant, signer: Signer) -> dict[str, str]:
    """Make the statements of the business day that ended last where it has none yet; returns all of that day's.

    An earlier day that has none gets none. A storeroom of which nothing was known by the end of that day is not stated.
    """
    day = last_day(now)
    with store.read() as connection:
        rooms = standings(connection, hospital, now)
        since = _since(connection, hospital, [one.place for one in rooms])
        known = {room for room, first in since.items() if first <= day}
        said = {
            one.place.place: stated_of(connection, hospital, one, day, now) for one in rooms if one.place.place in known
        }
    rows = [
        {"hospital": hospital, "place": place, "day": day, "made_at": now, "key_id": signer.key_id}
        | {"text": seal(told, signer.key_id, signer.sign)}
        for place, told in said.items()
    ]
    with store.write() as connection:
        add_new(connection, STATEMENT, rows)
        return _kept(connection, hospital, day)


def so_far(store: Store, hospital: HospitalId, now: Instant, signer: Signer) -> dict[str, str]:
    """Make statements of the day that is not over, as it stands; they are not kept and take nobody's place."""
    today = business_day(now)
    with store.read() as connection:
        rooms = standings(connection, hospital, now)
        since = _since(connection, hospital, [one.place for one in rooms])
        return {
            one.place.place: seal(stated_of(connection, hospital, one, today, now), signer.key_id, signer.sign)
            for one in rooms
            if since[one.place.place] <= today
        }


def last_day(now: Instant) -> date:
    """Return the business day that ended last."""
    return business_day(now) - timedelta(days=1)


class Lacking(StrEnum):
    """Why a storeroom has no statement of a day."""

    NOT_OVER = "not_over"
    NOT_KNOWN = "not_known"
    NOT_MADE = "not_made"


def statements(store: Store, hospital: HospitalId, day: date) -> dict[str, str]:
    """Return the statements of a day by storeroom."""
    with store.read() as connection:
        return _kept(connection, hospital, day)


def lacking(store: Store, hospital: HospitalId, day: date, now: Instant) -> dict[str, Lacking]:
    """Return the storerooms that have no statement of a day, and why."""
    with store.read() as connection:
        made = _kept(connection, hospital, day)
        unstated = [room for room in places(connection, hospital) if room.place not in made]
        since = _since(connection, hospital, unstated)
        return {room.place: _why(day, now, since[room.place]) for room in unstated}


def _why(day: date, now: Instant, since: date) -> Lacking:
    if day > last_day(now):
        return Lacking.NOT_OVER
    return Lacking.NOT_KNOWN if since > day else Lacking.NOT_MADE


def _since(connection: Connection, hospital: HospitalId, rooms: Sequence[Place]) -> dict[str, date]:
    """Return the first day of which anything is known of some storerooms: a book moved, or a device wrote."""
    moved, began = first_days(connection, hospital, [room.place for room in rooms]), INCARNATION.c
    devices = [room.device for room in rooms if room.device]
    rows = connection.execute(
        select(began.device, func.min(began.first_at).label("at"))
        .where(began.hospital == hospital, began.device.in_(devices), began.head_seq >= 0)
        .group_by(began.device)
    )
    wrote = {row.device: business_day(Instant(row.at)) for row in rows}
    return {room.place: min(moved.get(room.place, date.max), wrote.get(room.device, date.max)) for room in rooms}


def _kept(connection: Connection, hospital: HospitalId, day: date) -> dict[str, str]:
    rows = connection.execute(STATEMENT.select().where(STATEMENT.c.hospital == hospital, STATEMENT.c.day == day))
    return {row.place: row.text for row in rows}
