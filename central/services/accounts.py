"""Keep the accounts: make one, invite its person, set roles, switch it off, hand out tokens.

Every use is written to the record of acts in the same transaction. The rule that must not be broken: the last
administrator can neither be switched off nor lose that role, and nobody changes their own roles.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from central.core.rights import Caller, Grant, Right, Role
from central.core.signin import INVITATION_S, TOKEN_DAYS_MAX
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.secrets_kept import digest
from central.store import queries_people as people
from central.store.audit import note
from central.store.engine import Store
from central.store.queries_master import places
from protocols.errors import BadValue
from protocols.values.ids import ActorId, HospitalId, actor_id
from protocols.values.instant import Instant, plus

NAME_MAX = 64
TOKENS_MAX = 20
"""Tokens one person may have at a time."""

OPERATOR = ActorId("operator")
"""Who acts at the server's own command line."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The accounts of one hospital. `draw` makes a new secret, `now` is real time."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    draw: Callable[[], str]

    def add(self, by: ActorId, person: ActorId, name: str, grants: Sequence[Grant]) -> str:
        """Make an account and return its invitation. Raises `BadInput`, `NotNow` when the staff number is taken."""
        _check_name(name)
        with self.store.write() as connection:
            if people.people(connection, self.hospital, person=person):
                raise NotNow(f"person: expected a new staff number, {person} has an account; change that one")
            self._check_places(connection, grants)
            people.add_person(connection, self.hospital, person, name, self.now())
            people.set_grants(connection, self.hospital, person, grants)
            self._note(connection, by, "add-person", person, {"name": name, "roles": told(grants)})
            return self._invite(connection, person)

    def invite(self, by: ActorId, person: ActorId) -> str:
        """Return a new invitation to set a password; what signed in the person before is over."""
        with self.store.write() as connection:
            if self._found(connection, person).source:
                raise NotNow(f"person: expected an account kept here, {person} is not; its password is set elsewhere")
            people.end_sessions(connection, self.hospital, person=person)
            people.change_person(connection, self.hospital, person, password_hash="", totp_secret="", totp_step=0)
            people.set_recovery(connection, self.hospital, person, [])
            self._note(connection, by, "invite", person)
            return self._invite(connection, person)

    def set_roles(self, by: ActorId, person: ActorId, grants: Sequence[Grant]) -> None:
        """Replace the roles of an account. Raises `NotAllowed` for one's own, `NotNow` for the last administrator's."""
        if by == person:
            raise NotAllowed("roles: expected somebody else's account; nobody changes their own roles")
        with self.store.write() as connection:
            before = self._found(connection, person)
            self._check_places(connection, grants)
            people.set_grants(connection, self.hospital, person, grants)
            self._keep_one_administrator(connection)
            self._note(connection, by, "set-roles", person, {"before": told(before.grants), "after": told(grants)})

    def switch(self, by: ActorId, person: ActorId, *, active: bool) -> None:
        """Switch an account off or on; off ends its sessions and tokens at once."""
        if by == person:
            raise NotAllowed("account: expected somebody else's; nobody switches off their own")
        with self.store.write() as connection:
            self._found(connection, person)
            people.change_person(connection, self.hospital, person, active=active, failures=0, locked_until=None)
            if not active:
                people.end_sessions(connection, self.hospital, person=person)
                people.revoke_tokens(connection, self.hospital, person)
                people.use_invitations(connection, self.hospital, person)
            self._keep_one_administrator(connection)
            self._note(connection, by, "switch-on" if active else "switch-off", person)

    def add_token(self, by: ActorId, person: ActorId, name: str, *, read_only: bool, days: int) -> str:
        """Return a new token, to be shown once. Raises `BadInput`, `NotNow` when there are too many."""
        _check_name(name)
        if not 1 <= days <= TOKEN_DAYS_MAX:
            raise BadInput(f"days: expected 1 to {TOKEN_DAYS_MAX}, got {days}")
        secret = self.draw()
        with self.store.write() as connection:
            self._found(connection, person)
            if len(people.tokens_of(connection, self.hospital, person)) >= TOKENS_MAX:
                raise NotNow(f"tokens: expected at most {TOKENS_MAX} for {person}; revoke one first")
            made = people.ApiToken(person, name, read_only, plus(self.now(), days * 86_400.0))
            people.add_token(connection, self.hospital, digest(secret), made, self.now())
            self._note(connection, by, "add-token", person, {"name": name, "read_only": read_only, "days": days})
        return secret

    def revoke_tokens(self, by: ActorId, person: ActorId, name: str) -> int:
        """Revoke a person's tokens of one name; returns how many. Raises `NotThere` when there is none."""
        with self.store.write() as connection:
            revoked = people.revoke_tokens(connection, self.hospital, person, name)
            if not revoked:
                raise NotThere(f"token: expected one of {person} named {name!r:.40}, there is none")
            self._note(connection, by, "revoke-token", person, {"name": name})
        return revoked

    def listed(self, caller: Caller) -> list[people.Person]:
        """Return every account. Raises `NotAllowed`; who shows them notes that they were looked at."""
        caller.need(Right.SEE_PEOPLE)
        with self.store.read() as connection:
            return people.people(connection, self.hospital)

    def _invite(self, connection: Connection, person: ActorId) -> str:
        secret = self.draw()
        ends_at = plus(self.now(), INVITATION_S)
        people.add_invitation(connection, self.hospital, digest(secret), person, ends_at)
        return secret

    def _found(self, connection: Connection, person: ActorId) -> people.Person:
        found = people.people(connection, self.hospital, person=person)
        if not found:
            raise NotThere(f"person: expected one that has an account, got {person!r:.40}")
        return found[0]

    def _check_places(self, connection: Connection, grants: Sequence[Grant]) -> None:
        named = {place for grant in grants for place in grant.places}
        unknown = sorted(named - {room.place for room in places(connection, self.hospital)})
        if unknown:
            raise BadInput(f"storeroom: expected one that was imported, got {', '.join(unknown)[:80]}")

    def _keep_one_administrator(self, connection: Connection) -> None:
        if not people.administrators(connection, self.hospital, Role.ADMINISTRATOR):
            raise NotNow("administrator: expected one active account to keep that role; give it to another first")

    def _note(
        self, connection: Connection, by: ActorId, act: str, person: str, detail: dict[str, object] | None = None
    ) -> None:
        note(connection, self.hospital, self.now(), person=by, act=act, subject=person, detail=detail)


def told(grants: Sequence[Grant]) -> list[str]:
    """Say grants as text, one a line of the record: `purchaser`, `nurse@ward-01`."""
    return [
        f"{grant.role}@{place}" if place else str(grant.role)
        for grant in grants
        for place in sorted(map(str, grant.places)) or [""]
    ]


def staff_number(text: str) -> ActorId:
    """Parse a staff number. Raises `BadInput`."""
    try:
        found = actor_id(text.strip())
    except BadValue as error:
        raise BadInput(f"staff number: {error}") from error
    if not found:
        raise BadInput("staff number: expected one, got nothing")
    return found


def _check_name(name: str) -> None:
    if not 1 <= len(name.strip()) <= NAME_MAX:
        raise BadInput(f"name: expected 1 to {NAME_MAX} characters, got {len(name.strip())}")
