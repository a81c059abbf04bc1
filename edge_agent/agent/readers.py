"""Which session a configured reader gets: one for each connection, of its kind.

It is the only place of the agent that knows that LLRP readers have a programme and a memory of their own and serial
modules neither. The rules that must not be broken: a module's round is timed in link time, its reads in story time; the
code of a kind of reader is loaded only where such a reader is configured.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from edge_agent.config import LLRP, ReaderConfig
from protocols.errors import WeBroke
from protocols.readers.registry import READERS
from protocols.readers.use import ReaderSession, ReaderUse, same_instant
from protocols.values.instant import Instant

if TYPE_CHECKING:
    from protocols.readers.llrp.requests import LlrpConfig

StoryAt = Callable[[Instant], Instant]

MODULE_ROUND_S_MIN = 0.05
"""Shortest round of a module in link time, however fast the story runs: two of its inventories."""


def llrp_config(config: ReaderConfig, story_at: StoryAt | None = None) -> "LlrpConfig":
    """Return how a configured reader is used; `story_at` is for readers without a clock. Raises `BadValue`."""
    from protocols.readers.llrp.requests import LlrpConfig

    return LlrpConfig(
        antennas=config.every,
        round_ms=round(config.round_s * 1000),
        keepalive_ms=round(config.keepalive_s * 1000),
        radio=config.radio,
        inputs=() if config.contact is None else (config.contact.port,),
        story_at=story_at,
    )


def module_use(config: ReaderConfig, story_at: StoryAt | None, story_rate: float) -> ReaderUse:
    """Return how a configured module is used; `story_rate` story seconds are one of its own. Raises `BadValue`."""
    return ReaderUse(
        antennas=config.every,
        answer_s=config.answer_s,
        round_s=max(MODULE_ROUND_S_MIN, config.round_s / story_rate),
        keepalive_s=config.keepalive_s,
        power_dbm=config.power_dbm,
        address=config.bus_address,
        active=config.active,
        story_at=story_at or same_instant,
    )


def session_maker(config: ReaderConfig, story_at: StoryAt | None, story_rate: float) -> Callable[[], ReaderSession]:
    """Return what makes a session for each new connection to a configured reader. Raises `BadValue`."""
    if config.kind == LLRP:
        from protocols.readers.llrp.memory import ReaderMemory
        from protocols.readers.llrp.session import LlrpSession

        llrp, memory = llrp_config(config, story_at), ReaderMemory()
        return lambda: LlrpSession(llrp, memory)
    make = READERS[config.kind].session
    if make is None:
        raise WeBroke(f"reader {config.name}: expected a kind one converses with, got {config.kind}")
    use = module_use(config, story_at, story_rate)
    return lambda: make(use)
