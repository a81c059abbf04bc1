"""Presence: from what readers say to "this tag is here", with a probability. The interface every model keeps.

A model is pure and has no clock: it moves only with the instants in the reader's own stream, so that a fast or a
stopped clock of this machine proves nothing. The rule that must not be broken: silence is evidence only over rounds
that a reader is known to have ended; an outage is never evidence.
"""

from dataclasses import dataclass
from typing import Protocol

from edge_agent.core.recognise import Draft
from protocols.errors import BadValue
from protocols.movements.bodies import write_body
from protocols.movements.tags import ObserveBody
from protocols.readers.reads import ReaderEvent
from protocols.values.ids import ActorId, Epc
from protocols.values.instant import Instant


@dataclass(frozen=True, slots=True)
class Belief:
    """A belief that changed: the probability that a tag is here, since when, and which model says so.

    `dead` is the probability that the piece is here though its tag is dead, beside `p`; a model may not tell. `door` is
    when the door heard it around that time, None where it did not. `shelf` is another shelf than its own on which it is
    heard, empty where it is heard on its own or a model does not tell.
    """

    epc: Epc
    p: float
    since: Instant
    model: str
    dead: float = 0.0
    door: Instant | None = None
    shelf: str = ""

    def __post_init__(self) -> None:
        if not 0.0 <= self.p <= 1.0:
            raise BadValue(f"belief: expected a probability from 0 to 1, got {self.p}")

    def draft(self) -> Draft:
        """Return the entry that puts this belief into the ledger."""
        body = ObserveBody(self.epc, self.p, self.model, self.since, self.dead, self.door or 0, self.shelf)
        return Draft("observe", write_body(body), ActorId(""))


@dataclass(frozen=True, slots=True)
class ForeignTags:
    """What one hour brought of tags that are bound to nothing here; `epcs` are told apart up to a limit."""

    epcs: int
    reads: int
    at_most: bool


class Presence(Protocol):
    """A model of presence."""

    def book(self, epc: Epc, here: bool, at: Instant, shelf: str = "") -> None:
        """Take what the book says of a tag from an instant on; the first time, the tag becomes known.

        `shelf` is where the book has it lie, empty where it does not tell.
        """

    def seen(self, epc: Epc, here: bool, at: Instant) -> None:
        """Take what a person who counted saw of a tag's piece; the book may say otherwise until it is adjusted."""

    def believed(self, epc: Epc, p: float, since: Instant) -> None:
        """Take the belief the last run left in the ledger, so that it is not said again."""

    def sighted(self, epc: Epc, p: float) -> None:
        """Take that another storeroom's readers hear a tag: the chance `p` that it stands there."""

    def receive(self, event: ReaderEvent, reader: str) -> list[Belief | ForeignTags]:
        """Take what a reader says; return what is believed anew."""
