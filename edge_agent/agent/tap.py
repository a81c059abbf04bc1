"""A record of every accepted read, one JSON line each, to be compared with what a reader says that it delivered.

`run --tap FILE` writes it. A line has `epc`, `antenna`, `reader`, `first_seen`, `last_seen` (microseconds UTC, the
reader's), `count` and `rssi_dbm` (null where the reader says none). The file has a limit: when it is reached it becomes
`FILE.1` in place of the one before. The rule that must not be broken: the record never holds the agent up; what the
disk does not take is left out and told once.
"""

import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from edge_agent.agent.voice import Voice
from edge_agent.errors import BadConfig
from protocols.readers.reads import TagRead

TAP_BYTES_MAX = 256 * 1024 * 1024
"""Bytes of one file; with the one before it a tap takes at most twice as many: some three million reads."""
FILE_MODE = 0o640

_encoder = msgspec.json.Encoder()


def tap_line(reader: str, read: TagRead) -> bytes:
    """Return one read as a line."""
    fields = {
        "epc": read.epc,
        "antenna": read.antenna,
        "reader": reader,
        "first_seen": read.first_seen,
        "last_seen": read.last_seen,
        "count": read.count,
        "rssi_dbm": read.rssi_dbm,
    }
    return _encoder.encode(fields) + b"\n"


class Tap:
    """One record; lines are kept until `flush`, which the agent calls once a turn."""

    def __init__(self, path: Path, voice: Voice, *, bytes_max: int = TAP_BYTES_MAX) -> None:
        self._path, self._voice, self._bytes_max = path, voice, bytes_max
        self._lines: list[bytes] = []
        self._file, self._size = _open(path)

    def hear(self, reader: str, read: TagRead) -> None:
        """Take one accepted read."""
        self._lines.append(tap_line(reader, read))

    def flush(self) -> None:
        """Write what was heard in this turn; whole lines only."""
        if not self._lines:
            return
        data, self._lines = b"".join(self._lines), []
        try:
            if self._size and self._size + len(data) > self._bytes_max:
                self._rotate()
            self._file.write(data)
            self._size += len(data)
        except OSError as error:
            self._voice.say_counted("tap", f"{self._path}: {error.strerror}; reads are left out of the record")

    def close(self) -> None:
        """Write the rest and give the file back."""
        self.flush()
        self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_name(self._path.name + ".1"))
        self._file, self._size = _open(self._path)


def open_tap(path: Path, voice: Voice) -> Tap:
    """Return a record that goes on where a file ends. Raises `BadConfig` when it cannot be written."""
    try:
        return Tap(path, voice)
    except OSError as error:
        raise BadConfig(f"--tap {path}: expected a file one may write, {error.strerror}; name another") from error


def _open(path: Path) -> tuple[BinaryIO, int]:
    """Open a file at its end; a line that a kill cut short is ended there, so that it spoils no other."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
    file = os.fdopen(descriptor, "r+b", buffering=0)
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            size += file.write(b"\n") or 0
    return file, size
