import json
import socket
from pathlib import Path

import pytest

from central.cli import start
from tests.central.hospital import FILES, write_files

LEAST = '[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[sync]\nunsigned = true\n'


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "central.toml"
    path.write_text(LEAST, "utf-8")
    return str(path)


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip()


def test_migrate_import_and_verify_make_a_sound_store(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write_files(tmp_path / "files", FILES))
    assert start(["migrate", "--config", config, "--json"]) == 0
    assert start(["migrate", "--config", config, "--json"]) == 0, "doing it again changes nothing"
    assert start(["import", "--config", config, folder, "--json"]) == 0
    assert start(["verify", "--config", config, "--json"]) == 0
    first, second, imported, verified = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["rules_added"] > 0, second["rules_added"]) == (True, 0)
    assert imported == {"rows": {name: text.count("\n") - 1 for name, text in FILES.items()}, "opened": 1}
    assert (verified["ok"], verified["entries"]) == (True, 1)


@pytest.mark.parametrize("command", ["serve", "verify", "import"])
def test_an_unmigrated_store_is_refused_in_one_line(
    command: str, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [command, "--config", config] + ([str(tmp_path)] if command == "import" else [])
    assert start(arguments) == 1
    line = said(capsys)
    assert "run `wardstock-central migrate` first" in line
    assert "\n" not in line


def test_a_port_in_use_is_refused_in_one_line(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    start(["migrate", "--config", config])
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        Path(config).write_text(f"{LEAST}[http]\nport = {port}\n", "utf-8")
        assert start(["serve", "--config", config]) == 1
    line = said(capsys)
    assert f"127.0.0.1:{port} gives 'Address already in use'" in line
    assert "\n" not in line


def test_serving_without_keys_must_be_said(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(config).write_text(LEAST.replace("unsigned = true", ""), "utf-8")
    assert start(["serve", "--config", config]) == 1
    told = said(capsys)
    assert "`unsigned = true`" in told
    assert "wardstock-central keys init" in told


def test_a_wrong_configuration_is_told_whole(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(config).write_text('[http]\nport = 99999\n[store]\nurl = ""\n', "utf-8")
    assert start(["serve", "--config", config]) == 2
    lines = said(capsys).splitlines()
    assert [line.strip().split(":")[0] for line in lines[1:]] == ["broker.urls", "store.url", "http.port"]


def test_a_store_whose_folder_is_not_there_or_that_is_no_database_is_one_line(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(config).write_text(f'{LEAST}[store]\nurl = "sqlite:///nowhere/central.db"\n', "utf-8")
    assert start(["migrate", "--config", config]) == 2
    line = said(capsys)
    assert line.startswith("wardstock-central: store.url: expected a file in an existing folder")
    (tmp_path / "central.db").write_text("no database " * 100, "utf-8")
    Path(config).write_text(LEAST, "utf-8")
    assert start(["migrate", "--config", config]) == 1
    assert said(capsys).startswith("wardstock-central: store: expected a database that answers")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://127.0.0.1:1/central", "expected a database that answers at postgresql"),
        ("mysql://127.0.0.1/central", "expected SQLite or PostgreSQL, such as sqlite:///central.db"),
    ],
)
def test_a_database_that_does_not_serve_is_refused_in_one_line(
    url: str, says: str, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(config).write_text(f'{LEAST}[store]\nurl = "{url}"\n', "utf-8")
    assert start(["migrate", "--config", config]) == 2
    line = said(capsys)
    assert line.startswith(f"wardstock-central: store.url: {says}")
    assert "\n" not in line


@pytest.mark.parametrize("command", ["verify", "serve"])
def test_a_store_that_is_not_there_is_refused_and_not_made(command: str, config: str, tmp_path: Path) -> None:
    assert start([command, "--config", config]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["central.toml"]


def test_a_folder_with_a_fault_fails_and_one_that_is_not_there_is_wrong_use(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start(["migrate", "--config", config])
    folder = write_files(tmp_path / "files", {"suppliers.csv": "supplier,name_zh,name_en\nS 1,名,name\n"})
    assert start(["import", "--config", config, str(folder)]) == 1
    assert "suppliers.csv row 2 supplier: expected a supplier code" in said(capsys)
    assert start(["import", "--config", config, str(tmp_path / "nowhere")]) == 2


@pytest.mark.parametrize("command", [[], ["serve"], ["migrate"], ["import"], ["verify"]])
def test_every_command_has_help_with_an_example(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert start([*command, "--help"]) == 0
    assert "Example: wardstock-central" in capsys.readouterr().out.replace("wardstock-\n  central", "wardstock-central")


def test_wrong_use_is_two(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["serve"]) == 2
    assert start(["serve", "--config", config, "--parent-pipe", "987"]) == 2
    assert "987 is not open" in said(capsys)
