"""`wardstock-edge doctor` tries what is really there: ports, a module, a broker that is not."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hardware_sim.clock import Clock, real_time
from hardware_sim.devices.m100 import M100Device
from hardware_sim.devices.uhfreader18 import Uhf18Device
from hardware_sim.serve import ModulePort
from protocols.readers.scan_sheet import TEST_DATA, TEST_SYMBOL
from tests.system.edge_ward import CONFIG, PROGRAM, ROOT, WAIT_S, Ward

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
    assert found["feedback"] == (True, "host-beep of s1; scan something to hear or see it")
    assert found["ledger"][1].endswith("none yet; the first start makes it")
    assert "clock" in found
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
    assert "reader r1 (m100)" not in told.stdout


def by_part(told: subprocess.CompletedProcess[str]) -> dict[str, tuple[bool | None, str]]:
    return {each["part"]: (each["right"], each["said"]) for each in json.loads(told.stdout)["findings"]}


def test_a_module_nobody_uses_is_found_by_asking_and_one_that_is_searched_for_by_its_answer(ward: Ward) -> None:
    names = ward.folder / "serial/by-path"
    names.mkdir(parents=True)
    m100 = ModulePort(M100Device(lambda _at, _antennas: []), Clock(real_time()), names / "usb-0:1")
    uhf = ModulePort(Uhf18Device(lambda _at, _antennas: []), Clock(real_time()), names / "usb-0:2")
    m100.start()
    uhf.start()
    try:
        ward.config.write_text(CONFIG + '[ports]\nserial = "serial"\n')
        told = ward.tool("doctor", "--config", str(ward.config))
        assert f'a module answers and nobody uses it; add a [[reader]] with kind = "m100", url = "serial:{names}' in (
            told.stdout
        )
        assert f'kind = "uhfreader18", url = "serial:{names}/usb-0:2"' in told.stdout
        auto = READER.replace("serial:reader", "serial:auto").replace("m100", "uhfreader18")
        ward.config.write_text(CONFIG.replace("fit = 1", "fit = 2") + '[ports]\nserial = "serial"\n' + auto)
        found = by_part(ward.tool("doctor", "--config", str(ward.config), "--json"))
        assert f"found on serial:{names}/usb-0:2" in found["reader r1 (uhfreader18)"][1]
        assert f"serial:{names}/usb-0:1: a module answers" in found["port"][1]
    finally:
        m100.close()
        uhf.close()


def test_after_a_run_the_ledger_its_schema_and_what_was_out_of_order_are_told(ward: Ward) -> None:
    agent = ward.start_ready()
    ward.wait_for("broker")
    agent.terminate()
    agent.wait(30)
    found = by_part(ward.tool("doctor", "--config", str(ward.config), "--json"))
    assert found["ledger"][0] is True
    assert "of ward-01, 2 entries, schema 00" in found["ledger"][1]
    assert found["health"][0] is None
    assert "broker" in found["health"][1] or "reader" in found["health"][1]


def test_a_clock_before_the_last_entry_is_wrong(ward: Ward) -> None:
    agent = ward.start_ready()
    agent.terminate()
    agent.wait(30)
    connection = sqlite3.connect(ward.ledger)
    connection.execute("DROP TRIGGER ledger_refuses_update")
    connection.execute("UPDATE ledger SET wall = wall + 90000000000")
    connection.commit()
    connection.close()
    right, said = by_part(ward.tool("doctor", "--config", str(ward.config), "--json"))["clock"]
    assert right is False
    assert "is before the last entry" in said


@pytest.mark.parametrize(
    ("scanned", "status", "said"),
    [
        (TEST_SYMBOL + TEST_DATA + "\r", 0, "is set right"),
        (TEST_SYMBOL + TEST_DATA.replace("\x1d", "") + "\r", 1, "GS lost: nothing came"),
        (TEST_SYMBOL + TEST_DATA, 1, "suffix missing: nothing came behind the scan; set it to CR"),
    ],
)
def test_one_scan_of_the_test_label_shows_how_the_scanner_is_set(
    ward: Ward, scanned: str, status: int, said: str
) -> None:
    told = scan_trial(ward, lambda: ward.plug.send(scanned.encode()))
    assert (told[0], "Scan the test label" in told[1]) == (status, True)
    assert said in told[1]


def test_a_scanner_that_types_into_the_window_is_told_so(ward: Ward) -> None:
    status, said = scan_trial(ward, lambda: None, typed=TEST_DATA.replace("\x1d", "") + "\n")
    assert status == 1
    assert "keyboard mode: the scanner types into this window; set it to a serial port (USB CDC)" in said


def test_only_a_scanner_can_be_asked_for_a_scan(ward: Ward) -> None:
    told = ward.tool("doctor", "--config", str(ward.config), "--scan", "s9")
    assert told.returncode == 2
    assert "--scan: expected one of the scanners s1, got 's9'" in told.stderr


def scan_trial(ward: Ward, act: Callable[[], object], typed: str = "") -> tuple[int, str]:
    command = [*PROGRAM, "doctor", "--config", str(ward.config), "--scan", "s1"]
    doctor = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert doctor.stdin is not None
    assert doctor.stdout is not None
    said = doctor.stdout.readline() + doctor.stdout.readline()
    limit = time.monotonic() + WAIT_S
    while not ward.plug.is_open(doctor.pid):
        assert time.monotonic() < limit
        time.sleep(0.05)
    act()
    doctor.stdin.write(typed)
    doctor.stdin.close()
    said += doctor.stdout.read()
    doctor.stdout.close()
    return doctor.wait(WAIT_S), said
