"""`/events`: what changed, as it changes, by server-sent events.

It tells that something is another than before and which, never what is in it. The rule that must not be broken: a
stream ends when who listens may listen no more, and holds no thread while nothing happens.

Source: HTML Living Standard section 9.2 (the event stream format, Last-Event-ID).
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from central.api.door import Asks, token_of, who_asks
from central.api.one_hop import resource
from central.core.rights import Caller
from central.errors import CentralError
from central.services.changes import Change, Changes
from central.services.desk import Desk
from protocols.values.instant import to_iso

HEARTBEAT_S = 15.0
"""After so much silence a comment line is sent, and it is asked again who listens."""
RETRY_MS = 3000
ID_MAX = 64
STREAM = "text/event-stream"
STREAMED: dict[int | str, dict[str, Any]] = {
    200: {
        "description": (
            "Events named discrepancy, proposal, order or edge, each a JSON object of id, place, state and at; "
            "`missed` says that some are no longer kept: read the lists again"
        ),
        "content": {STREAM: {"schema": {"type": "string"}}},
    }
}
_ID = re.compile(r"([\w-]{1,48})\.(\d{1,15})")


def event_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("events")
    changes = Changes(desk.store, desk.hospital, desk.now, desk.entrance.draw()[:8])

    @router.get("/events", responses=STREAMED, response_class=StreamingResponse)
    def followed(
        caller: Asks, request: Request, last_event_id: Annotated[str, Header(max_length=ID_MAX)] = ""
    ) -> StreamingResponse:
        """Follow what changes in your storerooms; with Last-Event-ID, from there on."""
        changes.check_room()

        def still() -> Caller:
            return who_asks(request, token_of(request.headers))

        said = stream(changes, caller, _begin(changes, last_event_id), still)
        return StreamingResponse(said, media_type=STREAM, headers={"Cache-Control": "no-store"})

    return router


async def stream(
    changes: Changes, caller: Caller, begin: int | None, still: Callable[[], Caller], heartbeat_s: float = HEARTBEAT_S
) -> AsyncIterator[str]:
    """Give the lines of one listener's stream; `begin` None says that what was missed is not known."""
    woken, loop = asyncio.Event(), asyncio.get_running_loop()
    number = changes.count if begin is None else begin

    def wake() -> None:
        loop.call_soon_threadsafe(woken.set)

    with changes.listening(wake):
        yield f"retry: {RETRY_MS}\n" + (_missed(changes, number) if begin is None else "\n")
        while True:
            woken.clear()
            said, number = _since(changes, caller, number)
            if said:
                yield said
            if await _woken(woken, heartbeat_s):
                continue
            try:
                caller = await run_in_threadpool(still)
            except CentralError:
                return
            yield ":\n\n"


async def _woken(event: asyncio.Event, within_s: float) -> bool:
    try:
        await asyncio.wait_for(event.wait(), within_s)
    except TimeoutError:
        return False
    return True


def _since(changes: Changes, caller: Caller, number: int) -> tuple[str, int]:
    """Return what is to be told after a number, and the number then reached."""
    found, missed = changes.after(number)
    if missed:
        return _missed(changes, changes.count), changes.count
    told = "".join(_event(changes, one) for one in found if one.is_for(caller))
    return told, found[-1].number if found else number


def _begin(changes: Changes, last: str) -> int | None:
    """Return the number to go on from; None when a listener comes back whose numbers were another run's."""
    if not last:
        return changes.count
    found = _ID.fullmatch(last)
    return int(found[2]) if found is not None and found[1] == changes.boot else None


def _event(changes: Changes, one: Change) -> str:
    told = {"id": one.id, "place": one.place, "state": one.state, "at": to_iso(one.at)}
    data = json.dumps(told, ensure_ascii=False)
    return f"id: {changes.boot}.{one.number}\nevent: {one.subject}\ndata: {data}\n\n"


def _missed(changes: Changes, number: int) -> str:
    return f"id: {changes.boot}.{number}\nevent: missed\ndata: {{}}\n\n"
