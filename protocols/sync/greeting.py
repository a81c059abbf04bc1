"""When a HELLO is said and which answer counts: timers, back-off, the number of the last greeting. No I/O, no clock.

One HELLO a timer, with full-jitter back-off; the first after a start is spread, the idle one comes every ten minutes at
most. The rule that must not be broken: an answer counts once, and only for the last HELLO said.
"""

import math
from collections.abc import Callable, Sequence

from protocols.entry import SCHEMA_NOW
from protocols.sync.facts import Puller
from protocols.sync.frames import Hello
from protocols.sync.machine import Leg, Speaker, Timing
from protocols.sync.way import branch_of
from protocols.values.ids import Incarnation
from protocols.values.instant import Instant

BACKOFF_DOUBLINGS_MAX = 16


class Greeter:
    """The timers of one session's greetings, in link seconds; infinite where nothing is due."""

    def __init__(self, speaker: Speaker, timing: Timing, chance: Callable[[], float]) -> None:
        self._speaker, self._timing, self._chance = speaker, timing, chance
        self.number, self._answered = 0, True
        self.acked_at_hello: dict[Incarnation, int] = {}
        """The marks that the last HELLO told."""
        self._attempt, self.hello_at, self._waiting_since = 0, math.inf, math.inf
        self._spread = timing.spread_s
        self._said_at = 0.0
        self._wall, self._free_bytes = Instant(0), 0

    def tell(self, *, wall: Instant, free_bytes: int) -> None:
        """Take what the next HELLO reports about this machine."""
        self._wall, self._free_bytes = wall, free_bytes

    def connected(self, now: float) -> None:
        """Spread the first HELLO, and wait for its WELCOME from now on."""
        self._waiting_since = now
        self.hello_at = now + self._chance() * self._spread
        self._spread = min(self._timing.spread_s, self._timing.backoff_max_s)

    def disconnected(self) -> None:
        """Wait for nothing."""
        self.hello_at = self._waiting_since = math.inf
        self._answered = True

    def move_on_at(self) -> float:
        """Return when the next broker is to be tried."""
        return self._waiting_since + self._timing.welcome_wait_s

    def wait_anew(self, now: float) -> None:
        """Give the next broker as long as the last."""
        self._waiting_since = now

    def hello(self, legs: Sequence[Leg], puller: Puller, feeds: dict[str, int], *, wait_s: float, now: float) -> Hello:
        """Return the next HELLO and set the timer of the one after it."""
        self._waiting_since = min(self._waiting_since, now)
        self.number += 1
        self._answered = False
        self.acked_at_hello = {leg.incarnation: leg.acked for leg in legs}
        self.hello_at = now + wait_s
        self._said_at = now
        self._attempt += 1
        return Hello(
            number=self.number,
            agent_version=self._speaker.agent_version,
            schema_min=SCHEMA_NOW,
            schema_max=SCHEMA_NOW,
            chains=tuple(branch_of(leg) for leg in legs),
            oldest_seq=legs[-1].kept_from,
            facts=puller.version,
            facts_sum=puller.sum,
            feeds=feeds,
            wall=self._wall,
            free_bytes=self._free_bytes,
        )

    def is_stale(self, number: int) -> bool:
        """Tell whether an answer is not to the last HELLO, or its second."""
        return self._answered or number != self.number

    def rtt_s(self, now: float) -> float:
        """Return the link seconds since the last HELLO."""
        return now - self._said_at

    def welcomed(self, now: float) -> None:
        """Note the answer: CHECKING and FORKING may take as long as one HELLO's timer."""
        self._answered, self._attempt, self._waiting_since = True, 0, math.inf
        self.hello_at = now + self._timing.hello_s

    def turned_away(self) -> None:
        """Note an answer that is a refusal."""
        self._answered = True

    def idle(self, now: float) -> None:
        """Greet again only to compare, within the idle time."""
        self.hello_at = now + self._timing.idle_hello_s * (1 + self._chance()) / 2

    def sooner(self, at: float) -> None:
        """Greet by then at the latest."""
        self.hello_at = min(self.hello_at, at)

    def stuck(self, at: float) -> None:
        """Greet then, and wait for no WELCOME meanwhile."""
        self._waiting_since = math.inf
        self.hello_at = at

    def wait_s(self, base: float) -> float:
        """Return a wait of `base` seconds and a random part that doubles with every greeting not answered."""
        doublings = min(self._attempt, BACKOFF_DOUBLINGS_MAX)
        return base + self._chance() * min(self._timing.backoff_max_s, base * (1 << doublings))
