"""People read back and written: accounts with their roles, sessions, tokens, invitations.

No rule lives here. The rule that must not be broken: a secret is looked up by its hash, and never leaves as a row.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, bindparam, delete, func, select

from central.core.rights import Caller, Grant, caller_of, grants_of
from central.core.signin import Attempts
from central.store.prepared import Prepared
from central.store.tables.people import API_TOKEN, INVITATION, PERSON, PERSON_ROLE, RECOVERY_CODE, SESSION
from protocols.values.ids import ActorId, HospitalId
from protocols.values.instant import Instant

SESSIONS_MAX = 5
"""Browsers one person may be signed in at; the oldest is signed out by the next."""


@dataclass(frozen=True, slots=True)
class Person:
    """One account; `has_password` and `has_totp` tell what signing in asks for."""

    person: ActorId
    name: str
    active: bool
    grants: tuple[Grant, ...]
    attempts: Attempts
    password_hash: str
    totp_secret: str
    made_at: Instant
    source: str = ""
    totp_step: int = 0

    def caller(self, *, read_only: bool = False) -> Caller:
        """Return who asks when this person does."""
        return caller_of(self.person, self.name, self.grants, read_only)


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's session."""

    person: ActorId
    made_at: Instant
    seen_at: Instant


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program's token."""

    person: ActorId
    name: str
    read_only: bool
    ends_at: Instant


def has_people(connection: Connection, hospital: HospitalId) -> bool:
    """Tell whether there is any account."""
    return connection.execute(select(PERSON.c.person).where(PERSON.c.hospital == hospital).limit(1)).first() is not None


def people(connection: Connection, hospital: HospitalId, *, person: str | None = None) -> list[Person]:
    """Return the accounts in the order of their staff numbers, or the one asked for."""
    chosen = PERSON.select().where(PERSON.c.hospital == hospital).order_by(PERSON.c.person)
    held = PERSON_ROLE.select().where(PERSON_ROLE.c.hospital == hospital)
    if person is not None:
        chosen, held = chosen.where(PERSON.c.person == person), held.where(PERSON_ROLE.c.person == person)
    roles: dict[str, list[tuple[str, str]]] = {}
    for row in connection.execute(held):
        roles.setdefault(row.person, []).append((row.role, row.place))
    return [
        Person(
            person=ActorId(row.person),
            name=row.name,
            active=row.active,
            grants=grants_of(roles.get(row.person, ())),
            attempts=Attempts(row.failures, row.locked_until),
            password_hash=row.password_hash,
            totp_secret=row.totp_secret,
            made_at=Instant(row.made_at),
            source=row.source,
            totp_step=row.totp_step,
        )
        for row in connection.execute(chosen)
    ]


def add_person(connection: Connection, hospital: HospitalId, person: ActorId, name: str, now: Instant) -> None:
    """Insert an account without password or role."""
    connection.execute(PERSON.insert().values(hospital=hospital, person=person, name=name, made_at=now))


def change_person(connection: Connection, hospital: HospitalId, person: ActorId, **values: object) -> None:
    """Change columns of an account."""
    connection.execute(PERSON.update().where(PERSON.c.hospital == hospital, PERSON.c.person == person).values(**values))


def keep_attempts(connection: Connection, hospital: HospitalId, person: ActorId, attempts: Attempts) -> None:
    """Store the failures of an account."""
    change_person(connection, hospital, person, failures=attempts.failures, locked_until=attempts.locked_until)


def set_grants(connection: Connection, hospital: HospitalId, person: ActorId, grants: Iterable[Grant]) -> None:
    """Replace the roles of an account."""
    mine = (PERSON_ROLE.c.hospital == hospital, PERSON_ROLE.c.person == person)
    connection.execute(delete(PERSON_ROLE).where(*mine))
    rows = [
        {"hospital": hospital, "person": person, "role": str(grant.role), "place": place}
        for grant in grants
        for place in sorted(map(str, grant.places)) or [""]
    ]
    if rows:
        connection.execute(PERSON_ROLE.insert(), rows)


def add_session(
    connection: Connection, hospital: HospitalId, secret_hash: bytes, person: ActorId, now: Instant
) -> None:
    """Open a session, closing the oldest beyond the limit."""
    connection.execute(
        SESSION.insert().values(hospital=hospital, secret_hash=secret_hash, person=person, made_at=now, seen_at=now)
    )
    mine = (SESSION.c.hospital == hospital, SESSION.c.person == person)
    newest = select(SESSION.c.secret_hash).where(*mine).order_by(SESSION.c.made_at.desc()).limit(SESSIONS_MAX)
    kept = [row.secret_hash for row in connection.execute(newest)]
    connection.execute(delete(SESSION).where(*mine, SESSION.c.secret_hash.not_in(kept)))


def session(connection: Connection, hospital: HospitalId, secret_hash: bytes) -> Session | None:
    """Find a session."""
    row = connection.execute(
        SESSION.select().where(SESSION.c.hospital == hospital, SESSION.c.secret_hash == secret_hash)
    ).first()
    return None if row is None else Session(ActorId(row.person), Instant(row.made_at), Instant(row.seen_at))


_SAID = ("person", "name", "active", "password_hash", "totp_secret", "totp_step", "source")
_COUNTED = ("failures", "locked_until", "made_at")


def _holders(held: Table, *said: ColumnElement[Any]) -> Select[Any]:
    """Return the question who holds a session or a token: a row of each role, with what the session or token says."""
    person, role = PERSON.c, PERSON_ROLE.c
    return (
        select(role.role, role.place, *(person[name] for name in (*_SAID, *_COUNTED)), *said)
        .join_from(held, PERSON, (person.hospital == held.c.hospital) & (person.person == held.c.person))
        .outerjoin(PERSON_ROLE, (role.hospital == person.hospital) & (role.person == person.person))
        .where(
            held.c.hospital == bindparam("hospital"),
            held.c.secret_hash == bindparam("secret_hash"),
            person.active.is_(True),
        )
        .order_by(role.role, role.place)
    )


_BY_SESSION = Prepared(_holders(SESSION, SESSION.c.made_at.label("opened_at"), SESSION.c.seen_at))
_BY_TOKEN = Prepared(
    _holders(
        API_TOKEN, API_TOKEN.c.name.label("token"), API_TOKEN.c.read_only.label("reads"), API_TOKEN.c.ends_at
    ).where(API_TOKEN.c.revoked.is_(False))
)


def session_holder(connection: Connection, hospital: HospitalId, secret_hash: bytes) -> tuple[Session, Person] | None:
    """Find a session with the active account that holds it."""
    rows = _BY_SESSION.rows(connection, hospital=hospital, secret_hash=secret_hash)
    if not rows:
        return None
    held, (opened_at, seen_at) = _held_by(rows)
    return Session(held.person, Instant(opened_at), Instant(seen_at)), held


def token_holder(connection: Connection, hospital: HospitalId, secret_hash: bytes) -> tuple[ApiToken, Person] | None:
    """Find a token that was not revoked with the active account it acts for."""
    rows = _BY_TOKEN.rows(connection, hospital=hospital, secret_hash=secret_hash)
    if not rows:
        return None
    held, (name, reads, ends_at) = _held_by(rows)
    return ApiToken(held.person, name, bool(reads), Instant(ends_at)), held


def _held_by(rows: Sequence[tuple[Any, ...]]) -> tuple[Person, Sequence[Any]]:
    """Return the account of some rows, and what its session or token says."""
    _, _, person, name, active, password_hash, totp_secret, totp_step, source, *rest = rows[0]
    failures, locked_until, made_at, *said = rest
    grants = grants_of((role, place) for role, place, *_ in rows if role is not None)
    attempts = Attempts(failures, locked_until)
    found = Person(
        *(ActorId(person), name, bool(active), grants, attempts),
        *(password_hash, totp_secret, Instant(made_at), source, totp_step),
    )
    return found, said


def touch_session(connection: Connection, hospital: HospitalId, secret_hash: bytes, now: Instant) -> None:
    """Note that a session was used."""
    connection.execute(
        SESSION.update().where(SESSION.c.hospital == hospital, SESSION.c.secret_hash == secret_hash).values(seen_at=now)
    )


def end_sessions(
    connection: Connection, hospital: HospitalId, *, person: ActorId | None = None, secret_hash: bytes | None = None
) -> None:
    """Close one session, or every session of a person."""
    if (person is None) == (secret_hash is None):
        raise ValueError("expected either a person or one session")
    which = SESSION.c.person == person if secret_hash is None else SESSION.c.secret_hash == secret_hash
    connection.execute(delete(SESSION).where(SESSION.c.hospital == hospital, which))


def end_sessions_before(connection: Connection, hospital: HospitalId, person: ActorId, made_before: Instant) -> None:
    """Close the sessions of a person that were opened before an instant."""
    mine = (SESSION.c.hospital == hospital, SESSION.c.person == person, SESSION.c.made_at < made_before)
    connection.execute(delete(SESSION).where(*mine))


def of_sources(connection: Connection, hospital: HospitalId) -> list[tuple[ActorId, str]]:
    """Return who holds a session or a token and is kept elsewhere, with the source."""
    held = select(SESSION.c.person).where(SESSION.c.hospital == hospital)
    tokens = select(API_TOKEN.c.person).where(API_TOKEN.c.hospital == hospital, API_TOKEN.c.revoked.is_(False))
    chosen = select(PERSON.c.person, PERSON.c.source).where(
        PERSON.c.hospital == hospital,
        PERSON.c.source != "",
        PERSON.c.active.is_(True),
        PERSON.c.person.in_(held.union(tokens)),
    )
    return [(ActorId(row.person), row.source) for row in connection.execute(chosen.order_by(PERSON.c.person))]


def set_recovery(connection: Connection, hospital: HospitalId, person: ActorId, hashes: Iterable[bytes]) -> None:
    """Replace the recovery codes of a person."""
    mine = (RECOVERY_CODE.c.hospital == hospital, RECOVERY_CODE.c.person == person)
    connection.execute(delete(RECOVERY_CODE).where(*mine))
    rows = [{"hospital": hospital, "person": person, "code_hash": one} for one in hashes]
    if rows:
        connection.execute(RECOVERY_CODE.insert(), rows)


def use_recovery(connection: Connection, hospital: HospitalId, person: ActorId, code_hash: bytes, now: Instant) -> bool:
    """Use up a recovery code; tells whether there was such a one that was not used."""
    mine = (RECOVERY_CODE.c.hospital == hospital, RECOVERY_CODE.c.person == person)
    free = (RECOVERY_CODE.c.code_hash == code_hash, RECOVERY_CODE.c.used_at.is_(None))
    return connection.execute(RECOVERY_CODE.update().where(*mine, *free).values(used_at=now)).rowcount == 1


def recovery_left(connection: Connection, hospital: HospitalId, person: ActorId) -> int:
    """Return how many recovery codes of a person are left."""
    mine = (RECOVERY_CODE.c.hospital == hospital, RECOVERY_CODE.c.person == person, RECOVERY_CODE.c.used_at.is_(None))
    return connection.scalar(select(func.count()).select_from(RECOVERY_CODE).where(*mine)) or 0


def drop_old_sessions(connection: Connection, hospital: HospitalId, made_before: Instant) -> None:
    """Remove the sessions that can no longer stand."""
    connection.execute(delete(SESSION).where(SESSION.c.hospital == hospital, SESSION.c.made_at < made_before))


def add_token(connection: Connection, hospital: HospitalId, secret_hash: bytes, token: ApiToken, now: Instant) -> None:
    """Store a token."""
    connection.execute(
        API_TOKEN.insert().values(
            hospital=hospital,
            secret_hash=secret_hash,
            person=token.person,
            name=token.name,
            read_only=token.read_only,
            made_at=now,
            ends_at=token.ends_at,
        )
    )


def tokens_of(connection: Connection, hospital: HospitalId, person: ActorId) -> list[ApiToken]:
    """Return a person's tokens that were not revoked."""
    chosen = API_TOKEN.select().where(
        API_TOKEN.c.hospital == hospital, API_TOKEN.c.person == person, API_TOKEN.c.revoked.is_(False)
    )
    return [
        ApiToken(ActorId(row.person), row.name, row.read_only, Instant(row.ends_at))
        for row in connection.execute(chosen.order_by(API_TOKEN.c.made_at))
    ]


def revoke_tokens(connection: Connection, hospital: HospitalId, person: ActorId, name: str | None = None) -> int:
    """Revoke the tokens of a person, or those of one name; returns how many."""
    which = [API_TOKEN.c.hospital == hospital, API_TOKEN.c.person == person, API_TOKEN.c.revoked.is_(False)]
    if name is not None:
        which.append(API_TOKEN.c.name == name)
    return connection.execute(API_TOKEN.update().where(*which).values(revoked=True)).rowcount


def add_invitation(
    connection: Connection, hospital: HospitalId, secret_hash: bytes, person: ActorId, ends_at: Instant
) -> None:
    """Store an invitation; earlier ones of the person no longer count."""
    mine = (INVITATION.c.hospital == hospital, INVITATION.c.person == person)
    connection.execute(INVITATION.update().where(*mine).values(used=True))
    connection.execute(
        INVITATION.insert().values(hospital=hospital, secret_hash=secret_hash, person=person, ends_at=ends_at)
    )


def invited(connection: Connection, hospital: HospitalId, secret_hash: bytes, now: Instant) -> ActorId | None:
    """Return whom an invitation that still counts is for."""
    row = connection.execute(
        INVITATION.select().where(
            INVITATION.c.hospital == hospital,
            INVITATION.c.secret_hash == secret_hash,
            INVITATION.c.used.is_(False),
            INVITATION.c.ends_at > now,
        )
    ).first()
    return None if row is None else ActorId(row.person)


def use_invitations(connection: Connection, hospital: HospitalId, person: ActorId) -> None:
    """Mark every invitation of a person as used."""
    connection.execute(
        INVITATION.update().where(INVITATION.c.hospital == hospital, INVITATION.c.person == person).values(used=True)
    )


def administrators(connection: Connection, hospital: HospitalId, role: str) -> int:
    """Count the active accounts that hold a role."""
    return (
        connection.scalar(
            select(func.count(func.distinct(PERSON.c.person)))
            .join(
                PERSON_ROLE, (PERSON_ROLE.c.hospital == PERSON.c.hospital) & (PERSON_ROLE.c.person == PERSON.c.person)
            )
            .where(PERSON.c.hospital == hospital, PERSON.c.active.is_(True), PERSON_ROLE.c.role == role)
        )
        or 0
    )
