"""What the daily round asks: what must be held, what nobody claimed, which duties were recorded, and their proofs."""

from datetime import date

from edge_agent.core.duties import Duty, Plan, minutes_of
from edge_agent.core.recognise import Draft
from edge_agent.core.stock import Item, is_expired, scrap_from
from edge_agent.core.work.reconciling import SIGNED
from edge_agent.store.catalogue import day_of, expiry_of, item_of, row_of, rows_of
from edge_agent.store.connection import Connection
from edge_agent.store.reconcile import signatures
from edge_agent.store.scene import unclaimed
from protocols.entry import decode_body
from protocols.movements.bodies import read_body, write_body
from protocols.movements.reports import DiscrepancyBody, DutyBody, LotName, StandingBody
from protocols.policy import SignedText
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import Instant

HOLDS_A_DRAFT = 200
DEVICE = ActorId("")
HEADS = "heads"
"""The word in the ledger's file that says up to which day heads were written down."""
HEADS_A_ROUND, HEADS_TEXT_MAX = 40, 2_000


def plan_of(connection: Connection) -> Plan:
    """Return when things are due, as the hospital's policy says; what it does not say is as usual."""
    body, usual = row_of(connection, "policy", "duties") or {}, Plan()
    ends = [minute for text in body.get("shift_ends", ()) if (minute := minutes_of(str(text))) is not None]
    daily = minutes_of(str(body.get("daily_at", "")))
    weekly = body.get("weekly_on")
    return Plan(
        tuple(ends) or usual.shift_ends,
        usual.daily_at if daily is None else daily,
        weekly_on=weekly if type(weekly) is int and 0 <= weekly <= 6 else usual.weekly_on,
    )


def first_wall(connection: Connection) -> Instant | None:
    """Return when the first entry was written, None in an empty ledger."""
    rows = connection.query("SELECT wall FROM ledger ORDER BY rowid LIMIT 1")
    return Instant(rows[0][0]) if rows else None


def last_due(connection: Connection, duty: Duty) -> Instant | None:
    """Return the last instant for which a duty was recorded."""
    rows = connection.stream("SELECT body FROM ledger WHERE kind = 'duty' ORDER BY seq DESC")
    for (raw,) in rows:
        body = read_body(raw, DutyBody)
        if body.duty == duty.value and body.state != SIGNED:
            return Instant(body.due)
    return None


def closed_counts(connection: Connection, duty: Duty, since: Instant) -> list[tuple[Instant, str]]:
    """Return when what fulfils a duty was closed, or signed, and by which event (hex), oldest first.

    A person's count is a daily check too; what readers see is no monthly count.
    """
    if duty is Duty.WEEKLY_RECONCILE:
        return signatures(connection, duty.value, since)
    daily = "count_daily" if duty is Duty.DAILY_CHECK else "count_monthly"
    rows = connection.stream(
        "SELECT wall, event_id, body FROM ledger WHERE kind IN ('count_monthly', ?) AND wall >= ? ORDER BY seq",
        (daily, since),
    )
    return [(Instant(wall), event.hex()) for wall, event, raw in rows if decode_body(raw).get("phase") == "close"]


# --- holds ---


def holds_due(connection: Connection, ward: PlaceId, today: date) -> list[Draft]:
    """Return the entries that hold what is expired, too near expiry for its class (F1), or recalled."""
    recalled = {(str(body.get("item")), str(body.get("lot", ""))) for _, body in rows_of(connection, "recall")}
    wanted: dict[str, tuple[list[str], list[LotName]]] = {}
    items: dict[str, Item | None] = {}
    rows = connection.query(
        """
        SELECT balance.item, balance.lot, balance.unit, coalesce(binding.expiry, '') FROM balance
        LEFT JOIN binding ON balance.unit <> '' AND binding.epc = balance.unit
        LEFT JOIN custody ON balance.unit <> '' AND custody.unit = balance.unit
        LEFT JOIN lot_held ON balance.unit = '' AND lot_held.item = balance.item AND lot_held.lot = balance.lot
        WHERE balance.place = ? AND balance.qty > 0 AND lot_held.kind IS NULL
          AND coalesce(custody.state, 'in_stock') = 'in_stock'
        """,
        (ward,),
    )
    for item, lot, unit, expiry in rows:
        if item not in items:
            items[item] = item_of(connection, item)
        day = day_of(expiry) or expiry_of(connection, item, lot)
        kind = "hold_recall" if (item, lot) in recalled else _hold_by_date(items[item], day, today)
        if kind:
            units, lots = wanted.setdefault(kind, ([], []))
            if unit:
                units.append(unit)
            else:
                lots.append(LotName(item, lot))
    return [draft for kind, (units, lots) in wanted.items() for draft in _holds(kind, units, lots)]


def _hold_by_date(item: Item | None, expiry: date | None, today: date) -> str:
    if is_expired(expiry, today):
        return "hold_expired"
    months = item.scrap_before_months if item is not None else 0
    return "hold_near_expiry" if months and expiry is not None and today >= scrap_from(expiry, months) else ""


def _holds(kind: str, units: list[str], lots: list[LotName]) -> list[Draft]:
    starts = range(0, max(len(units), len(lots)), HOLDS_A_DRAFT)
    lots = list(dict.fromkeys(lots))
    bodies = [
        StandingBody(tuple(units[at : at + HOLDS_A_DRAFT]), tuple(lots[at : at + HOLDS_A_DRAFT])) for at in starts
    ]
    return [Draft(kind, write_body(body), DEVICE) for body in bodies]


# --- the hospital's signed heads ---


def heads_due(connection: Connection) -> list[Draft]:
    """Return the entries that write down the daily heads not written yet, oldest first, and keep which day they end."""
    rows = connection.query("SELECT value FROM meta WHERE key = ?", (HEADS,))
    last = str(rows[0][0]) if rows else ""
    fresh = [(day, body) for day, body in rows_of(connection, "head") if day > last][:HEADS_A_ROUND]
    if not fresh:
        return []
    connection.execute(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
        (HEADS, fresh[-1][0]),
    )
    words = ("text", "key", "signature")
    bodies = [SignedText(**{word: str(body.get(word, ""))[:HEADS_TEXT_MAX] for word in words}) for _, body in fresh]
    return [Draft("daily_heads", write_body(body), DEVICE) for body in bodies]


# --- what nobody claimed ---


def unclaimed_drafts(connection: Connection, ward: PlaceId, ends: Instant) -> list[Draft]:
    """Return a discrepancy for each piece that left before a shift's end and that nobody has claimed, told once."""
    told = {unit for _, unit in _open_unclaimed(connection)}
    drafts = []
    for one in unclaimed(connection, ward):
        if one.since > ends or one.stock.unit in told:
            continue
        (event,) = connection.query("SELECT hex(event_id) FROM belief WHERE epc = ?", (one.stock.unit,)) or [("",)]
        said = "left the shelf without a scan, unclaimed at the end of the shift"
        body = DiscrepancyBody(
            "unclaimed", one.stock.item, one.stock.lot, one.stock.unit, of=str(event[0]).lower(), said=said
        )
        drafts.append(Draft("discrepancy", write_body(body), DEVICE))
    return drafts


def settled_drafts(connection: Connection, ward: PlaceId) -> list[Draft]:
    """Return the closing of every unclaimed discrepancy whose piece was claimed or is seen again."""
    still = {one.stock.unit for one in unclaimed(connection, ward)}
    gone = [(name, unit) for name, unit in _open_unclaimed(connection) if unit not in still]
    bodies = [DiscrepancyBody("unclaimed", unit=unit, closes=name, said="claimed or seen again") for name, unit in gone]
    return [Draft("discrepancy", write_body(body), DEVICE) for body in bodies]


def _open_unclaimed(connection: Connection) -> list[tuple[str, str]]:
    return [
        (name, unit)
        for name, unit in connection.query(
            "SELECT discrepancy, unit FROM discrepancy WHERE sort = 'unclaimed' AND closed_event_id = x''"
        )
    ]


def gone_units(connection: Connection, ward: PlaceId) -> list[tuple[str, str, str]]:
    """Return (item, lot, unit) of every piece that the book has here and the readers do not."""
    return [(one.stock.item, one.stock.lot, one.stock.unit) for one in unclaimed(connection, ward)]
