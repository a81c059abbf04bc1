"""Every id of the product: made and parsed here and nowhere else.

An id is a `NewType` over `str` (or `bytes` where it travels in binary), so that the type checker refuses a bare string
where an id is meant. Parsing checks form only; whether the thing exists is a question for a store.
"""

import re
from functools import lru_cache
from typing import NewType

from protocols.errors import BadValue

HospitalId = NewType("HospitalId", str)
DeviceId = NewType("DeviceId", str)
ItemId = NewType("ItemId", str)
LotNo = NewType("LotNo", str)
OwnerId = NewType("OwnerId", str)
SupplierId = NewType("SupplierId", str)
ActorId = NewType("ActorId", str)
PlaceId = NewType("PlaceId", str)
Position = NewType("Position", str)
Epc = NewType("Epc", str)
UnitId = NewType("UnitId", str)
OrderNo = NewType("OrderNo", str)
Incarnation = NewType("Incarnation", bytes)
EventId = NewType("EventId", bytes)
BootId = NewType("BootId", bytes)

HOSPITAL_DEFAULT = HospitalId("main")
"""One hospital is the default and is never typed."""

HOSPITAL_OWNED = OwnerId("hospital")
"""Owner of stock that is not on consignment."""

BULK = UnitId("")
"""Unit of a posting line whose pieces are not told apart (no serial, no tag)."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_CODE = re.compile(r"[!-~]{1,64}")
_UNIT = re.compile(r"[!-~]{1,128}")
_HEX = re.compile(r"[0-9A-F]+")
_PLACE = re.compile(
    r"(?:(supplier|transit|issued|patient|scrap|recycler|unknown|opening|kit|owner|suspense)@)?([a-z0-9][a-z0-9._-]{0,63})"
)

VIRTUAL_ROLES = (
    "supplier",
    "transit",
    "issued",
    "patient",
    "scrap",
    "recycler",
    "unknown",
    "opening",
    "kit",
    "owner",
    "suspense",
)
"""Roles of virtual places; each stands once per storeroom (`patient@ward-01`), so that none is a hot row."""

NAMES_REMEMBERED = 8_192
"""Places, items and lots whose form was found right, so that a backlog does not ask the same of each line."""

EPC_HEX_MAX = 124
"""496 bits, the longest EPC a Gen2 PC word can announce (31 words)."""


def _match(pattern: re.Pattern[str], text: str, what: str, form: str) -> str:
    if not isinstance(text, str) or pattern.fullmatch(text) is None:
        raise BadValue(f"{what}: expected {form}, got {text!r:.80}")
    return text


def hospital_id(text: str) -> HospitalId:
    """Parse a hospital id (lower-case name). Raises `BadValue`."""
    return HospitalId(_match(_NAME, text, "hospital", "a lower-case name such as 'main'"))


def device_id(text: str) -> DeviceId:
    """Parse a device id (lower-case name, also an MQTT topic level). Raises `BadValue`."""
    return DeviceId(_match(_NAME, text, "device", "a lower-case name such as 'ward-01'"))


@lru_cache(NAMES_REMEMBERED)
def place_id(text: str) -> PlaceId:
    """Parse a place: a storeroom (`ward-01`) or a virtual place of one (`patient@ward-01`). Raises `BadValue`."""
    return PlaceId(_match(_PLACE, text, "place", "a storeroom or role@storeroom"))


def virtual_place(role: str, storeroom: PlaceId) -> PlaceId:
    """Return the virtual place of one role beside a storeroom. Raises `BadValue` for an unknown role."""
    if role not in VIRTUAL_ROLES:
        raise BadValue(f"place role: expected one of {', '.join(VIRTUAL_ROLES)}, got {role!r:.40}")
    return place_id(f"{role}@{storeroom}")


def is_virtual(place: PlaceId) -> bool:
    """Tell whether a place is a role beside a storeroom rather than a storeroom."""
    return "@" in place


@lru_cache(NAMES_REMEMBERED)
def item_id(text: str) -> ItemId:
    """Parse the hospital's own item code (1..64 printable ASCII characters, no space). Raises `BadValue`."""
    return ItemId(_match(_CODE, text, "item", "1..64 printable ASCII characters"))


@lru_cache(NAMES_REMEMBERED)
def lot_no(text: str) -> LotNo:
    """Parse a lot number; empty means "lot unknown". Raises `BadValue`."""
    if text == "":
        return LotNo("")
    return LotNo(_match(_CODE, text, "lot", "1..64 printable ASCII characters"))


@lru_cache(NAMES_REMEMBERED)
def actor_id(text: str) -> ActorId:
    """Parse a staff or system actor; empty means nobody is known. Raises `BadValue`."""
    if text == "":
        return ActorId("")
    return ActorId(_match(_CODE, text, "actor", "1..64 printable ASCII characters"))


def supplier_id(text: str) -> SupplierId:
    """Parse a supplier code. Raises `BadValue`."""
    return SupplierId(_match(_CODE, text, "supplier", "1..64 printable ASCII characters"))


def order_no(text: str) -> OrderNo:
    """Parse an order number. Raises `BadValue`."""
    return OrderNo(_match(_CODE, text, "order number", "1..64 printable ASCII characters"))


def epc(text: str) -> Epc:
    """Parse an EPC as upper-case hex of whole 16-bit words, at most 496 bits (Gen2 PC word). Raises `BadValue`."""
    upper = text.upper() if isinstance(text, str) else ""
    if len(upper) % 4 or not 4 <= len(upper) <= EPC_HEX_MAX or _HEX.fullmatch(upper) is None:
        raise BadValue(f"EPC: expected 4..{EPC_HEX_MAX} hex digits in whole 16-bit words, got {text!r:.80}")
    return Epc(upper)


def unit_id(text: str) -> UnitId:
    """Parse the id of one physical unit: EPC hex where tagged, else serial; empty is bulk. Raises `BadValue`."""
    if text == "":
        return BULK
    return UnitId(_match(_UNIT, text, "unit", "1..128 printable ASCII characters"))


def _sixteen(raw: bytes, what: str) -> bytes:
    if not isinstance(raw, bytes) or len(raw) != 16:
        raise BadValue(f"{what}: expected 16 bytes, got {len(raw) if isinstance(raw, bytes) else type(raw).__name__}")
    return raw


def incarnation(raw: bytes) -> Incarnation:
    """Check the 16 random bytes of an incarnation. Raises `BadValue`."""
    return Incarnation(_sixteen(raw, "incarnation"))


def boot_id(raw: bytes) -> BootId:
    """Check the 16 random bytes that name one process run. Raises `BadValue`."""
    return BootId(_sixteen(raw, "boot id"))


def event_id(raw: bytes) -> EventId:
    """Check an event id, a UUIDv7 (RFC 9562 section 5.7) in 16 bytes. Raises `BadValue`."""
    _sixteen(raw, "event id")
    if raw[6] >> 4 != 7 or raw[8] >> 6 != 2:
        raise BadValue(f"event id: expected a UUIDv7, got {raw.hex()}")
    return EventId(raw)


def make_event_id(unix_ms: int, chance: bytes) -> EventId:
    """Make a UUIDv7 (RFC 9562 section 5.7) from milliseconds since 1970 and 10 random bytes. Raises `BadValue`."""
    if not 0 <= unix_ms < 1 << 48 or len(chance) != 10:
        raise BadValue(f"event id: expected 48-bit milliseconds and 10 random bytes, got {unix_ms} and {len(chance)}")
    tail = int.from_bytes(chance, "big")
    rand_a, rand_b = tail >> 68 & 0xFFF, tail & (1 << 62) - 1
    value = unix_ms << 80 | 7 << 76 | rand_a << 64 | 2 << 62 | rand_b
    return EventId(value.to_bytes(16, "big"))
