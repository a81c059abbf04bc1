"""`backup` and `restore`: a ledger's copies, taken beside a running agent and put back while none runs."""

from dataclasses import asdict
from pathlib import Path

from edge_agent.clock import Clock
from edge_agent.config import load_config
from edge_agent.store.copies import Restored, Told, put_back, take_backup

Answer = tuple[dict[str, object], str]
"""What a script is told, and the one line for a person."""


def back_up(config: Path, to: Path, told: Told) -> Answer:
    """Take a backup of a device's ledger. Raises `BadConfig`, `StoreFault`."""
    read = load_config(config)
    path, manifest = take_backup(read.ledger, to, Clock(read.story).now(), told)
    said = f"{path.with_suffix('.db')}: {manifest.entries} entries of {manifest.device}, checked whole; {path.name}"
    return {"ok": True, "backup": str(path.with_suffix(".db")), "manifest": str(path), **asdict(manifest)}, said


def restore(config: Path, copy: Path) -> Answer:
    """Put a backup back in a device's place. Raises `BadConfig`, `StoreFault`."""
    read = load_config(config)
    done: Restored = put_back(copy, read.ledger, read.device.id, Clock(read.story).now())
    kept = "nothing stood there" if done.kept is None else f"what stood there is kept as {done.kept}"
    said = f"{read.ledger}: {done.entries} entries of {done.device} put back, {kept}; start the agent"
    return {"ok": True, "device": done.device, "entries": done.entries, "kept": done.kept and str(done.kept)}, said
