"""After the story: writes what only the simulator knows, spoils central's file if that was asked for, judges, tells.

Everything has stopped by now. The rule that must not be broken: `ok` is the checker's word and nobody else's.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from hardware_sim.breaks import apply_break
from hardware_sim.checker import Summary, check
from hardware_sim.demo.options import Options
from hardware_sim.errors import WrongUse
from hardware_sim.evidence.truth import Deliveries, Truth, write_deliveries, write_truth
from hardware_sim.story.words import sentence
from protocols.values.ids import PlaceId

PERCENT = 100


def write_evidence(state: Path, truth: Truth, deliveries: Mapping[PlaceId, Deliveries]) -> None:
    """Write the truth and the readers' counts."""
    write_truth(state, truth)
    for ward, counts in deliveries.items():
        write_deliveries(state, ward, counts)


def judge(state: Path, options: Options) -> int:
    """Judge the story a folder holds; returns 0 when it is right, else 1. Raises `WrongUse`, `PartFailed`."""
    if options.break_how is not None:
        say(sentence(options.lang, "broken", {"how": apply_break(state, options.break_how)}))
    summary = check(state)
    if options.json is not None:
        _write(options.json, json.dumps(summary.as_json(), ensure_ascii=False, indent=1) + "\n")
    say(*_told(summary))
    if options.state is not None or not summary.ok:
        say(sentence(options.lang, "kept", {"state": state}))
    return 0 if summary.ok else 1


def say(*lines: str) -> None:
    """Print lines; a terminal that is gone is no reason to stop, and is not asked again."""
    try:
        for line in lines:
            print(line, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"--json {path}: expected a file that can be written; {error.strerror}") from error


def _told(summary: Summary) -> list[str]:
    lines = [
        f"reads {summary.reads}  entries {summary.entries}  acked {summary.acked}  pending {summary.pending}  "
        f"lost {summary.lost}  duplicates {summary.duplicates}",
        f"wards {summary.wards}  lines {summary.lines}  line match {summary.line_match * PERCENT:.1f} %  "
        f"unit match {summary.unit_match * PERCENT:.2f} %  offline {summary.offline_s:.0f} s",
    ]
    lines += [f"problem: {problem}" for problem in summary.problems]
    return [*lines, f"ok: {str(summary.ok).lower()}  ({summary.seconds:.0f} s)"]
