"""After the story: writes what only the simulator knows, spoils central's file if that was asked for, judges, tells.

With --exit everything has stopped by now; else the programs run on, and are read without being disturbed. The rule that
must not be broken: `ok` is the checker's word and nobody else's.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from hardware_sim.breaks import ENTRIES_LOST, apply_break
from hardware_sim.checker import Summary, check
from hardware_sim.clock import pause
from hardware_sim.demo.options import Options
from hardware_sim.demo.terminal import percent, say
from hardware_sim.errors import WrongUse
from hardware_sim.evidence.truth import Deliveries, Truth, write_deliveries, write_truth
from hardware_sim.story.words import Lang, sentence
from protocols.values.ids import PlaceId

LIVE_TRIES = 3
LIVE_PAUSE_S = 2.0
"""While programs run, one file may be read before and another after a commit; then both are read again."""


def write_evidence(state: Path, truth: Truth, deliveries: Mapping[PlaceId, Deliveries]) -> None:
    """Write the truth and the readers' counts."""
    write_truth(state, truth)
    for ward, counts in deliveries.items():
        write_deliveries(state, ward, counts)


def judge(state: Path, options: Options) -> int:
    """Judge the story a folder holds; returns 0 when it is right, else 1. Raises `WrongUse`, `PartFailed`."""
    if options.break_how is not None:
        apply_break(state, options.break_how)
        say(sentence(options.lang, f"break_{options.break_how}", {"entries": ENTRIES_LOST}))
    summary = check(state)
    if options.json is not None:
        _write(options.json, json.dumps(summary.as_json(), ensure_ascii=False, indent=1) + "\n")
    say(*told(summary, options.lang))
    return 0 if summary.ok else 1


def judge_live(state: Path, options: Options) -> bool:
    """Judge a story whose programs still run, and tell; returns whether it is right. Raises `PartFailed`."""
    summary = check(state)
    for _ in range(LIVE_TRIES - 1):
        if summary.ok:
            break
        pause(LIVE_PAUSE_S)
        summary = check(state)
    say(*told(summary, options.lang))
    return summary.ok


def told(summary: Summary, lang: Lang) -> list[str]:
    """Return a summary as the lines of a terminal."""
    shares = {"line_match": percent(summary.line_match), "unit_match": percent(summary.unit_match)}
    figures = summary.as_json() | shares
    lines = [sentence(lang, "figures", figures), sentence(lang, "agreement", figures)]
    lines += [sentence(lang, "problem", {"problem": problem}) for problem in summary.problems]
    return [*lines, sentence(lang, "right" if summary.ok else "wrong", figures)]


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise WrongUse(f"--json {path}: expected a file that can be written; {error.strerror}") from error
