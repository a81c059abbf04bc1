"""The presence filter against four rules on the same unseen drawn wards, a JSON line for each world and method.

`make bench` draws few small wards within `SECONDS`; for figures that may be quoted give more:
`python -m tests.bench.bench_presence --wards 15 --days 7 --tags 150 --seconds 36000 --results DIR`. What was measured
of a ward stands in that folder under the text of the model, so that a run that was broken off goes on. How alarms are
matched with the truth stands in `presence_score`, what the rules are in `presence_rules`. Worlds whose name begins with
`varied-` vary every rate of the world by the seed; those of `--shifts` are built otherwise than the model thinks
(`presence_wards.SHIFTS`). F1 depends on how often things go wrong, so `episodes` a ward-day stand beside it.
"""

import hashlib
import json
import pickle
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

import numpy as np

from edge_agent.core import presence
from edge_agent.core.presence.columns import column_course
from edge_agent.core.presence.lines import count_lines
from edge_agent.core.presence.shelf_columns import ShelfColumns
from tests.bench.presence_calibration import Sample, calibration, samples_of
from tests.bench.presence_rules import TUNED, BestRule, Departed, Figures, Rule, Smurf, Windows, alarms, grid
from tests.bench.presence_score import KINDS, Alarm, Score, score
from tests.bench.presence_wards import SHIFTS, TRAINING, UNSEEN, Drawn, Size, draw_many

SECONDS = 60.0
P_EVERY = 60
LINES_EVERY = 360
"""Bins: lines are compared at the end, as a statement has them, and beside it four times a day, for more of them."""
BOOTSTRAPS = 1_000

OURS, BEST = "filter", "best rule, same inputs"
RULES: dict[str, Callable[[Drawn], Rule]] = {
    "windows of 5 min": lambda drawn: Windows(drawn.ward),
    "departed after 600 s": lambda drawn: Departed(drawn.ward),
    "SMURF": lambda drawn: Smurf(drawn.ward),
    BEST: lambda drawn: BestRule(drawn.ward, TUNED),
}


@dataclass(slots=True)
class Result:
    """What a method did over wards."""

    scores: list[Score] = field(default_factory=list)
    samples: list[list[Sample]] = field(default_factory=list)
    lines: list[tuple[int, int, int, int]] = field(default_factory=list)
    """Of each ward at its end: lines, exact ones, certified ones, certified ones that were exact."""
    lines_often: list[tuple[int, int, int, int]] = field(default_factory=list)
    """The same, summed over every sixth hour."""
    seconds: float = 0.0
    tag_rounds: int = 0

    def add(self, other: "Result") -> None:
        """Add other wards'."""
        self.scores += other.scores
        self.samples += other.samples
        self.lines += other.lines
        self.lines_often += other.lines_often
        self.seconds += other.seconds
        self.tag_rounds += other.tag_rounds


def play(drawn: Drawn, result: Result) -> None:
    """Run the filter over a ward."""
    course, shelves = column_course(drawn.ward), ShelfColumns(drawn.ward)
    fixed = set((drawn.ward.ref or {}).values())
    said: list[Alarm] = []
    told: list[tuple[int, list[float]]] = []
    start = time.process_time()
    for heard, facts in drawn.told:
        raised = course.take(heard, facts)
        said += [Alarm(drawn.ward.tags[each.tag].epc, each.kind, heard.number) for each in raised]
        moved = shelves.take(heard, facts, course.p(), course.listened)
        said += [Alarm(drawn.ward.tags[each.tag].epc, "misplaced", heard.number) for each in moved]
        if heard.number % P_EVERY == 0:
            told.append((heard.number, course.weighed()))
    result.seconds += time.process_time() - start
    result.tag_rounds += len(drawn.told) * len(drawn.ward.tags) * drawn.ward.rounds_a_bin
    result.scores.append(score(drawn.truth, said))
    names = [tag.epc for tag in drawn.ward.tags]
    result.samples.append(samples_of(drawn.truth, names, told, fixed))
    result.lines.append(_lines(drawn, drawn.told[-1][0].number, course.weighed(), fixed))
    often = [_lines(drawn, number, p, fixed) for number, p in told if number and number % LINES_EVERY == 0]
    lines, exact, certified, right = (sum(column) for column in zip(*often, strict=True))
    result.lines_often.append((lines, exact, certified, right))


def _lines(drawn: Drawn, last: int, p: Sequence[float], fixed: set[int]) -> tuple[int, int, int, int]:
    tags = [(tag, chance) for n, (tag, chance) in enumerate(zip(drawn.ward.tags, p, strict=True)) if n not in fixed]
    true: dict[str, int] = {}
    for tag, _ in tags:
        true[tag.item] = true.get(tag.item, 0) + drawn.truth.is_here(tag.epc, last)
    counts = count_lines((tag.item, chance) for tag, chance in tags)
    exact = [line for line in counts if line.count == true[line.item]]
    certified = [line for line in counts if line.certified]
    return len(counts), len(exact), len(certified), len([line for line in certified if line in exact])


# --- what is printed ---


def summary(result: Result) -> dict[str, object]:
    """Return the figures of one method, with 95 % intervals by resampling wards."""
    whole = Score()
    for each in result.scores:
        whole.add(each)
    wrong = [each.false["missing"] + each.false["unexpected"] for each in result.scores]
    days = [each.days for each in result.scores]
    found: dict[str, object] = {
        "wards": len(result.scores),
        "ward_days": round(whole.days, 1),
        "episodes_a_day": round(sum(whole.found[k] + whole.lost[k] for k in ("missing", "unexpected")) / whole.days, 2),
        "f1": _with_interval(result.scores, _f1),
        **{f"f1_{kind}": _with_interval(result.scores, partial(_f1, kinds=(kind,))) for kind in KINDS},
        "false_a_day": [round(sum(wrong) / sum(days), 3), *_poisson(sum(wrong), sum(days))],
        "delay_min": _delays(whole, (True, False)),
        "delay_min_door": _delays(whole, (True,)),
        "delay_min_no_door": _delays(whole, (False,)),
        "recall_48h_no_door": _recall(whole),
    }
    if result.lines:
        lines, _, certified, right = (sum(column) for column in zip(*result.lines, strict=True))
        found["lines_exact"] = _exact(result.lines)
        found["lines_exact_every_6_h"] = _exact(result.lines_often)
        found["certified"] = [round(certified / lines, 3), round(right / max(1, certified), 4)]
        found["calibration"] = calibration(result.samples)
        found["tag_rounds_a_cpu_second"] = round(result.tag_rounds / result.seconds)
    return found


def _f1(scores: Sequence[Score], kinds: Sequence[str] = KINDS[:2]) -> float:
    whole = Score()
    for each in scores:
        whole.add(each)
    return whole.f1(kinds)


def above(ours: Sequence[Score], theirs: Sequence[Score]) -> list[float]:
    """Return by how much our F1 lies above another method's on the same wards, with its 95 % interval by wards."""
    pairs = list(zip(ours, theirs, strict=True))
    rng = np.random.default_rng(1)
    picks = [range(len(pairs)), *rng.integers(len(pairs), size=(BOOTSTRAPS, len(pairs)))]
    found = [_f1([pairs[n][0] for n in pick]) - _f1([pairs[n][1] for n in pick]) for pick in picks]
    low, high = np.quantile(found[1:], (0.025, 0.975))
    return [round(float(each), 3) for each in (found[0], low, high)]


def _with_interval(scores: Sequence[Score], figure: Callable[[Sequence[Score]], float]) -> list[float]:
    rng = np.random.default_rng(1)
    picks = rng.integers(len(scores), size=(BOOTSTRAPS, len(scores)))
    drawn = [figure([scores[n] for n in pick]) for pick in picks]
    low, high = np.quantile(drawn, (0.025, 0.975))
    return [round(float(each), 3) for each in (figure(scores), low, high)]


def _exact(lines: Sequence[tuple[int, int, int, int]]) -> list[float]:
    """Return the share of exact lines and its 95 % interval by resampling wards."""
    rng = np.random.default_rng(1)
    told = np.array(lines, dtype=np.float64)
    sums = told[rng.integers(len(told), size=(BOOTSTRAPS, len(told)))].sum(axis=1)
    low, high = np.quantile(sums[:, 1] / sums[:, 0], (0.025, 0.975))
    return [round(float(each), 4) for each in (told[:, 1].sum() / told[:, 0].sum(), low, high)]


def _poisson(count: int, days: float) -> list[float]:
    """Return the 95 % interval of a rate (Byar's approximation of the Poisson interval)."""
    low = count * (1 - 1 / (9 * count) - 1.96 / (3 * count**0.5)) ** 3 if count else 0.0
    more = count + 1
    high = more * (1 - 1 / (9 * more) + 1.96 / (3 * more**0.5)) ** 3
    return [round(low / days, 3), round(high / days, 3)]


def _delays(whole: Score, doors: Sequence[bool]) -> list[float | None]:
    """Return median and 90th percentile of what was found, by whether the door heard it."""
    those = [bins for heard, bins in whole.delays if heard in doors]
    return [round(float(np.quantile(those, share)), 1) for share in (0.5, 0.9)] if those else [None, None]


def _recall(whole: Score) -> float | None:
    """Return the share found within 48 h of those without a door read that lasted so long or were found."""
    limit = 2 * 1440
    found = len([bins for door, bins in whole.delays if not door and bins <= limit])
    late = len([bins for door, bins in whole.delays if not door and bins > limit])
    lost = len([bins for door, bins in whole.lost_after if not door and bins >= limit])
    return round(found / (found + late + lost), 3) if found + late + lost else None


def tune(worlds: Sequence[str], options: Namespace) -> None:
    """Print the F1 of every figure of the best rule on training wards."""
    size = Size(options.days, options.tags)
    scores: dict[Figures, list[Score]] = {figures: [] for figures in grid()}
    for world in worlds:
        for drawn in draw_many(world, TRAINING[: options.wards], size=size, keep=options.keep):
            for figures in grid():
                scores[figures].append(
                    score(drawn.truth, alarms(drawn.ward, drawn.told, BestRule(drawn.ward, figures)))
                )
    for figures, those in sorted(scores.items(), key=lambda each: -_f1(each[1])):
        sys.stdout.write(f"{_f1(those):.3f} {figures}\n")


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser()
    parser.add_argument("--wards", type=int, default=4)
    parser.add_argument("--days", type=int, default=3)
    parser.add_argument("--tags", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--results", type=Path, help="a folder in which what was measured of a ward is kept")
    parser.add_argument("--worlds", default="nominal,hard,varied-hard")
    parser.add_argument("--looks", default="0,6")
    parser.add_argument("--shifts", default=",".join(SHIFTS), help="worlds built otherwise, played without looks")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--keep", type=Path, help="a folder in which drawn wards are kept for the next time")
    parser.add_argument("--filter-only", action="store_true")
    parser.add_argument("--tune", action="store_true")
    options = parser.parse_args()
    if options.tune:
        tune(options.worlds.split(","), options)
        return
    until = time.monotonic() + options.seconds
    cases = [(world, int(looks)) for looks in options.looks.split(",") for world in options.worlds.split(",")]
    cases += [(f"nominal-{shift}", 0) for shift in options.shifts.split(",") if shift]
    share = options.seconds / len(cases)
    for number, (world, looks) in enumerate(cases):
        _case(world, looks, options, until - (len(cases) - 1 - number) * share)


def _case(world: str, looks: int, options: Namespace, until: float) -> None:
    names = [OURS, *(() if options.filter_only else RULES)]
    results = {name: Result() for name in names}
    for seed in UNSEEN[options.first : options.first + options.wards]:
        for name, result in _measured(world, seed, looks, options, names).items():
            results[name].add(result)
        if time.monotonic() > until:
            break
    for name, result in results.items():
        line: dict[str, object] = {"bench": "presence", "world": world, "looks": looks, "method": name}
        line |= summary(result)
        if name == OURS and BEST in results:
            line["f1_above_best_rule"] = above(result.scores, results[BEST].scores)
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _measured(world: str, seed: int, looks: int, options: Namespace, names: Sequence[str]) -> dict[str, Result]:
    """Return what each method did over one ward, from the folder of results where it stands there."""
    size = Size(options.days, options.tags)
    stem = f"{world}-{seed}-{looks}-{size.days}-{size.tags}-{len(names)}-{_model()}"
    path = None if options.results is None else options.results / f"{stem}.pickle"
    if path is not None and path.exists():
        found: dict[str, Result] = pickle.loads(path.read_bytes())
        return found
    (drawn,) = draw_many(world, [seed], looks=looks, size=size, keep=options.keep)
    results = {name: Result() for name in names}
    play(drawn, results[OURS])
    for name in names[1:]:
        results[name].scores.append(score(drawn.truth, alarms(drawn.ward, drawn.told, RULES[name](drawn))))
    if path is not None:
        new = path.with_suffix(".new")
        new.write_bytes(pickle.dumps(results))
        new.replace(path)
    return results


@cache
def _model() -> str:
    """Return a name of the model, the rules and the scoring as their text stands now."""
    text = hashlib.sha256()
    here = Path(next(iter(presence.__path__)))
    for file in sorted([*here.glob("*.py"), *Path(__file__).parent.glob("presence_*.py")]):
        text.update(file.read_bytes())
    return text.hexdigest()[:8]


if __name__ == "__main__":
    main()
