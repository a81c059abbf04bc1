"""ZPL II as a stream: bytes in, label formats and immediate commands out. It knows the language, not the printer.

A format stands between ^XA and ^XZ; a command is its mark, two letters and its parameters up to the next mark; what
follows ^FD is a field's data. A command that begins with ~ is obeyed at once, wherever it stands (ZPL II Programming
Guide, "ZPL Commands"). The rule that must not be broken: an unknown command is passed over, as printers do.
"""

import re
from dataclasses import dataclass, field

FORMAT_BYTES_MAX = 64 * 1024
"""One label's format; a picture may be as long, more without an end is noise."""

_COMMAND = re.compile(r"([\^~])([A-Z][A-Z0-9@])([^\^~]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Command:
    """One command: two letters, and its parameters as written."""

    name: str
    text: str

    @property
    def words(self) -> tuple[str, ...]:
        """Return the parameters."""
        return tuple(each.strip() for each in self.text.split(","))

    def number(self, place: int, default: int) -> int:
        """Return a parameter as a number, or what it is when left out."""
        words = self.words
        return int(words[place]) if place < len(words) and words[place].isdecimal() else default

    def word(self, place: int, default: str) -> str:
        """Return a parameter, or what it is when left out."""
        words = self.words
        return words[place] if place < len(words) and words[place] else default


@dataclass(frozen=True, slots=True)
class Format:
    """One label's commands in order."""

    commands: tuple[Command, ...]


@dataclass(frozen=True, slots=True)
class Immediate:
    """A command to be obeyed at once, such as HS."""

    name: str


@dataclass(slots=True)
class ZplDecoder:
    """Cuts one client's bytes. `waiting` tells whether a format has begun and not ended."""

    _buffer: str = ""
    _commands: list[Command] = field(default_factory=list)
    _inside: bool = False

    @property
    def waiting(self) -> bool:
        """Tell whether a format is being received."""
        return self._inside

    def receive(self, data: bytes) -> list[Format | Immediate]:
        """Take bytes in any pieces. Never raises for what they hold."""
        self._buffer += data.decode("utf-8", "replace")
        out: list[Format | Immediate] = []
        at = 0
        for found in _COMMAND.finditer(self._buffer):
            known_whole = found[1] == "~" or found[2] in ("XA", "XZ") or found.end() < len(self._buffer)
            if not known_whole:
                break
            at = found.end(2) if found[1] == "~" or found[2] in ("XA", "XZ") else found.end()
            self._take(found[1], Command(found[2], found[3].strip("\r\n")), out)
        self._buffer = self._buffer[at:][-FORMAT_BYTES_MAX:]
        return out

    def _take(self, mark: str, command: Command, out: list[Format | Immediate]) -> None:
        if mark == "~":
            out.append(Immediate(command.name))
        elif command.name == "XA":
            self._inside = True
            self._commands.clear()
        elif command.name == "XZ":
            if self._inside:
                out.append(Format(tuple(self._commands)))
            self._inside = False
        elif self._inside and sum(len(each.text) + 3 for each in self._commands) < FORMAT_BYTES_MAX:
            self._commands.append(command)
