"""The storeroom of differences, drawn and replayed: what left is missed, what should not be there is found.

Five pieces leave (three takes without a scan, a swap, one to the next room) and one comes back unbooked by the swap.
The dead tag's piece is still there and is asked for; an antenna that goes blind and two hours of outage take nothing
away.
"""

import json
from pathlib import Path

import pytest

from edge_agent.agent.replay import replay
from hardware_sim.cli import start

pytestmark = pytest.mark.slow


def test_a_blind_antenna_and_an_outage_raise_no_alarm_of_their_own(tmp_path: Path) -> None:
    trace, out = tmp_path / "trace", tmp_path / "alerts.ndjson"
    assert start(["storeroom", "--out", str(trace), "--story", "differences", "--seed", "5"]) == 0
    replay(trace, out)
    said = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    alerts = [one["alert"] for one in said if "alert" in one]
    assert sorted(alerts) == ["missing"] * 6 + ["unexpected"]
