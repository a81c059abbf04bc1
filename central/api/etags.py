"""Names of what was answered: an unchanged list crosses the network once, and a change says what it was decided on.

Every JSON answer to GET carries an ETag over its bytes; a request that names it is answered 304. A document with steps
says its version in front, `"v3.…"`: a change that carries If-Match is refused with 412 when another step was taken
since, compared in the transaction of the change itself (`Seen`). The rule that must not be broken: a version is only
ever read in the moment that the content beside it was.

Source: RFC 9110 sections 8.8.3, 13.1.1 and 13.1.2.
"""

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DIGITS = 32
TAG_MAX = 1000
"""Characters of If-Match and If-None-Match that are read; a browser sends one tag."""
NOT_ONE = -1
"""The version of a tag that is none of ours: no document has it."""

_VERSION = re.compile(r'\s*(?:W/)?"v(\d{1,9})(?:\.[0-9a-f]*)?"\s*')


async def _seen(
    if_match: Annotated[
        str, Header(max_length=TAG_MAX, description="The ETag the document was read with; 412 when it has changed")
    ] = "",
) -> int | None:
    if not if_match or if_match.strip() == "*":
        return None
    found = _VERSION.fullmatch(if_match)
    return NOT_ONE if found is None else int(found[1])


Seen = Annotated[int | None, Depends(_seen)]
"""What a route that changes a document writes: the version its caller saw, None when the caller does not say."""


def tell_version(response: Response, steps: int) -> None:
    """Say which version of a document an answer gives: the number of its steps."""
    response.headers["ETag"] = f'"v{steps}"'


class Etags:
    """Give answers to GET under a prefix their names, and 304 to who has them."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, holding its answer back until its name is known."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope).get("if-none-match", "")[:TAG_MAX]
        start: Message | None = None

        async def named(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                if not _is_whole_json(message):
                    await send(message)
                    return
                start = message
                return
            if start is None:
                await send(message)
                return
            began, start = start, None
            for one in _named(began, message, asked):
                await send(one)

        await self._app(scope, receive, named)


def _is_whole_json(start: Message) -> bool:
    """Tell whether an answer comes in one piece: a stream tells no length."""
    headers = Headers(raw=start["headers"])
    kind = headers.get("content-type", "")
    return start["status"] == 200 and "content-length" in headers and kind.startswith("application/json")


def _named(start: Message, content: Message, asked: str) -> tuple[Message, Message]:
    headers = MutableHeaders(raw=list(start["headers"]))
    version = headers.get("etag", "").strip('"')
    name = hashlib.sha256(content["body"]).hexdigest()[:DIGITS]
    tag = f'"{version}.{name}"' if version else f'"{name}"'
    headers["ETag"] = tag
    headers.setdefault("Cache-Control", "private, no-cache")
    if tag not in asked:
        return {**start, "headers": headers.raw}, content
    del headers["content-length"]
    del headers["content-type"]
    return {**start, "status": 304, "headers": headers.raw}, {**content, "body": b""}
