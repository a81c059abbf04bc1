"""What a reader says of its antennas and inputs, and by itself: changed inputs, and what it complains of.

It changes no state; events that do (rounds, the end of the connection) are the session's own.
"""

from collections.abc import Collection

from protocols.readers.llrp.fields import Params
from protocols.readers.llrp.messages import nested, number_at, number_of, rows_at, text_at
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
        words = in_words(text_at(event, "Message")) or "an exception without words"
        out.append(ReaderTrouble(f"the reader reports: {words}", number_at(event, "AntennaID"), at))
    if "ReportBufferOverflowErrorEvent" in said:
        out.append(ReaderTrouble("the reader's buffer ran over: reads are lost", None, at))
    another = number_of("ConnectionAttemptStatusType", "Another_Connection_Attempted")
    if number_at(said, "ConnectionAttemptEvent") == another:
        out.append(ReaderTrouble("another client tried to connect to the reader", None, at))
    return out


def in_words(text: str) -> str:
    """Return a reader's own words on one line, of which no character moves a terminal's cursor."""
    return "".join(each if each.isprintable() else "·" for each in text[:WORDS_MAX])


def antennas_changed(params: Params, ours: Collection[int], lost: Collection[int]) -> list[tuple[int, bool]]:
    """Return which of our antennas are there or not, where a GET_READER_CONFIG_RESPONSE says other than was known."""
    rows = rows_at(params, "AntennaProperties")
    said = [(number_at(row, "AntennaID") or 0, bool(number_at(row, "AntennaConnected"))) for row in rows]
    return [(antenna, there) for antenna, there in said if antenna in ours and there == (antenna in lost)]


def inputs_seen(params: Params, ours: Collection[int], at: Instant) -> list[InputChanged]:
    """Return how our inputs stand, where the same response knows it."""
    rows = rows_at(params, "GPIPortCurrentState")
    said = [(number_at(row, "GPIPortNum") or 0, number_at(row, "State")) for row in rows]
    return [InputChanged(port, high=level == 1, at=at) for port, level in said if port in ours and level in (0, 1)]
