"""The hospital's own codes, each ending in a check character: badges (`WSB1…`), commands (`WSC1…`) and tickets.

A ticket names something that only the hospital's data can tell more of: a document (`WSD1…`: a delivery note, a
procedure set), a patient by a token (`WSP1…`), a place or shelf (`WSL1…`), or one of two
kanban bins, whose card says that this bin is empty (`WSK1…`).

They have a namespace of their own so that no product label can be taken for a person or an order. What a command does
is decided elsewhere. The rule that must not be broken: a code whose check character is wrong is refused, never mended.

Source of the check character: ISO/IEC 7064, MOD 37,36, over all characters before it, the namespace included.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from protocols.errors import BadValue
from protocols.values import ids
from protocols.values.ids import ActorId

BADGE_SPACE = "WSB1"
COMMAND_SPACE = "WSC1"
TICKET_MAX = 24

_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MODULUS = len(_ALPHABET)
_STAFF = re.compile(r"[A-Z0-9]{1,12}")
_TICKET = re.compile(r"[A-Z0-9]{1,24}")


class CommandName(StrEnum):
    """Every command that may be printed on a card."""

    UNDO = "UNDO"
    RECEIVE = "RECEIVE"
    ISSUE = "ISSUE"
    RETURN = "RETURN"
    SCRAP = "SCRAP"
    COUNT = "COUNT"
    ADJUST = "ADJUST"
    TRANSFER = "TRANSFER"
    SET = "SET"
    CLAIM = "CLAIM"
    RECONCILE = "RECONCILE"
    EMERGENCY = "EMERGENCY"
    DONE = "DONE"
    TIMES_5 = "X5"
    TIMES_10 = "X10"
    PACK = "PACK"
    WHY_NEAR = "WHYNEAR"
    WHY_ASKED = "WHYASKED"
    WHY_DAMAGED = "WHYDAMAGED"
    WHY_OTHER = "WHYOTHER"

    @property
    def why(self) -> str:
        """Return the reason on a reason card, empty for every other."""
        return self.value[3:].lower() if self.value.startswith("WHY") else ""

    @property
    def times(self) -> int | None:
        """Return the number on a number card, None for every other; a whole pack is as many as the item's data say."""
        return _TIMES.get(self)


_TIMES = {CommandName.TIMES_5: 5, CommandName.TIMES_10: 10}


@dataclass(frozen=True, slots=True)
class Badge:
    """A person's badge: the staff number of 1..12 characters A-Z and 0-9."""

    staff: ActorId

    def __post_init__(self) -> None:
        if _STAFF.fullmatch(self.staff) is None:
            raise BadValue(f"badge: expected a staff number of 1..12 characters A-Z 0-9, got {self.staff!r:.40}")


@dataclass(frozen=True, slots=True)
class Command:
    """A command card."""

    name: CommandName


class TicketSort(StrEnum):
    """What a ticket names; the value is its namespace."""

    DOCUMENT = "WSD1"
    PATIENT = "WSP1"
    PLACE = "WSL1"
    BIN = "WSK1"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket: `code`, 1..24 characters A-Z 0-9, is a document's, place's or bin's number or a patient's token."""

    sort: TicketSort
    code: str

    def __post_init__(self) -> None:
        if _TICKET.fullmatch(self.code) is None:
            raise BadValue(f"ticket: expected 1..{TICKET_MAX} characters A-Z 0-9, got {self.code!r:.40}")


SPACES = (BADGE_SPACE, COMMAND_SPACE, *TicketSort)


def check_character(text: str) -> str:
    """Return the ISO/IEC 7064 MOD 37,36 check character for a text of A-Z and 0-9. Raises `BadValue`."""
    product = _MODULUS
    for character in text:
        value = _ALPHABET.find(character)
        if value < 0:
            raise BadValue(f"check character: expected A-Z and 0-9 only, got {text!r:.80}")
        product = ((product + value) % _MODULUS or _MODULUS) * 2 % (_MODULUS + 1)
    return _ALPHABET[(_MODULUS + 1 - product) % _MODULUS]


def make_badge(staff: ActorId) -> str:
    """Return the text to print on a person's badge. Raises `BadValue` for a staff number a badge cannot carry."""
    text = BADGE_SPACE + Badge(staff).staff
    return text + check_character(text)


def make_command(name: CommandName) -> str:
    """Return the text to print on a command card."""
    text = COMMAND_SPACE + name.value
    return text + check_character(text)


def make_ticket(sort: TicketSort, code: str) -> str:
    """Return the text to print on a ticket. Raises `BadValue` for a code it cannot carry."""
    text = sort.value + Ticket(sort, code).code
    return text + check_character(text)


def read_own(text: str) -> Badge | Command | Ticket:
    """Read a badge, a command or a ticket. Raises `BadValue` for any other text and for a wrong check character."""
    space, body, check = text[:4], text[4:-1], text[-1:]
    if space not in SPACES or not body:
        raise BadValue(f"own code: expected one of {'…, '.join(SPACES)}…, got {text!r:.60}")
    if check_character(text[:-1]) != check:
        raise BadValue(f"own code: the check character of {text!r:.60} is wrong; scan again or print the card anew")
    if space == BADGE_SPACE:
        return Badge(ids.actor_id(body))
    if space != COMMAND_SPACE:
        return Ticket(TicketSort(space), body)
    try:
        return Command(CommandName(body))
    except ValueError as error:
        raise BadValue(f"command: expected one of {', '.join(CommandName)}, got {body!r:.40}") from error
