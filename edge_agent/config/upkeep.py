"""What edge.toml says of the agent's own upkeep: how full its disk may be, and where its metrics go."""

from dataclasses import dataclass
from pathlib import Path

from edge_agent.config import forms
from edge_agent.config.forms import Section

ALARM_SHARE = 0.80
SHED_SHARE = 0.95
METRICS_EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class DiskConfig:
    """Shares of the disk in use at which somebody is told, and at which only people's acts are still written."""

    alarm_share: float = ALARM_SHARE
    shed_share: float = SHED_SHARE


@dataclass(frozen=True, slots=True)
class MetricsConfig:
    """Where metrics are written for Prometheus, None for nowhere, and how often in link seconds."""

    textfile: Path | None = None
    every_s: float = METRICS_EVERY_S


def read_disk(table: Section) -> DiskConfig:
    """Read the disk's limits out of `[store]`."""
    share = forms.number(0.01, 1.0)
    disk = DiskConfig(table.take("alarm_share", share, ALARM_SHARE), table.take("shed_share", share, SHED_SHARE))
    if disk.alarm_share > disk.shed_share:
        table.note(".alarm_share", f"expected at most shed_share, which is {disk.shed_share:g}; the alarm comes first")
    return disk


def read_metrics(table: Section, root: Path) -> MetricsConfig:
    """Read `[metrics]`."""
    return MetricsConfig(
        table.maybe("textfile", forms.path_under(root)),
        table.take("every_s", forms.number(1.0, forms.DAY_S), METRICS_EVERY_S),
    )
