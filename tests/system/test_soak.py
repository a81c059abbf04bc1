"""Half a minute of the soak: the real agent, devices that misbehave all the time, and a verdict that holds."""

from pathlib import Path

import pytest

from tests.system.soak import KINDS, soak

pytestmark = [pytest.mark.needs_linux, pytest.mark.slow]


def test_an_agent_among_devices_that_misbehave_records_what_they_delivered_and_every_outage(tmp_path: Path) -> None:
    verdict = soak(0.75, tmp_path, seed=5, every_s=2.0)
    fired, tap, outages = verdict["faults"], verdict["tap"], verdict["outages"]
    assert isinstance(fired, dict)
    assert isinstance(tap, dict)
    assert isinstance(outages, dict)
    assert verdict["agent_alive"]
    assert len(fired) >= KINDS - 2, fired
    assert tap["equal"], verdict
    assert tap["proved"] > 1_000, tap
    assert outages["equal"], outages
    assert outages["cuts"] >= 4
