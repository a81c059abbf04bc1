"""docs/enrolment.md against the programs: each command on it is known with its options, and its toml is read."""

import re
import shlex
from pathlib import Path

import pytest

from central.cli import start as central
from central.config import read_config
from edge_agent.cli.tools import call as edge

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "enrolment.md").read_text("utf-8")
COMMANDS = re.findall(r"^wardstock-\S+ .*$", PAGE, re.MULTILINE)
PROGRAMS = {"wardstock-central": central, "wardstock-edge": edge}


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_page_is_known_with_its_options(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    program, *words = shlex.split(line)
    names = words[: next(at for at, word in enumerate(words) if word.startswith("-"))]
    assert PROGRAMS[program]([*names, "--help"]) == 0
    told = capsys.readouterr().out
    assert all(word in told for word in words if word.startswith("--"))
    assert f"{program} {' '.join(names)}" in told, "help has an example"


def test_the_page_names_commands() -> None:
    assert len(COMMANDS) >= 10


def test_the_servers_configuration_is_read(tmp_path: Path) -> None:
    (sample,) = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    path = tmp_path / "central.toml"
    path.write_text(sample, "utf-8")
    config = read_config(path)
    assert (config.enrolment_hosts[0], config.key_folder) == ("wardstock.hospital.lan", Path("/var/lib/wardstock/keys"))


def test_what_people_read_is_what_the_programs_say() -> None:
    """Each message of the table stands in the code."""
    root = Path(__file__).resolve().parents[2]
    folders = ("central/core", "central/services", "edge_agent/agent", "edge_agent/links", "central/links")
    code = "\n".join(path.read_text("utf-8") for folder in folders for path in (root / folder).glob("*.py"))
    for said in (
        "this device is not enrolled",
        " is not enrolled: ",
        " was revoked on ",
        "not with the one it was enrolled with",
        "does not sign what it says",
        "is not the central that made this ticket",
        "it was good until",
        "that let nobody in yet",
        "run chmod 600 on it",
        "and is not renewed",
    ):
        assert said in code, said
        assert said.strip(" :") in PAGE, said
