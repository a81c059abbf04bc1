"""The API tried out from its own description: requests made from the OpenAPI document, well-formed and not, as every
role; no answer is a fault of the server's, and each is one that the document declares.

The requests are drawn once, with a fixed seed, and sent as every role, half of them with names of things that exist in
the place of drawn ones: a request that names nothing gets no further than 404.
"""

from collections.abc import Iterator
from itertools import cycle
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from starlette.testclient import TestClient

from tests.central.addresses import FIELDS, NO_END, STEPS
from tests.central.town import CALLERS, Town, town

Operation = APIOperation[Any, Any, Any, Any]

DRAWN = 2
"""Requests drawn of each sort, well-formed and not, for every operation."""
SEED = 20260302
HELD_AGAINST = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
SENT_ELSEWHERE = frozenset({"authorization", "idempotency-key", "cookie", "content-length", "host"})
"""Headers that the test sends itself, or that would say who asks."""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Town:
    return town(tmp_path_factory.mktemp("town"))


@pytest.fixture(scope="module")
def client(there: Town) -> Iterator[TestClient]:
    with TestClient(
        there.app, base_url="http://127.0.0.1", follow_redirects=False, raise_server_exceptions=False
    ) as one:
        yield one


def drawn(operation: Operation, mode: GenerationMode) -> list[Case[Any]]:
    """Draw requests to an operation; an operation that asks for nothing has none that are ill-formed."""
    found: list[Case[Any]] = []

    @seed(SEED)
    @settings(
        max_examples=DRAWN, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(operation.as_strategy(generation_mode=mode))
    def keep(case: Case[Any]) -> None:
        found.append(case)

    try:
        keep()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE, operation.label
    return found[:DRAWN]


def with_names(case: Case[Any], names: dict[str, str]) -> Case[Any]:
    """Return a request that names what exists, in its path, its query and its body."""
    step = next((one for start, one in STEPS.items() if case.path.startswith(start)), "send")
    known = {**names, "step": step}

    def named(part: object) -> Any:  # noqa: ANN401 # a part of a drawn request is whatever was drawn
        return {name: known.get(name, value) for name, value in part.items()} if isinstance(part, dict) else part

    made: Case[Any] = case.operation.Case(
        method=case.method,
        path_parameters=named(case.path_parameters),
        query=named(case.query),
        headers=case.headers,
        body=named(case.body),
        media_type=case.media_type,
    )
    return made


def headers_of(case: Case[Any]) -> dict[str, str]:
    """Return the headers of a request that can be written into HTTP at all."""
    return {
        name: str(value)
        for name, value in (case.headers or {}).items()
        if name.lower() not in SENT_ELSEWHERE and name.isascii() and str(value).isascii() and str(value).isprintable()
    }


def send(client: TestClient, there: Town, case: Case[Any], caller: str) -> str:
    """Send a request as somebody; return what is wrong with the answer, nothing when it is as declared."""
    told = case.as_transport_kwargs(base_url="http://127.0.0.1")
    headers = headers_of(case) | {"authorization": f"Bearer {there.tokens[caller]}"}
    content = {
        "json" if name == "json" else "content": told[name] for name in ("json", "data") if told.get(name) is not None
    }
    answer = client.request(told["method"], told["url"], params=told.get("params"), headers=headers, **content)
    if case.method.upper() != "GET" and answer.status_code < 400:
        there.restore()
    checks = CHECKS.get_by_names(list(HELD_AGAINST))
    try:
        case.validate_response(answer, checks=checks)  # type: ignore[arg-type] # its registry holds more sorts than it takes
    except FailureGroup as failure:
        return f"{caller} {told['method']} {told['url']}: {'; '.join(str(one) for one in failure.exceptions)}"[:600]
    return ""


def requests_of(operation: Operation, names: dict[str, str], turn: Iterator[str]) -> Iterator[tuple[Case[Any], str]]:
    """Give requests to an operation with who sends each: well-formed ones that name what exists, everybody sends."""
    good, bad = drawn(operation, GenerationMode.POSITIVE), drawn(operation, GenerationMode.NEGATIVE)
    for case in good:
        yield from ((with_names(case, names), caller) for caller in CALLERS)
    for case in (*good, *bad, *(with_names(case, names) for case in bad)):
        yield case, next(turn)


def test_no_request_from_the_description_gets_an_answer_that_it_does_not_declare(
    client: TestClient, there: Town
) -> None:
    load_all_checks()
    schema = schemathesis.openapi.from_dict(there.app.openapi())
    wrong: dict[str, str] = {}
    turn, names, sent = cycle(CALLERS), {**FIELDS, **there.names}, 0
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    for operation in (one for one in operations if one.path != NO_END):
        for case, caller in requests_of(operation, names, turn):
            sent += 1
            fault = send(client, there, case, caller)
            if fault:
                wrong.setdefault(operation.label, fault)
    assert sent > 20 * len(operations)
    assert not wrong, "\n\n".join(wrong.values())
