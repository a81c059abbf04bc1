"""A client written from the served OpenAPI document, by other people's generator, does a day's work with it.

The generator is told to take every operation; what it cannot express, it says, and the test fails.
"""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from tests.central.town import Town, town
from tests.system.peers.environments import OPENAPI_CLIENT

pytestmark = pytest.mark.needs_peers

LIMIT_S = 120
PROGRAM = Path(__file__).parent / "peers" / "clients" / "generated_client.py"


@pytest.fixture
def there(tmp_path: Path) -> Town:
    return town(tmp_path)


@pytest.fixture
def address(there: Town) -> Iterator[str]:
    server = uvicorn.Server(uvicorn.Config(there.app, port=0, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait = threading.Event()
    for _ in range(600):
        if server.started:
            break
        wait.wait(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_a_client_written_from_the_document_reads_pages_approves_once_and_understands_refusals(
    address: str, there: Town, tmp_path: Path
) -> None:
    generator = OPENAPI_CLIENT.program("openapi-python-client")
    document, written = tmp_path / "openapi.json", tmp_path / "written"
    document.write_text(httpx.get(f"{address}/api/v1/openapi.json").text, "utf-8")
    path = {**os.environ, "PATH": f"{generator.parent}{os.pathsep}{os.environ['PATH']}"}
    write: list[str | Path] = [
        generator,
        "generate",
        "--path",
        document,
        "--output-path",
        written,
        "--meta",
        "none",
        "--fail-on-warning",
    ]
    made = subprocess.run(write, check=False, capture_output=True, text=True, timeout=LIMIT_S, env=path)
    assert made.returncode == 0, made.stdout + made.stderr
    run: list[str | Path] = [generator.parent / "python", PROGRAM, address, there.tokens["head-of-consumables"]]
    done = subprocess.run(
        run, check=False, capture_output=True, text=True, timeout=LIMIT_S, env={**path, "PYTHONPATH": str(tmp_path)}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "wards": ["main-store", "ward-01", "ward-02"],
        "missing": "ward-01",
        "case": [True, '"v0.'],
        "approved": [201, 201, "true"],
        "same": True,
        "orders": 2,
        "stale": [412, "Precondition Failed"],
        "unknown": [404, "discrepancy:"],
    }
