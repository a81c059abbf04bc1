"""Lines of JSON in one file with a limit, from several threads. It does not know what they say.

The rule that must not be broken: a full or failing disk ends the record with a last word, never the device it is about.
"""

import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hardware_sim.errors import WrongUse

BYTES_MAX = 512 * 1024 * 1024
"""Bytes of one file: some three million reads, hours of a busy reader."""


class NdjsonFile:
    """A file that rows are added to. After `close`, or once it is full, rows are dropped."""

    def __init__(self, path: Path, *, bytes_max: int = BYTES_MAX) -> None:
        try:
            self._file = path.open("ab")
        except OSError as error:
            raise WrongUse(f"{path}: expected a file one may write; {error.strerror}; name another") from error
        self._room = bytes_max - self._file.tell()
        self._lock = threading.Lock()
        self._encoder = msgspec.json.Encoder()
        self._open = True

    def note(self, row: Mapping[str, object]) -> None:
        """Add one row."""
        line = self._encoder.encode(row) + b"\n"
        with self._lock:
            if not self._open:
                return
            try:
                if len(line) > self._room:
                    self._file.write(b'{"full":true}\n')
                    self._end()
                    return
                self._file.write(line)
                self._room -= len(line)
            except OSError:
                self._end()

    def close(self) -> None:
        """Write what waits, and end the record."""
        with self._lock:
            if self._open:
                self._end()

    def _end(self) -> None:
        self._open = False
        try:
            self._file.close()
        except OSError:
            return  # what the disk did not take is not in the record
