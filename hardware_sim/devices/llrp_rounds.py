"""The rounds of a simulated LLRP reader: its ROSpecs by number, what was heard and waits to be reported, and events.

It knows reader time and no bytes: what is to be said comes back as sayings, a message's name and its parameters, which
the reader encodes. While nobody listens, rounds are lost: the truth goes on without a listener. The rule that must not
be broken: the reports of a round come before the event that ends it.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from hardware_sim.devices.device import Heard, Inventory
from hardware_sim.devices.llrp_access import AccessSpecs
from hardware_sim.devices.llrp_answers import ROSPECS_MAX, SUCCESS, Answer, Saying, Settings, Status
from hardware_sim.devices.llrp_rospecs import (
    ACTIVE,
    DISABLED,
    INACTIVE,
    Ended,
    Listened,
    RoSpec,
    Started,
    Step,
    read_plan,
)
from hardware_sim.devices.tag_memory import TagMemory
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import name_of, nested, number_at, number_of
from protocols.values.instant import Instant

TAGS_A_REPORT_MAX = 500
"""Tags in one RO_ACCESS_REPORT: about 20 kB, as readers cut them."""

PENDING_TAGS_MAX = 10_000
"""Tags that wait for their report's trigger; when more wait, they are reported early."""


@dataclass(slots=True)
class Rounds:
    """`hear` says what antennas hear, `plugged` which are there, `tags` the memories of tags that can be written.

    `delivered(at, tags)` is told of every report. `listener` is whether somebody listens. A reader without a clock says
    its uptime since `booted`; one with a clock has None there.
    """

    hear: Inventory
    delivered: Callable[[Instant, int], None]
    tags: dict[str, TagMemory]
    settings: Settings
    plugged: dict[int, bool]
    access: AccessSpecs = field(default_factory=AccessSpecs)
    listener: bool = False
    booted: Instant | None = None
    _rospecs: dict[int, RoSpec] = field(default_factory=dict)
    _pending: dict[int, list[dict[str, Value]]] = field(default_factory=dict)

    # --- what the client asks of ROSpecs -----------------------------------------------------------------------------

    def add(self, params: Params, _now: Instant) -> Answer:
        """Take a new ROSpec, disabled."""
        rospec = nested(params, "ROSpec")
        plan = read_plan(rospec)
        if isinstance(plan, str):
            return Answer(("M_UnsupportedParameter", f"this reader does not do {plan}"))
        if plan.rospec_id == 0 or plan.rospec_id in self._rospecs:
            return Answer(("M_ParameterError", f"expected a new ROSpec id above 0, got {plan.rospec_id}"))
        if number_at(rospec, "CurrentState") != DISABLED:
            return Answer(("M_ParameterError", "expected a ROSpec whose state is Disabled"))
        if len(self._rospecs) >= ROSPECS_MAX:
            return Answer(("M_OverflowParameter", f"expected at most {ROSPECS_MAX} ROSpecs"))
        if any(antenna > len(self.plugged) for each in plan.inventories for antenna in each.antennas):
            return Answer(("M_ParameterError", f"expected antennas of 0..{len(self.plugged)}"))
        self._rospecs[plan.rospec_id] = RoSpec(rospec, plan)
        return Answer()

    def tell(self, _params: Params, _now: Instant) -> Answer:
        """Show the ROSpecs."""
        return Answer(extra={"ROSpec": [each.shown() for each in self._rospecs.values()]} if self._rospecs else {})

    def delete(self, params: Params, now: Instant) -> Answer:
        """Forget one, or all with 0; an active one ends first."""
        status, chosen = self._choose(params, (DISABLED, INACTIVE, ACTIVE), zero_is_all=True)
        after = [said for each in chosen for said in self._play(each.disable(now))]
        for each in chosen:
            del self._rospecs[each.plan.rospec_id]
            self._pending.pop(each.plan.rospec_id, None)
        return Answer(status, after=after)

    def enable(self, params: Params, now: Instant) -> Answer:
        """Let one, or all with 0, wait for their start."""
        status, chosen = self._choose(params, (DISABLED,), zero_is_all=True)
        for each in chosen:
            each.enable(now)
        return Answer(status)

    def disable(self, params: Params, now: Instant) -> Answer:
        """Stop one, or all with 0, from starting."""
        status, chosen = self._choose(params, (DISABLED, INACTIVE, ACTIVE), zero_is_all=True)
        return Answer(status, after=[said for each in chosen for said in self._play(each.disable(now))])

    def start(self, params: Params, now: Instant) -> Answer:
        """Start one."""
        status, chosen = self._choose(params, (INACTIVE,), zero_is_all=False)
        return Answer(status, after=self._play([each.start(now) for each in chosen]))

    def stop(self, params: Params, now: Instant) -> Answer:
        """Stop one."""
        status, chosen = self._choose(params, (ACTIVE,), zero_is_all=False)
        return Answer(status, after=[said for each in chosen for said in self._play(each.stop(now))])

    def _choose(self, params: Params, states: tuple[int, ...], *, zero_is_all: bool) -> tuple[Status, list[RoSpec]]:
        """Return the ROSpecs a command names, or why it may not be done to them."""
        wanted = number_at(params, "ROSpecID") or 0
        if wanted == 0 and zero_is_all:
            return SUCCESS, [each for each in self._rospecs.values() if each.state in states]
        if wanted not in self._rospecs:
            return ("M_FieldError", f"there is no ROSpec {wanted}"), []
        rospec = self._rospecs[wanted]
        if rospec.state not in states:
            return ("M_FieldError", f"ROSpec {wanted} is {name_of('ROSpecState', rospec.state)}"), []
        return SUCCESS, [rospec]

    # --- rounds ------------------------------------------------------------------------------------------------------

    def clear(self) -> None:
        """Forget every ROSpec and AccessSpec, and what waits."""
        self.access.clear()
        self._rospecs.clear()
        self._pending.clear()

    def lose_reports(self) -> None:
        """Forget what was heard and not reported."""
        self._pending.clear()

    def due(self) -> Instant | None:
        """Return when a round begins or ends next."""
        return min((due for each in self._rospecs.values() if (due := each.due()) is not None), default=None)

    def advance(self, now: Instant) -> list[Saying]:
        """Do what fell due."""
        return [said for each in tuple(self._rospecs.values()) for said in self._play(each.advance(now))]

    def contact(self, port: int, now: Instant, *, high: bool) -> list[Saying]:
        """Take a change of an input: ROSpecs that wait for it start or stop."""
        return [
            said for each in tuple(self._rospecs.values()) for said in self._play(each.contact(port, now, high=high))
        ]

    def report_all(self, now: Instant) -> list[Saying]:
        """Report everything that waits."""
        return [said for pending in self._pending.values() for said in self._hand_out(pending, now)]

    def event(self, kind: str, at: Instant, params: Params) -> list[Saying]:
        """Tell of an event, if the client asked for its kind and listens."""
        wanted = self.settings.events.get(number_of("NotificationEventType", kind), False)
        return [self.notice(at, params)] if wanted and self.listener else []

    def notice(self, at: Instant, params: Params) -> Saying:
        """Tell of an event, whether wanted or not."""
        stamp: Params = {"UTCTimestamp": at} if self.booted is None else {"Uptime": at - self.booted}
        return "READER_EVENT_NOTIFICATION", {"ReaderEventNotificationData": {**stamp, **params}}

    def _play(self, steps: Iterable[Step]) -> list[Saying]:
        """Say what happened, in order; ask what was heard only where somebody listens."""
        out: list[Saying] = []
        for step in steps:
            if not self.listener:
                continue
            match step:
                case Started():
                    out += self._rospec_event("Start_Of_ROSpec", step.rospec_id, step.at)
                case Listened():
                    out += self._listen(step)
                case Ended():
                    out += self._flush(step.rospec_id, step.at)
                    out += self._rospec_event("End_Of_ROSpec", step.rospec_id, step.at)
        return out

    def _listen(self, step: Listened) -> list[Saying]:
        named = self.plugged if 0 in step.antennas else step.antennas
        alive = tuple(each for each in named if self.plugged.get(each, False))
        spec = self._report_spec(step.rospec_id)
        selector = nested(spec, "TagReportContentSelector")
        pending = self._pending.setdefault(step.rospec_id, [])
        pending += [self._report_tag(heard, step, selector) for heard in self.hear(step.at, alive)]
        out = self._flush(step.rospec_id, step.at, whole=number_at(spec, "N") or PENDING_TAGS_MAX)
        if not step.ends_aispec:
            return out
        if (number_at(spec, "ROReportTrigger") or 0) % 2:
            out += self._flush(step.rospec_id, step.at)
        event = {"EventType": 0, "ROSpecID": step.rospec_id, "SpecIndex": step.spec_index}
        return out + self.event("AISpec_Event", step.at, {"AISpecEvent": event})

    def _rospec_event(self, name: str, rospec_id: int, at: Instant) -> list[Saying]:
        event = {"EventType": number_of("ROSpecEventType", name), "ROSpecID": rospec_id, "PreemptingROSpecID": 0}
        return self.event("ROSpec_Event", at, {"ROSpecEvent": event})

    # --- reports -----------------------------------------------------------------------------------------------------

    def _report_spec(self, rospec_id: int) -> Params:
        return nested(self._rospecs[rospec_id].params, "ROReportSpec") or self.settings.report_spec

    def _report_tag(self, heard: Heard, step: Listened, selector: Params) -> dict[str, Value]:
        """Return one tag's report; a tag with a memory says its EPC itself, and may be read and written."""
        memory = self.tags.get(heard[0])
        if memory is None:
            return _tag_report(heard, step, selector, self.booted)
        row = _tag_report((memory.epc, *heard[1:]), step, selector, self.booted)
        return row | self.access.act(memory, step.rospec_id, heard[1])

    def _flush(self, rospec_id: int, at: Instant, *, whole: int = 0) -> list[Saying]:
        """Report what waits: all, or only whole parts of so many tags. With trigger `None` it waits for GET_REPORT."""
        pending = self._pending.get(rospec_id, [])
        if number_at(self._report_spec(rospec_id), "ROReportTrigger") == 0:
            del pending[:-PENDING_TAGS_MAX]
            return []
        return self._hand_out(pending, at, whole=whole)

    def _hand_out(self, pending: list[dict[str, Value]], at: Instant, *, whole: int = 0) -> list[Saying]:
        out: list[Saying] = []
        size = min(whole or TAGS_A_REPORT_MAX, TAGS_A_REPORT_MAX)
        while len(pending) >= max(whole, 1):
            out.append(("RO_ACCESS_REPORT", {"TagReportData": pending[:size]}))
            self.delivered(at, len(pending[:size]))
            del pending[:size]
        return out


def _tag_report(heard: Heard, step: Listened, selector: Params, booted: Instant | None) -> dict[str, Value]:
    """Return one TagReportData with what the content selector asks for."""
    code, antenna, rssi_dbm, count = heard
    row: dict[str, Value] = {"EPC_96" if len(code) == 24 else "EPCData": code}
    kind, origin = ("UTC", 0) if booted is None else ("Uptime", booted)
    offered: tuple[tuple[str, str, int], ...] = (
        ("EnableROSpecID", "ROSpecID", step.rospec_id),
        ("EnableSpecIndex", "SpecIndex", step.spec_index),
        ("EnableInventoryParameterSpecID", "InventoryParameterSpecID", 1),
        ("EnableAntennaID", "AntennaID", antenna),
        ("EnablePeakRSSI", "PeakRSSI", rssi_dbm),
        ("EnableChannelIndex", "ChannelIndex", 1),
        ("EnableFirstSeenTimestamp", f"FirstSeenTimestamp{kind}", max(0, step.since - origin)),
        ("EnableLastSeenTimestamp", f"LastSeenTimestamp{kind}", step.at - origin),
        ("EnableTagSeenCount", "TagSeenCount", min(count, 0xFFFF)),
    )
    row.update({name: value for flag, name, value in offered if selector.get(flag)})
    return row
