"""The agent's way to its ledger, after a fault of the file."""

import io
from pathlib import Path

import pytest

from edge_agent.agent.beginnings import read_files
from edge_agent.agent.inbox import Inbox
from edge_agent.agent.parts import Parts
from edge_agent.agent.trust import make_trust
from edge_agent.agent.voice import Voice
from edge_agent.agent.writer import Writer, open_book
from edge_agent.clock import Clock, Pen
from edge_agent.config import load_config
from edge_agent.errors import StoreFault
from edge_agent.links.systemd import Systemd

CONFIG = """
[device]
id = "ward-01"
fit = 1
[[scanner]]
name = "s1"
url = "serial:/dev/null"
feedback = "host-beep"
[broker]
urls = ["mqtt://127.0.0.1:1"]
[sync]
unsigned = true
"""


def writer_in(folder: Path, said: io.StringIO) -> Writer:
    """The writer of an agent that was put together and takes no turn."""
    (folder / "edge.toml").write_text(CONFIG, "utf-8")
    config, clock = load_config(folder / "edge.toml"), Clock(None)
    voice, ledger = Voice(clock, said), open_book(config, clock)
    parts = Parts(
        config,
        read_files(config, opened=False),
        ledger,
        Inbox(),
        clock=clock,
        voice=voice,
        version="test",
        tap=None,
        systemd=Systemd({}),
        trust=make_trust(config, None, clock, voice),
    )
    return Writer(config, parts, ledger, Pen(clock, ledger.last_hlc()))


def test_the_ledger_that_a_fault_had_opened_again_is_the_one_that_is_closed(tmp_path: Path) -> None:
    said = io.StringIO()
    writer = writer_in(tmp_path, said)
    first = writer.ledger
    first.connection.close()  # whatever is asked of the file fails from now on
    writer.write_the_rest()
    assert writer.ledger is not first
    assert "opened again and verified" in said.getvalue()
    writer.close()
    with pytest.raises(StoreFault, match="closed"):
        writer.ledger.connection.query("SELECT 1")
