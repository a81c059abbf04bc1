"""Gives the simulated devices their ports: one thread for each, a line with its faults on it, and a wire below.

It decides nothing: devices say what is due, faults are data. The rule that must not be broken: story time goes to what
the antennas hear, link time to keepalives and faults, and neither is the other.
"""

import contextlib
import queue
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.deliveries import Deliveries
from hardware_sim.devices.device import Device, Inventory
from hardware_sim.devices.faults import Fault
from hardware_sim.devices.framing import FRAMINGS
from hardware_sim.devices.line import Abandon, Act, Close, Line, Resume, Unplug, Write
from hardware_sim.devices.registry import kind_of
from hardware_sim.devices.scanner import ScannerDevice
from hardware_sim.wires import Happened, Joined, Knocked, Left, PtyWire, Said, TcpWire
from protocols.readers.scanner import Beep
from protocols.values.instant import Instant, seconds_between

WAIT_MAX_S = 0.2
"""A thread looks at least this often whether it should end."""

BEEPS_MAX = 64
"""Beeps nobody has waited for; more are dropped, as in air."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What goes wrong on one line: its faults in order, the chance in them, and what a burst adds to the tags heard."""

    faults: Iterable[Fault] = ()
    seed: int | str = 0
    burst: Inventory | None = None


class Port:
    """One device behind its faults on one wire, on a thread of its own."""

    def __init__(
        self,
        device: Device,
        clock: Clock,
        wire: TcpWire | PtyWire,
        *,
        trouble: Trouble | None = None,
        log: Deliveries | None = None,
    ) -> None:
        trouble, kind = trouble or Trouble(), kind_of(device)
        self.log = log or Deliveries(kind)
        self._line = Line(
            device,
            FRAMINGS[kind],
            self.log,
            iter(trouble.faults),
            random.Random(f"{trouble.seed} line"),
            trouble.burst,
        )
        self.device = device
        self._clock, self._wire = clock, wire
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"{kind} {wire.where}", daemon=True)

    @property
    def where(self) -> str:
        """Return where a client finds it."""
        return self._wire.where

    def start(self) -> None:
        """Serve from now on."""
        for each in self._wire.wait(0):
            self._take(each)
        self._thread.start()

    def close(self) -> None:
        """End the thread and give the wire away."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._line.disconnected()
        self._wire.shut()

    def do(self, what: Callable[[Instant], bytes]) -> None:
        """Do something to the device at an instant of its time, and send what it says of that; from any thread."""
        with self._lock:
            now = self._clock.now()
            self._do(self._line.say(what(now), self._clock.link_now(), now))

    def _serve(self) -> None:
        while not self._ended.is_set():
            happened = self._wire.wait(self._wait_s())
            with self._lock:
                for each in happened:
                    self._take(each)
                self._do(self._line.tick(self._clock.link_now(), self._clock.now()))

    def _wait_s(self) -> float:
        link_due, reader_due = self._line.due()
        waits = [WAIT_MAX_S]
        if link_due is not None:
            waits.append(seconds_between(self._clock.link_now(), link_due))
        if reader_due is not None:
            waits.append(self._clock.seconds_until(reader_due))
        return max(0.0, min(waits))

    def _take(self, happened: Happened) -> None:
        link_now, now = self._clock.link_now(), self._clock.now()
        match happened:
            case Joined():
                self._do(self._line.connected(link_now, now))
            case Left():
                self._line.disconnected()
            case Said():
                self._do(self._line.receive(happened.data, link_now, now))
            case Knocked():
                refusal, acts = self._line.refuse(link_now, now)
                with contextlib.suppress(OSError):
                    happened.end.sendall(refusal)
                happened.end.close()
                self._do(acts)

    def _do(self, acts: Iterable[Act]) -> None:
        for act in acts:
            match act:
                case Write():
                    if not self._wire.write(act.data):
                        self._line.disconnected()
                        return
                case Close():
                    self._wire.close()
                case Abandon():
                    self._wire.abandon()
                case Unplug():
                    self._wire.unplug()
                case Resume():
                    self._wire.resume()


class ReaderPort(Port):
    """A device on TCP: a reader, or a serial module behind a converter. A second client is told and closed."""

    def __init__(
        self,
        device: Device,
        clock: Clock,
        *,
        port: int = 0,
        trouble: Trouble | None = None,
        log: Deliveries | None = None,
    ) -> None:
        wire = TcpWire(port)
        super().__init__(device, clock, wire, trouble=trouble, log=log)
        self.port: int = wire.port


class ModulePort(Port):
    """A serial module on a pseudo-terminal; `link` always points to it."""

    def __init__(
        self, device: Device, clock: Clock, link: Path, *, trouble: Trouble | None = None, log: Deliveries | None = None
    ) -> None:
        super().__init__(device, clock, PtyWire(link), trouble=trouble, log=log)


class ScannerPort:
    """One scanner on a pseudo-terminal: a person scans and waits for the beep. It serves as soon as it is made."""

    def __init__(
        self, device: ScannerDevice, link: Path, *, trouble: Trouble | None = None, log: Deliveries | None = None
    ) -> None:
        self._device = device
        self._beeps: queue.Queue[Beep] = queue.Queue(BEEPS_MAX)
        device.hear = self._hear
        self._port = Port(device, Clock(real_time()), PtyWire(link, ever=True), trouble=trouble, log=log)
        self._port.start()

    @property
    def where(self) -> str:
        """Return the link."""
        return self._port.where

    def scan(self, text: str, *, wait_s: float) -> Beep | None:
        """Scan one label and wait for the beep that answers it; None when none came in time."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._beeps.get_nowait()  # an answer nobody waits for any more
        self._port.do(lambda _now: self._device.scan(text))
        return self.listen(wait_s)

    def listen(self, wait_s: float) -> Beep | None:
        """Wait for a beep; None when none came in time."""
        try:
            return self._beeps.get(timeout=wait_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Pull the plug."""
        self._port.close()

    def _hear(self, beep: Beep) -> None:
        with contextlib.suppress(queue.Full):
            self._beeps.put_nowait(beep)
