"""What somebody must hear at once: a vital item at zero, a recall, an emergency whose clock is over. Pure.

An alarm is opened when its matter begins, acknowledged by somebody who takes it, and closed by somebody or by itself
when the matter ends. The rules that must not be broken: one alarm a matter, however often it is looked at; one that was
closed by a person is not opened again while its matter still stands.

Sources: G1, G2 (S0, S4), E4; recalls, requirement "lot reach".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from central.core.rights import Right
from central.errors import NotNow


class AlarmKind(StrEnum):
    """What an alarm is about."""

    VITAL_ZERO = "vital-zero"
    RECALL = "recall"
    EMERGENCY_LATE = "emergency-late"


class AlarmState(StrEnum):
    """Where an alarm stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class AlarmStep(StrEnum):
    """What a person does with one."""

    ACKNOWLEDGE = "acknowledge"
    CLOSE = "close"


ALARM_STEPS: Mapping[tuple[AlarmState, AlarmStep], AlarmState] = MappingProxyType(
    {
        (AlarmState.OPEN, AlarmStep.ACKNOWLEDGE): AlarmState.ACKNOWLEDGED,
        (AlarmState.OPEN, AlarmStep.CLOSE): AlarmState.CLOSED,
        (AlarmState.ACKNOWLEDGED, AlarmStep.CLOSE): AlarmState.CLOSED,
    }
)
"""What is admitted; closed is the end."""

TELLS: Mapping[AlarmKind, Right] = MappingProxyType(
    {
        AlarmKind.VITAL_ZERO: Right.SETTLE,
        AlarmKind.RECALL: Right.SETTLE,
        AlarmKind.EMERGENCY_LATE: Right.PURCHASE,
    }
)
"""Who is told at once, and may acknowledge and close it."""

SAID: Mapping[AlarmKind, tuple[str, str]] = MappingProxyType(
    {
        AlarmKind.VITAL_ZERO: ("急救物资为零：{item} · {place}", "vital item at zero: {item} · {place}"),
        AlarmKind.RECALL: ("批号召回：{item} · {lot}", "lot recalled: {item} · {lot}"),
        AlarmKind.EMERGENCY_LATE: ("应急时限已过：{subject} {item}", "emergency clock over: {subject} {item}"),
    }
)
"""What is said of one in Chinese and English."""


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that stands now and must be heard: `subject` tells it apart from others of its kind."""

    kind: AlarmKind
    subject: str
    place: str = ""
    item: str = ""
    lot: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What one alarm is kept for."""
        return self.kind.value, self.subject


def alarm_after(state: AlarmState, step: AlarmStep) -> AlarmState:
    """Return the state after a step. Raises `NotNow` naming both when the table does not admit it."""
    after = ALARM_STEPS.get((state, step))
    if after is None:
        raise NotNow(f"alarm: cannot {step} one that is {state}; reload the page")
    return after
