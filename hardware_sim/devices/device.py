"""What every simulated device is to its port: bytes and two clocks in, bytes out, whatever it speaks.

It names no kind. `link_now` is link time, which never runs fast; `reader_now` is the device's own, which may. The rule
that must not be broken: a device never touches a wire, so that the same one lives on TCP, on a pty and in a test.
"""

from collections.abc import Callable, Iterable
from typing import Protocol

from protocols.values.instant import Instant

Heard = tuple[str, int, int, int]
"""EPC as hex, antenna, signal in dBm, times heard."""

Inventory = Callable[[Instant, tuple[int, ...]], Iterable[Heard]]
"""What these antennas hear in the round that ends at this instant of reader time."""


def ignore_delivery(at: Instant, tags: int) -> None:
    """Keep no delivery log."""


class Device(Protocol):
    """One device with room for one client. `closing`: the client asked to end the connection, send, then close."""

    closing: bool

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A client is there; returns the greeting."""

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second client away; returns what it hears, and what the first hears of it."""

    def disconnected(self) -> None:
        """The client is gone."""

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take bytes from the client; returns the answers, whole frames."""

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return when `tick` has something to do: in link time, in reader time."""

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Do what fell due; returns whole frames."""

    def reboot(self, reader_now: Instant) -> None:
        """Lose power and come back as from the factory's flash: no client, no programme."""


class Listening(Device, Protocol):
    """A device with antennas: `inventory` is what they hear, and may be put in front of another."""

    inventory: Inventory
