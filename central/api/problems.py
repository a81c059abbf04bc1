"""Errors as RFC 9457 problem documents: one table from an error's type to its status.

No route builds an error by hand. The rule that must not be broken: an error of ours says nothing of our insides.
"""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from central.errors import BadInput, CentralError, NotAllowed, NotNow, NotReady, NotSignedIn, NotThere, TooMany

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[type[CentralError], HTTPStatus] = {
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotThere: HTTPStatus.NOT_FOUND,
    NotNow: HTTPStatus.CONFLICT,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    NotAllowed: HTTPStatus.FORBIDDEN,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The one table; whatever is not here is ours, 500."""


class Problem(BaseModel):
    """A problem document (RFC 9457 section 3): `type` is about:blank, so `title` is the status's."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str


def answer(status: int, detail: str) -> JSONResponse:
    """Return a problem document."""
    problem = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail)
    return JSONResponse(problem.model_dump(), status_code=status, media_type=MEDIA_TYPE)


def tell_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI document in which every error is declared as it is answered: a problem document."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    declared = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    for status, said in (answer for operation in operations for answer in operation["responses"].items()):
        if status >= "400":
            said |= {"description": HTTPStatus(int(status)).phrase, "content": declared}
    return document


def add_problems(app: FastAPI, prefix: str) -> None:
    """Make every error of an application a problem document, and every other address under `prefix` one too.

    To be called after its routes: what none of them matches by path is 404, by method 405.
    """

    def ours(_request: Request, error: Exception) -> JSONResponse:
        status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), None)
        if status is None:
            return answer(500, "the server met its own fault; its log says more")
        told = answer(status, str(error))
        if status == HTTPStatus.UNAUTHORIZED:
            told.headers["WWW-Authenticate"] = "Bearer"
        return told

    def framework(_request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, HTTPException):
            return answer(error.status_code, f"expected another request: {error.detail}")
        return answer(500, "the server met its own fault; its log says more")

    def malformed(_request: Request, error: Exception) -> JSONResponse:
        faults = error.errors() if isinstance(error, RequestValidationError) else []
        return answer(422, "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults))

    @app.api_route(f"{prefix}/{{rest:path}}", methods=list(METHODS), include_in_schema=False)
    def unknown(request: Request) -> JSONResponse:
        paths = app.openapi()["paths"].items()
        met = [operations for path, operations in paths if compile_path(path)[0].match(request.url.path)]
        if not met:
            said = f"{prefix}/openapi.json names every address"
            return answer(404, f"expected an address of this API, got {request.url.path!r:.80}; {said}")
        allowed = ", ".join(sorted(method.upper() for operations in met for method in operations))
        problem = answer(405, f"expected {allowed}, got {request.method}; Method Not Allowed")
        problem.headers["Allow"] = allowed
        return problem

    app.add_exception_handler(CentralError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(Exception, framework)
