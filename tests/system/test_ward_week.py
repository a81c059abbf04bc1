"""A ward's week without network, played with real processes: what the book says at its end is what is true.

A real agent on a headless PC, two simulated readers, two scanners on pseudo-terminals, a label printer; the first
count, nights and mornings, power cuts in the middle of scans, every kind of refusal. An oracle (`week/room`) moves what
hands moved and nothing else. At the end the network comes, and central has everything once.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.week import days
from tests.system.week.people import Week

pytestmark = [pytest.mark.needs_linux, pytest.mark.slow]


def i3_no_patient_stands_on_the_disk(week: Week) -> None:
    for file in week.machines.folder.glob("ledger.db*"):
        assert not [code for code in (b"P778812345", b"P778899999") if code in file.read_bytes()], file


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Week]:
    made = Week(tmp_path)
    yield made
    made.machines.close()


def test_d3_day_one_at_the_end_of_a_week_of_power_cuts_without_network_the_book_is_what_is_true(week: Week) -> None:
    days.first_count(week)
    days.saturday(week)
    days.cut_while_taking(week)
    days.sunday(week)
    days.monday(week)
    days.tuesday(week)
    days.thursday(week)
    days.friday(week)
    told = week.machines.tool("verify", str(week.machines.ledger))
    assert (told.returncode, "sound" in told.stdout) == (0, True), told.stdout
    duties = week.duties()
    assert set(duties["daily_check"]) == {"done", "late", "missed"}
    assert len(duties["daily_check"]) == 7  # Saturday to Friday, each once
    assert duties["daily_check"].count("missed") == 1  # the day without power
    assert duties["monthly_count"] == ["done"]
    assert duties["shift_end"] == ["done"] * 14
    status = json.loads(week.machines.tool("status", str(week.machines.ledger), "--json").stdout)
    assert (status["pending"], status["to_claim"], status["feed"]) == (0, 0, {"global": 1})
    assert status["discrepancies"] == dict(week.open_discrepancies())
    assert "Traceback" not in week.machines.log()
    i3_no_patient_stands_on_the_disk(week)
    assert week.machines.cuts == 9
