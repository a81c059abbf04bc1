"""Where an edge's session stands: its state and the reason, and what ties it to central. No I/O, no clock, no chance.

It knows nothing of ledgers, facts or feeds. The rule that must not be broken: what central says counts for the session
only while it echoes the token and the generation that the last WELCOME gave.
"""

from protocols.sync.codec import NO_TOKEN, Envelope, Signing, seal
from protocols.sync.frames import Message
from protocols.sync.machine import Action, Happening, Speaker, State, StateChanged, Transmit, step
from protocols.values.ids import Incarnation


class Standing:
    """One session's state, the envelope of what it says, and what it did not believe."""

    def __init__(self, speaker: Speaker, signing: Signing) -> None:
        self._speaker, self.signing = speaker, signing
        self.state, self.reason = State.OFFLINE, ""
        self.token, self.generation = NO_TOKEN, 0
        self.dropped: dict[str, int] = {}
        """Why messages from central were not believed, counted; the reasons are a fixed few."""

    def hold(self, envelope: Envelope) -> None:
        """Take the token and the generation of a WELCOME."""
        self.token, self.generation = envelope.token, envelope.generation

    def takes(self, envelope: Envelope) -> bool:
        """Tell whether a message is of this session as it now stands."""
        return self.state is State.LIVE and (envelope.token, envelope.generation) == (self.token, self.generation)

    def move(self, happening: Happening, reason: str = "") -> list[Action]:
        """Go where the table leads, and tell it where that is another place."""
        before = (self.state, self.reason)
        self.state, self.reason = step(self.state, happening), reason
        return [StateChanged(self.state, reason)] if (self.state, reason) != before else []

    def transmit(self, message: Message, incarnation: Incarnation) -> Transmit:
        """Return a message of a chain as the bytes to send."""
        me = self._speaker
        return Transmit(
            seal(Envelope(me.device, incarnation, me.boot_nonce, self.token, self.generation), message, self.signing)
        )

    def drop(self, why: str) -> list[Action]:
        """Count a message that is not believed; nothing follows from it."""
        self.dropped[why] = self.dropped.get(why, 0) + 1
        return []
