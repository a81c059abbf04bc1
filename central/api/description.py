"""The description of the API (OpenAPI) as it really answers: names of operations, problems, keys, who is let in.

FastAPI writes what stands in the routes; what holds for every route is added here, once. The rule that must not be
broken: an answer that a request can get is declared for it.
"""

import re
from http import HTTPStatus
from typing import Any

from fastapi.routing import APIRoute

from central.api.door import FORM_WORD_HEADER
from central.api.problems import MEDIA_TYPE, Problem
from central.services.entrance import SESSION_COOKIE
from central.services.once import KEPT_S, KEY_MAX

PREFIX = "/api/v1"
REFUSALS = (401, 403, 404, 422, 429, 500, 503)
"""What any request may be answered."""
OF_CHANGES = (409, 412)
"""What a request that changes something may be answered besides."""
OF_BODIES = (413, 415)
"""What a request that has a body may be answered besides."""
OPEN = frozenset({f"{PREFIX}/health"})
"""Addresses that ask nobody who they are."""

_PROBLEM = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
_BYTES = {"type": "string", "format": "binary"}
_WAIT = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer"}}}
_ETAG = {"ETag": {"description": "Names this answer; for If-None-Match", "schema": {"type": "string"}}}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": f"Drawn for one request; sent again with it within {KEPT_S / 3600:g} h it gets the same answer",
    "schema": {"type": "string", "minLength": 1, "maxLength": KEY_MAX},
}
_NAME = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer one has; 304 while it is the same",
    "schema": {"type": "string"},
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "A token, made on the page of tokens"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": SESSION_COOKIE,
        "description": f"A browser's session; what changes something says the header {FORM_WORD_HEADER} too",
    },
}


def operation_id(route: APIRoute) -> str:
    """Return the name of an operation: its method and its path, such as `post_orders_by_order_no_receipts`."""
    path = re.sub(r"\{(\w+)(?::\w+)?\}", r"by_\1", route.path_format.removeprefix(PREFIX))
    return "_".join((min(route.methods or ()).lower(), *re.findall(r"\w+", path.replace("-", "_"))))


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Return FastAPI's document with what holds for every route."""
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    document["components"]["securitySchemes"] = SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe(operation, path, changes=method != "get")
    return document


def _describe(operation: dict[str, Any], path: str, *, changes: bool) -> None:
    answers, parameters = operation["responses"], operation.setdefault("parameters", [])
    refusals = (500, 503) if path in OPEN else (*REFUSALS, *(OF_CHANGES if changes else ()))
    for status in (*refusals, *(OF_BODIES if "requestBody" in operation else ())):
        answers.setdefault(str(status), {})
    for status, said in answers.items():
        if status >= "400":
            said |= {"description": HTTPStatus(int(status)).phrase, "content": _PROBLEM}
    for said in (one for status, one in answers.items() if status < "300"):
        for kind in said.get("content", {}).values():
            kind.setdefault("schema", _BYTES)
    for status in {"429", "503"} & answers.keys():
        answers[status]["headers"] = _WAIT
    if path not in OPEN:
        operation["security"] = [{"token": []}, {"session": []}]
    if changes:
        parameters.append(_KEY)
    elif "application/json" in answers.get("200", {}).get("content", {}):
        parameters.append(_NAME)
        answers["200"]["headers"] = _ETAG
        answers["304"] = {"description": "As the one named", "headers": _ETAG}
