"""A simulated HF card reader without a port: a card laid on it becomes one line with its UID.

It speaks through `protocols.readers.card`, says nothing by itself and hears nothing: who lays which card on it is a
person's matter.
"""

from protocols.readers.card import frame_card
from protocols.values.instant import Instant


class CardReaderDevice:
    """One card reader: `present` gives the bytes for the host."""

    closing = False

    def present(self, uid: str) -> bytes:
        """Return what goes down the line for one card. Raises `BadValue` for a UID no card has."""
        return frame_card(uid)

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A host is there; a card reader says nothing for that."""
        del link_now, reader_now
        return b""

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second host away: a line has one, and nothing is said."""
        del reader_now
        return b"", b""

    def disconnected(self) -> None:
        """The host is gone; a card reader does not notice."""

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take the host's bytes, which mean nothing to it."""
        del data, link_now, reader_now
        return b""

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return that nothing is due: a card reader waits for a person."""
        return None, None

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Do nothing."""
        del link_now, reader_now
        return b""

    def reboot(self, reader_now: Instant) -> None:
        """Lose power and come back; there is nothing to forget."""
        del reader_now
