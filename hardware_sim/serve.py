"""Gives the simulated devices their ports: a reader listens on TCP, a scanner or a serial module is a pseudo-terminal
with a stable link.

Each port has one thread, which alone touches its device. It decides nothing: the devices say what is due. The rule that
must not be broken: story time goes to what the antennas hear, link time to keepalives, and neither is the other.
"""

import contextlib
import os
import queue
import select
import socket
import threading
import tty
from pathlib import Path

from hardware_sim.clock import Clock
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.scanner import ScannerDevice
from hardware_sim.devices.uhfreader18 import Uhf18Device
from hardware_sim.errors import WrongUse
from protocols.readers.reads import BadFrame
from protocols.readers.scanner import Beep
from protocols.values.instant import seconds_between

HOST = "127.0.0.1"
CHUNK = 64 * 1024
WAIT_MAX_S = 0.2
"""A thread looks at least this often whether it should end."""

SEND_TIMEOUT_S = 5.0
"""A client that takes nothing for so long is gone."""

PTY_CHUNK = 1024
"""Bytes a pseudo-terminal surely takes at once when it takes any."""

BEEPS_MAX = 64
"""Beeps nobody has waited for; more are dropped, as in air."""


Module = M100Device | Uhf18Device
"""The readers that live on a serial line, or behind a converter from it to TCP."""


class ReaderPort:
    """One reader on TCP. A second client is told that the first is there, where its kind can say so, and closed."""

    def __init__(self, device: LlrpReaderDevice | Module, clock: Clock, *, port: int = 0) -> None:
        self._device = device
        self._clock = clock
        try:
            self._listener = socket.create_server((HOST, port))
        except OSError as error:
            raise WrongUse(f"port {port}: expected a free port on {HOST}; {error.strerror}; choose another") from error
        self.port: int = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"reader {self.port}", daemon=True)

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def close(self) -> None:
        """End the thread and both sockets."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        self._drop()
        self._listener.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            ends = [self._listener] if self._client is None else [self._listener, self._client]
            ready, _, _ = select.select(ends, [], [], self._wait_s())
            # a client that goes is seen off first: the next one may stand at the door already
            if self._client is not None and self._client in ready:
                self._receive(self._client)
            if self._listener in ready:
                self._accept()
            self._send(self._device.tick(self._clock.link_now(), self._clock.now()))

    def _wait_s(self) -> float:
        link_due, reader_due = self._device.due()
        waits = [WAIT_MAX_S]
        if link_due is not None:
            waits.append(seconds_between(self._clock.link_now(), link_due))
        if reader_due is not None:
            waits.append(self._clock.seconds_until(reader_due))
        return max(0.0, min(waits))

    def _accept(self) -> None:
        end, _ = self._listener.accept()
        end.settimeout(SEND_TIMEOUT_S)
        if self._client is None:
            self._client = end
            self._send(self._device.connected(self._clock.link_now(), self._clock.now()))
            return
        refusal, told = self._device.refuse(self._clock.now())
        with contextlib.suppress(OSError):
            end.sendall(refusal)
        end.close()
        self._send(told)

    def _receive(self, client: socket.socket) -> None:
        try:
            piece = client.recv(CHUNK)
        except OSError:
            piece = b""
        if not piece:
            self._drop()
            return
        self._send(self._device.receive(piece, self._clock.link_now(), self._clock.now()))
        if self._device.closing:
            self._drop()

    def _send(self, data: bytes) -> None:
        if self._client is None or not data:
            return
        try:
            self._client.sendall(data)
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
            self._device.disconnected()


class ModulePort:
    """One serial module on a pseudo-terminal; `link` always points to it. Held open, so that it outlives its hosts."""

    def __init__(self, device: Module, clock: Clock, link: Path) -> None:
        self._device, self._clock, self._link = device, clock, link
        self._master, self._slave = open_pty(link)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._serve, name=f"module {link.name}", daemon=True)

    def start(self) -> None:
        """Serve from now on."""
        self._thread.start()

    def close(self) -> None:
        """Pull the plug."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
        with contextlib.suppress(FileNotFoundError):
            self._link.unlink()
        os.close(self._master)
        os.close(self._slave)

    def _serve(self) -> None:
        while not self._ended.is_set():
            due, _ = self._device.due()
            wait_s = WAIT_MAX_S if due is None else seconds_between(self._clock.link_now(), due)
            ready, _, _ = select.select([self._master], [], [], max(0.0, min(WAIT_MAX_S, wait_s)))
            heard = os.read(self._master, CHUNK) if ready else b""
            link_now, now = self._clock.link_now(), self._clock.now()
            self._send(self._device.receive(heard, link_now, now) + self._device.tick(link_now, now))

    def _send(self, data: bytes) -> None:
        """Write what a host has room for; with nobody there the rest falls into the void, as on a wire."""
        while data and not self._ended.is_set():
            _, ready, _ = select.select([], [self._master], [], WAIT_MAX_S)
            if not ready:
                return
            data = data[os.write(self._master, data[:PTY_CHUNK]) :]


class ScannerPort:
    """One scanner on a pseudo-terminal; `link` always points to it. Raw, and held open so that it outlives the host."""

    def __init__(self, device: ScannerDevice, link: Path) -> None:
        self._device = device
        self._link = link
        self._master, self._slave = open_pty(link)
        self._beeps: queue.Queue[Beep] = queue.Queue(BEEPS_MAX)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, name=f"scanner {link.name}", daemon=True)
        self._thread.start()

    def scan(self, text: str, *, wait_s: float) -> Beep | None:
        """Scan one label and wait for the beep that answers it; None when none came in time."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._beeps.get_nowait()  # an answer nobody waits for any more
        os.write(self._master, self._device.scan(text))
        return self.listen(wait_s)

    def listen(self, wait_s: float) -> Beep | None:
        """Wait for a beep; None when none came in time."""
        try:
            return self._beeps.get(timeout=wait_s)
        except queue.Empty:
            return None

    def close(self) -> None:
        """Pull the plug."""
        self._ended.set()
        self._thread.join()
        with contextlib.suppress(FileNotFoundError):
            self._link.unlink()
        os.close(self._master)
        os.close(self._slave)

    def _listen(self) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([self._master], [], [], WAIT_MAX_S)
            if not ready:
                continue
            for heard in self._device.receive(os.read(self._master, CHUNK)):
                if not isinstance(heard, BadFrame):
                    self._hear(heard)

    def _hear(self, beep: Beep) -> None:
        with contextlib.suppress(queue.Full):
            self._beeps.put_nowait(beep)


def open_pty(link: Path) -> tuple[int, int]:
    """Return both ends of a raw pseudo-terminal, with `link` pointing to it."""
    master, slave = os.openpty()
    tty.setraw(slave)
    with contextlib.suppress(FileNotFoundError):
        link.unlink()
    link.symlink_to(os.ttyname(slave))
    return master, slave
