"""Charges read back and written, and what the ledger says of chargeable pieces: where they lie, what was used when.

No rule lives here. The rule that must not be broken: every query names the hospital, and a charge is only ever added.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Connection, and_, delete, func, or_, select

from central.core.charging import ChargeItem
from central.core.rights import Scope
from central.core.uses import Lying
from central.store.chains import OWN_DEVICE
from central.store.merge import merge
from central.store.tables.charges import CHARGE, CHARGE_FAULT, CHARGE_ITEM, CHARGE_MARK, CHARGE_USE
from central.store.tables.ledger import BALANCE, EVENT, LEDGER, POSTING_LINE
from central.store.tables.master import ITEM
from protocols.movements.bodies import read_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, business_day, plus

CHARGING = "charging"
"""The turn of who charges or refunds: each decides by what stands of a piece."""
FAULTS_SHOWN_MAX = 500
UNITS_SHOWN_MAX = 1_000
"""Pieces one question lists."""

WRITTEN_S = 3600.0
"""A refund and the reversal it writes are of one transaction; its clock is read twice, and may be a fast one."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One charge or refund; the columns of the table without the hospital."""

    charge: str
    refunds: str
    at: Instant
    place: str
    item: str
    lot: str
    unit: str
    qty: int
    code: str
    patient: str
    source: str
    reason: str
    person: str
    received_at: Instant

    @property
    def said(self) -> tuple[object, ...]:
        """Return what makes the same charge said again the same; a piece may have been found in another storeroom."""
        if self.refunds:
            return (self.refunds, self.qty)
        return (self.item, self.unit, self.qty, self.patient, "" if self.unit else self.place)


@dataclass(frozen=True, slots=True)
class Used:
    """A use that goes with a charge."""

    event: str
    charge: str
    place: str
    unit: str
    made: bool
    undone: str


@dataclass(frozen=True, slots=True)
class Step:
    """One posting of a piece: who wrote it, when, where from and where to."""

    event: str
    kind: str
    at: Instant
    actor: str
    device: str
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Fault:
    """A row of a source that does not fit."""

    source: str
    row: str
    fault: str
    at: Instant


def charge(connection: Connection, hospital: HospitalId, number: str) -> Charge | None:
    """Return a charge or refund by its number."""
    row = connection.execute(CHARGE.select().where(CHARGE.c.hospital == hospital, CHARGE.c.charge == number)).first()
    return (
        None if row is None else Charge(**{name: value for name, value in row._mapping.items() if name != "hospital"})
    )


def add_charge(connection: Connection, hospital: HospitalId, one: Charge) -> None:
    """Add a charge."""
    connection.execute(CHARGE.insert().values(hospital=hospital, **asdict(one)))


def refunded(connection: Connection, hospital: HospitalId, number: str) -> int:
    """Return how much of a charge was refunded, as a number above zero."""
    where = (CHARGE.c.hospital == hospital, CHARGE.c.refunds == number)
    return -int(connection.scalar(select(func.coalesce(func.sum(CHARGE.c.qty), 0)).where(*where)) or 0)


def standing(connection: Connection, hospital: HospitalId, units: Sequence[str]) -> dict[str, int]:
    """Return what is charged less refunded for each of some pieces, where that is not nothing."""
    query = select(CHARGE.c.unit, func.sum(CHARGE.c.qty).label("qty")).where(
        CHARGE.c.hospital == hospital, CHARGE.c.unit.in_(units), CHARGE.c.unit != ""
    )
    return {row.unit: int(row.qty) for row in connection.execute(query.group_by(CHARGE.c.unit)) if row.qty}


def last_charge(connection: Connection, hospital: HospitalId, unit: str) -> Charge | None:
    """Return the newest charge of a piece that is no refund."""
    where = (CHARGE.c.hospital == hospital, CHARGE.c.unit == unit, CHARGE.c.qty > 0)
    found = connection.scalar(
        select(CHARGE.c.charge).where(*where).order_by(CHARGE.c.received_at.desc(), CHARGE.c.charge.desc()).limit(1)
    )
    return None if found is None else charge(connection, hospital, found)


def add_use(connection: Connection, hospital: HospitalId, one: Used, at: Instant) -> None:
    """Note that a use goes with a charge."""
    merge(connection, CHARGE_USE, [{"hospital": hospital, **asdict(one), "at": at}])


def uses_of(connection: Connection, hospital: HospitalId, number: str) -> list[Used]:
    """Return the uses that go with a charge, those undone too."""
    rows = connection.execute(
        CHARGE_USE.select().where(CHARGE_USE.c.hospital == hospital, CHARGE_USE.c.charge == number)
    )
    return [Used(row.event, row.charge, row.place, row.unit, row.made, row.undone) for row in rows]


def undo_use(connection: Connection, hospital: HospitalId, event: str, undone: str) -> None:
    """Note by which event a use was reversed."""
    where = (CHARGE_USE.c.hospital == hospital, CHARGE_USE.c.event == event)
    connection.execute(CHARGE_USE.update().where(*where).values(undone=undone))


def doubted(connection: Connection, hospital: HospitalId, places: Iterable[str], since: Instant) -> list[Used]:
    """Return the uses central wrote, in some storerooms since an instant, whose pieces others' entries that came later
    name too.
    """
    use, line, event, ledger = CHARGE_USE.c, POSTING_LINE.c, EVENT.c, LEDGER.c
    later = (
        select(line.unit)
        .join(EVENT, and_(event.hospital == line.hospital, event.event_id == line.event_id))
        .join(
            LEDGER,
            and_(ledger.hospital == event.hospital, ledger.incarnation == event.incarnation, ledger.seq == event.seq),
        )
        .where(
            *(line.hospital == use.hospital, line.unit == use.unit),
            *(event.device != OWN_DEVICE, ledger.received_at >= use.at),
        )
    )
    rows = connection.execute(
        CHARGE_USE.select().where(
            *(use.hospital == hospital, use.place.in_(sorted(places)), use.at >= since),
            *(use.made.is_(True), use.undone == "", use.unit != "", later.exists()),
        )
    )
    return [Used(row.event, row.charge, row.place, row.unit, row.made, row.undone) for row in rows]


def lying(
    connection: Connection, hospital: HospitalId, *, unit: str = "", item: str = "", lot: str = "", place: str = ""
) -> list[Lying]:
    """Return where a piece lies, or loose pieces of an item (and lot) in a storeroom or in hand there.

    Positions of one place are summed: what was taken without naming its shelf has left the storeroom all the same.
    """
    column = BALANCE.c
    asked = [column.hospital == hospital, column.unit == unit]
    if not unit:
        asked += [column.item == item, or_(column.place == place, column.place == f"issued@{place}")]
        asked += [column.lot == lot] if lot else []
    found: defaultdict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for row in connection.execute(BALANCE.select().where(*asked, column.qty != 0).order_by(column.position)):
        found[row.place, row.lot, row.owner][row.position] = row.qty
    return [
        Lying(place, next((one for one, qty in shelves.items() if qty > 0), ""), lot, owner, sum(shelves.values()))
        for (place, lot, owner), shelves in found.items()
        if sum(shelves.values())
    ]


def steps_of(connection: Connection, hospital: HospitalId, unit: str) -> list[Step]:
    """Return every posting of a piece, in the order of their times."""
    line, event = POSTING_LINE.c, EVENT.c
    rows = connection.execute(
        select(line.event_id, line.source, line.target, event.kind, event.at, event.actor, event.device)
        .join(EVENT, and_(event.hospital == line.hospital, event.event_id == line.event_id))
        .where(line.hospital == hospital, line.unit == unit)
        .order_by(event.at, line.event_id, line.line_no)
    )
    return [
        Step(row.event_id.hex(), row.kind, Instant(row.at), row.actor, row.device, row.source, row.target)
        for row in rows
    ]


def piece(connection: Connection, hospital: HospitalId, unit: str) -> tuple[str, str] | None:
    """Return item and lot of a piece that is known by its own name alone, without a tag; None for none."""
    line = POSTING_LINE.c
    where = (line.hospital == hospital, line.unit == unit, line.unit != "")
    row = connection.execute(select(line.item, line.lot).where(*where).limit(1)).first()
    return None if row is None else (row.item, row.lot)


def lines_of_event(connection: Connection, hospital: HospitalId, event: str, unit: str = "") -> list[PostingLine]:
    """Return the posting lines of an event, of one piece where named."""
    line = POSTING_LINE.c
    asked = [line.hospital == hospital, line.event_id == bytes.fromhex(event)] + ([line.unit == unit] if unit else [])
    names = ("item", "qty", "source", "target", "lot", "owner", "unit", "source_position", "target_position")
    rows = connection.execute(POSTING_LINE.select().where(*asked).order_by(line.line_no))
    return [PostingLine(**{name: row._mapping[name] for name in names}) for row in rows]


def reversal_for(connection: Connection, hospital: HospitalId, ref: str, at: Instant) -> str:
    """Return the reversal (hex) that names a document, written about an instant; empty where there is none."""
    of, entry = EVENT.c, LEDGER.c
    same = and_(entry.hospital == of.hospital, entry.incarnation == of.incarnation, entry.seq == of.seq)
    asked = (of.hospital == hospital, of.kind == "reversal", of.at.between(plus(at, -WRITTEN_S), plus(at, WRITTEN_S)))
    for row in connection.execute(select(of.event_id, entry.body).join(LEDGER, same).where(*asked)):
        if ref in read_body(row.body, MovementBody).refs:
            return bytes(row.event_id).hex()
    return ""


def chargeable(connection: Connection, hospital: HospitalId) -> frozenset[str]:
    """Return the items that patients are charged for."""
    where = (ITEM.c.hospital == hospital, ITEM.c.chargeable.is_(True))
    return frozenset(connection.scalars(select(ITEM.c.item).where(*where)))


def charge_items(connection: Connection, hospital: HospitalId, item: str = "") -> list[ChargeItem]:
    """Return what codes of the other system are here, of one item or of all."""
    asked = [CHARGE_ITEM.c.hospital == hospital] + ([CHARGE_ITEM.c.item == item] if item else [])
    rows = connection.execute(CHARGE_ITEM.select().where(*asked).order_by(CHARGE_ITEM.c.code))
    return [ChargeItem(row.code, row.item, row.effective_from, row.effective_to, row.ratio) for row in rows]


def used_by_day(
    connection: Connection, hospital: HospitalId, scope: Scope, since: Instant, until: Instant
) -> list[tuple[str, date, str, int]]:
    """Return (storeroom, day, item, base units) used less reversed between two instants, chargeable items only."""
    line, items = POSTING_LINE.c, chargeable(connection, hospital)
    found: defaultdict[tuple[str, date, str], int] = defaultdict(int)
    for end, sign in ((line.target, 1), (line.source, -1)):
        rows = connection.execute(
            select(end.label("place"), line.item, line.qty, line.at).where(
                line.hospital == hospital, end.like("patient@%"), line.at >= since, line.at < until
            )
        )
        for row in rows:
            place = row.place.partition("@")[2]
            if row.item in items and place in scope:
                found[place, business_day(Instant(row.at)), row.item] += sign * row.qty
    return [(*key, qty) for key, qty in found.items() if qty]


def charged_by_day(
    connection: Connection, hospital: HospitalId, scope: Scope, since: Instant, until: Instant
) -> list[tuple[str, date, str, int]]:
    """Return (storeroom, day, item, base units) charged less refunded from an instant to another."""
    column = CHARGE.c
    rows = connection.execute(
        select(column.place, column.at, column.item, column.qty).where(
            column.hospital == hospital, column.at >= since, column.at < until
        )
    )
    found: defaultdict[tuple[str, date, str], int] = defaultdict(int)
    for row in rows:
        if row.place in scope:
            found[row.place, business_day(Instant(row.at)), row.item] += row.qty
    return [(*key, qty) for key, qty in found.items() if qty]


def loose_balance(
    connection: Connection, hospital: HospitalId, place: str, item: str, lot: str, since: Instant
) -> tuple[int, int]:
    """Return base units of loose pieces used, and charged, at a storeroom since an instant, what was undone left
    out.
    """
    line, column, patient = POSTING_LINE.c, CHARGE.c, f"patient@{place}"
    of_item = [line.hospital == hospital, line.item == item, line.unit == "", line.at >= since]
    of_item += [line.lot == lot] if lot else []
    used = 0
    for end, sign in ((line.target, 1), (line.source, -1)):
        total = select(func.coalesce(func.sum(line.qty), 0)).where(*of_item, end == patient)
        used += sign * int(connection.scalar(total) or 0)
    asked = [column.hospital == hospital, column.place == place, column.item == item, column.unit == ""]
    asked += [column.at >= since] + ([column.lot == lot] if lot else [])
    return used, int(connection.scalar(select(func.coalesce(func.sum(column.qty), 0)).where(*asked)) or 0)


def units_moved(
    connection: Connection, hospital: HospitalId, since: Instant, until: Instant, *, place: str, item: str
) -> list[str]:
    """Return the named pieces of an item that moved in a storeroom or were charged there between two instants."""
    line, column = POSTING_LINE.c, CHARGE.c
    ends = (place, f"issued@{place}", f"patient@{place}", f"scrap@{place}")
    moved = select(line.unit).where(
        *(line.hospital == hospital, line.item == item, line.unit != "", line.at >= since, line.at < until),
        or_(line.source.in_(ends), line.target.in_(ends)),
    )
    charged = select(column.unit).where(
        *(column.hospital == hospital, column.item == item, column.unit != "", column.place == place),
        *(column.at >= since, column.at < until),
    )
    return sorted(set(connection.scalars(moved.union(charged).limit(UNITS_SHOWN_MAX))))


def mark(connection: Connection, hospital: HospitalId, source: str) -> str:
    """Return up to where a source was read, empty before the first time."""
    where = (CHARGE_MARK.c.hospital == hospital, CHARGE_MARK.c.source == source)
    return connection.scalar(select(CHARGE_MARK.c.mark).where(*where)) or ""


def keep_mark(connection: Connection, hospital: HospitalId, source: str, said: str, now: Instant) -> None:
    """Note up to where a source was read."""
    merge(connection, CHARGE_MARK, [{"hospital": hospital, "source": source, "mark": said, "at": now}])


def keep_faults(
    connection: Connection, hospital: HospitalId, source: str, rows: Iterable[str], faults: Iterable[Fault]
) -> None:
    """Replace what was said of some rows of a source: those that fit now are forgotten."""
    column = CHARGE_FAULT.c
    for row in rows:
        which = (column.hospital == hospital, column.source == source, column.row == row)
        connection.execute(delete(CHARGE_FAULT).where(*which))
    told = [{"hospital": hospital, **asdict(one)} for one in faults]
    if told:
        merge(connection, CHARGE_FAULT, told)


def faults(connection: Connection, hospital: HospitalId) -> list[Fault]:
    """Return the rows that do not fit, the newest first."""
    rows = connection.execute(
        CHARGE_FAULT.select()
        .where(CHARGE_FAULT.c.hospital == hospital)
        .order_by(CHARGE_FAULT.c.at.desc(), CHARGE_FAULT.c.row)
        .limit(FAULTS_SHOWN_MAX)
    )
    return [Fault(row.source, row.row, row.fault, Instant(row.at)) for row in rows]
