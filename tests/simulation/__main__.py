"""`python -m tests.simulation --seed S --hours H`: one run of the deterministic simulation, judged."""

import argparse
import json
import logging
import sys

from tests.simulation.chaos import FAULT_EVERY_S, faults_of, run, shrink
from tests.simulation.world import Setting


def main() -> int:
    """Run, print what broke, and one JSON object as the last line."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", default="1", help="any text; the same seed gives the same run")
    parser.add_argument("--hours", type=float, default=24.0, help="simulated hours before everything is healed")
    parser.add_argument("--every", type=float, default=FAULT_EVERY_S, help="mean seconds between two faults")
    parser.add_argument("--rough", action="store_true", help="disks may be taken away with what is nowhere else")
    parser.add_argument("--part", type=int, default=0, help="which pairs of faults it plays, as a campaign names it")
    parser.add_argument("--pressed", action="store_true", help="central takes little at once: busy, too large")
    parser.add_argument("--old", action="append", default=[], metavar="WARD", help="a storeroom with an older agent")
    parser.add_argument("--no-shrink", action="store_true", help="do not look for the shortest failing trace")
    asked = parser.parse_args()
    logging.disable()
    setting = Setting(
        asked.seed, asked.hours, gentle=not asked.rough, part=asked.part, pressed=asked.pressed, old=tuple(asked.old)
    )
    faults = faults_of(setting, asked.every)
    report = run(setting, faults)
    if report.violations and not asked.no_shrink:
        fewer = shrink(setting, faults)
        sys.stdout.write("the shortest trace that still fails:\n")
        for fault in fewer:
            sys.stdout.write(f"  {fault}\n")
    for line in report.violations:
        sys.stdout.write(f"violated: {line}\n")
    sys.stdout.write(json.dumps(report.as_dict()) + "\n")
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
