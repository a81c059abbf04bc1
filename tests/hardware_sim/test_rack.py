"""A rack of devices: what it is made of, the edge.toml that fits it, and what a person does to it."""

import socket
import tomllib
from pathlib import Path

import pytest

from hardware_sim.errors import WrongUse
from hardware_sim.rack import DELIVERIES, Faults, Wanted, edge_sample, rack_in

LIMIT_S = 20.0

pytestmark = pytest.mark.needs_linux


def test_a_rack_has_every_kind_and_an_edge_toml_that_names_each(tmp_path: Path) -> None:
    with rack_in(tmp_path / "bench", Wanted(llrp=2), Faults(), lambda _line: None) as (rack, folder):
        where = rack.where()
        assert {name: kind for name, (kind, _) in where.items()} == {
            "r1": "llrp", "r2": "llrp", "m1": "m100", "u1": "uhfreader18", "s1": "scanner",
        }  # fmt: skip
        config = tomllib.loads((folder / "edge.toml").read_text())
        assert [each["name"] for each in config["reader"]] == ["r1", "r2", "m1", "u1"]
        assert config["reader"][0]["url"] == f"tcp://{where['r1'][1]}"
        assert config["scanner"] == [{"name": "s1", "url": "serial:s1", "feedback": "host-beep"}]
        assert (folder / "m1").is_symlink()
    assert not (folder / "m1").is_symlink()
    assert (folder / DELIVERIES).exists()


def test_modules_behind_converters_are_on_tcp(tmp_path: Path) -> None:
    with rack_in(tmp_path, Wanted(llrp=0, scanners=0, over_tcp=True), Faults(), lambda _line: None) as (rack, _):
        assert "tcp://127.0.0.1" in edge_sample(rack)
        assert "serial:" not in edge_sample(rack)


def test_a_person_opens_the_door_and_is_told_what_can_be_done(tmp_path: Path) -> None:
    with rack_in(tmp_path, Wanted(m100=0, uhfreader18=0), Faults(), lambda _line: None) as (rack, _):
        assert rack.do("open r1") == "r1 door open"
        assert rack.doors["r1"].ports.high[1]
        assert rack.do("close r1") == "r1 door closed"
        assert rack.do("antenna r1 2 out") == "r1 antenna 2 out"
        assert rack.do("dance").startswith("expected scan NAME TEXT")
        assert rack.do("open r9").startswith("expected scan NAME TEXT")
        assert rack.do(f"scan s1 {'A' * 600}") == "scan: expected 1..512 bytes without CR and LF, got 600"


def test_a_light_that_changes_is_told_once(tmp_path: Path) -> None:
    told: list[str] = []
    with rack_in(tmp_path, Wanted(m100=0, uhfreader18=0, scanners=0), Faults(), told.append) as (rack, _):
        for lit in (True, True, False):
            rack.doors["r1"].ports.change({"GPOWriteData": [{"GPOPortNumber": 2, "GPOData": lit}]})
    assert told == ["r1 light 2 on", "r1 light 2 off"]


def test_a_printer_prints_and_is_loaded_and_no_edge_is_told_of_it(tmp_path: Path) -> None:
    told: list[str] = []
    wanted = Wanted(llrp=0, m100=0, uhfreader18=0, printers=1)
    with rack_in(tmp_path, wanted, Faults(), told.append) as (rack, folder):
        host, _, port = rack.where()["p1"][1].rpartition(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT_S) as link:
            link.sendall(b"^XA^FDGauze^FS^RFW,H,,,E^FD30340242201D8D4000000001^FS^RFR,H^FN1^FS^HV1,24^XZ")
            assert link.recv(64) == b"30340242201D8D4000000001\r\n"
        assert told == ["p1 label 30340242201D8D4000000001 Gauze"]
        assert rack.do("load p1 5") == "p1 5 labels"
        config = tomllib.loads((folder / "edge.toml").read_text())
        assert config["device"]["fit"] == 1
        assert "reader" not in config


def test_more_devices_than_an_edge_takes_are_refused() -> None:
    with pytest.raises(WrongUse, match=r"--llrp: expected 0\.\.8, got 9"):
        Wanted(llrp=9)
    with pytest.raises(WrongUse, match="--duds: expected a chance"):
        Wanted(duds=2)
