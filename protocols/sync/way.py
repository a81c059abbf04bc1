"""The ledger's way as the session walks it: its chains with their marks, which one is sent next, and from where.

It holds places and hashes, never entries. The rule that must not be broken: a mark moves only to a place whose hash the
own ledger has given (`prove`, `advance`), or down to what a WELCOME said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from protocols.entry import GENESIS, Digest
from protocols.sync.frames import NO_PARENT, NOTHING, Branch, Head
from protocols.sync.machine import Leg, MarkAcked
from protocols.sync.window import Window
from protocols.values.ids import Incarnation


class Way:
    """The chains from the ledger's root to the one now written; `leg` is the one to be sent."""

    def __init__(self, legs: Sequence[Leg]) -> None:
        self.legs: list[Leg] = []
        self._proven: dict[tuple[Incarnation, int], Digest] = {}
        self._at = 0
        self.go_on(legs)

    @property
    def tip(self) -> Leg:
        """The chain now written."""
        return self.legs[-1]

    @property
    def leg(self) -> Leg:
        """The chain being sent."""
        return self.legs[self._at]

    @property
    def pending(self) -> int:
        """How many entries central has not acknowledged."""
        return sum(leg.seq - leg.acked for leg in self.legs)

    def has(self, incarnation: bytes) -> bool:
        """Tell whether a chain is one of these."""
        return any(incarnation == leg.incarnation for leg in self.legs)

    def go_on(self, legs: Sequence[Leg]) -> None:
        """Take the way as the ledger now has it."""
        self.legs = list(legs)
        self.choose()

    def appended(self, seq: int, digest: Digest) -> None:
        """Note the new end of the chain now written."""
        self.legs[-1] = replace(self.legs[-1], seq=seq, hash=digest)

    def choose(self) -> None:
        """Send the first chain that central does not hold as far as the way goes."""
        last = len(self.legs) - 1
        self._at = next((place for place, leg in enumerate(self.legs) if leg.acked < leg.seq), last)

    def is_sent(self) -> bool:
        """Tell whether central holds the chain being sent, and another waits behind it."""
        return self.leg.acked >= self.leg.seq and self._at < len(self.legs) - 1

    def window(self) -> Window:
        """Return a window behind the mark; in a chain's middle its hash is the one just proven, else not known yet."""
        leg = self.leg
        known = leg.base if leg.acked == NOTHING else self._proven.get((leg.incarnation, leg.acked), leg.hash)
        return Window(leg.incarnation, leg.acked, known)

    def prove(self, incarnation: Incarnation, seq: int, digest: Digest) -> None:
        """Keep the own ledger's hash at a place where central stands."""
        self._proven[incarnation, seq] = digest

    def advance(self, seq: int, digest: Digest) -> MarkAcked:
        """Move the mark of the chain being sent to a place whose hash is the own ledger's."""
        leg = self.leg
        self.legs[self._at] = replace(leg, acked=seq)
        self._proven = {(leg.incarnation, seq): digest}
        return MarkAcked(leg.incarnation, seq)

    def heard(self, theirs: Mapping[Incarnation, Head], acked_at_hello: Mapping[Incarnation, int]) -> list[MarkAcked]:
        """Set the marks to central's heads, unless an ACK overtook the WELCOME; return those that moved."""
        moved = []
        for place, leg in enumerate(self.legs):
            said = theirs[leg.incarnation].seq
            overtaken = acked_at_hello[leg.incarnation] <= said < leg.acked
            if said != leg.acked and not overtaken:
                self.legs[place] = replace(leg, acked=said)
                moved.append(MarkAcked(leg.incarnation, said))
        self.choose()
        return moved


def branch_of(leg: Leg) -> Branch:
    """Return a chain as a HELLO offers it."""
    parent = NO_PARENT if leg.parent is None else leg.parent
    last = leg.hash if leg.seq > NOTHING else GENESIS
    return Branch(leg.incarnation, leg.seq, last, leg.acked, parent, leg.parent_seq)
