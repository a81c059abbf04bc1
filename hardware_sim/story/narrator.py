"""Turns what happens into lines for a terminal: story time, then one sentence in the reader's language.

Facts come from many threads into one queue; only the main thread prints. The rule that must not be broken: telling
never holds up what is told, so a full queue drops the sentence, not the fact.
"""

import contextlib
import queue
from collections import Counter
from collections.abc import Iterable, Mapping

from hardware_sim.clock import Clock
from hardware_sim.sample.catalogue import Sample
from hardware_sim.scenario.plan import Plan
from hardware_sim.story.words import Lang, sentence
from protocols.values.instant import to_iso

LINES_MAX = 10_000
"""Sentences that wait to be printed; a story has some hundred."""

LISTED_MAX = 4
"""Items named in one sentence; the others are counted."""


class Narrator:
    """One teller, many voices."""

    def __init__(self, plan: Plan, sample: Sample, lang: Lang, clock: Clock) -> None:
        self._lang = lang
        self._clock = clock
        self._items = {item.item: item.name_zh if lang is Lang.ZH else item.name_en for item in sample.items.values()}
        self._wards = {ward.place: ward.name_zh if lang is Lang.ZH else ward.name_en for ward in plan.wards}
        self._lines: queue.Queue[str] = queue.Queue(LINES_MAX)

    def tell(self, name: str, **values: object) -> None:
        """Tell one fact of the story, with the time at which it happened."""
        self._put(f"{to_iso(self._clock.now())[11:16]}  {self._said(name, values)}")

    def announce(self, name: str, **values: object) -> None:
        """Tell one fact about the demo itself."""
        self._put(self._said(name, values))

    def lines(self) -> list[str]:
        """Return what has been told since the last time."""
        told = []
        with contextlib.suppress(queue.Empty):
            while True:
                told.append(self._lines.get_nowait())
        return told

    def _put(self, line: str) -> None:
        with contextlib.suppress(queue.Full):
            self._lines.put_nowait(line)

    def _said(self, name: str, values: Mapping[str, object]) -> str:
        return sentence(self._lang, name, {key: self._shown(key, value) for key, value in values.items()})

    def _shown(self, key: str, value: object) -> object:
        if key == "ward":
            return f"{value} {self._wards.get(value, '')}".strip()  # type: ignore[call-overload]  # any key may be asked
        if key == "items" and isinstance(value, list):
            return self._listed(value)
        if isinstance(value, dict):
            return value.get(self._lang.value, "")
        return value

    def _listed(self, items: Iterable[str]) -> str:
        counted, times = Counter(items), "×" if self._lang is Lang.ZH else "x"
        names = [
            self._items.get(item, item) + (f" {times}{count}" if count > 1 else "")  # type: ignore[call-overload]  # as above
            for item, count in counted.items()
        ]
        more = f" +{len(names) - LISTED_MAX}" if len(names) > LISTED_MAX else ""
        return ("、" if self._lang is Lang.ZH else ", ").join(names[:LISTED_MAX]) + more
