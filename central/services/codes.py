"""One-time codes: set them up with an authenticator app, spend one at a sign-in, and the recovery codes beside them.

Real time throughout. Whether a role must have them is a rule of the policy table. The rules that must not be broken: a
code and a recovery code count once; recovery codes are shown once and kept as their hashes.

Sources: RFC 6238 (time-based codes; 5.2, a code is accepted once); GB/T 22239-2019 8.1.4.1 d (two means of proof).
"""

import hashlib
from base64 import b32encode
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from sqlalchemy import Connection

from central.core.rights import Grant
from central.errors import BadInput, NotNow
from central.services.policy import rules_at
from central.services.secrets_kept import code_step, digest
from central.store import queries_people as people
from central.store.audit import note
from central.store.engine import Store
from protocols.values.ids import ActorId, HospitalId
from protocols.values.instant import Instant

SECRET_BYTES = 20
"""RFC 4226 4 R6: 160 bits."""
RECOVERY_CODES, RECOVERY_LETTERS = 10, 10
RULE = "signin.codes"


@dataclass(frozen=True, slots=True)
class Codes:
    """The one-time codes of one hospital's accounts. `draw` makes a secret of 256 bits, `now` is real time."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    draw: Callable[[], str]

    def begin(self) -> str:
        """Return a new secret in base32, to be scanned; nothing is kept before its first code came back."""
        return b32encode(hashlib.sha256(self.draw().encode()).digest()[:SECRET_BYTES]).decode()

    def address(self, person: str, secret: str) -> str:
        """Return what an authenticator app scans (the Key URI format every app reads)."""
        asked = urlencode({"secret": secret, "issuer": "Wardstock"}, quote_via=quote)
        return f"otpauth://totp/{quote(f'Wardstock:{person}')}?{asked}"

    def set_up(self, person: ActorId, secret: str, code: str) -> list[str]:
        """Keep a secret whose code came back, and return the recovery codes, once.

        Raises `BadInput` for a code that is not of this secret, `NotNow` where codes are set up already.
        """
        step = code_step(secret, code, self.now()) if len(secret) <= 64 else None
        if step is None:
            raise BadInput("code: expected the six digits the app shows now, got others; look at the phone's clock")
        drawn = [self._recovery() for _ in range(RECOVERY_CODES)]
        with self.store.write() as connection:
            found = people.people(connection, self.hospital, person=person)
            if not found or found[0].totp_secret:
                raise NotNow("codes: expected an account without them, they are set up; remove them first")
            people.change_person(connection, self.hospital, person, totp_secret=secret, totp_step=step)
            people.set_recovery(connection, self.hospital, person, [_kept(one) for one in drawn])
            note(connection, self.hospital, self.now(), person=person, act="set-up-codes", subject=person)
        return drawn

    def renew_recovery(self, person: ActorId, code: str) -> list[str]:
        """Replace the recovery codes against a one-time code. Raises `BadInput`."""
        drawn = [self._recovery() for _ in range(RECOVERY_CODES)]
        with self.store.write() as connection:
            self._prove(connection, person, code)
            people.set_recovery(connection, self.hospital, person, [_kept(one) for one in drawn])
            note(connection, self.hospital, self.now(), person=person, act="renew-recovery-codes", subject=person)
        return drawn

    def remove(self, person: ActorId, code: str) -> None:
        """Remove the codes against one of them or a recovery code. Raises `BadInput`, `NotNow` where a role asks."""
        with self.store.write() as connection:
            found = self._prove(connection, person, code)
            if self.asked_of(connection, found.grants):
                raise NotNow("codes: expected roles that do without them, one of yours needs them")
            people.change_person(connection, self.hospital, person, totp_secret="", totp_step=0)
            people.set_recovery(connection, self.hospital, person, [])
            note(connection, self.hospital, self.now(), person=person, act="remove-codes", subject=person)

    def recovery_left(self, person: ActorId) -> int:
        """Return how many recovery codes are left."""
        with self.store.read() as connection:
            return people.recovery_left(connection, self.hospital, person)

    def spend(self, connection: Connection, person: people.Person, code: str) -> bool:
        """Tell whether a code is right, and use it up: the app's, each once, or a recovery code."""
        step = code_step(person.totp_secret, code, self.now())
        if step is not None and step > person.totp_step:
            people.change_person(connection, self.hospital, person.person, totp_step=step)
            return True
        return people.use_recovery(connection, self.hospital, person.person, _kept(code), self.now())

    def asked_of(self, connection: Connection, grants: tuple[Grant, ...]) -> bool:
        """Tell whether one of the roles must have one-time codes."""
        values = rules_at(connection, self.hospital, self.now(), RULE).values
        every = values.get((RULE, ""), 0)
        return any(values.get((RULE, grant.role.value), every) for grant in grants)

    def _prove(self, connection: Connection, person: ActorId, code: str) -> people.Person:
        found = people.people(connection, self.hospital, person=person)
        if not found or not found[0].totp_secret or not self.spend(connection, found[0], code):
            raise BadInput("code: expected a code that was not used yet, got another; wait for the next one")
        return found[0]

    def _recovery(self) -> str:
        letters = b32encode(hashlib.sha256(self.draw().encode()).digest()).decode().lower()[:RECOVERY_LETTERS]
        return f"{letters[:5]}-{letters[5:]}"


def _kept(code: str) -> bytes:
    """Return what is kept of a recovery code: 50 bits drawn at random, so no salt; tries are limited."""
    return digest("recovery" + "".join(one for one in code.lower() if one.isalnum()))
