"""Requests that may come twice: a POST with an Idempotency-Key is done once, whatever the network does to its answer.

It stands before every route, so that none can forget it; what a key means is the service's to say. The rule that must
not be broken: an answer is repeated only to the person it was given to, who must still be let in.
"""

import hashlib
import re
from collections.abc import MutableMapping
from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from central.api.door import token_of, who_asks
from central.api.problems import problem_of
from central.api.sayings import language_of
from central.errors import BadInput, CentralError
from central.services.once import BODY_MAX, Answered, Once
from protocols.values.ids import ActorId

KEY_HEADER = "idempotency-key"
REPEATED_HEADER = "idempotency-replayed"
GIVES_A_SECRET = re.compile(r"/enrolments/[^/]+/tickets$")
"""Addresses whose answer is never kept anywhere."""


class Repeats:
    """Take every POST under a prefix that has a key through the service that does things once."""

    def __init__(self, app: ASGIApp, prefix: str, once: Once) -> None:
        self._app, self._prefix, self._once = app, prefix, once

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or repeat what it was answered the first time."""
        asked = scope["type"] == "http" and scope["method"] == "POST" and scope["path"].startswith(self._prefix)
        key = Headers(scope=scope).get(KEY_HEADER) if asked else None
        if key is None:
            await self._app(scope, receive, send)
            return
        try:
            person = await run_in_threadpool(_person, scope)
        except CentralError:
            await self._app(scope, receive, send)  # the route says why nobody is let in
            return
        try:
            body = await _read(receive)
            if GIVES_A_SECRET.search(scope["path"]):
                raise BadInput("Idempotency-Key: expected none here, for the answer is a secret that is not kept")
            said = await run_in_threadpool(self._once.begin, person, key, _fingerprint(scope, body))
        except CentralError as error:
            await problem_of(error, language_of(Headers(scope=scope)))(scope, receive, send)
            return
        if said is None:
            await self._do(scope, body, send, person, key)
            return
        repeated = Response(said.body, said.status, {REPEATED_HEADER: "true"}, said.media_type or None)
        await repeated(scope, receive, send)

    async def _do(self, scope: Scope, body: bytes, send: Send, person: ActorId, key: str) -> None:
        """Do a request for the first time, and keep what it was answered before that leaves the server."""
        held: list[Message] = []

        async def heard() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def hold(message: Message) -> None:
            held.append(message)

        try:
            await self._app(scope, heard, hold)
        except BaseException:
            await run_in_threadpool(self._once.free, person, key)
            raise
        answered = _answered(held)
        if answered is None:
            await run_in_threadpool(self._once.free, person, key)
        else:
            await run_in_threadpool(self._once.done, person, key, answered)
        for message in held:
            await send(message)


def _person(scope: MutableMapping[str, Any]) -> ActorId:
    """Return who sends a request. Raises `NotSignedIn`, `NotAllowed`."""
    return who_asks(Request(scope), token_of(Headers(scope=scope))).person


async def _read(receive: Receive) -> bytes:
    """Return a request's body, which `Bodies` bounds."""
    data, more = bytearray(), True
    while more:
        message = await receive()
        data += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(data)


def _fingerprint(scope: Scope, body: bytes) -> bytes:
    told = "\n".join((scope["method"], scope["path"], scope.get("query_string", b"").decode("latin-1"), ""))
    return hashlib.sha256(told.encode() + body).digest()


def _answered(held: list[Message]) -> Answered | None:
    """Return what is to be kept of an answer, None when nothing was made."""
    if not held or not 200 <= held[0]["status"] < 300:
        return None
    body = b"".join(one.get("body", b"") for one in held[1:])
    kind = Headers(raw=held[0]["headers"]).get("content-type", "")
    return Answered(held[0]["status"], kind, body if len(body) <= BODY_MAX else b"")
