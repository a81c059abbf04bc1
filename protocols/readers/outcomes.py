"""What a reader's session asks of the link that carries it: bytes to send, or an end with its reason.

A session returns these among its `ReaderEvent`s; it never touches a socket. After `Close` it says nothing more: the
next connection gets a new session.
"""

from dataclasses import dataclass

from protocols.readers.reads import ReaderEvent


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes for the reader, to be sent as they are."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """This connection is of no use any more; `reason` is for a person. Connect again after a pause.

    `pause_s` is the shortest such pause where the session knows one, in seconds of link time: a reader that serves
    another client is left in peace for so long.
    """

    reason: str
    pause_s: float = 0.0


Outcome = ReaderEvent | Send | Close
