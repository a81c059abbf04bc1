"""Who takes entries into a SQLite store is alone; the right comes back however its holder ends."""

import subprocess
import sys
from pathlib import Path

import pytest

from central.errors import NotReady
from central.store.alone import alone
from central.store.engine import open_store

HOLDER = (
    "import sys, pathlib\n"
    "from central.store.alone import alone\n"
    "from central.store.engine import open_store\n"
    "with alone(open_store(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def test_a_second_process_is_refused_until_the_first_has_ended_even_by_a_kill(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'central.db'}"
    store = open_store(url)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(NotReady, match="another process takes entries into"), alone(store):
            pass
        other.kill()
    with alone(store):
        pass
    store.close()


def test_a_store_in_memory_needs_no_right() -> None:
    store = open_store("sqlite://")
    with alone(store), alone(store):
        pass
    store.close()
