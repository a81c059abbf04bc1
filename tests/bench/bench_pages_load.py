"""Fifty people browse while two hundred entries a second arrive: central on PostgreSQL, everything on two cores.

Central is `wardstock-central serve --no-ingest` with one `wardstock-central ingest` beside it, each a core's worth.
Thirty-two wards with signed entries through a real broker; people signed in through the page, each role at its own
pages, five seconds to read each. Rounds with and without arriving entries take turns in one run, so that each page's
p95 stands beside the same page's without load. Everything, the people and the edges too, shares this machine's cores.

`--short` is one honest round after a shorter life of the wards: two minutes on a machine that does nothing else.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from central.core.figures import FigureId
from central.store.queries_work import discrepancies, orders
from protocols.values.ids import HOSPITAL_DEFAULT
from tests.bench.live import some_broker
from tests.bench.measure import report_bar
from tests.bench.pages_hospital import Errands, Hospital, Visitor, town
from tests.bench.pages_visitors import CROWD, Person, Taken, browse
from tests.system.postgresql import cluster, programs

WARDS, A_SECOND = 32, 200
ROUNDS, ROUND_S, WARM_S = 3, 20.0, 8.0
BAR_S = 0.5
ACTS = 400
"""Of each ward before anything is measured: some days of its life."""
SHORT = {"rounds": 1, "seconds": 15.0, "acts": 100}
WORDS = ("管", "导", "HC10", "kit", "3.0")
FIGURES = (FigureId.LINE_MATCH.value, FigureId.TURNOVER.value)


class Progress:
    """Says on standard error how far the bench has come."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, told: str) -> None:
        """Say one line, with the seconds since the beginning."""
        sys.stderr.write(f"pages_load {time.monotonic() - self._began:5.0f} s: {told}\n")
        sys.stderr.flush()


def prepared(place: Hospital, broker_url: str, edges: Errands, progress: Progress, acts: int) -> list[Visitor]:
    """Found a hospital whose storerooms are open and whose orders are under way; returns its people."""
    place.found()
    progress.say("store made, sample imported")
    with place.serving() as address:
        edges.do("enrol", address)
    progress.say(f"{WARDS} devices let in")
    place.configure()
    people = place.admit([role for role, count in CROWD.items() for _ in range(count)])
    with place.serving():
        edges.do("open", broker_url)
        progress.say(f"storerooms opened, {acts} acts of each follow")
        edges.do("live", acts)
    progress.say("wards have lived, orders are made")
    assert place.order()
    return people


def told(place: Hospital, who: Visitor) -> dict[str, Sequence[str]]:
    """Return what somebody may open: storerooms, lots, orders, discrepancies."""
    with place.opened() as store, store.read() as connection:
        open_now = discrepancies(connection, HOSPITAL_DEFAULT, status="open", place=who.place)
        made = orders(connection, HOSPITAL_DEFAULT)
        lots = connection.exec_driver_sql("SELECT DISTINCT lot FROM balance WHERE lot <> '' ORDER BY lot").scalars()
        rooms = connection.exec_driver_sql("SELECT place FROM place ORDER BY place").scalars()
        firms = connection.exec_driver_sql("SELECT supplier FROM supplier ORDER BY supplier").scalars()
        return {
            "place": [who.place] if who.place else list(rooms),
            "lot": list(lots),
            "order": [one.order_no for one in made],
            "gap": [one.id for one in open_now],
            "firm": list(firms),
            "figure": FIGURES,
            "word": WORDS,
        }


@dataclass(slots=True)
class Half:
    """The rounds of one kind: seconds of every page, of central's processes, and of the clock."""

    taken: Taken = field(default_factory=lambda: defaultdict(list))
    worked_s: Counter[str] = field(default_factory=Counter)
    lasted_s: float = 0.0
    arrived: list[float] = field(default_factory=list)

    def add(self, place: Hospital, browsed: Callable[[], Taken]) -> None:
        """Play one round."""
        before, began = place.worked_s(), time.monotonic()
        for form, seconds in browsed().items():
            self.taken[form] += seconds
        self.lasted_s += time.monotonic() - began
        self.worked_s.update({name: spent - before[name] for name, spent in place.worked_s().items()})

    @property
    def every(self) -> list[float]:
        """Return the seconds of all pages."""
        return [second for seconds in self.taken.values() for second in seconds]

    def figures(self, kind: str) -> dict[str, float]:
        """Return what is told of these rounds: pages, and processor seconds of central a second of the clock."""
        cores = {f"{kind}_{name}_cores": spent / self.lasted_s for name, spent in self.worked_s.items()}
        every = self.every
        return {
            f"{kind}_pages": len(every),
            f"{kind}_p50_s": median(every),
            f"{kind}_p95_s": p95(every),
            f"{kind}_serve_ms_a_page": 1_000 * self.worked_s["serve"] / len(every),
            **cores,
        }


def measured(
    place: Hospital, who: Sequence[Visitor], edges: Errands, said: argparse.Namespace, progress: Progress
) -> tuple[Half, Half]:
    """Serve, and return the rounds with entries arriving, and those without."""
    loaded, alone = Half(), Half()
    with place.serving() as address, ExitStack() as parts:
        people = [Person(number, one, address, told(place, one)) for number, one in enumerate(who)]
        for person in people:
            parts.callback(person.leave)
            person.sign_in()
        progress.say(f"{len(people)} people signed in, {said.rounds} rounds of {said.seconds:g} s with and without")
        browse(people, WARM_S)
        for number in range(said.rounds):
            alone.add(place, partial(browse, people, said.seconds))
            progress.say(f"round {number + 1} without entries: p95 {p95(alone.every):.3f} s")
            edges.say("write", A_SECOND, said.seconds)
            loaded.add(place, partial(browse, people, said.seconds))
            loaded.arrived.append(edges.answer()["acknowledged_p99_s"])
            progress.say(f"round {number + 1} with {A_SECOND} entries a second: p95 {p95(loaded.every):.3f} s")
    return loaded, alone


def p95(seconds: Sequence[float]) -> float:
    """Return the value below which 95 of 100 lie."""
    return quantiles(seconds, n=20)[18] if len(seconds) > 1 else max(seconds, default=0.0)


def by_page(loaded: Taken, alone: Taken) -> dict[str, float]:
    """Return p50 and p95 of every page, and how p95 stands to that without load."""
    found: dict[str, float] = {}
    for form in sorted(loaded):
        found |= {
            f"{form} n": len(loaded[form]),
            f"{form} p50_s": median(loaded[form]),
            f"{form} p95_s": p95(loaded[form]),
            f"{form} p95_to_alone": p95(loaded[form]) / p95(alone[form]) if alone[form] else 0.0,
        }
    return found


def main() -> None:
    """Measure and print."""
    if programs() is None:
        sys.stderr.write("pages_load: not measured, this machine has no PostgreSQL\n")
        return
    parser = argparse.ArgumentParser(prog="bench_pages_load", description="Fifty people browse while entries arrive.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=ROUND_S)
    parser.add_argument("--acts", type=int, default=ACTS, help="of each ward before anything is measured")
    parser.add_argument("--short", action="store_true", help=f"one round: {SHORT}")
    said, progress = parser.parse_args(), Progress()
    if said.short:
        vars(said).update(SHORT)
    with (
        tempfile.TemporaryDirectory() as name,
        cluster(durable=True) as store_url,
        some_broker(Path(name)) as pipe,
        town(WARDS) as edges,
    ):
        place = Hospital(Path(name), store_url, pipe.url, WARDS)
        people = prepared(place, pipe.url, edges, progress, said.acts)
        loaded, alone = measured(place, people, edges, said, progress)
    figures = {
        **by_page(loaded.taken, alone.taken),
        "people": len(people),
        **loaded.figures("loaded"),
        **alone.figures("alone"),
        "p95_to_alone": p95(loaded.every) / p95(alone.every),
        "acknowledged_p99_s": max(loaded.arrived),
    }
    report_bar(
        "pages_load",
        ratio=p95(loaded.every) / BAR_S,
        bar=1.0,
        what=f"p95 of all pages of {sum(CROWD.values())} people at {A_SECOND} entries/s over 500 ms",
        at_least=False,
        **figures,
    )


if __name__ == "__main__":
    main()
