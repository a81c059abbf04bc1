"""Sign people in and out, and find out who asks: by session, by token, or as the configuration says.

Real time throughout. The rule that must not be broken: a wrong staff number, a wrong password and a locked account are
answered alike, in the same time; what the holder has is only ever compared by its hash.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Connection

from central.core.directory import DIRECTORY, ISSUER
from central.core.rights import Caller, Grant, Role
from central.core.signin import SESSION_S, SESSION_TOUCH_S, Attempts, check_password, session_stands
from central.errors import BadInput, CodesNeeded, NotNow, NotSignedIn, TooMany
from central.services.codes import Codes
from central.services.secrets_kept import digest, hash_password, is_password, same
from central.services.sources import Sources
from central.store import queries_people as people
from central.store.audit import note
from central.store.engine import Store
from protocols.errors import BadValue
from protocols.values.ids import ActorId, HospitalId, actor_id
from protocols.values.instant import Instant, plus, seconds_between

SESSION_COOKIE = "wardstock_session"
"""By which a browser holds its session, at the pages and at the API."""

SIGN_IN_FAILED = (
    "expected a staff number with its password (and code, if one is set up), got another; "
    "after five failures an account rests for 15 minutes"
)
TRIES_MAX, TRIES_S = 20, 60.0
"""Sign-ins from one address in a minute; a ward's staff behind one address needs a few."""
ADDRESSES_MAX = 4096
"""Addresses remembered for that."""

OPEN_ROLES = (Role.HEAD_OF_CONSUMABLES, Role.STOREKEEPER, Role.AUDITOR, Role.ADMINISTRATOR)
"""What whoever comes may do where the configuration says that everyone is one person, as in a demonstration."""


@dataclass(frozen=True, slots=True)
class _Tries:
    since: Instant
    count: int


@dataclass(slots=True)
class Entrance:
    """The door of one hospital's server. `everyone_is` names whom all who come act as; empty: people sign in."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    draw: Callable[[], str]
    everyone_is: str = ""
    setup_code: str = ""
    """What the first account's maker must know; the server says it once, in its log, while there are no people."""
    sources: Sources | None = None
    """Where accounts are kept that are not kept here."""
    _tries: OrderedDict[str, _Tries] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def is_new(self) -> bool:
        """Tell whether there is no account yet."""
        with self.store.read() as connection:
            return not self.everyone_is and not people.has_people(connection, self.hospital)

    def open_caller(self) -> Caller | None:
        """Return whom everyone is, None where people sign in."""
        if not self.everyone_is:
            return None
        return Caller(ActorId(self.everyone_is), self.everyone_is, tuple(Grant(role) for role in OPEN_ROLES))

    @property
    def codes(self) -> Codes:
        """Return the one-time codes of the accounts."""
        return Codes(self.store, self.hospital, self.now, self.draw)

    def by_session(self, secret: str, *, without_codes: bool = False) -> Caller:
        """Return who holds a session. Raises `NotSignedIn`; `CodesNeeded` for a role that must have one-time codes."""
        if not secret:
            raise NotSignedIn("expected somebody signed in, got nobody; sign in first")
        key, now = digest(secret), self.now()
        with self.store.read() as connection:
            held = people.session_holder(connection, self.hospital, key)
            lacks = held is not None and not without_codes and self._lacks_codes(connection, held[1])
        if held is None or not session_stands(held[0].made_at, held[0].seen_at, now):
            raise NotSignedIn("expected a session that stands, got one that is over; sign in again")
        found, person = held
        if lacks:
            raise CodesNeeded("expected one-time codes for a role of yours, none are set up; set them up first")
        if seconds_between(found.seen_at, now) >= SESSION_TOUCH_S:
            with self.store.write() as connection:
                people.touch_session(connection, self.hospital, key, now)
        return person.caller()

    def by_token(self, secret: str) -> Caller:
        """Return whom a program acts for. Raises `NotSignedIn`."""
        with self.store.read() as connection:
            held = people.token_holder(connection, self.hospital, digest(secret))
        if held is None or self.now() >= held[0].ends_at:
            raise NotSignedIn("token: expected one that stands, got one unknown, revoked or over; ask for a new one")
        found, person = held
        return person.caller(read_only=found.read_only)

    def sign_in(self, staff_number: str, password: str, code: str, address: str) -> str:
        """Return a new session's secret. Raises `NotSignedIn`, `TooMany` for an address that tries and tries.

        An account kept elsewhere is asked for there: `NotReady` where nobody answers, `NotAllowed` without a role here.
        """
        self._limit(address)
        now, person = self.now(), self._person(staff_number)
        locked = person is not None and person.attempts.is_locked(now)
        if self._is_elsewhere(person) and not locked:
            assert self.sources is not None
            right = self.sources.by_password(staff_number, password) is not None
            person = self._person(staff_number) if right else person
        else:
            right = is_password("" if person is None else person.password_hash, password)
        if person is not None and right and not locked and person.totp_secret:
            with self.store.write() as connection:
                right = self.codes.spend(connection, person, code)
        if person is None or not person.active or locked or not right:
            self._failed(person, staff_number, address, now)
            raise NotSignedIn(SIGN_IN_FAILED)
        return self._open(person.person, address)

    def sign_in_by_issuer(self, state: str, code: str, back: str, address: str) -> tuple[str, str]:
        """Return a new session's secret for who came back from the issuer, and where they wanted to go.

        Raises what `Sources.receive` does, and `TooMany`.
        """
        self._limit(address)
        if self.sources is None:
            raise BadInput("sign-in: expected an issuer in the configuration, there is none")
        person, wanted = self.sources.receive(state, code, back)
        return self._open(person, address), wanted

    def _is_elsewhere(self, person: people.Person | None) -> bool:
        """Tell whether the directory is asked: for who it keeps, and for whom nobody knows here."""
        known = self.sources is not None and self.sources.directory is not None
        return known and (person is None or person.source.startswith(DIRECTORY))

    def _lacks_codes(self, connection: Connection, person: people.Person) -> bool:
        """Tell whether a role asks for one-time codes that are not set up; the issuer asks for its own."""
        if person.totp_secret or person.source.startswith(ISSUER):
            return False
        return self.codes.asked_of(connection, person.grants)

    def _open(self, person: ActorId, address: str) -> str:
        secret, now = self.draw(), self.now()
        with self.store.write() as connection:
            people.keep_attempts(connection, self.hospital, person, Attempts())
            people.drop_old_sessions(connection, self.hospital, plus(now, -SESSION_S))
            people.add_session(connection, self.hospital, digest(secret), person, now)
            self._note(connection, person, "sign-in", address)
        return secret

    def sign_out(self, secret: str) -> None:
        """End a session; one that is over already is no matter."""
        with self.store.write() as connection:
            found = people.session(connection, self.hospital, digest(secret))
            if found is not None:
                people.end_sessions(connection, self.hospital, secret_hash=digest(secret))
                self._note(connection, found.person, "sign-out", "")

    def make_first(self, setup_code: str, staff_number: ActorId, name: str, password: str, address: str) -> None:
        """Make the first account, an administrator. Raises `NotNow` when there is one, `BadInput`, `TooMany`."""
        self._limit(address)
        if not self.setup_code or not same(setup_code.strip(), self.setup_code):
            raise BadInput("set-up code: expected the one in the server's log, got another")
        check_password(password, staff_number)
        kept, now = hash_password(password), self.now()
        with self.store.write() as connection:
            if people.has_people(connection, self.hospital):
                raise NotNow("first account: expected nobody yet, there is an account already; sign in with it")
            people.add_person(connection, self.hospital, staff_number, name.strip() or staff_number, now)
            people.set_grants(connection, self.hospital, staff_number, [Grant(Role.ADMINISTRATOR)])
            people.change_person(connection, self.hospital, staff_number, password_hash=kept)
            self._note(connection, staff_number, "first-account", address)

    def invited(self, secret: str) -> ActorId:
        """Return whom an invitation is for. Raises `NotNow` when it no longer counts."""
        with self.store.read() as connection:
            person = people.invited(connection, self.hospital, digest(secret), self.now())
        if person is None:
            raise NotNow("invitation: expected one that stands, got one used or over; ask for a new one")
        return person

    def accept(self, secret: str, password: str, address: str) -> ActorId:
        """Set a password by an invitation, once. Raises `BadInput`, `NotNow`, `TooMany`."""
        self._limit(address)
        person = self.invited(secret)
        check_password(password, person)
        kept = hash_password(password)
        with self.store.write() as connection:
            if people.invited(connection, self.hospital, digest(secret), self.now()) is None:
                raise NotNow("invitation: expected one that stands, got one used or over; ask for a new one")
            people.use_invitations(connection, self.hospital, person)
            people.end_sessions(connection, self.hospital, person=person)
            people.change_person(connection, self.hospital, person, password_hash=kept, failures=0, locked_until=None)
            self._note(connection, person, "set-password", address)
        return person

    def _person(self, staff_number: str) -> people.Person | None:
        try:
            actor = actor_id(staff_number.strip())
        except BadValue:
            return None
        with self.store.read() as connection:
            found = people.people(connection, self.hospital, person=actor)
        return found[0] if found else None

    def _failed(self, person: people.Person | None, staff_number: str, address: str, now: Instant) -> None:
        with self.store.write() as connection:
            if person is not None and not person.attempts.is_locked(now):
                current = people.people(connection, self.hospital, person=person.person)[0].attempts
                people.keep_attempts(connection, self.hospital, person.person, current.failed(now))
            self._note(connection, "", "sign-in-failed", address, staff_number[:64])

    def _limit(self, address: str) -> None:
        now = self.now()
        with self._lock:
            known = self._tries.pop(address, _Tries(now, 0))
            if seconds_between(known.since, now) >= TRIES_S:
                known = _Tries(now, 0)
            self._tries[address] = _Tries(known.since, known.count + 1)
            if len(self._tries) > ADDRESSES_MAX:
                self._tries.popitem(last=False)
        if known.count >= TRIES_MAX:
            raise TooMany(f"sign-in: expected at most {TRIES_MAX} tries a minute from one place; wait a minute")

    def _note(self, connection: Connection, person: str, act: str, address: str, subject: str = "") -> None:
        note(
            connection, self.hospital, self.now(), person=person, act=act, subject=subject, detail={"address": address}
        )
