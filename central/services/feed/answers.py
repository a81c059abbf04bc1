"""What a device is offered of the feed and how its questions are answered, inside the transaction of its message.

The decision which of DELTA and SNAPSHOT it is, is `protocols.sync.feed`'s. The rule that must not be broken: a device
is given its own storeroom's rows and its own, never another's, whatever it asks for.
"""

from collections import OrderedDict

from sqlalchemy import Connection

from central.store.feeds import checksums_of, note_held, version_at
from protocols.errors import PeerBroke
from protocols.sync.feed import DELTA_ROWS_MAX, DEVICE, GLOBAL, WARD, Version, answer, changes, pack_rows, unpack_rows
from protocols.sync.frames import NOTHING, PAGE_BYTES_MAX, Delta, Fetch, Offer, Snapshot
from protocols.values.ids import DeviceId, HospitalId, PlaceId
from protocols.values.instant import Instant

DELTAS_KEPT = 64
"""Changes between two versions that are remembered: a whole hospital asks for the same ones within a minute."""


def scopes_of(device: DeviceId, place: PlaceId) -> dict[str, str]:
    """Return the scopes of a device by the word it knows them by."""
    return {GLOBAL: "global", WARD: f"ward:{place}", DEVICE: f"device:{device}"}


def offers(connection: Connection, hospital: HospitalId, device: DeviceId, place: PlaceId) -> tuple[Offer, ...]:
    """Return the newest version of each of a device's scopes; one without a storeroom is offered nothing."""
    if not place:
        return ()
    scopes = scopes_of(device, place)
    newest = checksums_of(connection, hospital, list(scopes.values()))
    return tuple(Offer(word, *newest[scope]) for word, scope in scopes.items() if scope in newest)


class FeedAnswers:
    """Answers FETCH; used by one thread at a time."""

    def __init__(self) -> None:
        self._deltas: OrderedDict[tuple[str, bytes, bytes], bytes | None] = OrderedDict()

    def answer(
        self, connection: Connection, hospital: HospitalId, device: DeviceId, place: PlaceId, fetch: Fetch, now: Instant
    ) -> Delta | Snapshot | None:
        """Answer a question, None where there is no version of that scope yet; keeps what the device holds.

        Raises `PeerBroke` for a scope that is none.
        """
        scope = scopes_of(device, place).get(fetch.scope)
        if scope is None:
            raise PeerBroke(f"feed: expected one of {GLOBAL}, {WARD}, {DEVICE}, got {fetch.scope!r}")
        newest = version_at(connection, hospital, scope, None) if place else None
        if newest is None:
            return None
        if fetch.version != NOTHING:
            note_held(connection, hospital, device, [(fetch.scope, fetch.version)], now)
        held = None if fetch.version == NOTHING else version_at(connection, hospital, scope, fetch.version)
        wanted = None if fetch.want == NOTHING else version_at(connection, hospital, scope, fetch.want)
        delta = None if held is None else self._delta(scope, held, newest)
        return answer(fetch, newest, held, wanted, delta)

    def _delta(self, scope: str, held: Version, newest: Version) -> bytes | None:
        """Return the packed changes, None where they are too many for one message."""
        key = (scope, held.checksum, newest.checksum)
        if key not in self._deltas:
            rows = changes(unpack_rows(held.packed), unpack_rows(newest.packed))
            packed = pack_rows(rows) if len(rows) <= DELTA_ROWS_MAX else b""
            self._deltas[key] = packed if 0 < len(packed) <= PAGE_BYTES_MAX else None
            if len(self._deltas) > DELTAS_KEPT:
                self._deltas.popitem(last=False)
        return self._deltas[key]
