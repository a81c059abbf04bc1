"""A scanner that pretends to be a keyboard: its device file is read and held, so that no keystroke goes elsewhere.

It hands on the bytes of `struct input_event` as they come; what keys mean is decided by a decoder on the agent's own
thread. The device is grabbed (EVIOCGRAB): what is scanned never lands in a console or a login. The rule that must not
be broken: a device that cannot be held alone is not used, for a label typed into a shell is a command.

Source: linux/input.h (EVIOCGRAB).
"""

import errno
import fcntl
import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

from edge_agent.errors import LinkFault
from edge_agent.links.serial import READ_BYTES, READ_TIMEOUT_S, REOPEN

EVIOCGRAB = 0x40044590
"""_IOW('E', 0x90, int)."""

Grab = Callable[[int], None]


def grab(descriptor: int) -> None:
    """Hold a device alone. Raises `OSError`."""
    fcntl.ioctl(descriptor, EVIOCGRAB, 1)


class Mute:
    """The wire back to a keyboard: there is none."""

    def send(self, data: bytes) -> bool:
        """Say that nothing was sent."""
        del data
        return False


class EvdevLink:
    """Keeps one input device open, on a thread of its own, until stopped.

    `on_open(wire)`, `on_bytes(data)` and `on_close(reason)` come in that order; `on_close` alone when opening failed.
    """

    def __init__(
        self,
        device: Path,
        *,
        on_open: Callable[[Mute], None],
        on_bytes: Callable[[bytes], None],
        on_close: Callable[[str], None],
        chance: Callable[[], float],
        hold: Grab = grab,
    ) -> None:
        self._device, self._hold = device, hold
        self._on_open, self._on_bytes, self._on_close = on_open, on_bytes, on_close
        self._chance = chance
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"evdev {device.name}", daemon=True)

    def start(self) -> None:
        """Begin to open."""
        self._thread.start()

    def stop(self, timeout_s: float = 4 * READ_TIMEOUT_S) -> None:
        """Close, and wait for the thread to end."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            try:
                descriptor = open_device(self._device, self._hold)
            except LinkFault as fault:
                self._on_close(str(fault))
                failures += 1
            else:
                failures = 0
                self._on_open(Mute())
                self._on_close(self._read(descriptor))
            self._stopped.wait(REOPEN.wait_s(failures, self._chance()))

    def _read(self, descriptor: int) -> str:
        try:
            while not self._stopped.is_set():
                if not select.select([descriptor], [], [], READ_TIMEOUT_S)[0]:
                    continue
                data = os.read(descriptor, READ_BYTES)
                if not data:
                    return f"{self._device}: the scanner is gone; plug it in again"
                self._on_bytes(data)
        except OSError as error:
            return f"{self._device}: the scanner is gone ({error.strerror}); plug it in again"
        finally:
            os.close(descriptor)
        return "stopped"


def open_device(device: Path, hold: Grab = grab) -> int:
    """Open an input device and hold it alone. Raises `LinkFault` that says what to do."""
    try:
        descriptor = os.open(device, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise LinkFault(_say(error, device)) from error
    try:
        hold(descriptor)
    except OSError as error:
        os.close(descriptor)
        raise LinkFault(_say(error, device)) from error
    return descriptor


def _say(error: OSError, device: Path) -> str:
    match error.errno:
        case errno.ENOENT | errno.ENXIO | errno.ENODEV:
            return f"{device}: expected an input device, there is none; plug the scanner in or correct its url"
        case errno.EACCES | errno.EPERM:
            return f"{device}: expected a device this user may read; add the user to the group input"
        case errno.EBUSY:
            return f"{device}: expected a device nobody else holds; stop the other program"
        case errno.ENOTTY | errno.EINVAL:
            return f"{device}: expected an input device, this is another kind of file; correct the scanner's url"
        case _:
            return f"{device}: expected an input device that opens; {error.strerror}"
