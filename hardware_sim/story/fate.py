"""What happens to the hospital besides its people: a piece leaves unscanned, another comes on a wrong shelf, a ward's
network goes and comes back.

One thread plays these few facts in order of time and notes when each truly happened.
"""

import threading
from collections.abc import Callable
from dataclasses import replace

from hardware_sim.clock import Clock
from hardware_sim.proxy import Proxy
from hardware_sim.scenario.plan import Cut, Misput, Plan, Take
from hardware_sim.story.person import Tell
from hardware_sim.world import Move, Shift, Storeroom
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant


class Fate:
    """The take and the cut of one plan."""

    def __init__(
        self,
        plan: Plan,
        *,
        rooms: dict[PlaceId, Storeroom],
        proxies: dict[PlaceId, Proxy],
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._plan = plan
        self._rooms = rooms
        self._proxies = proxies
        self._clock = clock
        self._tell = tell
        self._cut_at: Instant | None = None
        self.cut: Cut | None = None
        """When the network was truly away; None until it is back."""
        self.take: Take | None = None
        """When the piece truly left; None until it has."""
        self.misput: Misput | None = None
        """When a piece truly came on a wrong shelf; None until it has."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fate", daemon=True)

    def start(self) -> None:
        """Begin the evening."""
        self._thread.start()

    @property
    def done(self) -> bool:
        """Tell whether everything has happened."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Let nothing more happen; a ward that is cut off stays so, and its cut ends now."""
        self._stopped.set()
        self._thread.join()
        if self._cut_at is not None and self.cut is None:
            self.cut = Cut(self._plan.cut.ward, self._cut_at, self._clock.now())

    def _run(self) -> None:
        facts: list[tuple[Instant, Callable[[], None]]] = [
            (self._plan.cut.since, self._cut_off),
            (self._plan.cut.until, self._restore),
        ]
        if self._plan.take is not None:
            facts.append((self._plan.take.at, self._take_unscanned))
        if self._plan.misput is not None:
            facts.append((self._plan.misput.at, self._put_elsewhere))
        for at, happen in sorted(facts, key=lambda fact: fact[0]):
            if self._stopped.wait(self._clock.seconds_until(at)):
                return
            happen()

    def _cut_off(self) -> None:
        ward = self._plan.cut.ward
        self._proxies[ward].cut()
        self._cut_at = self._clock.now()
        self._tell("cut", ward=ward)

    def _restore(self) -> None:
        ward = self._plan.cut.ward
        assert self._cut_at is not None
        self.cut = Cut(ward, self._cut_at, self._clock.now())
        self._proxies[ward].restore()
        self._tell("restored", ward=ward)

    def _take_unscanned(self) -> None:
        planned = self._plan.take
        assert planned is not None
        at = self._clock.now()
        self._rooms[planned.ward].take(Move(planned.epc, at, "unscanned"))
        self.take = Take(planned.ward, planned.epc, planned.item, at)
        self._tell("missed", ward=planned.ward, items=[planned.item])

    def _put_elsewhere(self) -> None:
        planned = self._plan.misput
        assert planned is not None
        room = self._rooms[planned.ward]
        at = self._clock.now()
        room.put(Shift(planned.epc, at, planned.position))
        self.misput = replace(planned, at=at)
        own = room.tags[planned.epc].position
        self._tell("misput", ward=planned.ward, items=[planned.item], own=own, shelf=planned.position)
