"""What a proof of the store comes to: how much was read and, in an auditor's words, what does not hold."""

from dataclasses import dataclass, field

FAULTS_SHOWN_MAX = 20


@dataclass(slots=True)
class Report:
    """What was read and what was wrong; `faults` keeps the first ones, `fault_count` all.

    `gaps` counts the places where a chain goes on over entries that are on no disk any more. `waiting` counts
    differences of book and shelf that came after their storeroom was last compared: no fault, the next comparison opens
    them.
    """

    entries: int = 0
    chains: int = 0
    events: int = 0
    quarantined: int = 0
    gaps: int = 0
    discrepancies: int = 0
    orders: int = 0
    waiting: int = 0
    fault_count: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Tell whether nothing was wrong."""
        return self.fault_count == 0

    def fault(self, line: str) -> None:
        """Count a fault and keep its line while there is room."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_SHOWN_MAX:
            self.faults.append(line)
