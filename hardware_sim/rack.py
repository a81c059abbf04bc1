"""Devices on ports as a command line asks for them: one of a kind at a time, with its faults and its delivery log.

It joins what others are: a field of tags, a device of a registry's kind, a wire, faults. It decides nothing else.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Protocol

from hardware_sim.clock import Clock
from hardware_sim.devices.deliveries import Deliveries
from hardware_sim.devices.device import Inventory
from hardware_sim.devices.faults import Fault, draw_faults, in_order
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.uhfreader18 import Uhf18Device
from hardware_sim.errors import WrongUse
from hardware_sim.ndjson import NdjsonFile
from hardware_sim.noise import Steady
from hardware_sim.serve import ModulePort, Port, ReaderPort, Trouble

BURST_TAGS, BURST_READS_A_S = 1_000, 1_000.0
"""What antennas hear beside their tags in a burst: a trolley of foreign tags goes by."""

EVERY_DEFAULT_S = 10.0
LLRP, M100, UHFREADER18 = "llrp", "m100", "uhfreader18"


class Field(Protocol):
    """What the antennas of one device hear."""

    @property
    def inventory(self) -> Inventory:
        """Return what says it."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Said faults, the seed of drawn ones (None: none are drawn), and how often those come."""

    said: Sequence[Fault] = ()
    seed: int | None = None
    every_s: float = EVERY_DEFAULT_S

    def on(self, name: str) -> Trouble:
        """Return the trouble of one device: what was said first, then what is drawn for its name."""
        seed = f"{self.seed} {name}"
        burst = Steady(tags=BURST_TAGS, reads_a_s=BURST_READS_A_S, rng=random.Random(f"{seed} burst"))
        drawn: Iterator[Fault] = iter(()) if self.seed is None else draw_faults(seed, every_s=self.every_s)
        return Trouble(chain(in_order(self.said), drawn), seed, burst.inventory)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a device is found: a TCP port, or a pseudo-terminal behind a link."""

    port: int = 0
    link: Path | None = None


def hang_reader(
    name: str, kind: str, field: Field, place: Place, clock: Clock, *, faults: Faults, book: NdjsonFile | None = None
) -> Port:
    """Return the port of a new reader. Raises `WrongUse` for a place its kind cannot have."""
    log = Deliveries(name) if book is None else Deliveries(name, book.note)
    trouble = faults.on(name)
    if kind == LLRP:
        if place.link is not None:
            raise WrongUse("--link: expected a serial module, an LLRP reader is on TCP; say --kind m100")
        device = LlrpReaderDevice(field.inventory)
        return ReaderPort(device, clock, port=place.port, trouble=trouble, log=log)
    module = M100Device(field.inventory) if kind == M100 else Uhf18Device(field.inventory)
    if place.link is None:
        return ReaderPort(module, clock, port=place.port, trouble=trouble, log=log)
    return ModulePort(module, clock, place.link, trouble=trouble, log=log)
