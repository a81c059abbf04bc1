"""The bench's figures as a table for people; the JSON is for scripts. It computes nothing."""

from collections.abc import Mapping
from typing import Any

HEAD = f"{'':22}{'setting':>24}{'fill':>9}{'units':>9}{'days':>8}{'lines':>8}"
NONE = "-"


def lines_of(report: Mapping[str, Any]) -> str:
    """Return the table: policies of sites and wards, then the engine's ratios with their intervals."""
    told = [f"second half of {report['world']['days']} days, {report['world']['site_series']} series at sites"]
    for title, part in (("sites", "policies"), ("wards", "ward_policies")):
        told += ["", f"{title:22}{HEAD[22:]}", *(_policy(name, row) for name, row in report[part].items())]
    for engine in ("item", "system"):
        told += ["", f"engine, {engine} mode"]
        ranges = report[engine]["intervals"]
        told += [
            f"  {name:36}{_share(value):>9}  {_interval(ranges[name])}"
            for name, value in report[engine].items()
            if name in ranges and not isinstance(value, dict)
        ]
        told += [
            f"  {title:15} at target {beta:9}{_share(value):>9}  {_interval(ranges[part][beta])}"
            for title, part in (("units served", "unit_fill"), ("requests served", "request_fill"))
            for beta, value in report[engine][part].items()
        ]
    for name, row in report["season"].items():
        if row is not None:
            share, ends = row["stock_ratio_with_season"], row["interval"]
            told += ["", f"stock with the season's factors, {name:8}{_share(share):>9}  {_interval(ends)}"]
    return "\n".join(told)


def _policy(name: str, row: Mapping[str, Any] | None) -> str:
    if row is None:
        return f"{name:22}{'target not reached':>24}"
    return (
        f"{name:22}{row['setting']:>24}{_share(row['fill']):>9}{_share(row['unit_fill']):>9}"
        f"{row['stock_days']:>8.1f}{row['lines']:>8}"
    )


def _share(value: float | None) -> str:
    return NONE if value is None else f"{value:.3f}"


def _interval(ends: tuple[float, float] | None) -> str:
    return "" if ends is None else f"({ends[0]:.3f} … {ends[1]:.3f})"
