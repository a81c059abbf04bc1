"""A device with everything that can go wrong between it and its client, as one value without a socket.

The port brings bytes and two clocks, and does the acts that come back; the faults are data (`faults`). Only here does a
device meet a fault, so TCP, ptys and tests suffer the same ones. A fault begins when it is due, somebody is there to
suffer it, and client and line have had peace for `REST_S`. The rule that must not be broken: what may count as
proved was written whole and unharmed.
"""

import random
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hardware_sim.devices.deliveries import Deliveries
from hardware_sim.devices.device import Device, Heard, Inventory
from hardware_sim.devices.faults import NEEDS_ANTENNAS, Fault, Kind
from hardware_sim.devices.framing import Framing, ReadsOf, Told
from protocols.values.instant import Instant, plus

REST_S = 2.0
"""Link seconds of peace after a fault: a line that never works proves nothing about getting up again."""

SLOW_BYTES_A_S = 960
"""A serial line of 9,600 baud."""

SLOW_STEP_S = 0.05
QUEUE_BYTES_MAX = 64 * 1024
"""Bytes that wait for a slow line; a device's buffer holds no more, and what comes then is lost in whole frames."""

HELD_BYTES_MAX = 64 * 1024
"""Bytes of the client that wait for a device that stands still."""

NOISE_BYTES_MAX = 40
DEAF = frozenset({Kind.STALL, Kind.REBOOT, Kind.UNPLUG})
"""Faults in which the device itself does nothing."""


@dataclass(frozen=True, slots=True)
class Write:
    """Send these bytes as one piece."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """End the connection."""


@dataclass(frozen=True, slots=True)
class Abandon:
    """Leave the connection open and never look at it again until `Resume`."""


@dataclass(frozen=True, slots=True)
class Unplug:
    """The port is gone: nobody can connect, the name points nowhere."""


@dataclass(frozen=True, slots=True)
class Resume:
    """The port is there again under its name; what was abandoned ends now."""


Act = Write | Close | Abandon | Unplug | Resume


@dataclass(slots=True)
class _Piece:
    """What is left to write of a frame, and what it tells once it is written."""

    data: bytes
    reads: list[Told]


@dataclass(slots=True)
class Line:
    """One device behind its faults. `burst` is what antennas hear beside their tags in a burst."""

    device: Device
    framing: Framing
    log: Deliveries
    faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    burst: Inventory | None = None
    _there: bool = False
    _late: bool = False
    _next: Fault | None = None
    _active: Fault | None = None
    _struck: bool = False
    _began: Instant | None = None
    _since: tuple[Instant, Instant] = (Instant(0), Instant(0))
    _rest_until: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _held: bytearray = field(default_factory=bytearray)
    _queue: deque[_Piece] = field(default_factory=deque)
    _slow_from: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _reads_of: ReadsOf = field(init=False)

    def __post_init__(self) -> None:
        self._reads_of = self.framing.reads()
        self._next = next(self.faults, None)
        inventory = getattr(self.device, "inventory", None)
        if self.burst is not None and inventory is not None:
            self._add_burst(inventory, self.burst)

    # --- what the port says ------------------------------------------------------------------------------------------

    def connected(self, link_now: Instant, reader_now: Instant) -> list[Act]:
        """A client is there; a device that stands still greets it when it goes on."""
        self._there, self._late = True, self._is(*DEAF)
        self._rest_until = max(self._rest_until, plus(link_now, REST_S))
        self._reads_of = self.framing.reads()
        self.log.joined()
        return [] if self._late else self._pass(self.device.connected(link_now, reader_now), link_now, reader_now)

    def refuse(self, link_now: Instant, reader_now: Instant) -> tuple[bytes, list[Act]]:
        """A second client stands at the door; returns what it hears, and what the first hears of it."""
        refusal, told = self.device.refuse(reader_now)
        return refusal, self._pass(told, link_now, reader_now)

    def disconnected(self) -> None:
        """The client is gone."""
        if not self._there:
            return
        self._there = self._late = False
        self._queue.clear()
        self._held.clear()
        self.log.ended()
        self.device.disconnected()

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> list[Act]:
        """Take bytes from the client."""
        if not self._there:
            return []
        if self._is(*DEAF):
            self._held += data[: HELD_BYTES_MAX - len(self._held)]
            return []
        self.log.spoke(link_now)
        acts = self._pass(self.device.receive(data, link_now, reader_now), link_now, reader_now)
        if self.device.closing:
            self.disconnected()
            acts.append(Close())
        return acts

    def say(self, data: bytes, link_now: Instant, reader_now: Instant) -> list[Act]:
        """Send what the device says by itself, as when a person scans."""
        return [] if self._is(*DEAF) else self._pass(data, link_now, reader_now)

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return when `tick` has something to do: in link time, in reader time."""
        links = [self._change_due(), plus(self._slow_from, SLOW_STEP_S) if self._queue else None]
        link_due, reader_due = (None, None) if self._is(*DEAF) else self.device.due()
        return min((each for each in (*links, link_due) if each is not None), default=None), reader_due

    def tick(self, link_now: Instant, reader_now: Instant) -> list[Act]:
        """Do what fell due: faults begin and end, the device goes on, a slow line carries a little more."""
        if self._began is None:
            self._began = link_now
        acts = self._change(link_now, reader_now)
        if self._is(*DEAF):
            return acts
        if self._late:
            acts += self.connected(link_now, reader_now)
        if self._held:
            held, self._held = bytes(self._held), bytearray()
            acts += self.receive(held, link_now, reader_now)
        acts += self._pass(self.device.tick(link_now, reader_now), link_now, reader_now)
        return acts + self._drain(link_now, reader_now)

    # --- faults begin and end ----------------------------------------------------------------------------------------

    def _is(self, *kinds: Kind) -> bool:
        return self._active is not None and self._active.kind in kinds

    def _change_due(self) -> Instant | None:
        if self._active is not None:
            return plus(self._since[0], self._active.lasts_s)
        if self._next is None or self._began is None or not self._there:
            return None
        return max(plus(self._began, self._next.at_s), self._rest_until)

    def _change(self, link_now: Instant, reader_now: Instant) -> list[Act]:
        due = self._change_due()
        if due is None or link_now < due:
            return []
        if self._active is not None:
            return self._end(link_now, reader_now)
        assert self._next is not None  # or nothing was due
        fault, self._next = self._next, next(self.faults, None)
        if fault.kind in NEEDS_ANTENNAS and not hasattr(self.device, "inventory"):
            return []
        return self._begin(fault, link_now, reader_now)

    def _begin(self, fault: Fault, link_now: Instant, reader_now: Instant) -> list[Act]:
        self._active, self._since, self._struck = fault, (link_now, reader_now), fault.kind in _AT_ONCE
        acts: list[Act] = list(_AT_ONCE.get(fault.kind, ()))
        if fault.kind is not Kind.STALL and acts:
            self.disconnected()
        if fault.kind is Kind.REBOOT:
            self.device.reboot(reader_now)
        return acts if fault.lasts_s else acts + self._end(link_now, reader_now)

    def _end(self, link_now: Instant, reader_now: Instant) -> list[Act]:
        assert self._active is not None  # or nothing ended
        kind, self._active = self._active.kind, None
        self._rest_until = plus(link_now, REST_S)
        if self._struck:
            self.log.struck(kind, self._since[1], reader_now)
        return [Resume()] if _AT_ONCE.get(kind) else []

    def _add_burst(self, field_: Inventory, burst: Inventory) -> None:
        def inventory(at: Instant, antennas: tuple[int, ...]) -> Iterable[Heard]:
            heard = list(field_(at, antennas))
            if not self._is(Kind.BURST):
                return heard
            self._struck = True
            return heard + list(burst(at, antennas))

        self.device.inventory = inventory  # type: ignore[attr-defined]  # asked for before: a device with antennas

    # --- bytes on their way ------------------------------------------------------------------------------------------

    def _pass(self, data: bytes, link_now: Instant, reader_now: Instant) -> list[Act]:
        """Send whole frames as the present fault lets them."""
        if not self._there or not data:
            return []
        acts: list[Act] = []
        whole: list[bytes] = []  # unharmed frames leave as one piece, as a device sends them
        for frame in self.framing.cut(data):
            harmed = self._harm(frame)
            if harmed is None and not self._is(Kind.SLOW, Kind.BYTEWISE) and not self._queue:
                whole.append(frame)
                self.log.sent(self._reads_of(frame), link_now, reader_now)
                continue
            acts, whole = acts + _joined(whole), []
            if harmed is not None:
                self.log.spoiled(link_now)
            acts += self._spoil(frame, harmed, link_now, reader_now)
        return acts + _joined(whole)

    def _harm(self, frame: bytes) -> bytes | None:
        """Return what the present fault makes of a frame, None when it leaves it alone."""
        if self._is(Kind.GARBAGE):
            self._struck = True
            noise = self.rng.randbytes(self.rng.randint(1, NOISE_BYTES_MAX))
            if self.rng.random() < 0.5:
                return noise + frame
            at = self.rng.randrange(len(frame))
            return frame[:at] + noise + frame[at + len(noise) :]
        if not self._is(Kind.TRUNCATE, Kind.LYING) or self._struck or len(frame) < 2:
            return None
        self._struck = True
        assert self._active is not None  # it is one of the two
        self._active = Fault(self._active.kind, self._active.at_s, 0.0)  # it has struck, and ends
        return (
            frame[: self.rng.randrange(1, len(frame))] if self._is(Kind.TRUNCATE) else self.framing.lie(frame, self.rng)
        )

    def _spoil(self, frame: bytes, harmed: bytes | None, link_now: Instant, reader_now: Instant) -> list[Act]:
        """Send one frame that is harmed, byte by byte, or behind others on a slow line."""
        data = frame if harmed is None else harmed
        reads = self._reads_of(frame)
        if harmed is not None and not harmed.endswith(frame):
            # a format without a check may still tell something: what it meant, or what it says now
            reads = list({*reads, *self.framing.face_value(harmed)})
        if self._is(Kind.SLOW, Kind.BYTEWISE):
            self._struck = True
        if self._is(Kind.SLOW) or self._queue:
            if sum(len(each.data) for each in self._queue) + len(data) <= QUEUE_BYTES_MAX:
                self._slow_from = self._slow_from if self._queue else link_now
                self._queue.append(_Piece(data, reads))
            return []
        self.log.sent(reads, link_now, reader_now)
        if self._is(Kind.BYTEWISE):
            return [Write(data[at : at + 1]) for at in range(len(data))]
        return [Write(data)]

    def _drain(self, link_now: Instant, reader_now: Instant) -> list[Act]:
        """Send what a slow line carries by now; all of it once it is slow no more."""
        if not self._queue or (self._is(Kind.SLOW) and link_now < plus(self._slow_from, SLOW_STEP_S)):
            return []
        elapsed_s = (link_now - self._slow_from) / 1_000_000
        room = round(elapsed_s * SLOW_BYTES_A_S) if self._is(Kind.SLOW) else QUEUE_BYTES_MAX
        self._slow_from = link_now
        out = bytearray()
        while self._queue and room > 0:
            piece = self._queue[0]
            taken, piece.data = piece.data[:room], piece.data[room:]
            out += taken
            room -= len(taken)
            if not piece.data:
                self.log.sent(self._queue.popleft().reads, link_now, reader_now)
        return [Write(bytes(out))] if out else []


_AT_ONCE: dict[Kind, tuple[Act, ...]] = {
    Kind.DROP: (Close(),),
    Kind.STALL: (),
    Kind.HALF_OPEN: (Abandon(),),
    Kind.REBOOT: (Close(), Unplug()),
    Kind.UNPLUG: (Abandon(), Unplug()),
}
"""What the port does when a fault begins. A stall needs nothing of the port."""


def _joined(frames: list[bytes]) -> list[Act]:
    return [Write(b"".join(frames))] if frames else []
