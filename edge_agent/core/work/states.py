"""What a person at the scanner is doing, and what one scan can be: the table of work. Pure.

A badge opens a visit; its everyday doing is `TAKING`, and a command card leads to another one. `TABLE` tells, for what
is being done and what was scanned, the deed that follows and what is being done afterwards if the deed succeeds. The
rules that could not be put into the table: a deed may be refused, and then nothing has happened; a pair that is not in
the table is a scan out of order, which is refused in words that name both.
"""

from enum import Enum, StrEnum
from types import MappingProxyType


class Doing(StrEnum):
    """What is being done before one scanner."""

    NOBODY = "nobody"
    TAKING = "taking"
    RECEIVING = "receiving"
    RETURNING = "returning"
    SCRAPPING = "scrapping"
    COUNTING = "counting"
    TRANSFERRING = "transferring"
    SENDING = "sending"
    SETTING = "setting"
    SET_OPEN = "set_open"


class Event(StrEnum):
    """What one scan, or the want of one, can be."""

    BADGE = "a badge"
    ITEM = "an item"
    DOCUMENT = "a delivery note or set"
    PATIENT = "a patient"
    PLACE = "a place"
    BIN = "an empty bin's card"
    NUMBER = "a number card"
    WHY = "a reason card"
    UNREADABLE = "an unreadable code"
    ISSUE = "the card ISSUE"
    RECEIVE = "the card RECEIVE"
    RETURN = "the card RETURN"
    SCRAP = "the card SCRAP"
    COUNT = "the card COUNT"
    ADJUST = "the card ADJUST"
    TRANSFER = "the card TRANSFER"
    SET = "the card SET"
    UNDO = "the card UNDO"
    CLAIM = "the card CLAIM"
    RECONCILE = "the card RECONCILE"
    EMERGENCY = "the card EMERGENCY"
    DONE = "the card DONE"
    IDLE = "nothing for too long"
    DOOR = "the door"


class Deed(Enum):
    """What follows; each is one function of `deeds`."""

    OPEN = "open"
    OPEN_UNKNOWN = "open_unknown"
    CLOSE = "close"
    BEGIN = "begin"
    EMERGENCY = "emergency"
    NUMBER = "number"
    WHY = "why"
    UNDO = "undo"
    UNREADABLE = "unreadable"
    TAKE = "take"
    FOR_PATIENT = "for_patient"
    CLAIM = "claim"
    RECONCILE = "reconcile"
    RECEIPT = "receipt"
    CHECK_NOTE = "check_note"
    ARRIVE = "arrive"
    GIVE_BACK = "give_back"
    SCRAP = "scrap"
    DESTINATION = "destination"
    SEND = "send"
    TRANSFER_IN = "transfer_in"
    PICK_SET = "pick_set"
    USE_OF_SET = "use_of_set"
    RETURN_SET = "return_set"
    BEGIN_COUNT = "begin_count"
    SHELF = "shelf"
    COUNT = "count"
    END_COUNT = "end_count"
    ADJUST = "adjust"


_D, _E = Doing, Event
Row = tuple[Doing, Deed]

PRESENT = tuple(doing for doing in Doing if doing is not Doing.NOBODY)
"""Everything somebody can be doing."""

MODES = {
    _E.ISSUE: _D.TAKING,
    _E.RECEIVE: _D.RECEIVING,
    _E.RETURN: _D.RETURNING,
    _E.SCRAP: _D.SCRAPPING,
    _E.TRANSFER: _D.TRANSFERRING,
    _E.SET: _D.SETTING,
}
"""What each command card leads to."""
_ALWAYS: dict[Event, tuple[Doing | None, Deed]] = {
    # whatever is being done; None goes on with it
    _E.BADGE: (_D.TAKING, Deed.OPEN),
    _E.EMERGENCY: (_D.TAKING, Deed.EMERGENCY),
    _E.UNDO: (None, Deed.UNDO),
    _E.NUMBER: (None, Deed.NUMBER),
    _E.WHY: (None, Deed.WHY),
    _E.UNREADABLE: (None, Deed.UNREADABLE),
    _E.COUNT: (_D.COUNTING, Deed.BEGIN_COUNT),
    _E.DONE: (_D.NOBODY, Deed.CLOSE),
    _E.IDLE: (_D.NOBODY, Deed.CLOSE),
    _E.DOOR: (_D.NOBODY, Deed.CLOSE),
    **{event: (doing, Deed.BEGIN) for event, doing in MODES.items()},
}
_OWN: dict[tuple[Doing, Event], Row] = {
    (_D.NOBODY, _E.BADGE): (_D.TAKING, Deed.OPEN),
    (_D.NOBODY, _E.EMERGENCY): (_D.TAKING, Deed.OPEN_UNKNOWN),
    (_D.TAKING, _E.ITEM): (_D.TAKING, Deed.TAKE),
    (_D.TAKING, _E.PATIENT): (_D.TAKING, Deed.FOR_PATIENT),
    (_D.TAKING, _E.CLAIM): (_D.TAKING, Deed.CLAIM),
    (_D.TAKING, _E.DOCUMENT): (_D.TAKING, Deed.RECEIPT),
    (_D.TAKING, _E.ADJUST): (_D.TAKING, Deed.ADJUST),
    (_D.TAKING, _E.RECONCILE): (_D.TAKING, Deed.RECONCILE),
    (_D.RECEIVING, _E.ITEM): (_D.RECEIVING, Deed.ARRIVE),
    (_D.RECEIVING, _E.DOCUMENT): (_D.RECEIVING, Deed.CHECK_NOTE),
    (_D.RECEIVING, _E.PLACE): (_D.RECEIVING, Deed.SHELF),
    (_D.RETURNING, _E.ITEM): (_D.RETURNING, Deed.GIVE_BACK),
    (_D.RETURNING, _E.PLACE): (_D.RETURNING, Deed.SHELF),
    (_D.SCRAPPING, _E.ITEM): (_D.SCRAPPING, Deed.SCRAP),
    (_D.TRANSFERRING, _E.PLACE): (_D.SENDING, Deed.DESTINATION),
    (_D.TRANSFERRING, _E.DOCUMENT): (_D.SENDING, Deed.DESTINATION),
    (_D.TRANSFERRING, _E.ITEM): (_D.TRANSFERRING, Deed.TRANSFER_IN),
    (_D.SENDING, _E.ITEM): (_D.SENDING, Deed.SEND),
    (_D.SENDING, _E.PLACE): (_D.SENDING, Deed.DESTINATION),
    (_D.SENDING, _E.DOCUMENT): (_D.SENDING, Deed.DESTINATION),
    (_D.SETTING, _E.DOCUMENT): (_D.SET_OPEN, Deed.PICK_SET),
    (_D.SET_OPEN, _E.ITEM): (_D.SET_OPEN, Deed.USE_OF_SET),
    (_D.SET_OPEN, _E.PATIENT): (_D.SET_OPEN, Deed.FOR_PATIENT),
    (_D.SET_OPEN, _E.DOCUMENT): (_D.SET_OPEN, Deed.PICK_SET),
    (_D.SET_OPEN, _E.RETURN): (_D.TAKING, Deed.RETURN_SET),
    (_D.COUNTING, _E.ITEM): (_D.COUNTING, Deed.COUNT),
    (_D.COUNTING, _E.PLACE): (_D.COUNTING, Deed.SHELF),
    (_D.COUNTING, _E.COUNT): (_D.TAKING, Deed.END_COUNT),
}

TABLE = MappingProxyType(
    {(doing, event): (then or doing, deed) for doing in PRESENT for event, (then, deed) in _ALWAYS.items()} | _OWN
)
"""What follows from each scan, by what is being done."""


def expected(doing: Doing) -> list[Event]:
    """Return what may be scanned now: what belongs to this doing, then what always may."""
    return [*own(doing), *(event for event in _ALWAYS if doing is not Doing.NOBODY and (doing, event) not in _OWN)]


def own(doing: Doing) -> list[Event]:
    """Return what belongs to this doing, the usual first."""
    return [event for at, event in _OWN if at is doing]
