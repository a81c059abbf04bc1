"""What a reader says by itself that the session only hands on: changed inputs, and what it complains of.

It changes no state; events that do (antennas, rounds, the end of the connection) are the session's own.
"""

from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import nested, number_at, number_of, text_at
from protocols.readers.reads import InputChanged, ReaderEvent, ReaderTrouble
from protocols.values.instant import Instant

WORDS_MAX = 200
"""Characters of a reader's own words that are handed on."""


def told(said: Params, at: Instant) -> list[ReaderEvent]:
    """Return the events in one ReaderEventNotificationData that need no state (LLRP 1.1 section 14.2)."""
    out: list[ReaderEvent] = []
    if "GPIEvent" in said:
        event = nested(said, "GPIEvent")
        out.append(InputChanged(number_at(event, "GPIPortNumber") or 0, high=bool(number_at(event, "GPIEvent")), at=at))
    if "ReaderExceptionEvent" in said:
        event = nested(said, "ReaderExceptionEvent")
        words = text_at(event, "Message")[:WORDS_MAX] or "an exception without words"
        out.append(ReaderTrouble(f"the reader reports: {words}", number_at(event, "AntennaID"), at))
    if "ReportBufferOverflowErrorEvent" in said:
        out.append(ReaderTrouble("the reader's buffer ran over: reads are lost", None, at))
    another = number_of("ConnectionAttemptStatusType", "Another_Connection_Attempted")
    if number_at(said, "ConnectionAttemptEvent") == another:
        out.append(ReaderTrouble("another client tried to connect to the reader", None, at))
    return out
