"""What may be sent to the API at all: JSON, and of a size that a request of ours can have.

It stands before everything that reads. The rule that must not be broken: a body that is refused was not read whole.

Source: RFC 9110 sections 15.5.14 (413) and 15.5.16 (415).
"""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from central.api.problems import answer
from central.api.sayings import language_of
from central.links.bodies import TooLarge, bounded, told_length

BODY_MAX = 4 << 20
"""Bytes of a request: a thousand rows of the longest there are, several times over."""
KIND = "application/json"


class Bodies:
    """Refuse under a prefix what is too large and what says that it is no JSON."""

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app, self._prefix = app, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        kind = _foreign_kind(headers)
        try:
            if told_length(headers) > BODY_MAX:
                raise TooLarge(BODY_MAX)
            if kind is None:
                await self._app(scope, bounded(receive, BODY_MAX), send)
                return
            status, said = HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"expected Content-Type: {KIND}, got {kind!r:.80}"
        except TooLarge as error:
            status, said = HTTPStatus(error.status_code), f"expected {error.detail}, got more"
        await answer(status, said, language_of(headers))(scope, receive, send)


def _foreign_kind(headers: Headers) -> str | None:
    """Return what kind a request's body says it is; None where it is JSON, or where there is none."""
    if told_length(headers) == 0 and "transfer-encoding" not in headers:
        return None
    kind = headers.get("content-type", "")
    plain = kind.partition(";")[0].strip().lower()
    return None if plain == KIND or (plain.startswith("application/") and plain.endswith("+json")) else kind
