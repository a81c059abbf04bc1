"""Requests that only read are answered straight: found by their address at once, their values read by a plan.

The framework looks at its routes one after the other, and works out anew for each request what its route takes; that
costs more than most answers. It stays the one that describes routes and that says what is wrong with a request: what
does not fit a plan goes its way, and so does every change. The rule that must not be broken: a request that is answered
straight is answered as the framework would answer it.
"""

from asyncio import get_running_loop
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from inspect import iscoroutinefunction, signature
from re import Pattern
from typing import Any
from urllib.parse import parse_qsl

from fastapi import FastAPI
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount
from starlette.types import ASGIApp, Receive, Scope, Send

METHOD = "GET"
THREADS = 24
"""Requests that are worked on at once: fewer than the store has connections, so that none waits for another's."""
PLAIN = (str, int, float, bool, type(None))
"""Kinds of a value that is taken where a request says none: no two requests can spoil one for each other."""
TAKEN = "wardstock.taken"
"""Under which what was read of a request is handed on, in its scope."""

Values = dict[str, Any]


class Misfit(Exception):
    """A request, or a route, that is the framework's to answer."""


def answer_straight(app: FastAPI, prefix: str = "") -> None:
    """Let an application answer requests that read straight; to be called after its last route.

    All addresses that matter stand under `prefix`, by whose next word they are found.
    """
    app.router.routes.insert(0, Straight(iter_route_contexts(app.routes), prefix))


class Beside(Mount):
    """An application that answers every address but those under a prefix, before any of these is looked at."""

    def __init__(self, prefix: str, app: ASGIApp) -> None:
        super().__init__("/", app)
        self._not = f"{prefix}/"

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is for it."""
        return (Match.NONE, {}) if scope.get("path", "").startswith(self._not) else super().matches(scope)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a route takes of a request, or something that it depends on takes: fields of its path, query and headers."""

    call: Callable[..., Any]
    path: tuple[ModelField, ...]
    query: tuple[ModelField, ...]
    headers: tuple[ModelField, ...]
    request: str | None
    response: str | None
    parts: tuple[tuple[str, "Plan"], ...]

    def read(self, said: Mapping[str, Any], asked: Mapping[str, str], headers: Headers) -> "Taken":
        """Return what a request says for it. Raises `Misfit`."""
        values = {field.name: _read(field, said) for field in self.path}
        values |= {field.name: _read(field, asked) for field in self.query}
        values |= {field.name: _read(field, headers) for field in self.headers}
        return Taken(self, values, tuple((name, part.read(said, asked, headers)) for name, part in self.parts))


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read of a request for a plan, and for each of its parts."""

    plan: Plan
    values: Values
    parts: tuple[tuple[str, "Taken"], ...]

    async def whole(self, request: Request) -> Values:
        """Return all values, with what the parts come to."""
        values, plan = self.values, self.plan
        if plan.request is not None:
            values[plan.request] = request
        if plan.response is not None:
            values[plan.response] = _unsaid()
        for name, part in self.parts:
            values[name] = await part.plan.call(**await part.whole(request))
        return values


@dataclass(frozen=True, slots=True)
class Address:
    """The address of a route that answers to reading; without a plan, it is the framework's."""

    pattern: Pattern[str]
    convert: Mapping[str, Callable[[str], Any]]
    plan: Plan | None


class Straight(BaseRoute):
    """All that an application answers straight, as one route that stands before the others."""

    def __init__(self, routes: Iterable[RouteContext], prefix: str) -> None:
        self._word = prefix.count("/") + 1
        self._threads = ThreadPoolExecutor(THREADS, "answer")
        self._found: defaultdict[str, list[Address]] = defaultdict(list)
        for route in routes:
            if METHOD not in (route.methods or {METHOD}) or not route.path_format:
                continue
            convert = {name: one.convert for name, one in route.param_convertors.items()}
            self._found[self._head(route.path_format)].append(Address(route.path_regex, convert, plan_of(route)))

    def _head(self, path: str) -> str:
        words = path.split("/", self._word + 1)
        return words[self._word] if len(words) > self._word else ""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Tell whether a request is answered straight."""
        if scope["type"] != "http" or scope["method"] != METHOD:
            return Match.NONE, {}
        path: str = scope["path"]
        tried = ((one, one.pattern.match(path)) for one in self._found.get(self._head(path), ()))
        address, fits = next((found for found in tried if found[1] is not None), (None, None))
        if address is None or fits is None or address.plan is None:
            return Match.NONE, {}
        said = {name: address.convert[name](value) for name, value in fits.groupdict().items()}
        asked = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        try:
            taken = address.plan.read(said, asked, Headers(scope=scope))
        except Misfit:
            return Match.NONE, {}
        return Match.FULL, {"endpoint": address.plan.call, "path_params": said, TAKEN: taken}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        taken: Taken = scope[TAKEN]
        work = partial(taken.plan.call, **await taken.whole(Request(scope, receive)))
        answer = await get_running_loop().run_in_executor(self._threads, work)
        if not isinstance(answer, Response):
            raise TypeError(f"{taken.plan.call}: expected an answer in bytes, got {type(answer)}")
        await answer(scope, receive, send)


def plan_of(route: RouteContext) -> Plan | None:
    """Return the plan of a route, None where it is the framework's to answer."""
    if not isinstance(route.original_route, APIRoute) or route.methods != {METHOD} or route.dependencies:
        return None
    told = signature(route.dependant.call).return_annotation
    if not isinstance(told, type) or not issubclass(told, Response | BaseModel):
        return None
    return None if iscoroutinefunction(route.dependant.call) else _plan(route.dependant)


def _plan(takes: Dependant) -> Plan | None:
    """Return the plan of a route or of what it depends on; None where it takes what is not read here."""
    beyond = (takes.body_params, takes.cookie_params, takes.websocket_param_name, takes.http_connection_param_name)
    further = (takes.background_tasks_param_name, takes.security_scopes_param_name, takes.concurrency)
    fields = (*takes.path_params, *takes.query_params, *takes.header_params)
    if any((*beyond, *further)) or takes.call is None or not all(map(_is_plain, fields)):
        return None
    parts = [(one.name, _plan(one)) for one in takes.dependencies if iscoroutinefunction(one.call)]
    known = tuple((name, part) for name, part in parts if name is not None and part is not None)
    if len(known) != len(takes.dependencies):
        return None
    named = (tuple(takes.path_params), tuple(takes.query_params), tuple(takes.header_params))
    return Plan(takes.call, *named, takes.request_param_name, takes.response_param_name, known)


def _is_plain(field: ModelField) -> bool:
    """Tell whether a field is one value of its own name, and not a list or a form of several."""
    info, default = field.field_info, field.default
    kind = info.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel | list | tuple | set | frozenset):
        return False
    known = info.is_required() or isinstance(default, PLAIN)
    return known and not info.validate_default and info.validation_alias in {None, field.alias}


def _read(field: ModelField, said: Mapping[str, Any]) -> object:
    """Return a field's value. Raises `Misfit` where the framework has something to say."""
    value = said.get(field.alias)
    if value is None:
        if field.field_info.is_required():
            raise Misfit(field.alias)
        return field.default
    read, wrong = field.validate(value)
    if wrong:
        raise Misfit(field.alias)
    return read


def _unsaid() -> Response:
    """Return what a route writes its headers on; its status is the route's own until it says another."""
    answer = Response()
    del answer.headers["content-length"]
    answer.status_code = None  # type: ignore[assignment] # as the framework hands it on
    return answer
