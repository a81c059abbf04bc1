"""From a scanned text to what it means for the work at the shelf. Pure.

A meaning is a product's label, a badge, a card, a ticket, or a code that cannot be read. What follows from it is told
by `core.work`. The rule that must not be broken: everything a scanner can say is some event of the table.
"""

from collections.abc import Mapping

import msgspec

from protocols.codes.label import Badge, Command, Label, Ticket, UnreadableLabel, read_label
from protocols.values.ids import ActorId

VISIT_IDLE_S = 120.0
"""Seconds of story time without a scan after which a visit is over, unless the configuration says otherwise."""

Meaning = Label | Badge | Command | Ticket | UnreadableLabel


class Draft(msgspec.Struct, frozen=True):
    """What an entry will say; time, ids and place in the chain are given when it is written."""

    kind: str
    body: Mapping[str, object]
    actor: ActorId


def meaning_of(text: str) -> Meaning:
    """Read a scanned text; an unreadable one is a meaning too."""
    try:
        return read_label(text)
    except UnreadableLabel as error:
        return error


def unit_name(product: str, serial: str) -> str:
    """Return the name of a piece that has a serial number and no tag."""
    return f"{product}.{serial}"
