"""Orders for tags' memory at a serial module: those that wait, and the steps of the one under way.

A module does one thing at a time, so an order is carried out between two rounds, one step after the other: choose the
tag, write, read back. It sends nothing and knows no module; a module's own `access.py` says which steps an order has.
The rule that must not be broken: every order ends in exactly one `AccessDone`.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from protocols.errors import BadValue
from protocols.readers.access import AccessOrder
from protocols.readers.columns import Fields
from protocols.readers.outcomes import Outcome
from protocols.readers.reads import AccessDone

ORDERS_MAX = 16
"""Orders that wait; each takes one pause between rounds."""

DONE = 0
"""Status of an answer that says only that it was done."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request and the type of the frame that answers it; `words` are what a frame of memory must hold.

    The step that `reads_back` ends the order with the words of its answer.
    """

    request: bytes
    answer: str
    words: str = ""
    reads_back: bool = False


@dataclass(slots=True)
class Errands:
    """The orders of one line. `steps_of` raises `BadValue` for an order that the module cannot be told."""

    steps_of: Callable[[AccessOrder], Sequence[Step]]
    _waiting: deque[AccessOrder] = field(default_factory=deque)
    _steps: deque[Step] = field(default_factory=deque)

    def add(self, order: AccessOrder) -> list[Outcome]:
        """Put an order in line; it is over at once where the module cannot do it or too many wait."""
        if len(self._waiting) >= ORDERS_MAX:
            return [order.failed(f"{ORDERS_MAX} things wait already: ask later")]
        try:
            self.steps_of(order)
        except BadValue as error:
            return [order.failed(str(error))]
        self._waiting.append(order)
        return []

    def begin(self) -> bool:
        """Take up the first order; False where none waits."""
        if self._waiting:
            self._steps = deque(self.steps_of(self._waiting[0]))
        return bool(self._steps)

    @property
    def request(self) -> bytes:
        """Return what is asked now; empty between orders."""
        return self._steps[0].request if self._steps else b""

    def takes(self, answer: str) -> bool:
        """Tell whether a frame of this type answers what is asked."""
        return bool(self._steps) and self._steps[0].answer == answer

    def answered(self, fields: Fields) -> AccessDone | None:
        """Take the answer of the present step; None while there is another."""
        step, order = self._steps.popleft(), self._waiting[0]
        words = str(fields.get("words", ""))
        if fields.get("status", DONE) != DONE:
            return self.failed(f"not written: status {fields.get('status')}")
        if step.words and words != step.words:
            return self.failed(f"the tag has the TID {words}: nothing was done")
        if step.reads_back:
            self._over()
            return order.read_back(words)
        return None

    def failed(self, why: str) -> AccessDone:
        """End the present order."""
        order = self._over()
        return order.failed(why)

    def clear(self, reason: str) -> list[Outcome]:
        """The line is gone: say so of everything that waits."""
        out: list[Outcome] = [order.failed(reason) for order in self._waiting]
        self._waiting.clear()
        self._steps.clear()
        return out

    def _over(self) -> AccessOrder:
        self._steps.clear()
        return self._waiting.popleft()
