"""Which faults are not recovered from yet, and which others struck meanwhile.

A storeroom has recovered from a fault when, after the fault's end, central held everything of it and both knew; from a
fault of central or the broker when every storeroom has. The rule that must not be broken: a fault is never counted as
met by itself.
"""

from collections import Counter
from collections.abc import Mapping

from tests.simulation.faults import HUB, Fault


class Recovery:
    """The faults under way, oldest first, and the ordered pairs that were seen."""

    def __init__(self) -> None:
        self.pairs: Counter[tuple[str, str]] = Counter()
        """(a fault, another that struck while it was recovered from)."""
        self._under_way: list[tuple[Fault, float]] = []

    def struck(self, fault: Fault, now_s: float, settled_s: Mapping[str, float]) -> None:
        """Note a fault; `settled_s` tells when each storeroom had last recovered from everything."""
        self._under_way = [each for each in self._under_way if not _over(*each, settled_s)]
        for other, _ in self._under_way:
            if HUB in (other.target, fault.target) or other.target == fault.target:
                self.pairs[other.kind, fault.kind] += 1
        self._under_way.append((fault, now_s + fault.lasts_s))


def _over(fault: Fault, ends_s: float, settled_s: Mapping[str, float]) -> bool:
    names = settled_s if fault.target == HUB else (fault.target,)
    return all(settled_s[name] > ends_s for name in names)
