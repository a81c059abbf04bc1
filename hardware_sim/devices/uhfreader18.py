"""A simulated UHFReader18 or 288 board without a port: bytes and two clocks in, bytes out, through `protocols`.

It answers only its own bus address (and 255), inventories when asked, tells many tags in several answers, and in active
mode inventories by itself every `ACTIVE_S` of link time. With several antennas it is a 288: levels, antenna masks, and
an antenna that is switched off is told as such; with one it is an 18, which knows neither.

What its antennas hear comes from the `inventory` function it was given: this file knows no tag.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hardware_sim.devices.device import Heard, Inventory, ignore_delivery
from hardware_sim.devices.tag_memory import Refused, TagMemory, as_heard, in_field, mask_bits
from protocols.errors import WeBroke
from protocols.readers.columns import Value
from protocols.readers.reads import BadFrame
from protocols.readers.uhfreader18.codec import Uhf18CommandDecoder, Uhf18Frame, encode_answer
from protocols.readers.uhfreader18.layout import ANTENNA_ONE, BROADCAST
from protocols.values.instant import Instant, plus

TAGS_AN_ANSWER_MAX = 3
"""EPCs of 62 bytes that fit one answer of 255."""

ACTIVE_S = 0.2
ANTENNAS_MAX = 8
WRONG_PASSWORD, TAG_REFUSED = 0x05, 0xFC
DONE, WITH_TAGS, MORE, NO_ANTENNA, NO_TAG, UNKNOWN = 0x00, 0x01, 0x03, 0xF8, 0xFB, 0xFE


@dataclass(slots=True)
class Uhf18Device:
    """One board. `inventory(at, antennas)` says what is heard; `delivered(at, tags)` is told of tags handed out.

    `tags` are the memories of tags that can be read and written, by the EPC the inventory hears.
    """

    inventory: Inventory
    delivered: Callable[[Instant, int], None] = ignore_delivery
    antennas: int = 1
    address: int = 0
    closing: bool = False
    tags: dict[str, TagMemory] = field(default_factory=dict)
    region: tuple[int, int] = (0x31, 0x80)
    dbm: int = 26
    mode: int = 0
    mask: int = 1
    unplugged: set[int] = field(default_factory=set)
    _due: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _decoder: Uhf18CommandDecoder = field(default_factory=Uhf18CommandDecoder)

    def __post_init__(self) -> None:
        if not 1 <= self.antennas <= ANTENNAS_MAX:
            raise WeBroke(f"UHFReader18: expected 1..{ANTENNAS_MAX} antennas, got {self.antennas}")

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A host is there; a board says nothing for that."""
        del link_now, reader_now
        return b""

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second host away: a line has one, and nothing is said."""
        del reader_now
        return b"", b""

    def disconnected(self) -> None:
        """The host is gone; a board does not notice."""

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take the host's bytes; return the answers. What is no frame, or for another board, is not answered."""
        out = b""
        for each in self._decoder.receive(data):
            if not isinstance(each, BadFrame) and each.address in (self.address, BROADCAST):
                out += self._answer(each, link_now, reader_now)
        return out

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return when `tick` has something to do, in link time."""
        return (self._due if self.mode else None), None

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Push what an active board hears."""
        if not self.mode or link_now < self._due:
            return b""
        self._due = plus(link_now, ACTIVE_S)
        return b"".join(self._push(heard) for antenna in self._chosen() for heard in self._listen(reader_now, antenna))

    def reboot(self, reader_now: Instant) -> None:
        """Come back; what was set stands in its flash, a 288's real-time mode does not."""
        del reader_now
        self._decoder = Uhf18CommandDecoder()
        if self.antennas > 1:
            self.mode = 0

    def _chosen(self) -> list[int]:
        return [each for each in range(1, self.antennas + 1) if self.mask >> (each - 1) & 1]

    def _listen(self, at: Instant, antenna: int) -> list[Heard]:
        heard = [] if antenna in self.unplugged else list(self.inventory(at, (antenna,)))
        if heard:
            self.delivered(at, len(heard))
        return heard

    def _push(self, heard: Heard) -> bytes:
        return self._say("tags", 0xEE, DONE, self._told([heard], heard[1]) | {"tags": [self._tag(heard)]})

    def _answer(self, asked: Uhf18Frame, link_now: Instant, reader_now: Instant) -> bytes:
        match asked.type:
            case "inventory":
                return b"".join(self._inventory(each, reader_now) for each in self._chosen()[:1])
            case "inventory_at" if 0 <= asked.number("antenna") - ANTENNA_ONE < self.antennas > 1:
                return self._inventory(asked.number("antenna") - ANTENNA_ONE + 1, reader_now)
            case "get_info":
                return self._say("info", asked.command, DONE, self._info())
            case "read_by_epc" | "read_by_mask" | "write_by_epc" | "write_by_mask":
                return self._access(asked, reader_now)
            case _ if self._set(asked):
                self._due = link_now
                return self._say("done", asked.command, DONE, {})
            case _:
                return encode_answer("error", asked.command, UNKNOWN, address=self.address)

    def _set(self, asked: Uhf18Frame) -> bool:
        several = self.antennas > 1
        match asked.type:
            case "set_region":
                self.region = (asked.number("highest"), asked.number("lowest"))
            case "set_power":
                self.dbm = asked.number("dbm")
            case "set_work_mode" if not several:
                self.mode = asked.number("mode")
            case "set_realtime" if several:
                self.mode = asked.number("mode")
            case "set_antennas" if several:
                self.mask = asked.number("mask")
            case _:
                return False
        return True

    def _info(self) -> dict[str, Value]:
        highest, lowest = self.region
        more: dict[str, Value] = {"antennas": self.mask, "switches": "000000"} if self.antennas > 1 else {}
        return {
            "version": "0107",
            "board": 0x09,
            "protocols": 0x02,
            "highest": highest,
            "lowest": lowest,
            "dbm": self.dbm,
            "scan_time": 10,
            **more,
        }

    def _inventory(self, antenna: int, at: Instant) -> bytes:
        if antenna in self.unplugged:
            return encode_answer("antenna_fault", 0x01, NO_ANTENNA, {}, address=self.address)
        heard = self._listen(at, antenna)
        if not heard:
            return self._say("no_tags", 0x01, NO_TAG, {})
        parts = [heard[start : start + TAGS_AN_ANSWER_MAX] for start in range(0, len(heard), TAGS_AN_ANSWER_MAX)]
        statuses = [MORE] * (len(parts) - 1) + [WITH_TAGS]
        return b"".join(
            self._say("tags", 0x01, status, self._told(part, antenna) | {"tags": list(map(self._tag, part))})
            for status, part in zip(statuses, parts, strict=True)
        )

    def _told(self, heard: Sequence[Heard], antenna: int) -> dict[str, Value]:
        return {"antenna_mask": 1 << (antenna - 1)} if self.antennas > 1 and heard else {}

    def _tag(self, heard: Heard) -> dict[str, int | str]:
        code, _, rssi_dbm, _ = heard
        epc = as_heard(code, self.tags)
        return {"epc": epc, "level": max(-128, min(-1, rssi_dbm)) & 0xFF} if self.antennas > 1 else {"epc": epc}

    def _access(self, asked: Uhf18Frame, at: Instant) -> bytes:
        """Read or write words of the tag that is named by its EPC, or by a mask over one of its banks."""
        near = in_field(self.inventory(at, tuple(self._chosen())), self.tags)
        tag = next((each for each in near if _is_named(asked, each)), None)
        if tag is None:
            return encode_answer("error", asked.command, NO_TAG, address=self.address)
        where, password = (asked.number("bank"), asked.number("word")), int(str(asked.fields["password"]), 16)
        if asked.type.startswith("read"):
            words = tag.read(*where, asked.number("words"), password)
            if isinstance(words, bytes):
                return self._say("memory", asked.command, DONE, {"words": words.hex().upper()})
            return self._refuse(asked, words)
        refused = tag.write(*where, bytes.fromhex(str(asked.fields["data"])), password)
        return self._refuse(asked, refused) if refused else self._say("done", asked.command, DONE, {})

    def _refuse(self, asked: Uhf18Frame, why: Refused) -> bytes:
        status = WRONG_PASSWORD if why is Refused.PASSWORD else TAG_REFUSED
        return encode_answer("error", asked.command, status, address=self.address)

    def _say(self, name: str, command: int, status: int, fields: dict[str, Value]) -> bytes:
        return encode_answer(name, command, status, fields, address=self.address)


def _is_named(asked: Uhf18Frame, tag: TagMemory) -> bool:
    if "mask" not in asked.fields:
        return asked.fields["epc"] == tag.epc
    mask = mask_bits(str(asked.fields["mask"]), asked.number("mask_bits"))
    return tag.matches(asked.number("mask_bank"), asked.number("mask_bit"), mask)
