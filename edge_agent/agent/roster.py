"""The round nobody has to think of: holds, the unattended daily check, unclaimed takes, duties done, late or missed.

It looks once a story minute, never twice a second, and writes what follows as entries of the device. The rule that must
not be broken: a check by readers counts as done only if a reader was at work; what nobody did is missed, and said so;
and by a date that cannot be true nothing is held and nothing is missed.
"""

import math
from collections.abc import Callable

from edge_agent.agent.voice import Voice
from edge_agent.clock import Clock, Pen
from edge_agent.core.clock_watch import believable
from edge_agent.core.duties import EVERY, Due, Duty, dues, judge
from edge_agent.core.recognise import Draft
from edge_agent.store.ledger import Ledger
from edge_agent.store.scene import head_of
from edge_agent.store.standing import (
    DEVICE,
    closed_counts,
    first_wall,
    gone_units,
    heads_due,
    holds_due,
    last_due,
    plan_of,
    settled_drafts,
    unclaimed_drafts,
)
from protocols.entry import ChainedEntry
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.reports import DutyBody
from protocols.readers.reads import ReaderEvent, RoundEnded
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, business_day, to_iso

LINES_MAX = 200
"""Pieces one daily check names; more missing at once is a reader's fault or a theft, and the first tell it."""

REST_S = 1.0
"""Link seconds between two looks at least, however fast the story runs."""
ROUND_FRESH_S = 30.0
"""Link seconds after which a reader that ended no round is not at work."""


class Roster:
    """The duties of one storeroom; without `claims` it keeps no shifts, and what left is missing at once."""

    def __init__(self, ward: PlaceId, *, clock: Clock, voice: Voice, claims: bool = True) -> None:
        self._ward, self._clock, self._voice = ward, clock, voice
        left_out = {Duty.DAY_END} | (set() if claims else {Duty.SHIFT_END})
        self._duties = [duty for duty in Duty if duty not in left_out]
        self._looked, self._looked_s = Instant(0), -math.inf
        self._round_s = -math.inf
        self.central_now: Callable[[], Instant | None] = lambda: None
        self._covered: Callable[[int], dict[str, int]] = lambda _period_us: {}

    def tell_of(self, covered: Callable[[int], dict[str, int]]) -> None:
        """Say at each day's end how much of it antennas listened: `covered` gives it in thousandths of a period."""
        self._covered = covered
        self._duties.append(Duty.DAY_END)

    def hear(self, event: ReaderEvent) -> None:
        """Take what a reader says: only an ended round shows that it is at work, and a check may wait for one."""
        if isinstance(event, RoundEnded):
            if not self._seen():
                self._looked = Instant(0)
            self._round_s = self._clock.link_s()

    def _seen(self) -> bool:
        return self._clock.link_s() - self._round_s < ROUND_FRESH_S

    def hasten(self) -> None:
        """Look at once: the hospital's data changed, and with them what must be held."""
        self._looked, self._looked_s = Instant(0), -math.inf

    @property
    def due(self) -> bool:
        """Tell whether it is time for a look."""
        rested = self._clock.link_s() - self._looked_s >= REST_S
        return rested and abs(self._clock.now() - self._looked) >= EVERY

    def write(self, ledger: Ledger, pen: Pen) -> list[ChainedEntry]:
        """Write everything that is due as one group. Raises `StoreFault`; then it is due again."""
        now = self._clock.now()
        began = first_wall(ledger.connection)
        written: list[ChainedEntry] = []
        if began is not None and self._believes(ledger, began, now):
            with ledger.group():
                drafts = holds_due(ledger.connection, self._ward, business_day(now))
                drafts += settled_drafts(ledger.connection, self._ward)
                drafts += heads_due(ledger.connection)
                written += _append(ledger, pen, drafts)
                for duty in self._duties:
                    written += self._duty(ledger, pen, duty, began, now)
        self._looked, self._looked_s = now, self._clock.link_s()
        for each in written:
            self._voice.say_counted("round", each.entry.kind, burst=20)
        return written

    def _believes(self, ledger: Ledger, began: Instant, now: Instant) -> bool:
        done = [at for duty in self._duties if (at := last_due(ledger.connection, duty)) is not None]
        central = self.central_now()
        believed = believable(now, max(done, default=began), central)
        if not believed:
            told = "" if central is None else f", central says {to_iso(central)}"
            text = f"the date {to_iso(now)} cannot be true{told}: nothing expires or is missed by it; set the clock"
            self._voice.say_counted("clock", text)
        return believed

    def _duty(self, ledger: Ledger, pen: Pen, duty: Duty, began: Instant, now: Instant) -> list[ChainedEntry]:
        connection = ledger.connection
        written: list[ChainedEntry] = []
        after = last_due(connection, duty) or began
        found = dues(plan_of(connection), duty, after, now)
        for due in found[-1:] if duty is Duty.DAY_END else found:
            done_at, refs = self._evidence(ledger, pen, due, now, written)
            state = judge(due, done_at, now)
            if not state:
                break  # the next of its kind waits for this one
            heard = self._covered(now - after) if duty is Duty.DAY_END else {}
            after = now
            body = DutyBody(duty.value, due.at, state, refs, heard=heard)
            written += _append(ledger, pen, [Draft("duty", write_body(body), DEVICE)])
        return written

    def _evidence(
        self, ledger: Ledger, pen: Pen, due: Due, now: Instant, written: list[ChainedEntry]
    ) -> tuple[Instant | None, tuple[str, ...]]:
        """Return when a duty was done and by which events, doing it now where the device can."""
        if due.duty is Duty.DAY_END:
            return now, ()
        if due.duty is Duty.SHIFT_END:
            told = _append(ledger, pen, unclaimed_drafts(ledger.connection, self._ward, due.at))
            written += told
            return due.at, tuple(each.entry.event_id.hex() for each in told)[:LINES_MAX]
        for at, event in closed_counts(ledger.connection, due.duty, due.at):
            if at < due.over:
                return at, (event,)
        if due.duty is not Duty.DAILY_CHECK or not self._seen() or now >= due.over:
            return None, ()
        checked = _append(ledger, pen, [self._check(ledger, due)])
        written += checked
        return now, (checked[0].entry.event_id.hex(),)

    def _check(self, ledger: Ledger, due: Due) -> Draft:
        """Return the daily check by readers: what the book has here and they do not see is counted zero."""
        gone = gone_units(ledger.connection, self._ward)[:LINES_MAX]
        lines = tuple(CountLine(item, 0, lot, unit=unit) for item, lot, unit in gone)
        sheet = f"{self._ward}.{business_day(due.at):%Y%m%d}.daily"
        body = CountBody(sheet, "close", self._ward, head_of(ledger.connection), lines=lines)
        return Draft("count_daily", write_body(body), DEVICE)


def _append(ledger: Ledger, pen: Pen, drafts: list[Draft]) -> list[ChainedEntry]:
    return ledger.append([pen.entry(draft) for draft in drafts]) if drafts else []
