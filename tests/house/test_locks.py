"""The lock files are the same for everyone: no host, no path of one machine, every package with its hashes."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[a-z,]+\])?==", re.MULTILINE)


def pins(name: str) -> set[str]:
    return {line.split(" ")[0] for line in (ROOT / name).read_text("utf-8").splitlines() if PINNED.match(line)}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_host_and_no_absolute_path(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*-(?!-hash=sha256:)", text, re.MULTILINE), "an option of one machine is in the lock"
    assert not re.search(r"(^|[\s\"'(=@])/\w", text), "an absolute path is in the lock"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_carries_hashes(name: str) -> None:
    for block in PINNED.split((ROOT / name).read_text("utf-8"))[2::2]:
        assert "--hash=sha256:" in block, block


def test_the_development_lock_holds_everything_the_running_lock_holds() -> None:
    assert pins("requirements.lock") <= pins("requirements-dev.lock")
