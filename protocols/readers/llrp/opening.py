"""What each state of an LLRP connection asks when it is entered: the session's half of the table in `states.py`.

It sends nothing and waits for nothing. A state that is not here asks nothing.
"""

from collections.abc import Callable, Mapping

from protocols.readers.llrp import requests
from protocols.readers.llrp.radio import Abilities
from protocols.readers.llrp.requests import LlrpConfig, Request
from protocols.readers.llrp.states import State

ASKS: Mapping[State, Callable[[LlrpConfig, Abilities, int], Request]] = {
    State.VERSION: lambda config, able, cleared: requests.ask_versions(),
    State.SETTING_VERSION: lambda config, able, cleared: requests.set_version(config.version_max),
    State.CAPABILITIES: lambda config, able, cleared: requests.ask_capabilities(),
    State.CONFIGURING: lambda config, able, cleared: requests.set_config(config, can_hold=able.can_hold),
    State.LOOKING: lambda config, able, cleared: requests.ask_ports(config),
    State.DELETING: lambda config, able, cleared: requests.delete_all(),
    State.LISTING: lambda config, able, cleared: requests.list_rospecs(),
    State.CLEARING: lambda config, able, cleared: requests.delete_rospec(cleared),
    State.ADDING: lambda config, able, cleared: requests.add_rospec(config, able),
    State.ENABLING: lambda config, able, cleared: requests.enable_rospec(config),
    State.STARTING: lambda config, able, cleared: requests.start_rospec(config),
    State.CLOSING: lambda config, able, cleared: ("CLOSE_CONNECTION", {}),
}


def request_of(state: State, config: LlrpConfig, able: Abilities, cleared: int) -> Request | None:
    """Return what a state asks; `cleared` is the ROSpec to delete in `CLEARING`."""
    ask = ASKS.get(state)
    return None if ask is None else ask(config, able, cleared)
