"""What central said it holds, held against the own ledger, chain by chain: equal, another, or trimmed since.

It asks (`WantHash`) and compares; what follows is the session's. The rule that must not be broken: a head is believed
only when the own ledger gave the same hash at that place.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum

from protocols.entry import Digest
from protocols.sync.frames import NOTHING, Head
from protocols.sync.machine import Leg, WantHash
from protocols.values.ids import Incarnation


class Verdict(StrEnum):
    """What a hash of the own ledger showed."""

    SAME = "same"
    OTHER = "other"
    NOT_KEPT = "not_kept"
    NOT_ASKED = "not_asked"


class Proof:
    """Central's heads of one WELCOME and those among them not compared yet."""

    def __init__(self) -> None:
        self.theirs: Mapping[Incarnation, Head] = {}
        self.unproven: list[Incarnation] = []

    def stop(self) -> None:
        """Forget what was said."""
        self.theirs, self.unproven = {}, []

    def begin(self, theirs: Mapping[Incarnation, Head], legs: Sequence[Leg]) -> bool:
        """Take central's heads; False when one lies beyond the own chain's end or differs there."""
        self.theirs, self.unproven = theirs, []
        for leg in legs:
            head = theirs[leg.incarnation]
            if head.seq > leg.seq or (head.seq == leg.seq != NOTHING and head.hash != leg.hash):
                return False
        self.unproven = [leg.incarnation for leg in legs if NOTHING < theirs[leg.incarnation].seq < leg.seq]
        return True

    def question(self) -> WantHash | None:
        """Return what to ask of the own ledger, None when all is compared."""
        if not self.unproven:
            return None
        incarnation = self.unproven[0]
        return WantHash(incarnation, self.theirs[incarnation].seq)

    def compare(self, incarnation: Incarnation, seq: int, digest: Digest | None) -> Verdict:
        """Compare the own ledger's hash with central's; where they are the same, the next question follows."""
        if not self.unproven or (incarnation, seq) != (self.unproven[0], self.theirs[self.unproven[0]].seq):
            return Verdict.NOT_ASKED
        if digest is None:
            self.unproven.pop(0)
            return Verdict.NOT_KEPT
        if digest != self.theirs[incarnation].hash:
            return Verdict.OTHER
        self.unproven.pop(0)
        return Verdict.SAME
