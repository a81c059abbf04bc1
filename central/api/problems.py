"""Errors as RFC 9457 problem documents: one table from an error's type to its status.

No route builds an error by hand. The rule that must not be broken: an error of ours says nothing of our insides.
"""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from central.api.door import token_of, who_asks
from central.api.sayings import Language, language_of, told
from central.errors import (
    BadInput,
    CentralError,
    ChangedSince,
    NotAllowed,
    NotNow,
    NotReady,
    NotSignedIn,
    NotThere,
    TooMany,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

MEDIA_TYPE = "application/problem+json"
BROKEN = "the server met its own fault; its log says more"

STATUS_OF: dict[type[CentralError], HTTPStatus] = {
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotThere: HTTPStatus.NOT_FOUND,
    ChangedSince: HTTPStatus.PRECONDITION_FAILED,
    NotNow: HTTPStatus.CONFLICT,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The one table, narrower types first; whatever is not here is ours, 500."""

RETRY_S = 30
"""After how long a server that is not ready is worth another try."""


class Problem(BaseModel):
    """A problem document (RFC 9457 section 3): `type` is about:blank, so `title` is the status's.

    `title` and `detail` are in the language asked for by Accept-Language; `english` is what went wrong, exactly.
    """

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    english: str


def answer(status: int, said: str, language: Language = Language.EN) -> JSONResponse:
    """Return a problem document."""
    title, detail = told(status, said, language)
    problem = Problem(title=title, status=status, detail=detail, english=said)
    headers = {"Content-Language": language.value, "Vary": "Accept-Language"}
    return JSONResponse(problem.model_dump(), status_code=status, headers=headers, media_type=MEDIA_TYPE)


def problem_of(error: CentralError, language: Language) -> JSONResponse:
    """Return the problem document of an error of ours."""
    status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), None)
    if status is None:
        return answer(500, BROKEN, language)
    problem = answer(status, str(error), language)
    if status == HTTPStatus.UNAUTHORIZED:
        problem.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, TooMany | NotReady):
        problem.headers["Retry-After"] = str(error.wait_s if isinstance(error, TooMany) else RETRY_S)
    return problem


def add_problems(app: FastAPI, prefix: str) -> None:
    """Make every error of an application a problem document, and every other address under `prefix` one too.

    To be called after its routes: what none of them matches by path is 404, by method 405.
    """

    def ours(request: Request, error: Exception) -> JSONResponse:
        language = language_of(request.headers)
        return problem_of(error, language) if isinstance(error, CentralError) else answer(500, BROKEN, language)

    def framework(request: Request, error: Exception) -> JSONResponse:
        language = language_of(request.headers)
        if isinstance(error, HTTPException):
            problem = answer(error.status_code, f"expected another request: {error.detail}", language)
            problem.headers.update(error.headers or {})
            return problem
        return answer(500, BROKEN, language)

    def malformed(request: Request, error: Exception) -> JSONResponse:
        try:
            who_asks(request, token_of(request.headers))  # what was sent is looked at before that
        except CentralError as refusal:
            return ours(request, refusal)
        faults = error.errors() if isinstance(error, RequestValidationError) else []
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults)
        return answer(422, said, language_of(request.headers))

    def unwritable(request: Request, _error: Exception) -> JSONResponse:
        said = "expected text without the character NUL and numbers a store can hold, got others"
        return answer(422, said, language_of(request.headers))

    @app.api_route(f"{prefix}/{{rest:path}}", methods=list(METHODS), include_in_schema=False)
    def unknown(request: Request) -> JSONResponse:
        language, paths = language_of(request.headers), app.openapi()["paths"].items()
        met = [operations for path, operations in paths if compile_path(path)[0].match(request.url.path)]
        if not met:
            said = f"{prefix}/openapi.json names every address"
            return answer(404, f"expected an address of this API, got {request.url.path!r:.80}; {said}", language)
        methods = {method.upper() for operations in met for method in operations}
        allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
        problem = answer(405, f"expected {allowed}, got {request.method}; Method Not Allowed", language)
        problem.headers["Allow"] = allowed
        return problem

    app.add_exception_handler(CentralError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(DataError, unwritable)
    app.add_exception_handler(Exception, framework)
