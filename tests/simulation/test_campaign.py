"""The bars of every push: seeds in two worker processes, fixed ones and ones that nobody has tried."""

import json
import secrets

import pytest

from tests.simulation.campaign import conduct
from tests.simulation.chaos import faults_of, shrink
from tests.simulation.world import Setting

HOURS = 17.0
FIXED, FRESH = 28, 2


def settings() -> list[Setting]:
    """Half of them gentle; the fresh ones get a name drawn now, which is printed."""
    names = [f"fixed-{number}" for number in range(FIXED)]
    names += [f"fresh-{secrets.token_hex(4)}" for _ in range(FRESH)]
    return [Setting(name, HOURS, gentle=number % 2 == 0, part=number // 2) for number, name in enumerate(names)]


def test_twenty_days_of_twenty_thousand_faults_break_no_law(capsys: pytest.CaptureFixture[str]) -> None:
    campaign = conduct(settings())
    with capsys.disabled():
        print("\n" + json.dumps(campaign.total()))  # the seeds of this run, for whoever must play one again
    broken = [(setting, report) for setting, report in campaign.reports if report.violations]
    if broken:
        setting, report = broken[0]
        options = f"--part {setting.part}" + ("" if setting.gentle else " --rough")
        again = f'make chaos SEED={setting.seed} HOURS={setting.hours} ARGS="{options}"'
        shortest = "\n".join(map(str, shrink(setting, faults_of(setting)))) if setting.hours == HOURS else ""
        pytest.fail(f"{report.violations}\nplay it again: {again}\n{shortest}")
    assert campaign.short_of() == []
