"""What comes down to an edge: facts of its storeroom, and versions of the feed. No I/O, no clock, no chance.

What is asked for, and which answers count, stand in `facts` and `feed`; here it is asked while the session is live, and
asked again. The rule that must not be broken: a hint is of no session and believed by nobody, it only makes us ask.
"""

from collections.abc import Callable, Mapping

from protocols.sync.codec import Envelope
from protocols.sync.facts import Puller
from protocols.sync.feed import Applied, Fetcher, Held
from protocols.sync.frames import Delta, Facts, Hint, Message, Snapshot, Welcome
from protocols.sync.machine import Action, Behind, PostFacts, State, TakeFeed, Transmit
from protocols.sync.standing import Standing


class Inflow:
    """Both questions of an edge, each asked until its answer stands in the store."""

    def __init__(
        self,
        standing: Standing,
        transmit: Callable[[Message], Transmit],
        resend_s: float,
        facts: tuple[int, bytes],
        feeds: Mapping[str, Held] | None,
    ) -> None:
        self._standing, self._transmit, self._resend_s = standing, transmit, resend_s
        self.puller = Puller(*facts)
        self._fetcher = Fetcher({}, scopes=()) if feeds is None else Fetcher(feeds)

    @property
    def behind(self) -> bool:
        """Whether central has facts that are not held."""
        return self.puller.behind

    @property
    def versions(self) -> dict[str, int]:
        """The version held of each scope of the feed."""
        return self._fetcher.versions

    def due(self) -> float:
        """Return when a question is to be asked again; infinite when none waits."""
        return min(self.puller.due_at(self._resend_s), self._fetcher.due_at(self._resend_s))

    def tick(self, now: float) -> list[Action]:
        """Ask again what is due."""
        actions: list[Action] = []
        if now >= self.puller.due_at(self._resend_s):
            actions += self._pull(now)
        if now >= self._fetcher.due_at(self._resend_s):
            actions += self._fetch(now)
        return actions

    def stop(self) -> None:
        """Wait for no answer any more."""
        self.puller.stop()
        self._fetcher.stop()

    def welcomed(self, message: Welcome) -> None:
        """Take what central has."""
        self.puller.heard(message.facts_from, message.facts)
        self._fetcher.stop()
        self._fetcher.offered(message.feeds)

    def begin(self, now: float) -> list[Action]:
        """Ask for what is lacking, now that the session is live."""
        return self._catch_up(now) + self._fetch(now)

    def posted(self, upto: int, facts_sum: bytes, now: float) -> list[Action]:
        """Note that facts up to a version are in the projections."""
        was_behind = self.puller.behind
        self.puller.posted(upto, facts_sum)
        if self.puller.behind:
            return self._pull(now)
        return [Behind(False)] if was_behind else []

    def fed(self, applied: Applied, taken: bool, now: float) -> list[Action]:
        """Note whether a version of the feed stands in the store, and ask for what is wanted next."""
        if taken:
            self._fetcher.applied(applied)
        else:
            self._fetcher.refused(applied)
        return self._fetch(now)

    def told(self, envelope: Envelope, message: Facts) -> list[Action]:
        """Take facts. Raises `PeerBroke` for entries that do not come to the sum said."""
        if not self._standing.takes(envelope):
            return self._standing.drop("stale token")
        entries = self.puller.take(message)
        if entries is None:
            return self._standing.drop("nothing new")
        return [PostFacts(message.upto, message.facts_sum, entries)]

    def brought(self, envelope: Envelope, message: Delta | Snapshot, now: float) -> list[Action]:
        """Take changes or a page of the feed. Raises `PeerBroke` for pages that are not their blob."""
        if not self._standing.takes(envelope):
            return self._standing.drop("stale token")
        applied = self._fetcher.take(message)
        if applied is not None:
            return [TakeFeed(applied)]
        return self._standing.drop("nothing new") if self._fetcher.asks else self._fetch(now)

    def hinted(self, message: Hint, now: float) -> list[Action]:
        """Take what the broker kept for this device."""
        self._fetcher.offered(message.feeds)
        actions = [] if self._fetcher.asks else self._fetch(now)
        if self._standing.state is State.LIVE and message.facts > self.puller.version and not self.puller.behind:
            self.puller.heard(self.puller.version, message.facts)
            actions += self._catch_up(now)
        return actions

    def _catch_up(self, now: float) -> list[Action]:
        return [Behind(True), *self._pull(now)] if self.puller.behind else []

    def _pull(self, now: float) -> list[Action]:
        return [self._transmit(self.puller.ask(now))]

    def _fetch(self, now: float) -> list[Action]:
        question = self._fetcher.ask(now) if self._standing.state is State.LIVE else None
        return [] if question is None else [self._transmit(question)]
