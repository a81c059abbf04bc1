"""Every simulated device by the name that a configuration gives its kind; the same names as the readers' registry."""

from collections.abc import Mapping
from types import MappingProxyType

from hardware_sim.devices.llrp import LlrpReaderDevice
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.scanner import ScannerDevice

DEVICES: Mapping[str, type[LlrpReaderDevice] | type[M100Device] | type[ScannerDevice]] = MappingProxyType(
    {"llrp": LlrpReaderDevice, "m100": M100Device, "scanner": ScannerDevice}
)
