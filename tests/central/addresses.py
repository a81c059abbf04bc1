"""Every address of the API and of the pages, and a request to each that is well-formed: names of the town in its place.

A body is the least that an address's own description admits; what it names exists, so that what answers is the rule
about who may, not the rule about how to write.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from httpx import Response
from starlette.routing import Mount
from starlette.testclient import TestClient

from central.services.secrets_kept import form_word
from tests.central.town import Town

API = "/api/v1"
NO_END = f"{API}/events"
"""A stream that a test client would read for ever; tests/central/api/test_events.py tries it on a real socket."""
STEPS = {
    "/orders/": "send", "/invoices/": "match", "/discrepancies/": "settle", "/suppliers/": "confirm",
    "/catalogue/": "retire", f"{API}/orders/": "send", f"{API}/invoices/": "match", f"{API}/cases/": "confirm",
    f"{API}/catalogue/": "retire", "/consignment/": "agree", "/price-changes/": "approve",
    "/requisitions/": "approve", "/returns/": "approve",
    "/rules/": "approve", "/alarms/": "close",
}  # fmt: skip
PARTS = {
    "kind": "item",
    "key": "HC-KIT",
    "code": "approval.automatic",
    "month": "2026-02",
    "act": "audit",
    "switch": "off",
    "seq": "0",
    "secret": "none",
    "form": "csv",
    "name": "stock",
}
FIELDS = {
    "q": "K1", "qty": "1", "why": "because", "reason": "because", "words": "because", "remark": "because",
    "said": "because",
    "audit": "audit failed", "cause": "unknown", "minutes": "5", "days": "30", "page": "1", "first": "2026-03-01",
    "last": "2026-03-02", "code": "K1", "decision": "keep", "act": "take",
}  # fmt: skip
WITH_A_FILE = {"/statements"}
GET_ASKED = ("place", "q", "item", "lot", "first", "last", "code", "day", "quarter", "half_year")


@dataclass(frozen=True)
class Address:
    """One method of one path; `described` is its part of the OpenAPI document, None for a page."""

    method: str
    path: str
    described: Mapping[str, Any] | None = None

    @property
    def row(self) -> tuple[str, str]:
        return self.method, self.path


def every_address(app: FastAPI) -> Iterator[Address]:
    """Give every address, those of the API first."""
    for path, operations in app.openapi()["paths"].items():
        for method, described in operations.items():
            if path != NO_END:
                yield Address(method.upper(), path, described)
    (pages,) = [route.app for route in app.routes if isinstance(route, Mount) and route.path == ""]
    assert isinstance(pages, FastAPI)
    for route in pages.routes:
        if isinstance(route, APIRoute):
            yield from (Address(method, route.path) for method in sorted(route.methods or ()))


def filled(address: Address, names: Mapping[str, str]) -> str:
    """Return a path with something in every place that asks for it; where few words are admitted, the first of them."""
    path, asked = address.path, (address.described or {}).get("parameters", ())
    admitted = {
        one["name"]: one["schema"]["enum"][0] for one in asked if one["in"] == "path" and "enum" in one["schema"]
    }
    step = next((one for start, one in STEPS.items() if path.startswith(start)), "")
    named = defaultdict(lambda: "none", {**PARTS, **names, "step": step, **admitted})
    if path.startswith("/papers/"):
        named |= {"name": "order", "document": names["order_no"]}
    if path.startswith((f"{API}/figures/", "/figures/")):
        named["id"] = "turnover-days.1"
    if "/rules/changes/" in path:
        named |= {"change": names["rule_change"]}
    return re.sub(r":\w+}", "}", path).format_map(named)


def least(schema: Mapping[str, Any], schemas: Mapping[str, Any], names: Mapping[str, str], name: str = "") -> object:
    """Return the least value a schema admits, with what the town calls things where it has a name for them."""
    if "$ref" in schema:
        return least(schemas[schema["$ref"].rpartition("/")[2]], schemas, names, name)
    if "anyOf" in schema:
        return least(schema["anyOf"][0], schemas, names, name)
    match schema.get("type"):
        case "object":
            wanted = {*schema.get("required", ()), *({"version", "code"} & schema.get("properties", {}).keys())}
            return {one: least(schema["properties"][one], schemas, names, one) for one in sorted(wanted)}
        case "array":
            return [least(schema["items"], schemas, names, name)] * schema.get("minItems", 0)
        case "integer":
            return schema.get("minimum") or 1
        case "boolean":
            return False
        case _:
            return _text(schema, names, name)


def _text(schema: Mapping[str, Any], names: Mapping[str, str], name: str) -> str:
    if "enum" in schema:
        return str(schema["enum"][0])
    if schema.get("format") == "date":
        return "2026-03-02"
    return str(names.get(name) or FIELDS.get(name) or next(iter(schema.get("examples", ["because"]))))


def ask(client: TestClient, town: Town, address: Address, caller: str | None) -> Response:
    """Send a well-formed request to an address as somebody, None for nobody; returns the answer."""
    answer: Response
    path = filled(address, town.names)
    headers = {"sec-fetch-site": "same-origin"}
    client.cookies.clear()
    if address.path.startswith(API):
        assert address.described is not None
        if caller is not None:
            headers["authorization"] = f"Bearer {town.tokens[caller]}"
        asked = {one["name"]: one for one in address.described["parameters"] if one["in"] == "query"}
        query = {
            name: least(one["schema"], {}, {**FIELDS, **town.names}, name)
            for name, one in asked.items()
            if one.get("required")
        }
        body = address.described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        sent = None if body is None else least(body, client.app.openapi()["components"]["schemas"], town.names)  # type: ignore[attr-defined] # the application under the client
        answer = client.request(address.method, path, params=query, json=sent, headers=headers)
        return answer
    if caller is not None:
        client.cookies.set("wardstock_session", town.sessions[caller])
    rows = {"first": "1", "last": "1", "sheet": "1"} if path.startswith("/imports/") else {}
    fields = {**FIELDS, **town.names, **rows, "word": form_word(town.sessions[caller or "nurse@ward-01"])}
    if address.method == "GET":
        answer = client.get(path, params={name: fields[name] for name in GET_ASKED}, headers=headers)
    else:
        files = {"file": ("file.json", b"{}")} if path in WITH_A_FILE else None
        answer = client.request(address.method, path, data=fields, files=files, headers=headers)
    return answer
