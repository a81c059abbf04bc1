"""The feed's side of the agent: a version that central sent is checked, put into the store whole, and told of.

A storeroom's policy is believed only with the hospital's policy key, and never one issued before the one that stands in
the store: whoever says an old one again, or a central put back from a backup, changes nothing until a new one is
issued. That there is none any more is never believed: a lease ends a policy, and a new one replaces it. The rule that
must not be broken: what is not right in every row is not taken at all; the version that stands works on.
"""

from collections.abc import Callable, Mapping

import msgspec

from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock
from edge_agent.errors import FeedRefused
from edge_agent.store.catalogue import row_of
from edge_agent.store.connection import Connection, transaction
from edge_agent.store.feed import held, put
from protocols.errors import PeerBroke
from protocols.policy import PERMIT_KEY, PolicyText, SignedText, read_text, signed_bytes
from protocols.sync.feed import DEVICE, Applied, FeedRow, Held
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, to_iso

Proves = Callable[[str, bytes, bytes], bool]
"""(key id, signed bytes, signature) -> the hospital's policy key said so."""


class Feeding:
    """What takes versions of the feed in; without `proves` policies go unsigned, as messages then do."""

    def __init__(
        self,
        place: PlaceId | None,
        *,
        clock: Clock,
        voice: Voice,
        proves: Proves | None = None,
        taken: Callable[[], object] = lambda: None,
    ) -> None:
        self._place, self._clock, self._voice = place, clock, voice
        self._proves, self._taken = proves, taken

    def held(self, connection: Connection) -> Mapping[str, Held]:
        """Return what stands in the store, for the session."""
        return held(connection)

    def take(self, connection: Connection, applied: Applied) -> bool:
        """Put a version into the store; False where it was refused and the old one stands. Raises `StoreFault`."""
        try:
            with transaction(connection):
                self._check(applied, _issued_at(connection))
                put(connection, applied, self._clock.now())
        except FeedRefused as refusal:
            self._voice.say_change("feed", f"{refusal}; what stands here works on")
            return False
        changed = "whole" if applied.before is None else f"{len(applied.rows)} changes"
        self._voice.say("feed", f"version {applied.version} of {applied.scope}, {changed}")
        self._taken()
        return True

    def _check(self, applied: Applied, stands_since: int) -> None:
        said = [row for row in applied.rows if (row.kind, row.key) == ("policy", PERMIT_KEY)]
        is_lost = any(row.body is None for row in said) or (applied.before is None and not said)
        if self._proves is not None and applied.scope == DEVICE and is_lost:
            raise FeedRefused("policy: expected one signed by the hospital's policy key, got none in place of it")
        for row in said:
            if row.body is not None:
                self._check_policy(row, stands_since)

    def _check_policy(self, row: FeedRow, stands_since: int) -> None:
        """Check the hospital's word about this storeroom. Raises `FeedRefused`."""
        try:
            said = msgspec.json.decode(row.body or "", type=SignedText)
            policy = read_text(PolicyText, said.text)
            signature = bytes.fromhex(said.signature)
        except (msgspec.MsgspecError, PeerBroke, ValueError) as error:
            raise FeedRefused(f"policy: expected a signed text; {error}") from error
        if self._proves is not None and not self._proves(said.key, signed_bytes(PolicyText, said.text), signature):
            raise FeedRefused(f"policy: expected the signature of the hospital's policy key, got one by {said.key!r}")
        if self._place is not None and policy.place != self._place:
            raise FeedRefused(f"policy: expected that of {self._place}, got {policy.place!r:.40}'s")
        if self._proves is not None and policy.issued_at < stands_since:
            raise FeedRefused(
                f"policy: expected one issued since {to_iso(Instant(stands_since))}, "
                f"got an older one of {to_iso(Instant(policy.issued_at))}; have central issue it anew"
            )


def _issued_at(connection: Connection) -> int:
    """Return when the policy that stands in the store was issued, 0 where none stands or none can be read."""
    row = row_of(connection, "policy", PERMIT_KEY)
    try:
        return 0 if row is None else read_text(PolicyText, msgspec.convert(row, SignedText).text).issued_at
    except (msgspec.MsgspecError, PeerBroke):
        return 0
