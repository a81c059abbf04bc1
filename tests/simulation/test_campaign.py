"""The bars of every push: seeds in two worker processes, fixed ones and ones that each change of code draws anew."""

import hashlib
import json
from pathlib import Path

import pytest

from tests.simulation.campaign import conduct
from tests.simulation.chaos import faults_of, shrink
from tests.simulation.world import Setting

HOURS = 17.0
FIXED, FRESH = 28, 2
ROOT = Path(__file__).parents[2]
PLAYED = ("protocols", "edge_agent", "central", "tests/simulation")


def drawn_by_the_code() -> str:
    """Return a name that changes with what is played: new seeds for new code, the same ones for the same code."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in PLAYED for path in (ROOT / folder).rglob("*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:8]


def settings() -> list[Setting]:
    """Half of them gentle; nobody has tried the fresh ones, their names are printed."""
    names = [f"fixed-{number}" for number in range(FIXED)]
    names += [f"fresh-{drawn_by_the_code()}-{number}" for number in range(FRESH)]
    return [
        Setting(
            name,
            HOURS,
            gentle=number % 2 == 0,
            part=number // 2,
            pressed=number % 3 == 2,
            old=("ward-02",) if number % 4 == 1 else (),
        )
        for number, name in enumerate(names)
    ]


def test_twenty_days_of_twenty_thousand_faults_break_no_law(capsys: pytest.CaptureFixture[str]) -> None:
    campaign = conduct(settings())
    with capsys.disabled():
        print("\n" + json.dumps(campaign.total()))  # the seeds of this run, for whoever must play one again
    broken = [(setting, report) for setting, report in campaign.reports if report.violations]
    if broken:
        setting, report = broken[0]
        options = f"--part {setting.part}" + ("" if setting.gentle else " --rough")
        options += (" --pressed" if setting.pressed else "") + "".join(f" --old {ward}" for ward in setting.old)
        again = f'make chaos SEED={setting.seed} HOURS={setting.hours} ARGS="{options}"'
        shortest = "\n".join(map(str, shrink(setting, faults_of(setting)))) if setting.hours == HOURS else ""
        pytest.fail(f"{report.violations}\nplay it again: {again}\n{shortest}")
    assert campaign.short_of() == []
