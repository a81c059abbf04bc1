"""What an agent loads once it serves: libraries that nobody waits for at a start, and somebody would later.

They are loaded on a thread of their own, so that the first label scanned is answered like every other. The rule that
must not be broken: nothing here is needed for the agent to serve a badge.
"""

import threading
from importlib import import_module

from edge_agent.agent.heap import give_back

LATER = ("protocols.codes.gs1_ais",)
"""Loaded after a start: `biip`, for the first GS1 label."""


def load_what_comes_later() -> None:
    """Begin to load; returns at once."""
    threading.Thread(target=_load, name="later", daemon=True).start()


def _load() -> None:
    for name in LATER:
        import_module(name)
    give_back()
