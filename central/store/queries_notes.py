"""What delivery notes are made of: what left for wards, what they received by a note, what is on its way, its tags.

Reading only, no rule. The rule that must not be broken: every query names the hospital and is bounded by a time.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from central.core.notes import Goods, Note, Pick, Sent, Wanted, notes_for, picks_for, units_of
from central.store.tables.ledger import BALANCE, BINDING, EVENT, LEDGER, POSTING_LINE
from central.store.tables.work import ORDER_LINE, PURCHASE_ORDER
from protocols.errors import ProtocolsError
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody
from protocols.movements.tags import Binding
from protocols.values.ids import HospitalId, PlaceId, virtual_place
from protocols.values.instant import Instant, plus

LOOKED_BACK_S = 30 * 86_400.0
"""Goods on the way for longer are a difference somebody must look at, not a delivery."""
LINES_MAX = 20_000
"""Lines one look reads of all wards."""
UNITS_AT_ONCE = 500
PICKS_MAX = 5_000
"""Lines of orders between storerooms, the newest, that one look reads."""
SENT, RECEIVED = "transfer_out", "ward_receipt"


def notes_waiting(
    connection: Connection, hospital: HospitalId, wards: Iterable[PlaceId], now: Instant
) -> Mapping[PlaceId, list[Note]]:
    """Return the delivery notes each of some storerooms waits for; one that waits for nothing is left out."""
    ways = {str(virtual_place("transit", ward)): ward for ward in wards}
    lying = _lying(connection, hospital, ways)
    if not lying:
        return {}
    since, waits = plus(now, -LOOKED_BACK_S), {way: ways[way] for way in lying}
    sent = _sent(connection, hospital, waits, since)
    received = _received(connection, hospital, waits, since)
    bound = _bound(connection, hospital, units_of(each for lines in sent.values() for each in lines))
    found = {ward: notes_for(ward, sent[way], received[way], lying[way], bound) for way, ward in waits.items()}
    return {ward: notes for ward, notes in found.items() if notes}


def _lying(connection: Connection, hospital: HospitalId, ways: Mapping[str, PlaceId]) -> dict[str, dict[Goods, int]]:
    row = BALANCE.c
    keys = (row.place, row.item, row.lot, row.owner, row.unit)
    query = select(*keys, func.sum(row.qty).label("qty")).where(row.hospital == hospital, row.place.in_(sorted(ways)))
    found: defaultdict[str, dict[Goods, int]] = defaultdict(dict)
    for one in connection.execute(query.group_by(*keys).having(func.sum(row.qty) > 0)):
        found[one.place][Goods(one.item, one.lot, one.owner, one.unit)] = int(one.qty)
    return dict(found)


def _sent(
    connection: Connection, hospital: HospitalId, ways: Mapping[str, PlaceId], since: Instant
) -> defaultdict[str, list[Sent]]:
    line = POSTING_LINE.c
    found: defaultdict[str, list[Sent]] = defaultdict(list)
    where = (line.target.in_(sorted(ways)), EVENT.c.kind == SENT)
    for row, body in _lines(connection, hospital, where, since):
        goods, order = Goods(row.item, row.lot, row.owner, row.unit), next(iter(body.refs), "")
        found[row.target].append(Sent(Instant(row.at), row.event_id.hex(), row.source, goods, row.qty, order))
    return found


def _received(
    connection: Connection, hospital: HospitalId, ways: Mapping[str, PlaceId], since: Instant
) -> defaultdict[str, dict[str, Counter[Goods]]]:
    """Return what each storeroom took in under each number it named."""
    line = POSTING_LINE.c
    found: defaultdict[str, dict[str, Counter[Goods]]] = defaultdict(dict)
    where = (line.source.in_(sorted(ways)), EVENT.c.kind == RECEIVED)
    for row, body in _lines(connection, hospital, where, since):
        for name in body.refs:
            came = found[row.source].setdefault(name, Counter())
            came[Goods(row.item, row.lot, row.owner, row.unit)] += row.qty
    return found


def _lines(
    connection: Connection, hospital: HospitalId, where: tuple[ColumnElement[bool], ...], since: Instant
) -> Iterable[tuple[Row[Any], MovementBody]]:
    line = POSTING_LINE.c
    entry = and_(
        LEDGER.c.hospital == EVENT.c.hospital, LEDGER.c.incarnation == EVENT.c.incarnation, LEDGER.c.seq == EVENT.c.seq
    )
    query = (
        select(POSTING_LINE, LEDGER.c.body)
        .join(EVENT, and_(EVENT.c.hospital == line.hospital, EVENT.c.event_id == line.event_id))
        .join(LEDGER, entry)
        .where(line.hospital == hospital, line.at >= since, *where)
        .order_by(line.at.desc(), line.event_id, line.line_no)
        .limit(LINES_MAX)
    )
    for row in connection.execute(query):
        try:
            yield row, read_body(row.body, MovementBody)
        except ProtocolsError:
            continue  # set aside; it moved nothing


def _bound(connection: Connection, hospital: HospitalId, units: Iterable[str]) -> dict[str, Binding]:
    """Return what is printed on the tags of some pieces."""
    named, row = sorted(units), BINDING.c
    found: dict[str, Binding] = {}
    for start in range(0, len(named), UNITS_AT_ONCE):
        query = BINDING.select().where(row.hospital == hospital, row.epc.in_(named[start : start + UNITS_AT_ONCE]))
        for one in connection.execute(query):
            found[one.epc] = Binding(one.epc, one.item, one.gtin, one.lot, one.serial, one.expiry)
    return found


def picks_waiting(
    connection: Connection, hospital: HospitalId, sources: Collection[PlaceId], now: Instant
) -> Mapping[PlaceId, list[Pick]]:
    """Return what each of some storerooms is still to send for orders of the last weeks that it fills."""
    since = plus(now, -LOOKED_BACK_S)
    order, line = PURCHASE_ORDER.c, ORDER_LINE.c
    query = (
        select(order.order_no, order.source, order.place, line.item, line.qty)
        .join(ORDER_LINE, and_(line.hospital == order.hospital, line.order_no == order.order_no))
        .where(
            order.hospital == hospital, order.supplier == "", order.created_at >= since,
            order.source.in_(sorted(sources)),
        )
        .order_by(order.created_at.desc(), order.order_no)
        .limit(PICKS_MAX)
    )  # fmt: skip
    wanted = [
        Wanted(row.order_no, PlaceId(row.source), PlaceId(row.place), row.item, row.qty)
        for row in connection.execute(query)
    ]
    if not wanted:
        return {}
    gone: defaultdict[str, Counter[str]] = defaultdict(Counter)
    leaving = (POSTING_LINE.c.source.in_(sorted(sources)), EVENT.c.kind == SENT)
    for row, body in _lines(connection, hospital, leaving, since):
        gone[next(iter(body.refs), "")][row.item] += row.qty
    return {source: picks_for([one for one in wanted if one.source == source], gone) for source in sorted(sources)}


def sent_for(
    connection: Connection, hospital: HospitalId, source: PlaceId, ward: PlaceId, order: str, now: Instant
) -> Counter[str]:
    """Return the base units of each item that left one storeroom for another under an order of the last weeks."""
    line = POSTING_LINE.c
    leaving = (line.source == source, line.target == virtual_place("transit", ward), EVENT.c.kind == SENT)
    found = Counter[str]()
    for row, body in _lines(connection, hospital, leaving, plus(now, -LOOKED_BACK_S)):
        found[row.item] += row.qty if next(iter(body.refs), "") == order else 0
    return found


def loose_goods(
    connection: Connection, hospital: HospitalId, place: PlaceId, items: Collection[str]
) -> list[tuple[str, str, str, str, int]]:
    """Return the loose goods of some items in a storeroom: item, lot, owner, shelf, base units above 0."""
    row = BALANCE.c
    query = (
        select(row.item, row.lot, row.owner, row.position, row.qty)
        .where(row.hospital == hospital, row.place == place, row.item.in_(items), row.unit == "", row.qty > 0)
        .order_by(row.item, row.lot, row.owner, row.position)
    )
    return [(one.item, one.lot, one.owner, one.position, int(one.qty)) for one in connection.execute(query)]
