"""The states of one LLRP connection and the way from each to the next, read like a page of the standard.

A state sends its request when it is entered, and the answer leads on (LLRP 1.1 chapters 9, 10, 12, 14). Which requests,
and what their answers mean, is `session.py`. A refusal that is not in the table ends the connection.
"""

from enum import Enum, auto

from protocols.errors import WeBroke


class State(Enum):
    """Where a connection stands."""

    IDLE = auto()
    GREETING = auto()
    VERSION = auto()
    SETTING_VERSION = auto()
    CAPABILITIES = auto()
    CONFIGURING = auto()
    LOOKING = auto()
    DELETING = auto()
    LISTING = auto()
    CLEARING = auto()
    ADDING = auto()
    ENABLING = auto()
    STARTING = auto()
    RUNNING = auto()
    CLOSING = auto()
    ENDED = auto()


class Event(Enum):
    """What moves it on.

    `GREETED_AS_OLD`: the reader is known to speak 1.0.1 only. `NEWER`: it speaks 1.1. `MORE`: a ROSpec is still to be
    deleted. `ACCEPTED_NOT_STARTED`: enabled, and the ROSpec has no start trigger of its own. `STOPPED`: we want to end.
    """

    OPENED = auto()
    GREETED = auto()
    GREETED_AS_OLD = auto()
    NEWER = auto()
    ACCEPTED = auto()
    ACCEPTED_NOT_STARTED = auto()
    MORE = auto()
    REFUSED = auto()
    STOPPED = auto()
    LOST = auto()


TABLE: dict[tuple[State, Event], State] = {
    (State.IDLE, Event.OPENED): State.GREETING,
    (State.GREETING, Event.GREETED): State.VERSION,
    (State.GREETING, Event.GREETED_AS_OLD): State.CAPABILITIES,
    (State.VERSION, Event.NEWER): State.SETTING_VERSION,
    (State.VERSION, Event.ACCEPTED): State.CAPABILITIES,
    (State.VERSION, Event.REFUSED): State.CAPABILITIES,
    (State.SETTING_VERSION, Event.ACCEPTED): State.CAPABILITIES,
    (State.SETTING_VERSION, Event.REFUSED): State.CAPABILITIES,
    (State.CAPABILITIES, Event.ACCEPTED): State.CONFIGURING,
    (State.CONFIGURING, Event.ACCEPTED): State.LOOKING,
    (State.LOOKING, Event.ACCEPTED): State.DELETING,
    (State.LOOKING, Event.REFUSED): State.DELETING,
    (State.DELETING, Event.ACCEPTED): State.ADDING,
    (State.DELETING, Event.REFUSED): State.LISTING,
    (State.LISTING, Event.ACCEPTED): State.ADDING,
    (State.LISTING, Event.MORE): State.CLEARING,
    (State.CLEARING, Event.MORE): State.CLEARING,
    (State.CLEARING, Event.ACCEPTED): State.ADDING,
    (State.ADDING, Event.ACCEPTED): State.ENABLING,
    (State.ENABLING, Event.ACCEPTED): State.RUNNING,
    (State.ENABLING, Event.ACCEPTED_NOT_STARTED): State.STARTING,
    (State.STARTING, Event.ACCEPTED): State.RUNNING,
    (State.RUNNING, Event.ACCEPTED): State.RUNNING,
    (State.RUNNING, Event.STOPPED): State.CLOSING,
} | {(state, Event.LOST): State.ENDED for state in State}


def step(state: State, event: Event) -> State:
    """Look up the next state. Raises `WeBroke` for a pair that is not in the table."""
    try:
        return TABLE[state, event]
    except KeyError as error:
        raise WeBroke(f"LLRP session: no way on from {state.name} by {event.name}") from error
