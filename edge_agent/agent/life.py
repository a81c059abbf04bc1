"""One life of the agent: the file held alone, the ledger opened and its end checked, then turns until it is stopped.

What happens within a turn is not here (`turns`). The rule that must not be broken: no life begins on a ledger that
somebody else holds, or whose end is damaged.
"""

from collections.abc import Callable
from contextlib import ExitStack

from edge_agent.agent.beginnings import is_opened, read_files, take_items, write_opening
from edge_agent.agent.inbox import Inbox
from edge_agent.agent.parts import Parts
from edge_agent.agent.tap import Tap
from edge_agent.agent.trust import enrolled_config, make_trust
from edge_agent.agent.turns import Agent
from edge_agent.agent.voice import Voice
from edge_agent.agent.writer import Writer, open_book
from edge_agent.clock import Clock, Pen
from edge_agent.config import Config
from edge_agent.links.systemd import Systemd
from edge_agent.store.copies import RESTORING, finish_restore
from edge_agent.store.lock import hold_alone
from edge_agent.store.tail import check_tail

EMPTY = (
    "begins, no entry stood in it yet; if this storeroom had a ledger before, stop the agent "
    "and put the newest backup back: wardstock-edge restore --from FILE"
)


def run(
    config: Config,
    inbox: Inbox,
    voice: Voice,
    *,
    version: str,
    ready: Callable[[], None],
    tap: Tap | None = None,
    systemd: Systemd | None = None,
) -> None:
    """Run an agent until its inbox is stopped; `ready` is called once it serves a scanner, `tap` records its reads.

    `systemd` is told that it works and lives.

    Raises `BadConfig`, `NotALedger`, `DiskFull`, `StoreFault` when it cannot begin or cannot go on.
    """
    config, given = enrolled_config(config)
    clock = Clock(config.story)
    trust = make_trust(config, given, clock, voice)
    with hold_alone(config.ledger), ExitStack() as at_the_end:
        _finish_restore(config, voice)
        ledger = open_book(config, clock)
        at_the_end.callback(ledger.close)
        check_tail(ledger, str(config.ledger))
        last = ledger.last_hlc()
        pen = Pen(clock, last)
        files = read_files(config, opened=is_opened(ledger))
        opened = write_opening(ledger, pen, config, files)
        if not last:
            voice.say("ledger", f"{config.ledger}: {EMPTY}")
        if opened:
            voice.say("opening", f"{opened} pieces bound to their tags and posted")
        take_items(ledger, files, clock.now())
        parts = Parts(
            config,
            files,
            ledger,
            inbox,
            clock=clock,
            voice=voice,
            version=version,
            tap=tap,
            systemd=systemd or Systemd({}),
            trust=trust,
        )
        writer = Writer(config, parts, ledger, pen)
        at_the_end.callback(writer.close)  # after a fault it holds another ledger than the one opened above
        Agent(config, parts, writer, inbox, ready=ready).live()


def _finish_restore(config: Config, voice: Voice) -> None:
    """Finish putting a backup back where a power cut ended it half way."""
    if config.ledger.with_name(config.ledger.name + RESTORING).exists():
        kept = finish_restore(config.ledger)
        voice.say("ledger", f"the backup is in its place; what stood there is kept as {kept and kept.name}")
