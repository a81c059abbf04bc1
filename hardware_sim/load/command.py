"""The command's side of a load: a folder for its files, progress for a person, an end in order, words.

The rule that must not be broken: Ctrl-C ends every program that was started, and the folder of a load that failed is
kept, for its logs say why.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from hardware_sim.demo.signals import Stopped, stoppable
from hardware_sim.errors import PartFailed
from hardware_sim.load.hospital import Load, Summary, run_load
from hardware_sim.sample.files import make_empty


def load_hospital(load: Load, state: Path | None) -> Summary:
    """Run a load; returns its figures. Raises `PartFailed`, `WrongUse`."""
    folder = Path(tempfile.mkdtemp(prefix="wardstock-"))
    if state is not None:
        folder.rmdir()
        make_empty(state)
        folder = state.absolute()
    delivered = False
    try:
        with stoppable():
            table = run_load(load, folder, _progress)
        delivered = is_delivered(table)
    except Stopped:
        raise PartFailed("stopped before the end of the load: there are no figures") from None
    finally:
        _progress("")
        if state is None and (delivered or not any(folder.iterdir())):
            shutil.rmtree(folder, ignore_errors=True)
    return table if state is None and delivered else table | {"state": str(folder)}


def is_delivered(table: Summary) -> bool:
    """Tell whether every entry was acknowledged, and central's store verified where it is our own."""
    return (
        table["waiting"] == 0
        and not table["refused"]
        and table.get("verified", True) is True
        and not table.get("quarantined", 0)
    )


def load_words(table: Summary) -> str:
    """Return the figures in a few lines for a person."""
    lags = table["lag_s"]
    assert isinstance(lags, dict)
    told = ", ".join(f"{name} {value:g} s" for name, value in lags.items())
    lines = [
        f"{table['acknowledged']} of {table['entries']} entries of {table['wards']} wards acknowledged in "
        f"{table['seconds']} s: {table['entries_a_second']} a second, {table['bytes_an_entry']} bytes an entry",
        f"from ledger to acknowledgement: {told or 'nothing came'}",
    ]
    if "verified" in table:
        lines.append(f"{table['quarantined']} entries set aside by central")
        lines.append(
            "central's store is verified" if table["verified"] else f"central's store: {table['verify_fault']}"
        )
    if table["refused"]:
        lines.append(f"refused: {table['refused']}")
    return "\n".join([*lines, *([f"files in {table['state']}"] if "state" in table else [])])


def _progress(text: str) -> None:
    """Show where a load stands, on one line that is written over, to a person who watches."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
