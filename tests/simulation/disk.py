"""Disks in memory under real SQLite: each keeps or tears what was not synced when its power goes, at any call.

A `Rack` is a VFS for apsw; a path is `/DISK/FILE`. A disk knows two states of each file, what the system shows and what
would survive; `sync` brings the first to the second, unless the disk lies. It is not a model of any filesystem: the
name of a file survives once the file was synced. The rule that must not be broken: all chance comes from the disk's own
seed, so that the same calls give the same wreck.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import apsw

SECTOR = 512
"""Bytes that a power cut keeps, loses or tears as one."""
FULL_SLACK = 64 * 1024
"""What a nearly full disk has left."""

_names = count()


@dataclass(slots=True)
class _File:
    """`shown` is what programs see, `kept` what survives a power cut; `dirty` are the sectors in which they differ."""

    shown: bytearray = field(default_factory=bytearray)
    kept: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)
    named: bool = False

    def write(self, data: bytes, offset: int) -> None:
        end = offset + len(data)
        first = min(offset, len(self.shown))
        if len(self.shown) < offset:
            self.shown.extend(bytes(offset - len(self.shown)))
        self.shown[offset:end] = data
        self.dirty.update(range(first // SECTOR, (end - 1) // SECTOR + 1))

    def sync(self) -> None:
        size = len(self.shown)
        if len(self.kept) < size:
            self.kept.extend(bytes(size - len(self.kept)))
        del self.kept[size:]
        for sector in self.dirty:
            start = sector * SECTOR
            self.kept[start : start + SECTOR] = self.shown[start : start + SECTOR]
        self.dirty.clear()
        self.named = True

    def lose_power(self, chance: random.Random) -> None:
        size = chance.choice((len(self.kept), len(self.shown)))
        left = bytearray(self.kept[:size].ljust(size, b"\0"))
        for sector in sorted(self.dirty):
            start = sector * SECTOR
            new = self.shown[start : start + SECTOR]
            match chance.randrange(4):
                case 0 | 1:
                    left[start : start + len(new)] = new
                case 2:
                    tear = chance.randrange(len(new) + 1)
                    left[start : start + tear] = new[:tear]
        self.shown, self.kept = left[:size], bytearray(left[:size])
        self.dirty.clear()

    def copy(self) -> "_File":
        return _File(bytearray(self.shown), bytearray(self.shown), set(), True)


Image = dict[str, _File]
"""The files of a disk at one moment."""


class Disk:
    """One disk. Its switches are faults: `fuse` calls until the power goes, `eio` until one fails, `full`, `lies`."""

    def __init__(self, name: str, seed: str) -> None:
        self.name = name
        self.files: Image = {}
        self.era = 0
        """Rises when everything that holds this disk open is gone: power, a kill, another disk put in."""
        self.calls = 0
        self.fuse: int | None = None
        self.eio: int | None = None
        self.full = self.lies = False
        self.told_lies = False
        """Whether something was called synced that was not, since the disk was whole."""
        self._chance = random.Random(seed)

    def call(self) -> None:
        """Count one call of a program that holds the disk. Raises `apsw.IOError`."""
        self.calls += 1
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse <= 0:
                self.lose_power()
        if self.eio is not None:
            self.eio -= 1
            if self.eio <= 0:
                self.eio = None
                raise apsw.IOError("the disk failed")

    def lose_power(self) -> None:
        """Keep, lose or tear each unsynced sector; whoever holds the disk is gone."""
        self.fuse = None
        self.lies = False
        for name in sorted(self.files):
            file = self.files[name]
            if file.dirty or len(file.kept) != len(file.shown):
                file.lose_power(self._chance)
            if not file.named and self._chance.randrange(2):
                del self.files[name]
        self.era += 1

    def kill(self) -> None:
        """End whoever holds the disk; the system keeps what it was told."""
        self.era += 1

    def image(self) -> Image:
        """Return a copy of what is shown now."""
        return {name: file.copy() for name, file in self.files.items()}

    def put(self, image: Image) -> None:
        """Put an old state back; whoever holds the disk is gone."""
        self.files = {name: file.copy() for name, file in image.items()}
        self.told_lies = False
        self.era += 1


class _Handle:
    """One open file. apsw asks for these methods by name and does not insist on a base class."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk, self._name, self._era = disk, name, disk.era

    def _file(self) -> _File:
        if self._era == self._disk.era:
            self._disk.call()
        if self._era != self._disk.era:
            raise apsw.IOError("the power is gone")
        return self._disk.files.setdefault(self._name, _File())

    def xRead(self, amount: int, offset: int) -> bytes:  # noqa: N802 # SQLite's name
        return bytes(self._file().shown[offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        file = self._file()
        if self._disk.full and offset + len(data) > len(file.shown) and offset >= FULL_SLACK:
            raise apsw.FullError("the disk is full")
        file.write(data, offset)

    def xSync(self, _flags: int) -> None:  # noqa: N802
        file = self._file()
        if self._disk.lies:
            self._disk.told_lies = self._disk.told_lies or bool(file.dirty)
            return
        file.sync()

    def xFileSize(self) -> int:  # noqa: N802
        return len(self._file().shown)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        file = self._file()
        del file.shown[size:]
        file.dirty = {sector for sector in file.dirty if sector * SECTOR < size}

    def xLock(self, _level: int) -> None:  # noqa: N802
        return

    def xUnlock(self, _level: int) -> None:  # noqa: N802
        return

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xClose(self) -> None:  # noqa: N802
        return

    def xFileControl(self, _op: int, _pointer: int) -> bool:  # noqa: N802
        return False

    def excepthook(self, etype: object, evalue: object, etraceback: object) -> bool:
        """Say nothing: a fault of the disk reaches whoever asked through SQLite's answer."""
        del etype, evalue, etraceback
        return True

    def xSectorSize(self) -> int:  # noqa: N802
        return 4096

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return apsw.SQLITE_IOCAP_POWERSAFE_OVERWRITE


class Rack(apsw.VFS):
    """All disks of one simulated world, as one VFS."""

    def __init__(self) -> None:
        self.vfs = f"rack-{next(_names)}"
        self.disks: dict[str, Disk] = {}
        super().__init__(self.vfs, "")

    def add(self, name: str, seed: str) -> Disk:
        """Put an empty disk in."""
        self.disks[name] = Disk(name, seed)
        return self.disks[name]

    def xOpen(self, name: object, _flags: list[int]) -> _Handle:  # type: ignore[override] # noqa: N802
        if name is None:
            return _Handle(Disk("nameless", ""), "scratch")
        disk, file = self._at(name.filename() if isinstance(name, apsw.URIFilename) else str(name))
        disk.call()
        disk.files.setdefault(file, _File())
        return _Handle(disk, file)

    def xAccess(self, path: str, _flags: int) -> bool:  # noqa: N802
        disk, file = self._at(path)
        disk.call()
        return file in disk.files

    def xDelete(self, path: str, _sync: bool) -> None:  # noqa: N802
        disk, file = self._at(path)
        disk.call()
        disk.files.pop(file, None)

    def xFullPathname(self, path: str) -> str:  # noqa: N802
        return path

    def excepthook(self, etype: object, evalue: object, etraceback: object) -> bool:
        """Say nothing: a fault of the disk reaches whoever asked through SQLite's answer."""
        del etype, evalue, etraceback
        return True

    def _at(self, path: str) -> tuple[Disk, str]:
        _, disk, file = path.split("/", 2)
        return self.disks[disk], file


def image_of(files: dict[str, bytes]) -> Image:
    """Return the image of a disk that holds these files."""
    return {name: _File(bytearray(data), bytearray(data), set(), True) for name, data in files.items()}


def path_of(disk: Disk, file: str) -> str:
    """Return the path of a file for SQLite."""
    return f"/{disk.name}/{file}"


@contextmanager
def racked() -> Iterator[Callable[[str, str], Disk]]:
    """Give a way to make disks for a test; the VFS is taken away at the end."""
    rack = Rack()
    try:
        yield rack.add
    finally:
        rack.unregister()
