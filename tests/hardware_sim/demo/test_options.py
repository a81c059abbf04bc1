"""What does not go together is refused in one line, before anything starts."""

import socket
from pathlib import Path
from typing import Any

import pytest

from hardware_sim.demo.options import Break, Options, program
from hardware_sim.errors import WrongUse


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"rate": 0.5}, "--rate: expected"),
        ({"rate": 20_000.0}, "--rate: expected"),
        ({"http_port": 70_000}, "--port: expected"),
        ({"json": Path("summary.json")}, "together with --exit"),
        ({"break_how": Break.LOSE}, "together with --exit"),
        ({"ends": True, "with_take": False, "break_how": Break.HIDE}, "expected a discrepancy to hide"),
        ({"ends": True, "json": Path("/no/such/folder/summary.json")}, "expected a file that can be written"),
        ({"ends": True, "json": Path("/")}, "expected a file that can be written"),
    ],
)
def test_options_that_do_not_go_together_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(WrongUse, match=why):
        Options(seed=1, **wrong)


def test_a_program_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match="run `make env`"):
        program("wardstock-edge", tmp_path)


def test_a_port_in_use_is_refused_by_its_option() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(WrongUse, match=f"--port {port}: expected a free port") as refused:
            Options(seed=1, http_port=port)
    assert "\n" not in str(refused.value)
