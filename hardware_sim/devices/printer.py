"""A simulated RFID label printer on port 9100: ZPL in, labels and answers out; each label has an inlay.

It does what such printers do (ZPL II Programming Guide, RFID commands): ^RF writes the inlay and reads it, ^RI reads
its TID, ^RR is how often a write is tried again, ^RS how many inlays are spoilt before it gives up and what then; an
inlay that does not read back as written is printed VOID and the next is taken; ^HV answers what was read; ~HS tells its
state. Out of labels it keeps the formats until there are labels again. The rule that must not be broken: a label that
is not VOID holds what its format said.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from hardware_sim.devices.tag_memory import EPC, EPC_START, RESERVED, TID, USER, WORD_BYTES, TagMemory
from hardware_sim.devices.zpl import Command, Format, Immediate, ZplDecoder
from protocols.values.instant import Instant, plus

FORMATS_MAX = 64
"""Formats that wait in the printer; a client that sends more is told by ~HS that the buffer is full."""

LABEL_S = 0.3
"""Link seconds of one label, encoding included."""

TRIES, LABELS_TRIED, MOST_TRIES = 3, 3, 10
"""^RR and ^RS when they are left out, and the most that either may say."""

QUANTITY_MAX = 1_000
BANKS = {"E": EPC, "A": EPC, "0": RESERVED, "1": EPC, "2": TID, "3": USER}
STX, ETX, END = "\x02", "\x03", "\r\n"


@dataclass(frozen=True, slots=True)
class Printed:
    """One label that came out: what its inlay holds as EPC, its TID, the texts on it, and whether it is VOID."""

    epc: str
    tid: str
    texts: tuple[str, ...]
    void: bool


def show_nobody(label: Printed) -> None:
    """Nobody takes the labels."""


def inlays() -> Iterator[TagMemory]:
    """Return a roll without end: blank inlays, each with its own TID."""
    return (TagMemory("00" * 12, f"E2801160{number:016X}") for number in count(1))


@dataclass(slots=True)
class PrinterDevice:
    """One printer. `printed` is told of each label; `labels` are left on the roll; `dud(tid)` cannot be written."""

    printed: Callable[[Printed], None] = show_nobody
    labels: int = 1_000
    dud: Callable[[str], bool] = lambda _tid: False
    closing: bool = False
    paused: bool = False
    roll: Iterator[TagMemory] = field(default_factory=inlays)
    _decoder: ZplDecoder = field(default_factory=ZplDecoder)
    _queue: deque[Format] = field(default_factory=deque)
    _left: int = 0
    _due: Instant = Instant(0)  # noqa: RUF009 - Instant is an int

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A host is there; a printer waits to be told."""
        del link_now, reader_now
        self._decoder = ZplDecoder()
        return b""

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second host away without a word: the port takes one."""
        del reader_now
        return b"", b""

    def disconnected(self) -> None:
        """The host is gone; what it sent is printed all the same."""

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take the host's bytes; answer ~HS at once, keep formats to be printed."""
        del reader_now
        out = ""
        for each in self._decoder.receive(data):
            if isinstance(each, Immediate):
                out += self._obey(each.name)
            elif len(self._queue) < FORMATS_MAX:
                if not self._queue:
                    self._due = plus(link_now, LABEL_S)
                self._queue.append(each)
        return out.encode()

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return when the next label comes out, in link time."""
        return (self._due if self._queue and self.labels and not self.paused else None), None

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Print the label that fell due."""
        del reader_now
        due, _ = self.due()
        if due is None or link_now < due:
            return b""
        self._due = plus(link_now, LABEL_S)
        answer = self._print(self._queue[0])
        self._left = (self._left or _quantity(self._queue[0])) - 1
        if self._left < 1:
            self._left = 0
            self._queue.popleft()
        return answer.encode()

    def reboot(self, reader_now: Instant) -> None:
        """Lose every format; labels stay on the roll."""
        del reader_now
        self._queue.clear()
        self._left, self.paused, self._decoder = 0, False, ZplDecoder()

    def status(self) -> str:
        """Return the three lines of ~HS."""
        first = (
            f"030,{int(not self.labels)},{int(self.paused)},0640,{len(self._queue):03d},"
            f"{int(len(self._queue) >= FORMATS_MAX)},0,{int(self._decoder.waiting)},000,0,0,0"
        )
        left = self._left or (_quantity(self._queue[0]) if self._queue else 0)
        return "".join(f"{STX}{line}{ETX}{END}" for line in (first, f"000,0,0,0,1,2,4,0,{left:08d},1,000", "1234,0"))

    def _obey(self, name: str) -> str:
        match name:
            case "HS":
                return self.status()
            case "JA":
                self._queue.clear()
                self._left = 0
            case "PP":
                self.paused = True
            case "PS":
                self.paused = False
        return ""

    # --- one label ---------------------------------------------------------------------------------------------------

    def _print(self, wanted: Format) -> str:
        """Print one label, spoiling as many inlays as ^RS allows; returns what ^HV answers."""
        setup = next((each for each in wanted.commands if each.name == "RS"), Command("RS", ""))
        texts = tuple(each.text for each in _printed_fields(wanted))
        for _ in range(max(1, min(MOST_TRIES, setup.number(3, LABELS_TRIED)))):
            if not self.labels:
                return ""  # the rest when there are labels again
            self.labels -= 1
            inlay = next(self.roll)
            fields, ok = self._encode(wanted, inlay)
            self.printed(Printed(inlay.epc, inlay.banks[TID].hex().upper(), texts if ok else ("VOID",), not ok))
            if ok:
                return _answers(wanted, fields)
        self.paused = setup.word(4, "N") in ("P", "E")
        return ""

    def _encode(self, wanted: Format, inlay: TagMemory) -> tuple[dict[int, str], bool]:
        """Do the RFID commands to one inlay; returns the fields read, and whether all went well."""
        fields: dict[int, str] = {}
        tries, target = TRIES, Command("", "")
        for each in wanted.commands:
            match each.name:
                case "RR":
                    tries = min(MOST_TRIES, each.number(0, TRIES))
                case "RI":
                    fields[each.number(0, 0)] = inlay.banks[TID].hex().upper()
                case "RF":
                    target = each
                case "FN" if target.name == "RF" and target.word(0, "W") == "R":
                    fields[each.number(0, 0)] = _read(target, inlay)
                case "FD" if target.name == "RF" and target.word(0, "W") in ("W", "L"):
                    if not self._write(target, each.text, inlay, tries):
                        return fields, False
                case "FS":
                    target = Command("", "")
        return fields, True

    def _write(self, target: Command, text: str, inlay: TagMemory, tries: int) -> bool:
        """Write one field and read it back; a dud takes nothing however often it is tried."""
        data = _data_of(target, text)
        bank, at = _place(target, inlay)
        if data is None or at + len(data) > len(bank) or bank is inlay.banks[TID]:
            return False
        for _ in range(tries + 1):
            if not self.dud(inlay.banks[TID].hex().upper()):
                bank[at : at + len(data)] = data
                if target.word(4, "E") in ("E", "A"):
                    inlay.banks[EPC][2] = len(data) // WORD_BYTES << 3
            if bytes(bank[at : at + len(data)]) == data:
                return True
        return False


def _place(target: Command, inlay: TagMemory) -> tuple[bytearray, int]:
    """Return the bank and the byte that an ^RF names; E and A are the EPC itself, with its PC adjusted."""
    bank = target.word(4, "E")
    start = EPC_START if bank in ("E", "A") else WORD_BYTES * target.number(2, 0)
    return inlay.banks[BANKS.get(bank, EPC)], start


def _data_of(target: Command, text: str) -> bytes | None:
    """Return what a field holds: hex, or the bytes of its text; None for what is no whole words of hex."""
    if target.word(1, "H") == "A":
        return text.encode()
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return None
    return data if data and len(data) % WORD_BYTES == 0 else None


def _read(target: Command, inlay: TagMemory) -> str:
    bank, at = _place(target, inlay)
    size = target.number(3, 0) or (len(inlay.epc) // 2 if target.word(4, "E") in ("E", "A") else WORD_BYTES)
    data = bytes(bank[at : at + size])
    return data.decode("latin-1") if target.word(1, "H") == "A" else data.hex().upper()


def _answers(wanted: Format, fields: dict[int, str]) -> str:
    """Return what each ^HV sends: its header, that many characters of the field, its end."""
    out = ""
    for each in wanted.commands:
        if each.name == "HV":
            text = fields.get(each.number(0, 0), "")
            out += f"{each.word(2, '')}{text[: each.number(1, 64)]}{each.word(3, END)}"
    return out


def _printed_fields(wanted: Format) -> Iterator[Command]:
    """Return the field data that is printed: all that is not written to the inlay."""
    on_inlay = False
    for each in wanted.commands:
        on_inlay = each.name == "RF" or (on_inlay and each.name != "FS")
        if each.name == "FD" and not on_inlay:
            yield each


def _quantity(wanted: Format) -> int:
    said = next((each for each in wanted.commands if each.name == "PQ"), Command("PQ", "1"))
    return max(1, min(QUANTITY_MAX, said.number(0, 1)))
