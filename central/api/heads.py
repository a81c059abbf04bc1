"""HEAD is answered as GET would be, without the body; the rule that must not be broken: nothing follows the headers.

Source: RFC 9110 section 9.3.2.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _Told(Exception):
    """The headers of an answer were sent and more of it follows, which nobody will read."""


class Heads:
    """Let every address that answers GET answer HEAD."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on; a stream is ended behind its headers."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def without_body(message: Message) -> None:
            nonlocal ended
            if ended:
                raise _Told
            if message["type"] == "http.response.body":
                ended, message = True, {"type": "http.response.body", "body": b"", "more_body": False}
            await send(message)

        try:
            await self._app({**scope, "method": "GET"}, receive, without_body)
        except _Told:
            return
