"""Posting lines of what people do, in the two cases where one act is more than one line. Pure.

Goods on consignment change their owner once, when they are used: the supplier's leave through `owner@`, the hospital's
come out of it and are used, all in one entry, so that its reversal gives them back. A quota pack and what is in it are
two items: making or opening one goes through `kit@`. The rule that must not be broken: each function's lines leave
`owner@` and `kit@` as they were, item by item and piece by piece.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from edge_agent.core.stock import Content
from protocols.movements.posting import PostingLine
from protocols.values.ids import HOSPITAL_OWNED, PlaceId, virtual_place


def used(line: PostingLine, ward: PlaceId) -> tuple[PostingLine, ...]:
    """Return the lines that use what a line names, from where it lies; a supplier's goods change hands on the way."""
    patient = virtual_place("patient", ward)
    if line.owner == HOSPITAL_OWNED:
        return (replace(line, target=patient, target_position=""),)
    between = virtual_place("owner", ward)
    sold = replace(line, target=between, target_position="")
    bought = replace(sold, source=between, source_position="", owner=HOSPITAL_OWNED, target=patient)
    return sold, bought


def mirrored(lines: Sequence[PostingLine]) -> tuple[PostingLine, ...]:
    """Return the lines that undo some others, last first."""
    return tuple(
        replace(
            line,
            source=line.target,
            target=line.source,
            source_position=line.target_position,
            target_position=line.source_position,
        )
        for line in reversed(lines)
    )


def opened_pack(pack: PostingLine, content: Content, ward: PlaceId) -> tuple[PostingLine, ...]:
    """Return the lines of a quota pack that is opened: the pack is no more, what was in it is used."""
    kit = virtual_place("kit", ward)
    inside = PostingLine(
        item=content.item,
        qty=content.qty * pack.qty,
        source=kit,
        target=virtual_place("patient", ward),
        lot=pack.lot,
        owner=pack.owner,
    )
    return replace(pack, target=kit, target_position=""), *used(inside, ward)
