"""One evening while it is played: its threads, and whether it is over.

The rule that must not be broken: a thread that fails is remembered, and the main thread ends the demo for it.
"""

import threading
from dataclasses import dataclass, field

from hardware_sim.clock import Clock
from hardware_sim.scenario.plan import Plan
from hardware_sim.story.fate import Fate
from hardware_sim.story.guests import Guests
from hardware_sim.story.narrator import Narrator
from hardware_sim.story.office import Office
from hardware_sim.story.person import People
from protocols.values.instant import Instant


@dataclass(slots=True)
class Evening:
    """The threads of one story while it is played."""

    plan: Plan
    clock: Clock
    narrator: Narrator
    people: list[People]
    fate: Fate
    office: Office
    guests: list[Guests]
    until: Instant
    """When it is over, if all that was planned has happened."""
    crashed: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Let it begin."""
        for one in self._threads():
            one.start()

    def stop(self) -> None:
        """End every thread."""
        for one in self._threads():
            one.stop()

    def _threads(self) -> list[People | Fate | Office | Guests]:
        return [*self.people, self.fate, self.office, *self.guests]

    def note_crash(self, crash: threading.ExceptHookArgs) -> None:
        """Remember that a thread failed, and why; the main thread ends the demo."""
        self.crashed.append(f"{crash.thread.name if crash.thread else 'a thread'}: {crash.exc_value!r}")

    @property
    def over(self) -> bool:
        """Tell whether all that was planned has happened, and its time has come."""
        return all(one.done for one in self.people) and self.fate.done and self.clock.now() >= self.until
