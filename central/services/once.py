"""Do a request once that a program sends again because it never heard the answer.

Real time throughout. A key belongs to a person; its first request is noted before it is done, and its answer when it
was done. A request that was refused or failed frees its key: nothing was made, and it may be put right and sent again.
The rule that must not be broken: while it is not known whether a request was done, the same key does nothing again.

Source: draft-ietf-httpapi-idempotency-key-header-07, sections 2.2 to 2.7.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete

from central.errors import BadInput, NotNow
from central.store.engine import Store
from central.store.merge import add_new
from central.store.tables.once import ONCE
from protocols.values.ids import ActorId, HospitalId
from protocols.values.instant import Instant, plus

KEPT_S = 24 * 3600.0
"""How long an answer is kept for a program that asks again: a night without a network, and a day's work."""
KEY_MAX = 128
"""Characters of a key; a UUID has 36."""
BODY_MAX = 256 * 1024
"""Bytes of an answer that are kept; what makes something answers in a few hundred."""
UNDER_WAY = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """What the first request of a key was answered."""

    status: int
    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Once:
    """The keys of one hospital; `now` is real time."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]

    def begin(self, person: ActorId, key: str, fingerprint: bytes) -> Answered | None:
        """Take a key: None for the first request of it, else what that one was answered.

        Raises `BadInput` for a key that is none or was used for another request, `NotNow` while the first is under way.
        """
        if not 1 <= len(key) <= KEY_MAX or not key.isascii() or not key.isprintable():
            raise BadInput(f"Idempotency-Key: expected 1 to {KEY_MAX} printable ASCII characters, such as a UUID")
        now = self.now()
        row = {
            "hospital": self.hospital, "person": person, "key": key, "fingerprint": fingerprint, "status": UNDER_WAY,
            "media_type": "", "body": b"", "made_at": now,
        }  # fmt: skip
        with self.store.write() as connection:
            old = (ONCE.c.hospital == self.hospital, ONCE.c.made_at < plus(now, -KEPT_S))
            connection.execute(delete(ONCE).where(*old))
            if add_new(connection, ONCE, [row]):
                return None
            found = connection.execute(ONCE.select().where(*self._is(person, key))).one()
        if found.fingerprint != fingerprint:
            raise BadInput("Idempotency-Key: expected the request it was first sent with, got another; draw a new key")
        if found.status == UNDER_WAY:
            raise NotNow(
                "Idempotency-Key: its first request is under way or never ended; wait, then look whether it was done "
                "before a new key is drawn"
            )
        return Answered(found.status, found.media_type, found.body)

    def done(self, person: ActorId, key: str, answered: Answered) -> None:
        """Keep what a request was answered."""
        told = {"status": answered.status, "media_type": answered.media_type, "body": answered.body}
        with self.store.write() as connection:
            connection.execute(ONCE.update().where(*self._is(person, key)).values(**told))

    def free(self, person: ActorId, key: str) -> None:
        """Free a key whose request made nothing."""
        with self.store.write() as connection:
            connection.execute(delete(ONCE).where(*self._is(person, key), ONCE.c.status == UNDER_WAY))

    def _is(self, person: ActorId, key: str) -> tuple[ColumnElement[bool], ...]:
        return ONCE.c.hospital == self.hospital, ONCE.c.person == person, ONCE.c.key == key
