"""The signed heads of each day: made once a day is over, told to every edge, and held against what edges wrote down.

An edge writes what it is told into its own ledger, which comes back up; so whoever owns this server cannot sign another
history afterwards without an edge's chain saying so. The rule that must not be broken: heads of a day are made once.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from sqlalchemy import Connection, select

from central.services.feed.policies import Seal, sealed
from central.store.feeds import chain_ends
from central.store.tables.feed import DAILY_HEADS
from central.store.tables.ledger import LEDGER, LEDGER_LOSS
from protocols.entry import Digest
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.policy import HeadsText, SignedText, digest_of_heads, read_text, signed_bytes, text_of
from protocols.values.ids import DeviceId, HospitalId, Incarnation
from protocols.values.instant import Instant, business_day


def make_heads(connection: Connection, hospital: HospitalId, now: Instant, seal: Seal | None) -> bool:
    """Keep and sign the heads of the business day that is over, unless they are; tell whether they were made."""
    day = business_day(now) - timedelta(days=1)
    known = select(DAILY_HEADS.c.day).where(DAILY_HEADS.c.hospital == hospital, DAILY_HEADS.c.day >= day).limit(1)
    ends = [] if connection.execute(known).first() is not None else chain_ends(connection, hospital)
    if not ends:
        return False
    text = text_of(HeadsText(hospital, day.isoformat(), now, len(ends), digest_of_heads(ends)))
    key_id, signature = sealed(seal, signed_bytes(HeadsText, text))
    listed = [[device, chain.hex(), seq, digest.hex()] for device, chain, seq, digest in ends]
    connection.execute(
        DAILY_HEADS.insert().values(
            hospital=hospital,
            day=day,
            heads=json.dumps(listed, separators=(",", ":")).encode(),
            text=text,
            key_id=key_id,
            signature=signature,
        )
    )
    return True


def heads_faults(connection: Connection) -> Iterator[str]:
    """Give what does not hold: of the kept heads against the ledger, and of what edges wrote down against the heads."""
    told: dict[tuple[str, str], str] = {}
    for row in connection.execute(DAILY_HEADS.select()):
        text = read_text(HeadsText, row.text)
        told[row.hospital, text.day] = text.digest
        ends = [
            (DeviceId(device), Incarnation(bytes.fromhex(chain)), seq, Digest(bytes.fromhex(digest)))
            for device, chain, seq, digest in json.loads(row.heads)
        ]
        if digest_of_heads(ends) != text.digest:
            yield f"heads of {text.day}: the list kept here is not the one that was signed"
        yield from _not_in_ledger(connection, row.hospital, text.day, ends)
    yield from _told_otherwise(connection, told)


def _not_in_ledger(
    connection: Connection, hospital: str, day: str, ends: Iterable[tuple[DeviceId, Incarnation, int, Digest]]
) -> Iterator[str]:
    for _, chain, seq, digest in ends:
        at = (LEDGER.c.hospital == hospital, LEDGER.c.incarnation == chain, LEDGER.c.seq == seq)
        if connection.scalar(select(LEDGER.c.hash).where(*at)) != digest:
            yield f"heads of {day}: entry {seq} of chain {chain.hex()[:8]} is not the one that was signed"


def _told_otherwise(connection: Connection, told: Mapping[tuple[str, str], str]) -> Iterator[str]:
    """Give the devices that wrote down other heads of a day than are kept; a central put back signs some days again."""
    put_back = set(connection.scalars(select(LEDGER_LOSS.c.hospital).where(LEDGER_LOSS.c.kind == "central").distinct()))
    rows = connection.execute(
        select(LEDGER.c.hospital, LEDGER.c.device, LEDGER.c.body).where(LEDGER.c.kind == "daily_heads")
    )
    for hospital, device, raw in rows:
        try:
            said = read_text(HeadsText, read_body(raw, SignedText).text)
        except ProtocolsError:
            yield f"device {device}: heads that cannot be read"
            continue
        if hospital not in put_back and told.get((hospital, said.day), said.digest) != said.digest:
            yield f"heads of {said.day}: device {device} was told others than are kept here"
