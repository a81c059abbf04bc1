"""What a storeroom's device must be told: entries of its own chains that it no longer holds.

A disk that was put back from a copy, or replaced, lacks entries that central has. They become facts for its storeroom,
and a doubt is opened with their range. The rule that must not be broken: nothing is told twice and nothing is left out
because it was told to a disk that is gone; versions and sums decide what a disk pulls.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from central.store.chains import chains_of, note_told
from central.store.losses import open_loss
from central.store.ward_facts import gap_events, posted_events, tell
from protocols.sync.frames import NOTHING, Head, Hello
from protocols.sync.reception import Lost
from protocols.values.ids import DeviceId, HospitalId, Incarnation, PlaceId
from protocols.values.instant import Instant

DEVICE_LOST = "device"


def agrees(hello: Hello, heads: Sequence[Head]) -> bool:
    """Tell whether no chain offered is known otherwise here, as far as a HELLO shows."""
    pairs = zip(hello.chains, heads, strict=True)
    return all(head.seq < branch.seq or (head.seq, head.hash) == (branch.seq, branch.hash) for branch, head in pairs)


def tell_lost(
    connection: Connection, hospital: HospitalId, device: DeviceId, place: PlaceId, hello: Hello, now: Instant
) -> None:
    """Tell a storeroom what its device no longer holds of its own chains, and open a doubt for each part."""
    walked = {Incarnation(branch.incarnation): branch.seq for branch in hello.chains}
    for held, told_from, told_to in chains_of(connection, hospital, device):
        chain = Incarnation(held.head.incarnation)
        first, last = walked.get(chain, NOTHING) + 1, held.head.seq
        if first > last or (told_from <= first and last <= told_to):
            continue
        events = posted_events(connection, hospital, chain, first, last)
        tell(connection, hospital, place, [*events, *gap_events(connection, hospital, chain, first)])
        known = told_from <= first <= told_to + 1 and told_to >= 0
        open_loss(connection, hospital, device, Lost(DEVICE_LOST, chain, told_to + 1 if known else first, last), now)
        note_told(connection, hospital, chain, (told_from if known else first, last))
