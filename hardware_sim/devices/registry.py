"""Every simulated device by the name a configuration gives its kind; readers as in the readers' registry."""

from collections.abc import Mapping
from types import MappingProxyType

from hardware_sim.devices.card import CardReaderDevice
from hardware_sim.devices.device import Device
from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.printer import PrinterDevice
from hardware_sim.devices.replay import ReplayDevice
from hardware_sim.devices.scanner import ScannerDevice
from hardware_sim.devices.uhfreader18 import Uhf18Device
from protocols.errors import WeBroke

DEVICES: Mapping[str, type[Device]] = MappingProxyType(
    {
        "card": CardReaderDevice,
        "llrp": LlrpReaderDevice,
        "m100": M100Device,
        "printer": PrinterDevice,
        "scanner": ScannerDevice,
        "uhfreader18": Uhf18Device,
    }
)


def kind_of(device: Device) -> str:
    """Return the name of a device's kind; a recorded one is a `replay`. Raises `WeBroke` for one without a row."""
    if isinstance(device, ReplayDevice):
        return "replay"
    for name, kind in DEVICES.items():
        if isinstance(device, kind):
            return name
    raise WeBroke(f"expected a device of a kind that has a row, got {type(device).__name__}")
