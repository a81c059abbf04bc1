"""The agent of a small machine loads only what it needs: what `run` has imported is read from a run that served."""

import subprocess
import sys
from pathlib import Path

from tests.edge_agent.cli.test_edge_tools import CONFIG, ROOT

HEAVY = {"pydantic", "sqlalchemy", "numpy", "typer", "rich", "sqlite_utils", "click", "fastapi", "asyncio"}
LIVED = """
import os, signal, sys, threading
from edge_agent.agent.inbox import Inbox
from edge_agent.cli import start

gather = Inbox.gather
def end_after_a_turn(self, wait_s):
    Inbox.gather = gather
    os.kill(os.getpid(), signal.SIGTERM)
    return gather(self, wait_s)
Inbox.gather = end_after_a_turn
status = start(["run", "--config", sys.argv[1]])
print(status, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_a_run_loads_none_of_the_heavy_libraries(tmp_path: Path) -> None:
    (tmp_path / "edge.toml").write_text(CONFIG)
    for _ in ("the first start, which has its ledger made", "a later one"):
        done = subprocess.run(
            [sys.executable, "-c", LIVED, str(tmp_path / "edge.toml")],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        status, *loaded = done.stdout.split()
        assert status == "0", done.stderr
        assert "serial" in loaded, "the run lived"
        assert HEAVY & set(loaded) == set()
