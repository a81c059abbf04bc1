"""A request is answered in one piece of work on one thread: who asks, the route, and the bytes of its answer.

The framework would hand each of them to a thread of its own, one after the other, and look at an answer twice that was
made of its own form. It changes no route and no description. The rule that must not be broken: nothing of a route runs
before it is known who asks.
"""

import inspect
from collections.abc import Callable
from functools import wraps
from types import NoneType
from typing import Any, get_type_hints

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from pydantic import BaseModel

from central.api.description import PREFIX, operation_id
from central.api.door import Asks, token_of, who_asks

JSON = "application/json"


class OneHop(APIRoute):
    """A route that is answered in one hop, built once and where it stands."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:  # noqa: ANN401 # APIRoute's own
        if not inspect.iscoroutinefunction(endpoint):
            endpoint = _hopping(endpoint, options.get("response_model"), options.get("status_code"))
        super().__init__(path, endpoint, **options)


def resource(tag: str) -> APIRouter:
    """Return a router for a resource's routes, each at its full path and answered in one hop."""
    return APIRouter(prefix=PREFIX, tags=[tag], route_class=OneHop, generate_unique_id_function=operation_id)


def ready(told: object) -> Response:
    """Return an answer of plain values, for a list asked so often that its form is only described and not built."""
    return Response(msgspec.json.encode(told), media_type=JSON)


def _hopping(endpoint: Callable[..., Any], said: object, status: int | None) -> Callable[..., Any]:
    """Return an endpoint that takes the request where the route writes its caller, and answers in bytes."""
    told = inspect.signature(endpoint)
    hints = get_type_hints(endpoint, include_extras=True)
    gives = None if hints.get("return") is NoneType else hints.get("return", told.return_annotation)
    model = gives if isinstance(said, DefaultPlaceholder) else said
    callers = [name for name in told.parameters if hints.get(name) == Asks]
    requests = [name for name in told.parameters if hints.get(name) is Request]
    answers = [name for name in told.parameters if hints.get(name) is Response]
    asked = (requests or callers or [""])[0]
    hidden = callers if requests else callers[1:]

    @wraps(endpoint)
    def hop(**values: Any) -> Any:  # noqa: ANN401 # whatever the route takes and gives
        if callers:
            request = values[asked]
            caller = who_asks(request, token_of(request.headers))
            values |= dict.fromkeys(callers, caller)
        found = endpoint(**values)
        if type(found) is not model or not isinstance(found, BaseModel):
            return found
        return _answer(found, status, values[answers[0]] if answers else None)

    parameters = [
        one.replace(annotation=Request if name in callers else hints.get(name, one.annotation))
        for name, one in told.parameters.items()
        if name not in hidden
    ]
    hop.__signature__ = told.replace(  # type: ignore[attr-defined] # by which the framework reads what a route takes
        parameters=parameters, return_annotation=gives
    )
    return hop


def _answer(found: BaseModel, status: int | None, said: Response | None) -> Response:
    """Return an answer in bytes, with the headers and the status that its route said besides."""
    body = found.__pydantic_serializer__.to_json(found, by_alias=True)
    answer = Response(body, (said is not None and said.status_code) or status or 200, media_type=JSON)
    if said is not None:
        answer.raw_headers.extend(said.raw_headers)
    return answer
