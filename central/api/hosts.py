"""The names a server is called by: a request for another is refused, so that no other site's name leads here.

It knows no name itself. The rule that must not be broken: under a foreign name nothing is read of the store, nor of
who asks; only what every browser may have, `/static/`, is given, for the page that says so is drawn with it.

Source: RFC 9110 sections 7.2 (Host) and 15.5.20 (421).
"""

from collections.abc import Callable, Iterable
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from central.api.description import PREFIX
from central.api.problems import answer
from central.api.sayings import language_of

STATIC = "/static/"


class Hosts:
    """Refuse what is asked of another name: under the API with a problem document, elsewhere with a page."""

    def __init__(self, app: ASGIApp, names: Iterable[str], page: Callable[[Request], Response]) -> None:
        self._app, self._names, self._page = app, frozenset(name.lower() for name in names), page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http" or scope["path"].startswith(STATIC):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        said = headers.get("host", "")
        if name_of(said) in self._names:
            await self._app(scope, receive, send)
            return
        if scope["path"].startswith(PREFIX):
            told = f"expected a name of this server ([http] names in central.toml), got {said!r:.80}"
            refusal: Response = answer(HTTPStatus.MISDIRECTED_REQUEST, told, language_of(headers))
        else:
            refusal = self._page(Request(scope))
        await refusal(scope, receive, send)


def name_of(host: str) -> str:
    """Return the name in a Host header, without its port and without the brackets of an IPv6 address."""
    name = host.strip().lower()
    return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]
