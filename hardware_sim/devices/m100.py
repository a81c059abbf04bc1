"""A simulated M100 module without a port: bytes and two clocks in, bytes out. It speaks through `protocols`.

It does what the firmware's manual says: it speaks only when asked, inventories once for `poll` and again and again for
`poll_many` until its count is done or `stop` came, and says error 15 for an inventory without tags. An inventory takes
`POLL_S` of link time. What it does not know is answered with error 17.

What its antenna hears comes from the `inventory` function it was given: this file knows no tag.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from hardware_sim.devices.device import Inventory, ignore_delivery
from protocols.readers.columns import Fields
from protocols.readers.m100.codec import M100Decoder, M100Frame, encode, tag_frame
from protocols.readers.m100.layout import NO_TAG
from protocols.readers.reads import BadFrame
from protocols.values.instant import Instant, plus

POLL_S = 0.03
"""One inventory of an empty field, as measured of such modules: about thirty a second."""

WRONG_COMMAND = 0x17
ANTENNA = 1
OK: Fields = {"status": 0}

INFO = ("M100 26dBm V1.0", "V2.3.4", "MagicRf")
"""What `get_module_info` tells: hardware, software, maker."""


@dataclass(slots=True)
class M100Device:
    """One module. `inventory(at, antennas)` says what is heard; `delivered(at, tags)` is told of tags handed out."""

    inventory: Inventory
    delivered: Callable[[Instant, int], None] = ignore_delivery
    closing: bool = False
    region: int = 0x02
    channel: int = 0
    centi_dbm: int = 2_600
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
            case "set_region" | "set_channel" | "set_power":
                return self._change(asked)
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
        self.centi_dbm = asked.number("centi_dbm")
        return encode("power_set", OK)

    def _inventory(self, at: Instant) -> bytes:
        heard = list(self.inventory(at, (ANTENNA,)))
        if not heard:
            return encode("error", {"code": NO_TAG})
        self.delivered(at, len(heard))
        return b"".join(tag_frame(epc, max(-128, min(127, rssi_dbm))) for epc, _, rssi_dbm, _ in heard)
