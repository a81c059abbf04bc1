"""What a ward's own past says of its hazards: how often pieces get hidden, how soon they come forth, how soon a scanned
piece leaves.

Counted are spells of silence that ended with the tag clear on its shelf and nothing at the door. Spells that still
last count by the chance that they are hidden ones: what is gone for good must not look like a shield that never ends.
Everything is held by a prior worth some spells. The rule that must not be broken: only what is past is counted.
"""

from dataclasses import dataclass, replace

from edge_agent.core.presence.hazards import Hazards

CURES = 12.0
"""Weight of the first belief about how soon shields end, in spells."""
HIDINGS = 20.0
"""Weight of the first belief about how often a tag is hidden, in spells."""
TAKES = 4.0
"""Weight of the first belief about how many scanned pieces have left by the end of their bin, in takes."""


@dataclass(slots=True)
class Spells:
    """Sums over one ward: visits are counted as the factor of the hazards adds up (`Air.visit`)."""

    visits: float = 0.0
    tag_visits: float = 0.0
    hidings: float = 0.0
    cures: float = 0.0
    cured_visits: float = 0.0
    takes: float = 0.0
    at_once: float = 0.0

    def pass_bin(self, visit: float, tags_here: int) -> None:
        """Take the visits of one bin, and how many tags the book has here."""
        self.visits += visit
        self.tag_visits += visit * tags_here

    def end(self, since_visits: float, weight: float) -> None:
        """Take a spell that ended with the tag clear; `weight` is its part of the spells that began with it."""
        self.hidings += 1.0
        self.cures += weight
        self.cured_visits += weight * (self.visits - since_visits)

    def take(self, *, heard_after: bool) -> None:
        """Take a scanned piece that was heard well: whether it was still heard in the bin after its scan."""
        self.takes += 1.0
        self.at_once += 0.0 if heard_after else 1.0

    def fit(self, first: Hazards, now: Hazards, open_hidden: float, open_visits: float) -> Hazards:
        """Return the hazards; `open_hidden` spells are still hidden ones, and lasted `open_visits` together."""
        unblock = (CURES + self.cures) / (CURES / first.unblock + self.cured_visits + open_visits)
        total = first.block * first.block_total
        hidden = (HIDINGS + self.hidings + open_hidden) / (HIDINGS / total + self.tag_visits)
        taking = (TAKES * first.taking + self.at_once) / (TAKES + self.takes)
        return replace(now, unblock=min(0.5, unblock), block=min(0.05, hidden / first.block_total), taking=taking)
