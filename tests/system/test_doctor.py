"""`wardstock-edge doctor` tries what is really there: ports, a module, a broker that is not."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.m100 import M100Device
from hardware_sim.serve import ModulePort
from tests.system.edge_ward import CONFIG, Ward

pytestmark = pytest.mark.needs_linux

READER = """
[[reader]]
name = "r1"
kind = "m100"
url = "serial:reader"
keepalive_s = 1
"""


@pytest.fixture
def ward(tmp_path: Path) -> Iterator[Ward]:
    with closing(Ward(tmp_path)) as made:
        made.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + READER)
        yield made


def test_a_module_that_answers_is_told_with_its_tags_and_a_broker_that_does_not_is_wrong(ward: Ward) -> None:
    tags = [("30340242201D8D4000000001", 1, -50, 1), ("30340242201D8D4000000002", 1, -50, 1)]
    port = ModulePort(M100Device(lambda _at, _antennas: tags), Clock(real_time()), ward.folder / "reader")
    port.start()
    names = ward.folder / "serial/by-path"
    names.mkdir(parents=True)
    (names / "usb-0:7").symlink_to("/dev/null")
    told = ward.tool("doctor", "--config", str(ward.config), "--json", "--ports", str(ward.folder / "serial"))
    port.close()
    assert (told.returncode, told.stderr) == (1, "")
    answer = json.loads(told.stdout)
    found = {each["part"]: (each["right"], each["said"]) for each in answer["findings"]}
    assert found["reader r1 (m100)"] == (True, "answers, 2 tags heard in one round")
    assert found["scanner s1"][0] is True
    assert found["broker mqtt://127.0.0.1:9"][0] is False
    assert "refused" in found["broker mqtt://127.0.0.1:9"][1]
    assert found["port"][0] is None
    assert "nobody uses it" in found["port"][1]
    assert not ward.ledger.exists()


def test_a_module_that_is_silent_and_a_port_that_is_not_there_are_one_line_each(ward: Ward) -> None:
    (ward.folder / "reader").symlink_to((ward.folder / "scanner").readlink())  # a port on which nobody answers
    (ward.folder / "scanner").unlink()
    told = ward.tool("doctor", "--config", str(ward.config))
    assert told.returncode == 1
    lines = {line.split(":")[0]: line for line in told.stdout.splitlines()}
    assert "did not answer 3 times" in lines["WRONG   reader r1 (m100)"]
    assert "there is none; plug the scanner in" in lines["WRONG   scanner s1"]


def test_beside_a_running_agent_only_the_rest_is_tried(ward: Ward) -> None:
    ward.start_ready()
    told = ward.tool("doctor", "--config", str(ward.config))
    assert "its readers and scanners were not tried" in told.stdout
    assert "reader r1" not in told.stdout
