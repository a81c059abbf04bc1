"""What a person may ask of a demo, checked together: what does not go together is refused before anything starts."""

import os
import shutil
import socket
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from hardware_sim.errors import WrongUse
from hardware_sim.proxy import HOST
from hardware_sim.scenario.draw import HOURS_DEFAULT
from hardware_sim.story.words import Lang
from protocols.values.instant import RATE_MAX

RATE_DEFAULT = 540.0
"""10.5 hours in 70 seconds."""

RATE_LOW = 1.0
SBIN = "/usr/sbin:/usr/local/sbin"


class BrokerKind(StrEnum):
    """The brokers a demo can run on."""

    AMQTT = "amqtt"
    MOSQUITTO = "mosquitto"


class Break(StrEnum):
    """Ways to spoil central's database after the story, to see that the checker notices."""

    LOSE = "lose"
    DOUBLE = "double"
    HIDE = "hide"


@dataclass(frozen=True, slots=True)
class Options:
    """One demo. `rate` story seconds a real second; `state` None means a temporary folder that goes with the demo."""

    seed: int
    wards: int = 2
    ends: bool = False
    json: Path | None = None
    state: Path | None = None
    with_take: bool = True
    break_how: Break | None = None
    broker: BrokerKind = BrokerKind.AMQTT
    rate: float = RATE_DEFAULT
    hours: float = HOURS_DEFAULT
    http_port: int = 0
    lang: Lang = Lang.EN

    def __post_init__(self) -> None:
        if not RATE_LOW <= self.rate <= RATE_MAX:
            raise WrongUse(f"--rate: expected {RATE_LOW:g}..{RATE_MAX} story seconds a second, got {self.rate:g}")
        if not 0 <= self.http_port <= 65_535:
            raise WrongUse(f"--port: expected 0..65535, got {self.http_port}")
        _check_free(self.http_port)
        if not self.ends and (self.json is not None or self.break_how is not None):
            raise WrongUse("--json and --break: expected together with --exit, for only a story that ends is judged")
        if self.break_how is Break.HIDE and not self.with_take:
            raise WrongUse("--break hide: expected a discrepancy to hide, but --no-take leaves none")
        if self.json is not None and not _can_be_written(self.json):
            raise WrongUse(f"--json {self.json}: expected a file that can be written, in a folder that exists")
        if self.broker is BrokerKind.MOSQUITTO:
            mosquitto_program()


def _check_free(port: int) -> None:
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else error
        raise WrongUse(f"--port {port}: expected a free port on {HOST}, got: {why}; choose another") from error


def _can_be_written(path: Path) -> bool:
    target = path if path.exists() else path.parent
    return (path.is_file() or not path.exists()) and target.exists() and os.access(target, os.W_OK)


def mosquitto_program() -> str:
    """Return where mosquitto is. Raises `WrongUse` when this machine has none."""
    found = shutil.which("mosquitto") or shutil.which("mosquitto", path=SBIN)
    if found is None:
        raise WrongUse("--broker mosquitto: expected mosquitto on this machine; install it, or use --broker amqtt")
    return found


def program(name: str, beside: Path) -> str:
    """Return the path of one of the project's programs, in the folder of this Python. Raises `WrongUse`."""
    path = beside / name
    if not path.is_file():
        raise WrongUse(f"{path}: expected the program beside this Python; run `make env`")
    return str(path)
