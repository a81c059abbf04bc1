"""Every simulated device by the name that a configuration gives its kind; the same names as the readers' registry."""

from collections.abc import Mapping
from types import MappingProxyType

from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.scanner import ScannerDevice
from hardware_sim.devices.uhfreader18 import Uhf18Device

Device = LlrpReaderDevice | M100Device | ScannerDevice | Uhf18Device

DEVICES: Mapping[str, type[Device]] = MappingProxyType(
    {"llrp": LlrpReaderDevice, "m100": M100Device, "scanner": ScannerDevice, "uhfreader18": Uhf18Device}
)
