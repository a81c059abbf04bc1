"""The pages shown when something was refused or broke: each says what it was, what was not done, and what to do next.

It decides nothing. The rules that must not be broken: no traceback reaches a reader; and a page for a fault of ours
asks the store nothing, for the store may be what broke.
"""

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from central.errors import (
    BadInput,
    CentralError,
    CodesNeeded,
    NotAllowed,
    NotNow,
    NotReady,
    NotSignedIn,
    NotThere,
    TooMany,
)
from central.links.bodies import bounded, told_length
from central.links.workbooks import FILE_BYTES_MAX
from central.services.entrance import SESSION_COOKIE
from central.web.account import CODES
from central.web.entrance import SIGN_IN
from central.web.porter import Porter
from central.web.render import Renderer, Visit, asked_of, language_of
from protocols.values.instant import Instant

PATH_API = "/api/"
BODY_MAX = FILE_BYTES_MAX + (1 << 20)
"""Bytes one form may send: the largest file there is, and the form around it."""
SERVER_ERROR = 500

STATUS_OF: dict[type[CentralError], int] = {
    BadInput: 400,
    NotAllowed: 403,
    NotThere: 404,
    NotNow: 409,
    TooMany: 429,
    NotReady: 503,
}
"""The one table from an error's type to a page's status; whatever is not here is ours, 500."""


def add_faults(pages: FastAPI, renderer: Renderer, porter: Porter, now: Callable[[], Instant]) -> None:
    """Let every error be answered by a page, with the time of the clock that every other page tells."""

    def answer(request: Request, status: int, cause: str = "") -> Response:
        if request.url.path.startswith(PATH_API):
            return _problem(status)
        ours = status >= SERVER_ERROR or status == HTTPStatus.MISDIRECTED_REQUEST
        visit = (
            Visit(language_of(request), path=request.url.path, asked=asked_of(request))
            if ours
            else porter.visit(request, without_codes=True)
        )
        return renderer.page(
            "error.html.j2", visit, status, code=status, cause=cause, back=_back(request), at=now(),
            mb_max=FILE_BYTES_MAX >> 20,
        )  # fmt: skip

    def to_sign_in(request: Request, _error: Exception) -> Response:
        over = "failed=over&" if SESSION_COOKIE in request.cookies else ""
        wanted = _back(request) or "/"
        if request.method == "GET":
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{SIGN_IN}?{over}next={quote(wanted, safe='')}", 303)

    def to_codes(_request: Request, _error: Exception) -> Response:
        return RedirectResponse(CODES, 303)

    def refused(request: Request, error: Exception) -> Response:
        status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), SERVER_ERROR)
        return answer(request, status, "right" if isinstance(error, NotAllowed) else "")

    def http(request: Request, error: Exception) -> Response:
        return answer(request, error.status_code if isinstance(error, HTTPException) else SERVER_ERROR)

    def malformed(request: Request, _error: Exception) -> Response:
        return answer(request, 400)

    def broken(request: Request, _error: Exception) -> Response:
        return answer(request, SERVER_ERROR)

    pages.state.misdirected = lambda request: answer(request, HTTPStatus.MISDIRECTED_REQUEST)
    pages.add_exception_handler(CodesNeeded, to_codes)
    pages.add_exception_handler(NotSignedIn, to_sign_in)
    pages.add_exception_handler(CentralError, refused)
    pages.add_exception_handler(HTTPException, http)
    pages.add_exception_handler(RequestValidationError, malformed)
    pages.add_exception_handler(DataError, malformed)  # text with a NUL, a number beyond 64 bits
    pages.add_exception_handler(Exception, broken)
    pages.add_middleware(BodyBound, answer=lambda request: answer(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))


class BodyBound:
    """Refuses a form that says it is larger than any may be before a byte of it is read, others where they prove so."""

    def __init__(self, app: ASGIApp, answer: Callable[[Request], Response]) -> None:
        self._app, self._answer = app, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif told_length(Headers(scope=scope)) > BODY_MAX:
            await self._answer(Request(scope))(scope, receive, send)
        else:
            await self._app(scope, bounded(receive, BODY_MAX), send)


def _back(request: Request) -> str:
    """Return the page of ours a request was sent from, empty where none is told."""
    told = urlsplit(request.headers.get("referer", ""))
    if not told.path or told.netloc != request.headers.get("host") or told.path.startswith("//"):
        return ""
    return told.path + (f"?{told.query}" if told.query else "")


def _problem(status: int) -> Response:
    """Return a problem document (RFC 9457) for an address under the API that the API does not know."""
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "expected an address and method of the API; its OpenAPI document lists them",
    }
    return JSONResponse(problem, status, media_type="application/problem+json")
