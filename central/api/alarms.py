"""`/alarms`: what had to be heard at once, who took it, and the steps by which it is taken and closed."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.etags import Seen, tell_version
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.alarms import AlarmStep
from central.services.alarms import WORDS_MAX, Alarms
from central.services.desk import Desk
from central.store.queries_alarms import Alarm
from protocols.values.instant import Instant, to_iso

REFUSED: dict[int | str, dict[str, object]] = {
    403: {"model": Problem}, 404: {"model": Problem}, 409: {"model": Problem}, 412: {"model": Problem},
}  # fmt: skip


class AlarmOut(BaseModel):
    """One alarm: `kind` vital-zero, recall or emergency-late; `subject` tells its matter apart from others.

    `over_at` is null while the matter stands; one closed by `alarms` was closed when it ended.
    """

    alarm: str
    kind: str
    subject: str
    place: str
    item: str
    lot: str
    state: str
    raised_at: str
    acknowledged_at: str | None
    acknowledged_by: str
    closed_at: str | None
    closed_by: str
    words: str
    over_at: str | None


class AlarmsOut(Listed):
    """Alarms, the newest first."""

    items: list[AlarmOut]


class WordsIn(BaseModel):
    """What was done; needed to close."""

    words: str = Field(default="", max_length=WORDS_MAX)


def alarm_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("alarms")
    kept = Alarms(desk.master.documents)

    @router.get("/alarms")
    def listed(
        caller: Asks,
        page: Paged,
        state: Annotated[Literal["open", "acknowledged", "closed", "all"], Query()] = "open",
    ) -> AlarmsOut:
        """List alarms of the storerooms you may see."""
        found = kept.page(caller, page.asked, "" if state == "all" else state)
        return AlarmsOut(items=[_alarm(one) for one in found.items], next=page.next(found))

    @router.get("/alarms/{alarm}", responses=REFUSED)
    def told(caller: Asks, response: Response, alarm: str) -> AlarmOut:
        """Tell one alarm; its version is the number of steps it took."""
        found = kept.one(caller, alarm)
        tell_version(response, found.version)
        return _alarm(found)

    @router.post("/alarms/{alarm}/steps/{step}", responses=REFUSED)
    def stepped(caller: Asks, seen: Seen, alarm: str, step: Literal["acknowledge", "close"], body: WordsIn) -> AlarmOut:
        """Take an alarm, so that nobody is told of it again, or close it and say what was done."""
        return _alarm(kept.step(caller, alarm, AlarmStep(step), body.words, seen))

    return router


def _alarm(one: Alarm) -> AlarmOut:
    def at(value: Instant | None) -> str | None:
        return None if value is None else to_iso(value)

    return AlarmOut(
        alarm=one.alarm, kind=one.kind, subject=one.subject, place=one.place, item=one.item, lot=one.lot,
        state=one.state, raised_at=to_iso(one.raised_at), acknowledged_at=at(one.acknowledged_at),
        acknowledged_by=one.acknowledged_by, closed_at=at(one.closed_at), closed_by=one.closed_by, words=one.words,
        over_at=at(one.over_at),
    )  # fmt: skip
