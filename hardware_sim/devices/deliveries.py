"""What a device really handed over: every read of every frame, with the reader's time, in the order of the wire.

A read is `proved` when its client spoke half a second later or more on the same link, and no fault had touched the
stream before it: then the client had it in hand. What was on its way when a link ended, or came while the client was
still making up its mind, was handed over and may have been lost with the link; a frame that a fault harmed may be taken
or not. Both stay unproved. So what a client took holds every proved read, and nothing that is not in here.

It is pure: `note` is told rows that a port may write down. The rule that must not be broken: it never learns from the
client what was delivered, only that the client lives.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hardware_sim.devices.framing import Told
from protocols.values.instant import Instant, seconds_between

PROVED_AFTER_S = 0.5
WAITING_MAX = 50_000
"""Frames that wait for a word of the client; the oldest beyond are unproved."""

Row = Mapping[str, str | int | bool | float | None]


def forget(row: Row) -> None:
    """Write nothing down."""


@dataclass(frozen=True, slots=True)
class _Sent:
    reads: Sequence[Told]
    link_at: Instant
    reader_at: Instant
    doubted: bool


@dataclass(slots=True)
class Deliveries:
    """The delivery log of one device; `device` is its name in every row."""

    device: str
    note: Callable[[Row], None] = forget
    fired: dict[str, int] = field(default_factory=dict)
    _waiting: deque[_Sent] = field(default_factory=deque)
    _greeted: bool = False
    _spoiled_at: Instant | None = None

    def joined(self) -> None:
        """A client is there; until it speaks nobody knows whether it listens."""
        self._greeted, self._spoiled_at = False, None

    def sent(self, reads: Sequence[Told], link_now: Instant, reader_now: Instant) -> None:
        """The last byte of a frame is on the wire."""
        if not reads:
            return
        doubted = self._spoiled_at is not None or not self._greeted
        self._waiting.append(_Sent(reads, link_now, reader_now, doubted))
        if len(self._waiting) > WAITING_MAX:
            self._write(self._waiting.popleft(), proved=False)

    def spoiled(self, link_now: Instant) -> None:
        """A fault touched the stream; what follows is doubtful until the client has found its way back."""
        self._spoiled_at = link_now

    def spoke(self, link_now: Instant) -> None:
        """The client said something: what it had half a second ago it has in hand."""
        self._greeted = True
        while self._waiting and _is_past(self._waiting[0].link_at, link_now):
            sent = self._waiting.popleft()
            self._write(sent, proved=not sent.doubted)
        if self._spoiled_at is not None and _is_past(self._spoiled_at, link_now):
            self._spoiled_at = None

    def ended(self) -> None:
        """The link is over; what was on its way may have been lost."""
        while self._waiting:
            self._write(self._waiting.popleft(), proved=False)

    def struck(self, kind: str, since: Instant, until: Instant) -> None:
        """A fault did what it does, from one instant of reader time to another."""
        self.fired[kind] = self.fired.get(kind, 0) + 1
        self.note({"device": self.device, "fault": kind, "since": since, "until": until})

    def _write(self, sent: _Sent, *, proved: bool) -> None:
        for epc, antenna, first_seen in sent.reads:
            self.note(
                {
                    "device": self.device,
                    "epc": epc,
                    "antenna": antenna,
                    "first_seen": first_seen,
                    "sent": sent.reader_at,
                    "proved": proved,
                }
            )


def _is_past(then: Instant, now: Instant) -> bool:
    return seconds_between(then, now) >= PROVED_AFTER_S
