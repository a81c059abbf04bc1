"""Accounts that a directory or an issuer keeps: let their people in, with the roles their groups mean, and look again.

An account kept here stays kept here: it is the way in when no source answers. Real time throughout. The rules that must
not be broken: who is no longer known at the source, or has no group that means a role, loses sessions and tokens at the
next look; a source that does not answer changes nothing.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Connection

from central.core.directory import DIRECTORY, ISSUER, Known, grants_for
from central.core.rights import Grant
from central.errors import BadInput, NotAllowed, NotReady
from central.links.directory import Directory
from central.links.issuer import Issuer
from central.services.accounts import told
from central.store import queries_people as people
from central.store.audit import note
from central.store.engine import Store
from protocols.values.ids import ActorId, HospitalId
from protocols.values.instant import Instant, plus, seconds_between

GONE = "-gone"
"""Behind a source's name: the source no longer knows the person, or knows no role for them."""
PENDING_MAX, PENDING_S = 1_000, 600.0
"""Browsers that are away at the issuer, and for how long they may be."""
UNASKED_S = 3600.0
"""How long a session of the issuer's stands where the issuer gave nothing to ask again with."""

Groups = Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class _Pending:
    at: Instant
    nonce: str
    verifier: str
    next: str


@dataclass(frozen=True, slots=True)
class Sent:
    """Where to send a browser, and the word by which its return is known."""

    address: str
    state: str


@dataclass(slots=True)
class Sources:
    """The sources of one hospital's accounts."""

    store: Store
    hospital: HospitalId
    now: Callable[[], Instant]
    draw: Callable[[], str]
    directory: Directory | None = None
    directory_groups: Groups = field(default_factory=dict)
    issuer: Issuer | None = None
    issuer_groups: Groups = field(default_factory=dict)
    _pending: OrderedDict[str, _Pending] = field(default_factory=OrderedDict)
    _refresh: OrderedDict[str, str] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def by_password(self, staff: str, password: str) -> ActorId | None:
        """Return whom the directory lets in, None for nobody. Raises `NotReady`, `NotAllowed` without a role here."""
        if self.directory is None:
            return None
        known = self.directory.check(staff, password)
        return None if known is None else self._admit(known, DIRECTORY, self.directory_groups)

    def send(self, back: str, next: str) -> Sent:
        """Return where to send a browser that wants to sign in by the issuer. Raises `NotReady`."""
        if self.issuer is None:
            raise BadInput("sign-in: expected an issuer in the configuration, there is none")
        state, nonce, verifier = self.draw(), self.draw(), self.draw()
        address = self.issuer.address(back=back, state=state, nonce=nonce, verifier=verifier)
        with self._lock:
            self._pending[state] = _Pending(self.now(), nonce, verifier, next)
            if len(self._pending) > PENDING_MAX:
                self._pending.popitem(last=False)
        return Sent(address, state)

    def receive(self, state: str, code: str, back: str) -> tuple[ActorId, str]:
        """Return who came back from the issuer and where they wanted to go.

        Raises `BadInput` for a return that nobody waits for or that the issuer does not answer for, `NotReady`,
        `NotAllowed` without a role here.
        """
        with self._lock:
            waiting = self._pending.pop(state, None)
        if self.issuer is None or waiting is None or seconds_between(waiting.at, self.now()) > PENDING_S:
            raise BadInput("sign-in: expected a return within ten minutes, got none that was waited for; begin again")
        came = self.issuer.redeem(code, back=back, nonce=waiting.nonce, verifier=waiting.verifier)
        person = self._admit(came.known, ISSUER, self.issuer_groups)
        with self._lock:
            self._refresh.pop(person, None)
            if came.refresh:
                self._refresh[person] = came.refresh
        return person, waiting.next

    def _admit(self, known: Known, source: str, mapping: Groups) -> ActorId:
        """Bring an account up to what its source says, and return it. Raises `NotAllowed`."""
        grants = grants_for(known.groups, mapping)
        with self.store.write() as connection:
            found = people.people(connection, self.hospital, person=known.staff)
            kept = found[0].source.removesuffix(GONE) if found else source
            if kept != source:
                raise NotAllowed(f"{known.staff}: expected an account of {source}, this one is kept elsewhere")
            if not grants:
                self._end(connection, known.staff, source, "no group means a role")
                raise NotAllowed(f"{known.staff}: expected a group that means a role here, got none; ask for one")
            if found and not found[0].active and not found[0].source.endswith(GONE):
                raise NotAllowed(f"{known.staff}: expected an account in use, this one was switched off here")
            if not found:
                people.add_person(connection, self.hospital, known.staff, known.name, self.now())
            before = found[0].grants if found else ()
            self._renew(connection, known, source, before, grants)
        return known.staff

    def _renew(
        self, connection: Connection, known: Known, source: str, before: tuple[Grant, ...], grants: tuple[Grant, ...]
    ) -> None:
        said = {"name": known.name, "source": source, "active": True}
        people.change_person(connection, self.hospital, known.staff, **said)
        if before != grants:
            people.set_grants(connection, self.hospital, known.staff, grants)
            detail = {"source": source, "before": told(before), "after": told(grants)}
            note(connection, self.hospital, self.now(), person="", act="set-roles", subject=known.staff, detail=detail)

    def look_again(self) -> str:
        """Ask the sources about everybody who holds a session or token by them; returns what came of it in words."""
        with self.store.read() as connection:
            held = people.of_sources(connection, self.hospital)
        ended, silent = 0, ""
        for person, source in held:
            try:
                stands = self._stands_in_directory(person) if source == DIRECTORY else self._stands_at_issuer(person)
            except NotReady as error:
                silent = str(error)
                continue
            if not stands:
                with self.store.write() as connection:
                    self._end(connection, person, source, "the source no longer knows them, or no role for them")
                ended += 1
        return f"{len(held)} asked about, {ended} ended" + (f"; {silent}" if silent else "")

    def _stands_in_directory(self, person: ActorId) -> bool:
        if self.directory is None:
            return False
        known = self.directory.find(person)
        grants = () if known is None else grants_for(known.groups, self.directory_groups)
        if known is None or not grants:
            return False
        with self.store.write() as connection:
            before = people.people(connection, self.hospital, person=person)[0]
            self._renew(connection, known, DIRECTORY, before.grants, grants)
        return True

    def _stands_at_issuer(self, person: ActorId) -> bool:
        with self._lock:
            refresh = self._refresh.get(person)
        if self.issuer is None:
            return False
        if refresh is None:
            with self.store.write() as connection:
                people.end_sessions_before(connection, self.hospital, person, plus(self.now(), -UNASKED_S))
            return True
        following = self.issuer.again(refresh)
        with self._lock:
            if following is None:
                self._refresh.pop(person, None)
            else:
                self._refresh[person] = following
        return following is not None

    def _end(self, connection: Connection, person: ActorId, source: str, why: str) -> None:
        found = people.people(connection, self.hospital, person=person)
        if not found or not found[0].active:
            return
        people.change_person(connection, self.hospital, person, active=False, source=f"{source}{GONE}")
        people.end_sessions(connection, self.hospital, person=person)
        people.revoke_tokens(connection, self.hospital, person)
        detail = {"source": source, "why": why}
        note(connection, self.hospital, self.now(), person="", act="source-gone", subject=person, detail=detail)
