"""Environments of other people's software, made on demand and kept beside the code, where git does not look.

A peer is never a dependency and never copied: it is installed into a virtual environment of its own and run as a
process. Where it cannot be installed (no network, no index), the test that needs it is skipped with the reason.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3] / ".peers"
"""One folder a peer and version; delete it to have it made anew."""

INSTALL_TIMEOUT_S = 60
READY = "ready"


@dataclass(frozen=True)
class Peer:
    """One peer: its name and version, and what must be installed with it."""

    name: str
    version: str
    beside: tuple[str, ...] = ()

    def program(self, name: str) -> Path:
        """Return a program of the peer's environment, made if need be; skips the test where it cannot be."""
        home = ROOT / f"{self.name}-{self.version}"
        if not (home / READY).exists():
            self._install(home)
        return home / "bin" / name

    def _install(self, home: Path) -> None:
        make = [sys.executable, "-m", "venv", "--clear", str(home)]
        wanted = [f"{self.name}=={self.version}", *self.beside]
        install = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", *wanted]
        try:
            for command in (make, install):
                subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT_S)
        except (OSError, subprocess.SubprocessError) as error:
            said = getattr(error, "stderr", None) or str(error)
            pytest.skip(f"{self.name} {self.version} cannot be installed here: {str(said).strip()[-200:]}")
        (home / READY).touch()


SLLURP = Peer("sllurp", "3.0.5")
PYLLRP = Peer("pyllrp", "3.1.1", beside=("bitstring<5",))
LLRPKIT = Peer("llrpkit", "0.3.0")
EPCPY = Peer("epcpy", "0.1.8")
OPENAPI_CLIENT = Peer("openapi-python-client", "0.29.1")
"""Writes a client from an OpenAPI document; its typer is older than ours, so it lives apart."""
