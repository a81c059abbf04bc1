"""Up to where chains also stand elsewhere: read for every answer to a device, written by whoever has proved it.

The rule that must not be broken: a chain nobody vouches for is safe nowhere.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, func, select

from central.store.tables.sync import SAFE_POINT
from protocols.sync.reception import SAFE_NOWHERE
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant


def safe_at(connection: Connection, hospital: HospitalId, incarnations: Iterable[bytes]) -> dict[bytes, int]:
    """Return, chain by chain, the last seq that stands elsewhere; `SAFE_NOWHERE` where none does."""
    wanted = list(incarnations)
    query = (
        select(SAFE_POINT.c.incarnation, func.max(SAFE_POINT.c.seq).label("seq"))
        .where(SAFE_POINT.c.hospital == hospital, SAFE_POINT.c.incarnation.in_(wanted))
        .group_by(SAFE_POINT.c.incarnation)
    )
    known = {row.incarnation: int(row.seq) for row in connection.execute(query)}
    return {each: known.get(each, SAFE_NOWHERE) for each in wanted}


def vouch(
    connection: Connection, hospital: HospitalId, source: str, heads: Iterable[tuple[bytes, int]], at: Instant
) -> None:
    """Put a source's word in the place of its last one; chains it no longer names fall back."""
    withdraw(connection, hospital, source)
    rows = [
        {"hospital": hospital, "incarnation": incarnation, "source": source, "seq": seq, "at": at}
        for incarnation, seq in heads
        if seq > SAFE_NOWHERE
    ]
    if rows:
        connection.execute(SAFE_POINT.insert(), rows)


def withdraw(connection: Connection, hospital: HospitalId, source: str) -> None:
    """Forget what a source vouched for: a standby that is gone, a backup that was thrown away."""
    connection.execute(delete(SAFE_POINT).where(SAFE_POINT.c.hospital == hospital, SAFE_POINT.c.source == source))
