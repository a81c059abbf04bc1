"""Make, keep and check the daily signed statements of the storerooms.

The key that signs them is a file of its own, apart from the store and its backups; whoever has only the public half can
check a statement from the file alone. The rule that must not be broken: a statement is made from one read of the store,
and one that was made is never made again differently for the same day.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
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
from sqlalchemy import Connection, select

from central.core.certainty import certainty
from central.core.reconcile import Line, UnitState, lines_in, match_of, presence_in
from central.core.statement import BYTES_MAX, LedgerHead, Stated, StatedLine, content, is_whole, read_sealed, seal
from central.errors import BadInput, NotReady, NotThere
from central.links.keys import key_id_of
from central.services.policy import rules_at
from central.services.reconcile import bounds_of
from central.services.wards import Standing, standings
from central.store.engine import Store
from central.store.merge import add_new
from central.store.queries_book import loose_in, units_of
from central.store.queries_evidence import duties_of
from central.store.queries_work import discrepancies
from central.store.tables.ledger import DEVICE, INCARNATION
from central.store.tables.statement import STATEMENT
from protocols.errors import ProtocolsError
from protocols.movements import DutyBody, read_body
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, to_iso

OWNER_ONLY = 0o600
DAILY_CHECK = "daily_check"


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
    """Check a statement from files alone: whether it is whole, what it says, and why not. Raises `BadInput`."""
    try:
        if path.stat().st_size > BYTES_MAX:
            raise BadInput(f"statement: expected at most {BYTES_MAX} bytes, got {path.stat().st_size}")
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"statement: expected a readable file, got {path.name}: {error}") from error
    check, key_id = checker_at(public)
    said, named, signature = read_sealed(text)
    if named != key_id:
        return False, said, f"it names the key {named}, this is {key_id}; ask for that one's .pub"
    if not is_whole(said, signature, check):
        return False, said, "something in it is not as it was signed"
    return True, said, ""


def make(
    store: Store, hospital: HospitalId, now: Instant, signer: Signer, *, day: date | None = None
) -> dict[str, str]:
    """Make the statements of every storeroom for a business day that has none yet; returns all of that day's.

    A day that is over and has none gets none: only the day of `now` can still be stated.
    """
    today = business_day(now)
    wanted = day or today
    if wanted == today:
        with store.read() as connection:
            sealed = {
                one.place.place: seal(_stated(connection, hospital, one, now), signer.key_id, signer.sign)
                for one in standings(connection, hospital, now)
            }
        rows = [
            {"hospital": hospital, "place": place, "day": today, "made_at": now, "key_id": signer.key_id, "text": text}
            for place, text in sealed.items()
        ]
        with store.write() as connection:
            add_new(connection, STATEMENT, rows)
    return statements(store, hospital, wanted)


def statements(store: Store, hospital: HospitalId, day: date) -> dict[str, str]:
    """Return the statements of a day by storeroom. Raises `NotThere` when there is none."""
    with store.read() as connection:
        rows = connection.execute(STATEMENT.select().where(STATEMENT.c.hospital == hospital, STATEMENT.c.day == day))
        found = {row.place: row.text for row in rows}
    if not found:
        raise NotThere(f"statement: expected a day that was stated, got {day}; one is made at the end of each day")
    return found


def _stated(connection: Connection, hospital: HospitalId, one: Standing, now: Instant) -> dict[str, Any]:
    place, rules = one.place.place, rules_at(connection, hospital, now)
    units = units_of(connection, hospital, place)
    loose = loose_in(connection, hospital, place)
    lines = lines_in(place, units, loose, bounds_of(rules).here)
    return content(
        Stated(
            hospital=hospital,
            place=place,
            day=business_day(now),
            at=now,
            head=_head(connection, hospital, one.place.device),
            match=match_of(lines),
            lines=sure_lines(place, lines, units, loose),
            discrepancies=[
                {
                    "id": found.id,
                    "kind": found.kind,
                    "item": found.item,
                    "lot": found.lot,
                    "unit": found.unit,
                    "opened_at": to_iso(found.opened_at),
                }
                for found in discrepancies(connection, hospital, status="open", place=place)
            ],
            readers=_readers(one) | _coverage(connection, hospital, one.place.device),
            policy_version=rules.version,
        )
    )


def sure_lines(
    place: str, lines: list[Line], units: list[UnitState], loose: dict[tuple[str, str], int]
) -> list[StatedLine]:
    """Return each line with how sure it is; a piece that no reader ever spoke of counts as loose."""
    chances: dict[tuple[str, str], list[float]] = {}
    unheard: dict[tuple[str, str], int] = {}
    for unit in units:
        key, chance = (unit.item, unit.lot), presence_in(unit, place)
        if unit.heard() is None:
            unheard[key] = unheard.get(key, 0) + round(chance)
        else:
            chances.setdefault(key, []).append(chance)
    return [
        StatedLine(
            line,
            certainty(
                line.book,
                chances.get((line.item, line.lot), []),
                loose.get((line.item, line.lot), 0) + unheard.get((line.item, line.lot), 0),
            ),
        )
        for line in lines
    ]


def _readers(one: Standing) -> dict[str, Any]:
    seen = one.seen
    return {
        "device": one.place.device,
        "last_contact": None if seen is None or seen.last_seen_at is None else to_iso(seen.last_seen_at),
        "offline": one.offline,
        "status": "" if seen is None else seen.status,
        "entries_pending": 0 if seen is None else seen.pending,
    }


def _coverage(connection: Connection, hospital: HospitalId, device: str) -> dict[str, Any]:
    """Return for how much of the day before the last daily check each antenna listened, as the device recorded it.

    `coverage` is the mean over antennas; all None where no device has recorded any.
    """
    for entry in duties_of(connection, hospital, device):
        try:
            body = read_body(entry.body, DutyBody)
        except ProtocolsError:
            continue
        if body.duty == DAILY_CHECK and body.heard:
            shares = {name: f"{told / 1000:.3f}" for name, told in sorted(body.heard.items())}
            mean = sum(body.heard.values()) / len(body.heard) / 1000
            return {"antennas": shares, "coverage": f"{mean:.3f}", "covered_until": to_iso(entry.at)}
    return {"antennas": None, "coverage": None, "covered_until": None}


def _head(connection: Connection, hospital: HospitalId, device: str) -> LedgerHead | None:
    row = connection.execute(
        select(INCARNATION)
        .join(
            DEVICE, (DEVICE.c.hospital == INCARNATION.c.hospital) & (DEVICE.c.incarnation == INCARNATION.c.incarnation)
        )
        .where(DEVICE.c.hospital == hospital, DEVICE.c.device == device)
    ).first()
    if row is None:
        return None
    return LedgerHead(device, bytes(row.incarnation).hex(), row.head_seq, bytes(row.head_hash).hex())
