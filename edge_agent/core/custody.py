"""Where one unit stands in its life: one table of states and acts. Pure.

A unit is a piece with a name of its own. What it may go through is told by `TRANSITIONS`; an act is a kind of movement,
told apart by the sort of place it goes to where one kind does two things. The rule that could not be put into the
table: a fact is never refused. An act that the table does not know for a state, or that takes a unit from where it is
not, moves it all the same to where the act brought it (`ARRIVES`), and the step says why it could not be: whoever
writes it down opens a discrepancy.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from protocols.movements.posting import place_sort
from protocols.movements.table import Custody, Where


class Act(StrEnum):
    """What can happen to one unit."""

    OPENING = "opening"
    RECEIVE = "receive"
    WARD_RECEIPT = "ward_receipt"
    PASS = "inspect_ok"
    FAIL = "inspect_fail"
    PUT_AWAY = "put_away"
    PICK = "pick"
    PACK = "pack_make"
    MADE = "pack_make into the store"
    OPEN = "pack_open"
    SPILL = "pack_open into the store"
    SPEND = "pack_open for a patient"
    BRING = "set_brought"
    SET_USE = "set_used"
    SET_RETURN = "set_returned"
    SEND = "transfer_out"
    ARRIVE = "transfer_in"
    STOCK = "stock"
    ISSUE = "issue"
    USE = "use"
    RETURN = "return_to_store"
    SEND_BACK = "return_to_supplier"
    HOLD = "hold"
    SCRAP = "scrap"
    RECYCLE = "recycle"
    LOSE = "adjust to unknown"
    FIND = "adjust to the store"
    OWN = "owner_change"
    SUSPEND = "suspense"
    BRIDGE = "gap"
    UNDO_TO_STORE = "reversal to the store"
    UNDO_TO_HAND = "reversal to a hand"
    UNDO_TO_TRANSIT = "reversal to transit"
    UNDO_TO_KIT = "reversal to a pack"
    UNDO_AWAY = "reversal out of the book"
    UNDO_OTHER = "reversal elsewhere"


_C, _A = Custody, Act
_HERE = (_C.INSPECTING, _C.IN_STOCK, _C.HELD)

_ROWS: tuple[tuple[Act, tuple[Custody, ...], Custody | None], ...] = (
    # act, the states it may find, the state it leaves; None leaves the state as it was
    (_A.OPENING, (_C.NONE,), _C.IN_STOCK),
    (_A.RECEIVE, (_C.NONE, _C.RETURNED), _C.INSPECTING),
    (_A.WARD_RECEIPT, (_C.NONE, _C.TRANSIT, _C.RETURNED), _C.IN_STOCK),
    (_A.PASS, _HERE, _C.IN_STOCK),
    (_A.FAIL, _HERE, _C.HELD),
    (_A.PUT_AWAY, _HERE, None),
    (_A.STOCK, _HERE, None),
    (_A.PICK, (_C.IN_STOCK,), _C.IN_STOCK),
    (_A.PACK, (_C.IN_STOCK,), _C.PACKED),
    (_A.MADE, (_C.NONE,), _C.IN_STOCK),
    (_A.OPEN, (_C.IN_STOCK,), _C.USED),
    (_A.SPILL, (_C.PACKED,), _C.IN_STOCK),
    (_A.SPEND, (_C.PACKED, _C.IN_STOCK), _C.USED),
    (_A.BRING, (_C.NONE, _C.RETURNED), _C.IN_STOCK),
    (_A.SET_USE, (_C.IN_STOCK,), _C.USED),
    (_A.SET_RETURN, (_C.IN_STOCK, _C.HELD), _C.RETURNED),
    (_A.SEND, (_C.IN_STOCK, _C.HELD), _C.TRANSIT),
    (_A.ARRIVE, (_C.NONE, _C.TRANSIT), _C.IN_STOCK),
    (_A.ISSUE, (_C.IN_STOCK,), _C.ISSUED),
    (_A.USE, (_C.ISSUED, _C.IN_STOCK), _C.USED),
    (_A.RETURN, (_C.ISSUED,), _C.IN_STOCK),
    (_A.SEND_BACK, _HERE, _C.RETURNED),
    (_A.HOLD, _HERE, _C.HELD),
    (_A.SCRAP, (*_HERE, _C.ISSUED), _C.GONE),
    (_A.RECYCLE, (_C.IN_STOCK, _C.HELD, _C.GONE), _C.GONE),
    (_A.LOSE, _HERE, _C.MISSING),
    (_A.FIND, (_C.NONE, _C.MISSING), _C.IN_STOCK),
    (_A.OWN, (*_HERE, _C.ISSUED), None),
    (_A.SUSPEND, tuple(state for state in _C if state is not _C.SAME), None),
    (_A.BRIDGE, tuple(state for state in _C if state is not _C.SAME), None),
    (_A.UNDO_TO_STORE, tuple(state for state in _C if state not in (_C.NONE, _C.SAME)), _C.IN_STOCK),
    (_A.UNDO_TO_HAND, (_C.USED, _C.IN_STOCK, _C.GONE), _C.ISSUED),
    (_A.UNDO_TO_TRANSIT, (_C.IN_STOCK,), _C.TRANSIT),
    (_A.UNDO_TO_KIT, (_C.IN_STOCK, _C.USED), _C.PACKED),
    (_A.UNDO_AWAY, _HERE, _C.NONE),
    (_A.UNDO_OTHER, (_C.IN_STOCK, _C.GONE), _C.GONE),
)

TRANSITIONS = MappingProxyType({(old, act): new or old for act, states, new in _ROWS for old in states})
"""Every step that may be, by the state before and the act."""

ARRIVES = MappingProxyType({act: new or _C.IN_STOCK for act, _, new in _ROWS})
"""Where an act leaves a unit that it could not have met."""

STARTS, ENDS = frozenset({_C.NONE}), frozenset[Custody]()
"""Every life begins with `NONE`; none has an end, because a reversal may undo the last act."""

_BY_TARGET = {
    "pack_make": {Where.STORE: _A.MADE},
    "pack_open": {Where.STORE: _A.SPILL, Where.PATIENT: _A.SPEND},
    "adjust": {Where.UNKNOWN: _A.LOSE, Where.STORE: _A.FIND},
    "reversal": {
        Where.STORE: _A.UNDO_TO_STORE,
        Where.ISSUED: _A.UNDO_TO_HAND,
        Where.TRANSIT: _A.UNDO_TO_TRANSIT,
        Where.KIT: _A.UNDO_TO_KIT,
        Where.SUPPLIER: _A.UNDO_AWAY,
        Where.OPENING: _A.UNDO_AWAY,
        Where.UNKNOWN: _A.UNDO_AWAY,
    },
}
_BY_KIND = {
    "hold_near_expiry": _A.HOLD,
    "hold_expired": _A.HOLD,
    "hold_recall": _A.HOLD,
    "reversal": _A.UNDO_OTHER,
    **{act.value: act for act in _A if " " not in act.value},
}


class Step(NamedTuple):
    """Where one unit stands after an act; `impossible` says why it could not be, empty when it could."""

    state: Custody
    impossible: str = ""


def act_of(kind: str, target: str = "") -> Act:
    """Return the act of a kind that brings a unit to a place, or that leaves it where it is."""
    if target and kind in _BY_TARGET:
        return _BY_TARGET[kind].get(place_sort(target)) or _BY_KIND[kind]
    return _BY_KIND[kind]


def step(state: Custody, act: Act, *, at: str = "", source: str = "") -> Step:
    """Return where a unit stands after an act that takes it from `source` while the book has it at `at`.

    Either is empty where it says nothing: a unit that was never posted is nowhere, a hold takes it from nowhere.
    """
    after = TRANSITIONS.get((state, act))
    if after is None:
        return Step(ARRIVES[act], f"{act.value}: the unit is {state.value}{f' at {at}' if at else ''}")
    if source and at and source != at and state is not Custody.NONE:
        return Step(after, f"{act.value} from {source}: the book has the unit at {at}")
    return Step(after)
