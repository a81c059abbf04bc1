"""What is answered straight is answered as the framework would, and nearly everything that reads is."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from central.api.app import build_api
from central.api.straight import Straight, plan_of
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import KIT, START, Ward, hospital, tags

NOW = plus(START, 1000)
ASKED = (
    "health", "wards", "wards?limit=1", "wards?limit=0", "wards?limit=one", "wards?limit=", "wards?cursor=other",
    "lines", "lines?place=ward-01", "lines?place=ward-01&limit=1", "lines?place=ward-09",
    "lines?place=a&place=ward-01", f"lines?place={'p' * 65}", "lines?place=ward-01&cursor=%FF", "lines?place=%00",
    "lines/", "orders/none", "orders/a/b", "orders/none/versions", "rules/recount_share", "rules/no-such",
    "exports", "exports/stock.csv?place=ward-01", "exports/stock.xml", "statements/2026-03-02/ward-01",
    "statements/then/ward-01", "discrepancies?status=open", "discrepancies?status=perhaps", "trace?q=K1", "trace",
    "figures/line-match/rows?place=ward-01", "nowhere", "",
)  # fmt: skip


@pytest.fixture(scope="module")
def apps(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, TestClient, FastAPI]]:
    """The application, the same without what answers straight, and the first as it is made."""
    store = hospital(tmp_path_factory.mktemp("files"))
    Ward(store).open(KIT, "K1", tags(3))
    straight, plain = (build_api(open_desk(store, NOW), "1.2.3") for _ in range(2))
    plain.router.routes[:] = [route for route in plain.router.routes if not isinstance(route, Straight)]
    assert len(plain.router.routes) == len(straight.router.routes) - 1
    with TestClient(straight) as one, TestClient(plain) as other:
        yield one, other, straight


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_every_answer_is_the_frameworks(apps: tuple[TestClient, TestClient, FastAPI], asked: str, method: str) -> None:
    answers = [one.request(method, f"/api/v1/{asked}") for one in apps[:2]]
    told = [(one.status_code, one.content, sorted(one.headers.items())) for one in answers]
    assert told[0] == told[1]


def test_nearly_everything_that_reads_has_a_plan(apps: tuple[TestClient, TestClient, FastAPI]) -> None:
    routes = [one for one in iter_route_contexts(apps[2].routes) if "GET" in (getattr(one, "methods", None) or ())]
    assert [one.path for one in routes if plan_of(one) is None] == [
        *("/api/v1/openapi.json", "/api/v1/vbp/packs/{quarter}", "/api/v1/{rest:path}")
    ]
