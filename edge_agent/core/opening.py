"""The opening of a storeroom: rows of tagged pieces -> the entries that bind their tags and post their stock. Pure.

It happens once in a storeroom's life, all of it in one transaction; said again by a ledger that was lost and begun
anew, it is the same event, which nobody posts twice. Not here: reading the file (`store.master`).
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from edge_agent.core.recognise import Draft
from protocols.codes.gtin import Gtin14
from protocols.entry import encode_body
from protocols.errors import BadValue
from protocols.movements.bodies import write_body
from protocols.movements.posting import MovementBody, PostingLine
from protocols.movements.tags import BindBody, Binding
from protocols.values.ids import (
    ActorId,
    Epc,
    EventId,
    ItemId,
    LotNo,
    OwnerId,
    PlaceId,
    UnitId,
    make_event_id,
    virtual_place,
)

LINES_A_DRAFT = 100
"""Pieces of one entry: with the longest ids a hundred lines stay within the limit of a body."""

POSITION_MAX = 64
SERIAL_MAX = 20
"""GS1 General Specifications section 3.5.2: a serial number has at most 20 characters."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One tagged piece on its shelf; `expiry` None means it has none."""

    item: ItemId
    gtin: Gtin14
    lot: LotNo
    expiry: date | None
    serial: str
    epc: Epc
    position: str
    owner: OwnerId

    def __post_init__(self) -> None:
        if not 1 <= len(self.serial) <= SERIAL_MAX:
            raise BadValue(f"serial: expected 1..{SERIAL_MAX} characters, got {self.serial!r:.60}")
        if len(self.position) > POSITION_MAX:
            raise BadValue(f"position: expected at most {POSITION_MAX} characters, got {self.position!r:.80}")


def opening_drafts(pieces: Sequence[Piece], ward: PlaceId) -> Iterator[Draft]:
    """Return the entries of an opening: item by item and lot by lot, tags before stock."""
    ordered = sorted(pieces, key=lambda piece: (piece.item, piece.lot, piece.serial, piece.epc))
    for _, same in groupby(ordered, key=lambda piece: (piece.item, piece.lot)):
        those = list(same)
        for start in range(0, len(those), LINES_A_DRAFT):
            some = those[start : start + LINES_A_DRAFT]
            yield Draft("bind_tag", write_body(BindBody(tuple(map(_binding, some)))), ActorId(""))
            lines = tuple(_line(piece, ward) for piece in some)
            yield Draft("opening", write_body(MovementBody(lines=lines)), ActorId(""))


def opening_id(ward: PlaceId, draft: Draft) -> EventId:
    """Return the event id of one of those entries: always the same for the same pieces in the same storeroom.

    Its time is 1970 and its chance a hash (SHA-256) of what is said, so that no other event id can be it.
    """
    said = b"\0".join((b"opening", ward.encode(), draft.kind.encode(), encode_body(draft.body)))
    return make_event_id(0, hashlib.sha256(said).digest()[:10])


def _binding(piece: Piece) -> Binding:
    expiry = piece.expiry.isoformat() if piece.expiry else ""
    return Binding(piece.epc, piece.item, piece.gtin, piece.lot, piece.serial, expiry)


def _line(piece: Piece, ward: PlaceId) -> PostingLine:
    return PostingLine(
        item=piece.item,
        qty=1,
        source=virtual_place("opening", ward),
        target=ward,
        lot=piece.lot,
        owner=piece.owner,
        unit=UnitId(piece.epc),
        target_position=piece.position,
    )
