"""A temporary folder goes with a demo that was right; what shows a fault, and what a person named, stays."""

from pathlib import Path

import pytest

from hardware_sim.demo.options import Options
from hardware_sim.demo.state_folder import StateFolder


def test_a_temporary_folder_goes_silently(capsys: pytest.CaptureFixture[str]) -> None:
    folder = StateFolder(Options(seed=1))
    assert folder.path.is_dir()
    folder.leave()
    assert not folder.path.exists()
    assert not capsys.readouterr().out


def test_a_temporary_folder_that_shows_a_fault_is_kept_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = StateFolder(Options(seed=1))
    folder.keep()
    folder.leave()
    assert folder.path.is_dir()
    assert capsys.readouterr().out == f"Kept in {folder.path}\n"


def test_a_named_folder_is_never_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = StateFolder(Options(seed=1, state=tmp_path / "mine"))
    folder.leave()
    assert folder.path.is_dir()
    assert capsys.readouterr().out == f"Kept in {tmp_path / 'mine'}\n"
