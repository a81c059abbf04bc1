"""What was set aside of what devices said: looked at, and posted once its cause is mended.

A newer release reads what an older one could not; a mistake of ours is mended. The rules that must not be broken:
replaying posts an entry once, and is kept in the record of acts; nothing is thrown away.
"""

from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from central.core.rights import Caller, Right
from central.errors import NotNow, NotThere
from central.services.documents import Documents
from central.store import replay as kept
from central.store.audit import note
from central.store.paging import Page, PageAsked
from protocols.values.ids import ActorId

BODY_SHOWN = 2_000
"""Characters of an entry's body that are shown; the whole of it stays in the ledger."""
AT_ONCE_MAX = 1_000
"""Entries that a command reads together."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One entry of the quarantine as a person sees it; `now` is why it still cannot be posted, empty where it can."""

    one: kept.SetAside
    kind: str
    actor: str
    body: str
    now: str


@dataclass(frozen=True, slots=True)
class Still:
    """One entry that stays in quarantine, and why."""

    device: str
    incarnation: str
    seq: int
    why: str


@dataclass(frozen=True, slots=True)
class Replays:
    """What a command came to: how many entries were, or can be, posted, and why each of the others is not."""

    posted: int
    still: tuple[Still, ...]


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The quarantine of one hospital."""

    documents: Documents

    def page(self, caller: Caller, asked: PageAsked, status: str = kept.KEPT) -> Page[Kept]:
        """Return a page of the caller's storerooms, the newest first. Raises `BadInput`, `NotAllowed`."""
        caller.need(Right.SEE_STOCK)
        with self.documents.store.read() as connection:
            scope = caller.scope(Right.SEE_STOCK)
            found = kept.quarantine_page(connection, self.documents.hospital, asked, status=status, scope=scope)
        return Page(tuple(_shown(each) for each in found.items), found.cursor)

    def replay(self, caller: Caller, incarnation: str, seq: int) -> bool:
        """Post an entry; False where it was posted before. Raises `NotThere`, `NotAllowed`, `NotNow` with why not."""
        caller.need(Right.SETTLE)
        with self.documents.store.write() as connection:
            one = kept.set_aside(connection, self.documents.hospital, _chain(incarnation), seq)
            if one is None or one.place not in caller.scope(Right.SEE_STOCK):
                raise NotThere(f"quarantine: expected an entry of your storerooms, got {incarnation:.40}/{seq}")
            caller.need(Right.SETTLE, one.place)
            if one.replayed_at is not None:
                return False
            posted, why = self._post(connection, one, caller.person)
        if not posted:
            raise NotNow(f"quarantine: expected an entry that can be posted now; {why}")
        return True

    def standing(self) -> Replays:
        """Return what could be posted now, for whoever keeps this server."""
        with self.documents.store.read() as connection:
            found = kept.quarantine_kept(connection, self.documents.hospital, AT_ONCE_MAX)
            read = [(one, kept.read_again(one)[2]) for one in found]
        return Replays(sum(not why for _, why in read), tuple(_still(one, why) for one, why in read if why))

    def replay_all(self, person: ActorId) -> Replays:
        """Post whatever can be posted now, for whoever keeps this server."""
        with self.documents.store.write() as connection:
            found = kept.quarantine_kept(connection, self.documents.hospital, AT_ONCE_MAX)
            done = [(one, *self._post(connection, one, person)) for one in found]
        return Replays(
            sum(posted for _, posted, _ in done), tuple(_still(one, why) for one, posted, why in done if not posted)
        )

    def _post(self, connection: Connection, one: kept.SetAside, person: ActorId) -> tuple[bool, str]:
        """Post one entry in a savepoint of its own. Raises `OperationalError` for a fault of the store."""
        now, hospital = self.documents.clock.now(), self.documents.hospital
        try:
            with connection.begin_nested():
                posted, why = kept.replay(connection, hospital, one, person, now)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 # as in ingest: perhaps our own bug; what stands behind it must not wait
            return False, f"bug: {type(error).__name__}: {getattr(error, 'orig', error)}"
        if posted:
            detail = {"device": one.device, "reason": one.reason}
            subject = f"{one.incarnation.hex()}/{one.seq}"
            note(connection, hospital, now, person=person, act="replay-quarantine", subject=subject, detail=detail)
        return posted, why


def _shown(one: kept.SetAside) -> Kept:
    entry, _, why = kept.read_again(one)
    if entry is None:
        return Kept(one, "", "", "", why)
    return Kept(one, entry.kind, entry.actor, entry.body.decode("utf-8", "replace")[:BODY_SHOWN], why)


def _still(one: kept.SetAside, why: str) -> Still:
    return Still(one.device, one.incarnation.hex(), one.seq, why)


def _chain(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise NotThere(f"quarantine: expected a chain as the list names it, got {text!r:.40}") from error
