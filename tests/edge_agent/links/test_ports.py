"""Names of ports: by-id where that is sure, else by-path; the folder is given."""

from pathlib import Path

import pytest

from edge_agent.links.ports import Search, lasting_name, list_ports


@pytest.fixture
def dev(tmp_path: Path) -> Path:
    for folder in ("serial/by-id", "serial/by-path"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def plug(dev: Path, device: str, *, by_id: str = "", by_path: str) -> Path:
    (dev / device).touch()
    (dev / "serial/by-path" / by_path).symlink_to(dev / device)
    if by_id:
        link = dev / "serial/by-id" / by_id
        link.unlink(missing_ok=True)
        link.symlink_to(dev / device)
    return dev / device


def test_a_port_with_an_id_of_its_own_is_called_by_it(dev: Path) -> None:
    device = plug(dev, "ttyUSB0", by_id="usb-FTDI_A50285BI-if00-port0", by_path="usb-0:1")
    (port,) = list_ports(dev / "serial")
    assert port.url == f"serial:{dev}/serial/by-id/usb-FTDI_A50285BI-if00-port0"
    assert lasting_name(device, [port]) == port.name
    assert lasting_name(port.name, [port]) is None


def test_twins_that_fight_over_one_id_are_called_by_where_they_are_plugged_in(dev: Path) -> None:
    plug(dev, "ttyUSB0", by_id="usb-1a86_USB_Serial-if00-port0", by_path="usb-0:1")
    plug(dev, "ttyUSB1", by_id="usb-1a86_USB_Serial-if00-port0", by_path="usb-0:2")
    assert [each.name.name for each in list_ports(dev / "serial")] == ["usb-0:1", "usb-0:2"]


def test_a_machine_without_ports_has_none(tmp_path: Path) -> None:
    assert list_ports(tmp_path / "serial") == []


def test_a_search_tries_each_free_port_in_turn_and_stays_where_the_module_answered(dev: Path) -> None:
    scanner, one, two = (plug(dev, f"ttyUSB{n}", by_path=f"usb-0:{n}") for n in range(3))
    names = [dev / "serial/by-path" / f"usb-0:{n}" for n in range(3)]
    search = Search(dev / "serial", [names[0]])
    assert [search.next() for _ in range(3)] == [names[1], names[2], names[1]]
    search.settled()
    assert search.next() == names[1]
    assert search.next() == names[2]  # it did not answer this time
    one.unlink()
    names[1].unlink()
    assert [search.next(), search.next()] == [names[2]] * 2
    assert scanner != two


def test_a_search_on_a_machine_without_ports_waits_for_one(dev: Path) -> None:
    search = Search(dev / "serial")
    assert not search.next().exists()
    plug(dev, "ttyUSB0", by_path="usb-0:1")
    assert search.next().name == "usb-0:1"
