"""The hospital's data of the scripted week, as its feed would bring them, and the labels and cards people scan."""

import io
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge_agent.agent.feeding import Feeding
from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.store.connection import SqliteConnection
from edge_agent.store.feed import Row, checksum_of
from edge_agent.store.ledger import open_ledger
from protocols.codes.gs1 import FNC1
from protocols.codes.gtin import gtin_check_digit
from protocols.codes.label import CommandName, TicketSort, make_badge, make_command, make_ticket
from protocols.permits import Permit
from protocols.policy import PolicyText, signed_bytes, text_of
from protocols.sync.feed import Applied
from protocols.values.ids import ActorId, DeviceId, Incarnation, PlaceId
from protocols.values.instant import StoryTime, from_iso

WARD, OTHER_WARD = "ward-01", "ward-02"
STENT, BALLOON, SYRINGE, GAUZE, GLUE, QUOTA, DRAPE = (
    "HC1001", "HC1002", "LC2001", "LC3001", "LC4001", "QP5001", "LC6001",
)  # fmt: skip
NURSE, SECOND, KEEPER = (make_badge(ActorId(staff)) for staff in ("1001", "1002", "2001"))
PATIENT, OTHER_PATIENT = (make_ticket(TicketSort.PATIENT, code) for code in ("P778812345", "P778899999"))
PATIENT_KEY = b"a key of the hospital"
SUPPLIER = "supplier-7"


def gtin_of(number: int, level: int = 0) -> str:
    """Return a GTIN-14 of the hospital's made-up products; `level` is its pack's indicator."""
    body = f"{level}69999901{number:04d}"
    return body + gtin_check_digit(body)


GTINS = {
    STENT: gtin_of(101), BALLOON: gtin_of(102), SYRINGE: gtin_of(104), GAUZE: gtin_of(107), GLUE: gtin_of(108),
    QUOTA: gtin_of(109), DRAPE: gtin_of(110),
}  # fmt: skip
SYRINGE_BOX, UNKNOWN_GTIN = gtin_of(104, 1), gtin_of(999)
GTIN_PREFIX_DIGITS = 8

ITEMS: dict[str, dict[str, Any]] = {
    STENT: {"name_zh": "冠脉药物支架", "name_en": "Coronary stent", "products": [{"code": GTINS[STENT]}]},
    BALLOON: {"name_zh": "球囊扩张导管", "name_en": "Balloon catheter", "products": [{"code": GTINS[BALLOON]}]},
    SYRINGE: {
        "name_zh": "一次性注射器 10ml", "name_en": "Syringe 10 ml", "pack": 50,
        "products": [{"code": GTINS[SYRINGE]}, {"code": SYRINGE_BOX, "factor": 50}],
    },
    GAUZE: {
        "name_zh": "无菌纱布", "name_en": "Sterile gauze", "pack": 10, "consume_on": "pack",
        "products": [{"code": GTINS[GAUZE], "factor": 10}],
    },
    GLUE: {
        "name_zh": "医用生物胶", "name_en": "Surgical glue", "scrap_before_months": 3,
        "products": [{"code": GTINS[GLUE]}],
    },
    QUOTA: {
        "name_zh": "换药定数包", "name_en": "Dressing quota pack", "content": {"item": DRAPE, "qty": 12},
        "products": [{"code": GTINS[QUOTA]}],
    },
    DRAPE: {"name_zh": "手术铺巾", "name_en": "Drape", "products": [{"code": GTINS[DRAPE]}]},
}  # fmt: skip
LOTS = {
    f"{SYRINGE} A1": "2026-12-31", f"{SYRINGE} B2": "2027-12-31", f"{SYRINGE} OLD": "2026-02-28",
    f"{SYRINGE} END": "2026-03-29", f"{SYRINGE} R9": "2027-01-31", f"{GLUE} G5": "2026-05-15",
    f"{GLUE} G9": "2027-05-15",
}  # fmt: skip
FED_AT = from_iso("2026-03-27T08:00:00+08:00")
POLICY_KEY, KEY_ID = Ed25519PrivateKey.generate(), "policy-1"
PERMIT = PolicyText(
    "main", WARD, 7, Permit.SUSPENDED, from_iso("2026-04-01T00:00:00+08:00"), FED_AT,
    from_iso("2026-04-30T00:00:00+08:00"), Permit.NORMAL, "shelves in disorder",
)  # fmt: skip
"""What the hospital decided before the network went: from April on the ward may draw nothing by itself."""
STAFF = {"1001": ["nurse"], "1002": ["nurse"], "2001": ["keeper"]}
Line = dict[str, Any]


def line(item: str, lot: str, qty: int, position: str, *, source: str = f"transit@{WARD}", **more: str) -> Line:
    """Return one line of a document that brings goods to a shelf of the ward."""
    return {
        "item": item, "lot": lot, "qty": qty, "source": source, "target": WARD, "target_position": position, **more,
    }  # fmt: skip


EPC_OF_NOTE = {21: "30364433400D1EC000000021", 22: "30364433400D1EC000000022", 23: "30364433400D1EC000000023"}
EPC_OF_SET = {31: "30364433400D1EC000000031", 32: "30364433400D1EC000000032", 41: "30364433400D1EC000000041"}


def bound(item: str, serial: int, epc: str, lot: str = "S1") -> dict[str, str]:
    return {"epc": epc, "item": item, "gtin": GTINS[item], "lot": lot, "serial": str(serial), "expiry": "2027-06-30"}


DOCUMENTS = [
    Row(
        "document",
        "DN1",
        {
            "sort": "delivery",
            "lines": [
                line(SYRINGE, "B2", 100, "S2"),
                *(line(STENT, "S1", 1, "S1", unit=EPC_OF_NOTE[serial]) for serial in (21, 22)),
                line(BALLOON, "S1", 1, "S4", unit=EPC_OF_SET[41], owner=SUPPLIER),
            ],
            "bindings": [
                *(bound(STENT, serial, EPC_OF_NOTE[serial]) for serial in (21, 22)),
                bound(BALLOON, 41, EPC_OF_SET[41]),
            ],
        },
    ),
    Row("document", "DN2", {"lines": [line(SYRINGE, "B2", 20, "S2"), line(GLUE, "G9", 10, "S3")]}),
    Row("document", "DN4", {"lines": [line(SYRINGE, "B2", 50, "S2")]}),
    Row("document", "DN5", {"approved": True, "lines": [line(SYRINGE, "B2", 50, "S2")]}),
    Row(
        "document",
        "PS1",
        {
            "sort": "set",
            "lines": [
                line(BALLOON, "S1", 1, "S5", source=f"supplier@{WARD}", unit=EPC_OF_SET[serial], owner=SUPPLIER)
                for serial in (31, 32)
            ],
            "bindings": [bound(BALLOON, serial, EPC_OF_SET[serial]) for serial in (31, 32)],
        },
    ),
]


def rows() -> list[Row]:
    """Return the whole scope that the feed brings before the network goes."""
    return [
        *(Row("item", code, body) for code, body in ITEMS.items()),
        *(Row("staff", staff, {"roles": roles}) for staff, roles in STAFF.items()),
        *(Row("lot", key, {"expiry": expiry}) for key, expiry in LOTS.items()),
        Row("place", "WARD02", {"place": OTHER_WARD}),
        Row("recall", "R2026-9", {"item": SYRINGE, "lot": "R9"}),
        *DOCUMENTS,
        Row("policy", "permit", signed(PERMIT)),
    ]


def signed(policy: PolicyText) -> dict[str, str]:
    """Return a policy as central signs it."""
    text = text_of(policy)
    return {"text": text, "key": KEY_ID, "signature": POLICY_KEY.sign(signed_bytes(PolicyText, text)).hex()}


def proves(key_id: str, data: bytes, signature: bytes) -> bool:
    """Tell whether the hospital's policy key said so."""
    try:
        POLICY_KEY.public_key().verify(signature, data)
    except InvalidSignature:
        return False
    return key_id == KEY_ID


def feed(ledger: Path, scope: Sequence[Row]) -> None:
    """Give a storeroom that was never started the hospital's data, as it would have taken them from the network."""
    clock = Clock(StoryTime(FED_AT, 1.0, 0), monotonic_ns=lambda: 0)
    opened = open_ledger(ledger, DeviceId(WARD), newborn=Incarnation(bytes(range(16))), now=clock.now())
    feeding = Feeding(PlaceId(WARD), clock=clock, voice=Voice(clock, io.StringIO()), proves=proves)
    said = tuple(row.said for row in scope)
    assert feeding.take(opened.connection, Applied("global", 1, bytes.fromhex(checksum_of(scope)), said, None))
    opened.close()


def read_only(ledger: Path) -> SqliteConnection:
    """Return a ledger opened to look at."""
    return SqliteConnection(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True, isolation_level=None), str(ledger))


# --- what people scan ---


def card(name: str) -> str:
    """Return a command card."""
    return make_command(CommandName(name))


def note(number: str) -> str:
    """Return the code on a delivery note or a set's card."""
    return make_ticket(TicketSort.DOCUMENT, number)


def place(code: str) -> str:
    """Return the code of a shelf or a storeroom."""
    return make_ticket(TicketSort.PLACE, code)


def piece(item: str, serial: int, lot: str = "S1", expiry: str = "270630") -> str:
    """Return the label of one piece with a serial number."""
    return f"]d201{GTINS[item]}17{expiry}10{lot}{FNC1}21{serial}"


def loose(item: str, lot: str = "", *, box: bool = False, made: bool = False) -> str:
    """Return the label of loose pieces; without a lot nobody printed one, `made` is one that tells the day too."""
    gtin = SYRINGE_BOX if box else GTINS[item]
    front = f"]d201{gtin}11260101" if made else f"]d201{gtin}"
    return f"{front}10{lot}" if lot else front
