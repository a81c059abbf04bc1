"""What is asked of a running LLRP reader, one thing after the other: an output, a tag's memory, the next round.

It holds the line and says what to ask next; it sends nothing and knows no states. A job's requests are asked one by
one. An order for a tag then waits for its result, and nothing but a vital job passes it, because readers have one
AccessSpec of ours at a time. The rule that must not be broken: whatever is put in line ends in exactly one event.
"""

from collections import deque
from dataclasses import dataclass, field

from protocols.readers.access import AccessOrder
from protocols.readers.llrp.access import add_access_spec, name_access_spec
from protocols.readers.llrp.requests import Request
from protocols.readers.outcomes import Outcome
from protocols.readers.reads import AccessDone, CommandRefused
from protocols.values.instant import Instant

JOBS_MAX = 16
"""Things asked of a running reader that wait for the one before; more are refused at once."""

FULL = f"{JOBS_MAX} things wait already: ask later"


@dataclass(slots=True)
class Job:
    """Requests to a running reader, one after the other; `order` waits for its result when all are accepted.

    What is `vital` does not wait for a tag, and its refusal ends the session; what `may_fail` fails without a word.
    """

    name: str
    asks: list[Request]
    order: AccessOrder | None = None
    may_fail: bool = False
    vital: bool = False

    def failed(self, reason: str) -> list[Outcome]:
        """Return what is said of a job that could not be done."""
        if self.order is not None:
            return [AccessDone(self.order.tid, ok=False, data="", reason=reason)]
        return [] if self.may_fail else [CommandRefused(self.name, reason)]


def access_jobs(order: AccessOrder, rospec_id: int) -> list[Job]:
    """Return what reads or writes a tag: an AccessSpec left over from an earlier host is deleted first."""
    left = Job("left AccessSpec", [name_access_spec("DELETE_ACCESSSPEC")], may_fail=True)
    asks = [add_access_spec(order, rospec_id), name_access_spec("ENABLE_ACCESSSPEC")]
    return [left, Job("tag access", asks, order)]


@dataclass(slots=True)
class JobLine:
    """The line of one connection; `ordered` is the order whose result is awaited, until `order_until`."""

    ordered: AccessOrder | None = None
    order_until: Instant | None = None
    _waiting: deque[Job] = field(default_factory=deque)

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, jobs: list[Job]) -> list[Outcome]:
        """Put jobs at the end, all or none; the last of them says so when there is no room."""
        if len(self._waiting) + len(jobs) > JOBS_MAX:
            return jobs[-1].failed(FULL)
        self._waiting.extend(jobs)
        return []

    def put_first(self, job: Job, *, behind: int) -> None:
        """Put a job before all that wait, but for those whose answer is awaited."""
        self._waiting.insert(behind, job)

    def has_vital(self) -> bool:
        """Tell whether a vital job waits."""
        return any(job.vital for job in self._waiting)

    def next_request(self, order_until: Instant) -> Request | None:
        """Return what to ask now; None with nothing to ask, or while a tag is waited for."""
        while self._waiting and (self.ordered is None or self._waiting[0].vital):
            if self._waiting[0].asks:
                return self._waiting[0].asks[0]
            job = self._waiting.popleft()
            if job.order is not None:
                self.ordered, self.order_until = job.order, order_until
        return None

    def accepted(self) -> None:
        """The first job's first request was accepted."""
        if self._waiting:
            self._waiting[0].asks.pop(0)

    def refused(self) -> Job | None:
        """Take out the job whose request was refused."""
        return self._waiting.popleft() if self._waiting else None

    def order_over(self) -> AccessOrder | None:
        """End the wait for a tag; its AccessSpec is to be deleted before anything else is asked."""
        order, self.ordered, self.order_until = self.ordered, None, None
        return order

    def clear(self, reason: str) -> list[Outcome]:
        """The connection is over: say so of everything that waits."""
        orders = [Job("tag access", [], self.ordered)] if self.ordered else []
        out = [said for job in (*orders, *self._waiting) for said in job.failed(reason) if not job.vital]
        self.order_over()
        self._waiting.clear()
        return out
