"""One storeroom for the tests of work: real SQLite in memory, the hospital's data by the feed, scans by hand."""

import sqlite3
from collections.abc import Mapping
from typing import Any

from edge_agent.core.permits import standing_of
from edge_agent.core.recognise import meaning_of
from edge_agent.core.work.machine import decide, perform
from edge_agent.core.work.scene import Decision, Facts, Mode, Room, Scene, Visit, wrote
from edge_agent.core.work.states import Event
from edge_agent.store.catalogue import policy_of
from edge_agent.store.connection import SqliteConnection
from edge_agent.store.feed import Row, checksum_of, take_snapshot, version_of
from edge_agent.store.ledger import Ledger, ledger_over
from edge_agent.store.scene import facts_for
from edge_agent.store.schema import bring_up_to_date
from edge_agent.store.verify import verify
from protocols.codes.gs1 import FNC1
from protocols.codes.label import CommandName, TicketSort, UnreadableLabel, make_badge, make_command, make_ticket
from protocols.entry import decode_body
from protocols.movements.posting import lines_of
from protocols.readers.scanner import Beep
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import Instant, plus
from tests.edge_agent.conftest import BORN, START, WARD, Scribe

STENT, SYRINGE, GAUZE = "HC1001", "LC2001", "LC3001"
STENT_GTIN, SYRINGE_GTIN, SYRINGE_BOX, GAUZE_GTIN = (
    "06999990101016",
    "06999990101047",
    "16999990101044",
    "06999990101078",
)
NURSE, OTHER, KEEPER = (make_badge(ActorId(staff)) for staff in ("1001", "1002", "2001"))
PATIENT = make_ticket(TicketSort.PATIENT, "P778812345")
KEY = b"a key of the hospital"

ITEMS: dict[str, dict[str, Any]] = {
    STENT: {"name_zh": "支架", "products": [{"code": STENT_GTIN}]},
    SYRINGE: {
        "name_zh": "注射器",
        "pack": 50,
        "products": [{"code": SYRINGE_GTIN}, {"code": SYRINGE_BOX, "factor": 50}],
    },
    GAUZE: {"name_zh": "纱布", "pack": 10, "consume_on": "pack", "products": [{"code": GAUZE_GTIN, "factor": 10}]},
}
STAFF = {"1001": ["nurse"], "1002": ["nurse"], "2001": ["keeper"]}
LOTS = {f"{SYRINGE} A1": "2026-06-30", f"{SYRINGE} B2": "2027-06-30", f"{SYRINGE} OLD": "2026-02-28"}


def card(name: str) -> str:
    return make_command(CommandName(name))


def note(number: str) -> str:
    return make_ticket(TicketSort.DOCUMENT, number)


def place(code: str) -> str:
    return make_ticket(TicketSort.PLACE, code)


def stent(serial: int, lot: str = "S1", expiry: str = "270630") -> str:
    return f"]d201{STENT_GTIN}17{expiry}10{lot}{FNC1}21{serial:04d}"


def loose(gtin: str, lot: str = "A1") -> str:
    return f"]d201{gtin}10{lot}"


def epc_of(serial: int) -> str:
    return f"30340242201D8D400000{serial:04X}"


class Desk:
    """A storeroom and one scanner before it."""

    def __init__(self, mode: Mode = Mode.LIVE) -> None:
        connection = SqliteConnection(sqlite3.connect(":memory:", isolation_level=None), "memory")
        bring_up_to_date(connection, "memory")
        self.ledger: Ledger = ledger_over(connection, WARD, newborn=BORN, now=START)
        self.scribe = Scribe()
        self.room = Room(PlaceId("ward-01"), mode=mode, patient_key=KEY)
        self.visit: Visit | None = None
        self.said: list[Decision] = []
        self.scans = 0
        self.rows = [Row("item", code, body) for code, body in ITEMS.items()]
        self.rows += [Row("staff", staff, {"roles": roles}) for staff, roles in STAFF.items()]
        self.rows += [Row("lot", key, {"expiry": expiry}) for key, expiry in LOTS.items()]
        self.rows += [Row("place", "WARD02", {"place": "ward-02"})]
        self.feed()

    @property
    def now(self) -> Instant:
        return self.scribe.now

    def feed(self, *more: Row) -> None:
        self.rows += more
        version = version_of(self.ledger.connection, "global") + 1
        checksum = checksum_of(self.rows)
        take_snapshot(self.ledger.connection, "global", version, self.rows, checksum=checksum, now=self.now)

    def write(self, kind: str, body: Mapping[str, object], actor: str = "") -> bytes:
        entry = self.scribe.entry(kind, body, actor)
        self.ledger.append([entry])
        return entry.event_id

    def stock_stents(self, *serials: int, lot: str = "S1", expiry: str = "2027-06-30", owner: str = "hospital") -> None:
        bound = {"item": STENT, "gtin": STENT_GTIN, "lot": lot, "expiry": expiry}
        self.write("bind_tag", {"bindings": [{**bound, "epc": epc_of(n), "serial": f"{n:04d}"} for n in serials]})
        line = {"item": STENT, "lot": lot, "qty": 1, "source": "opening@ward-01", "target": "ward-01", "owner": owner}
        self.write("opening", {"lines": [{**line, "unit": epc_of(n), "target_position": "S1"} for n in serials]})

    def stock_loose(self, item: str, lot: str, qty: int, position: str = "S2") -> None:
        line = {"item": item, "lot": lot, "qty": qty, "source": "opening@ward-01", "target": "ward-01"}
        self.write("opening", {"lines": [{**line, "target_position": position}]})

    def scan(self, *texts: str, apart_s: float = 3.0) -> list[Beep]:
        """Scan some codes one after the other; returns their beeps."""
        beeps = []
        for text in texts:
            self.scans += 1
            self.scribe.now = plus(self.scribe.now, apart_s)
            beeps.append(self._scan(text).beep)
        return beeps

    def _scan(self, text: str) -> Decision:
        meaning, connection = meaning_of(text), self.ledger.connection
        facts = facts_for(connection, meaning, self.visit, self.room.ward)
        room = Room(
            self.room.ward,
            standing=standing_of(policy_of(connection), self.now),
            mode=self.room.mode,
            patient_key=self.room.patient_key,
        )
        decision = decide(meaning, text, visit=self.visit, facts=facts, room=room, now=self.now)
        self.take(decision)
        return decision

    def idle(self) -> None:
        """Nobody scans any more: the visit ends by itself."""
        scene = Scene(UnreadableLabel("idle"), "", self.visit, Facts(), self.room, self.now)
        self.take(perform(scene, Event.IDLE))

    def take(self, decision: Decision) -> None:
        now = self.scribe.now
        entries = [self.scribe.entry(draft.kind, draft.body, draft.actor) for draft in decision.drafts]
        self.scribe.now = now
        self.ledger.append(entries)
        written = [(one.kind, one.event_id, lines_of(one.kind, one.body)) for one in entries]
        self.visit = wrote(decision.visit, written) if decision.visit is not None and written else decision.visit
        self.said.append(decision)

    # --- questions ---

    @property
    def last(self) -> Decision:
        return self.said[-1]

    def qty(self, where: str, item: str, lot: str = "") -> int:
        sql = "SELECT coalesce(sum(qty), 0) FROM balance WHERE place = ? AND item = ?"
        values = (where, item)
        rows = self.ledger.connection.query(sql + (" AND lot = ?" if lot else ""), (*values, lot) if lot else values)
        return int(rows[0][0])

    def kinds(self, after: int = 0) -> list[str]:
        rows = self.ledger.connection.query("SELECT kind FROM ledger ORDER BY seq")
        return [kind for (kind,) in rows][after:]

    def bodies(self, kind: str) -> list[dict[str, Any]]:
        rows = self.ledger.connection.query("SELECT body FROM ledger WHERE kind = ? ORDER BY seq", (kind,))
        return [decode_body(body) for (body,) in rows]

    def state(self, serial: int) -> str:
        rows = self.ledger.connection.query("SELECT state FROM custody WHERE unit = ?", (epc_of(serial),))
        return str(rows[0][0]) if rows else "none"

    def discrepancies(self) -> list[str]:
        return [sort for (sort,) in self.ledger.connection.query("SELECT sort FROM discrepancy ORDER BY discrepancy")]

    def check(self) -> None:
        """The ledger is sound, whatever was scanned."""
        report = verify(self.ledger.connection)
        assert report.sound, report.problems
