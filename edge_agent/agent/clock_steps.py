"""The watch over the wall clock as a part of the agent: it looks every turn and writes `clock_step` entries.

It decides nothing; `core.clock_watch` does. The rule that must not be broken: nobody waits for it.
"""

from edge_agent.clock import Clock, Pen
from edge_agent.core.clock_watch import ClockStep, ClockWatch
from edge_agent.core.recognise import Draft
from edge_agent.store.ledger import Ledger
from protocols.movements.bodies import write_body
from protocols.movements.reports import ClockStepBody
from protocols.values.ids import ActorId

CLOCK_STEP = "clock_step"
WAITING_MAX = 16
"""Steps that wait for the disk; of more the oldest are forgotten, the next look tells where the clock stands."""


class ClockSteps:
    """What has been noticed and not written yet."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._watch = clock, ClockWatch()
        self._waiting: list[ClockStep] = []

    @property
    def due(self) -> bool:
        """Whether something is to be written."""
        return bool(self._waiting)

    def look(self) -> None:
        """Compare the clocks of this machine; a story's clock is made of the monotonic one and never jumps."""
        if self._clock.story is None:
            self._keep(self._watch.look(self._clock.now(), self._clock.mono_us()))

    def heard(self, offset_us: int) -> None:
        """Take the offset to central's time; two stories' clocks are not compared."""
        if self._clock.story is None:
            self._keep(self._watch.heard(offset_us))

    def write(self, ledger: Ledger, pen: Pen) -> None:
        """Write what waits. Raises `StoreFault`; then it waits on."""
        bodies = [write_body(ClockStepBody(step.cause, step.by_us)) for step in self._waiting]
        ledger.append([pen.entry(Draft(CLOCK_STEP, body, ActorId(""))) for body in bodies])
        self._waiting = []

    def _keep(self, step: ClockStep | None) -> None:
        if step is not None:
            self._waiting = [*self._waiting, step][-WAITING_MAX:]
