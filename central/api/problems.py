"""Errors as RFC 9457 problem documents: one table from an error's type to its status.

No route builds an error by hand. The rule that must not be broken: an error of ours says nothing of our insides.
"""

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from central.errors import BadInput, CentralError, NotNow, NotReady, NotThere

MEDIA_TYPE = "application/problem+json"

STATUS_OF: dict[type[CentralError], HTTPStatus] = {
    BadInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotThere: HTTPStatus.NOT_FOUND,
    NotNow: HTTPStatus.CONFLICT,
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


def add_problems(app: FastAPI) -> None:
    """Make every error of an application a problem document."""

    def ours(_request: Request, error: Exception) -> JSONResponse:
        status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), None)
        if status is None:
            return answer(500, "the server met its own fault; its log says more")
        return answer(status, str(error))

    def framework(_request: Request, error: Exception) -> JSONResponse:
        if isinstance(error, HTTPException):
            return answer(error.status_code, f"expected another request: {error.detail}")
        return answer(500, "the server met its own fault; its log says more")

    def malformed(_request: Request, error: Exception) -> JSONResponse:
        faults = error.errors() if isinstance(error, RequestValidationError) else []
        return answer(422, "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults))

    app.add_exception_handler(CentralError, ours)
    app.add_exception_handler(HTTPException, framework)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(Exception, framework)
