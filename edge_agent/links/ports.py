"""The serial ports of this machine by names that outlive a plug: by-id where that is sure, else by-path.

Two cheap adapters of one make carry no serial number and fight over one by-id name; the one that lost it has only a
by-path name. The rule that must not be broken: while any port has no by-id name, no by-id name is trusted.
"""

from dataclasses import dataclass
from pathlib import Path

SERIAL = Path("/dev/serial")
"""Where udev puts the names."""

PORTS_MAX = 64


@dataclass(frozen=True, slots=True)
class Port:
    """One port: the device as it is called now, and its lasting name."""

    device: Path
    name: Path

    @property
    def url(self) -> str:
        """Return what stands in a configuration for it."""
        return f"serial:{self.name}"


def list_ports(enumeration: Path = SERIAL) -> list[Port]:
    """Return the ports that are plugged in, in the order of their devices; none where there is no such folder."""
    by_id, by_path = _names(enumeration / "by-id"), _names(enumeration / "by-path")
    devices = sorted(set(by_id) | set(by_path))[:PORTS_MAX]
    sure = all(device in by_id for device in devices)
    return [
        Port(device, by_id[device] if sure else by_path.get(device, by_id.get(device, device))) for device in devices
    ]


def lasting_name(port: Path, ports: list[Port]) -> Path | None:
    """Return a better name for a configured port; None when it has none or bears it already."""
    for each in ports:
        if each.device == port.resolve() and each.name != port:
            return each.name
    return None


def _names(folder: Path) -> dict[Path, Path]:
    """Return the links of a folder by what they point to."""
    try:
        links = sorted(folder.iterdir())
    except OSError:
        return {}
    return {link.resolve(): link for link in reversed(links)}
