"""A simulated M100 module without a port: bytes and two clocks in, bytes out. It speaks through `protocols`.

It does what the firmware's manual says: it speaks only when asked, inventories once for `poll` and again and again for
`poll_many` until its count is done or `stop` came, and says error 15 for an inventory without tags. An inventory takes
`POLL_S` of link time. What it does not know is answered with error 17.

What its antenna hears comes from the `inventory` function it was given: this file knows no tag.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hardware_sim.devices.device import Inventory, ignore_delivery
from hardware_sim.devices.tag_memory import Refused, TagMemory, as_heard, in_field, mask_bits
from protocols.readers.columns import Fields
from protocols.readers.m100.codec import M100Decoder, M100Frame, encode, tag_frame
from protocols.readers.m100.layout import NO_TAG
from protocols.readers.reads import BadFrame
from protocols.values.instant import Instant, plus

POLL_S = 0.03
"""One inventory of an empty field, as measured of such modules: about thirty a second."""

WRONG_COMMAND, READ_FAILED, WRITE_FAILED, WRONG_PASSWORD = 0x17, 0x09, 0x10, 0x16
BANK_BITS, SELECT_OFF = 0x03, 0x01
"""The bank in the byte that `set_select` calls target; the select mode in which no choice counts."""

ANTENNA = 1
OK: Fields = {"status": 0}

INFO = ("M100 26dBm V1.0", "V2.3.4", "MagicRf")
"""What `get_module_info` tells: hardware, software, maker."""


@dataclass(slots=True)
class M100Device:
    """One module. `inventory(at, antennas)` says what is heard; `delivered(at, tags)` is told of tags handed out.

    `tags` are the memories of tags that can be read and written, by the EPC the inventory hears.
    """

    inventory: Inventory
    delivered: Callable[[Instant, int], None] = ignore_delivery
    closing: bool = False
    tags: dict[str, TagMemory] = field(default_factory=dict)
    region: int = 0x02
    channel: int = 0
    centi_dbm: int = 2_600
    _chosen: tuple[int, int, str] | None = None
    _choice_counts: bool = False
    _left: int = 0
    _poll_due: Instant = Instant(0)  # noqa: RUF009 - Instant is an int
    _decoder: M100Decoder = field(default_factory=M100Decoder)

    def connected(self, link_now: Instant, reader_now: Instant) -> bytes:
        """A host is there; a module says nothing by itself."""
        del link_now, reader_now
        return b""

    def refuse(self, reader_now: Instant) -> tuple[bytes, bytes]:
        """Turn a second host away: a line has one, and nothing is said."""
        del reader_now
        return b"", b""

    def disconnected(self) -> None:
        """The host is gone; a module does not notice and goes on."""

    def receive(self, data: bytes, link_now: Instant, reader_now: Instant) -> bytes:
        """Take the host's bytes; return the answers. What is no frame is not answered."""
        out = b""
        for each in self._decoder.receive(data):
            out += b"" if isinstance(each, BadFrame) else self._answer(each, link_now, reader_now)
        return out

    def due(self) -> tuple[Instant | None, Instant | None]:
        """Return when `tick` has something to do, in link time."""
        return (self._poll_due if self._left else None), None

    def tick(self, link_now: Instant, reader_now: Instant) -> bytes:
        """Do the inventory that fell due."""
        if not self._left or link_now < self._poll_due:
            return b""
        self._left -= 1
        self._poll_due = plus(link_now, POLL_S)
        return self._inventory(reader_now)

    def reboot(self, reader_now: Instant) -> None:
        """Come back as from its flash: silent."""
        del reader_now
        self._left, self._decoder = 0, M100Decoder()
        self._chosen, self._choice_counts = None, False

    def _answer(self, asked: M100Frame, link_now: Instant, reader_now: Instant) -> bytes:
        match asked.type:
            case "poll":
                return self._inventory(reader_now)
            case "poll_many":
                self._left, self._poll_due = asked.number("rounds"), link_now
                return b""
            case "stop":
                self._left = 0
                return encode("stopped", OK)
            case "set_region" | "set_channel" | "set_power" | "set_select" | "set_select_mode":
                return self._change(asked)
            case "read_memory" | "write_memory":
                return self._access(asked, reader_now)
            case _:
                return self._tell(asked)

    def _tell(self, asked: M100Frame) -> bytes:
        what = asked.number("what")
        match asked.type:
            case "get_module_info" if what < len(INFO):
                return encode("module_info", {"what": what, "text": INFO[what]})
            case "get_region":
                return encode("region", {"region": self.region})
            case "get_channel":
                return encode("channel", {"channel": self.channel})
            case "get_power":
                return encode("power", {"centi_dbm": self.centi_dbm})
            case _:
                return encode("error", {"code": WRONG_COMMAND})

    def _change(self, asked: M100Frame) -> bytes:
        match asked.type:
            case "set_region":
                self.region = asked.number("region")
                return encode("region_set", OK)
            case "set_channel":
                self.channel = asked.number("channel")
                return encode("channel_set", OK)
            case "set_select":
                mask = mask_bits(str(asked.fields["mask"]), asked.number("mask_bits"))
                self._chosen = (asked.number("target") & BANK_BITS, asked.number("pointer"), mask)
                return encode("select_set", OK)
            case "set_select_mode":
                self._choice_counts = asked.number("mode") != SELECT_OFF
                return encode("select_mode_set", OK)
        self.centi_dbm = asked.number("centi_dbm")
        return encode("power_set", OK)

    def _inventory(self, at: Instant) -> bytes:
        heard = list(self.inventory(at, (ANTENNA,)))
        if not heard:
            return encode("error", {"code": NO_TAG})
        self.delivered(at, len(heard))
        return b"".join(
            tag_frame(as_heard(code, self.tags), max(-128, min(127, rssi_dbm))) for code, _, rssi_dbm, _ in heard
        )

    def _access(self, asked: M100Frame, at: Instant) -> bytes:
        """Read or write words of the chosen tag; without a choice, of any that is heard."""
        reads = asked.type == "read_memory"
        chosen = self._chosen if self._choice_counts else None
        near = in_field(self.inventory(at, (ANTENNA,)), self.tags)
        tag = next((each for each in near if chosen is None or each.matches(*chosen)), None)
        if tag is None:
            return encode("error", {"code": READ_FAILED if reads else WRITE_FAILED})
        about: Fields = {"pc_epc_length": 2 + len(tag.epc) // 2, "pc": tag.pc, "epc": tag.epc}
        where, password = (asked.number("bank"), asked.number("word")), int(str(asked.fields["password"]), 16)
        if reads:
            words = tag.read(*where, asked.number("words"), password)
            return self._refused(words, READ_FAILED) or encode("memory", {**about, "words": _hex(words)})
        done = tag.write(*where, bytes.fromhex(str(asked.fields["words"])), password)
        return self._refused(done, WRITE_FAILED) or encode("written", {**about, **OK})

    def _refused(self, outcome: bytes | Refused | None, code: int) -> bytes:
        if not isinstance(outcome, Refused):
            return b""
        return encode("error", {"code": WRONG_PASSWORD if outcome is Refused.PASSWORD else code})


def _hex(words: bytes | Refused | None) -> str:
    return words.hex().upper() if isinstance(words, bytes) else ""
