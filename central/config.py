"""central.toml as checked values. Paths in it are relative to it.

Every fault is told at once, by its key, with what was expected and what came. The rule that must not be broken: a value
that is wrong or a key that is unknown stops the start; nothing is guessed.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from central.core.reorder import POLICIES
from central.errors import BadConfig
from protocols.errors import BadValue
from protocols.values.ids import HospitalId, hospital_id
from protocols.values.instant import RATE_MAX, StoryTime, from_iso

PORT_MAX = 65_535
PERIOD_S_MAX = 7 * 86_400
BROKERS_MAX = 8
LOOPBACK = ("127.0.0.1", "localhost")
"""Where `serve` may listen until people and rights exist."""

SHOWN = 60


def _story_start(text: str) -> str:
    try:
        from_iso(text)
    except BadValue as error:
        raise ValueError(str(error).removeprefix("instant: ")) from error
    return text


def _hospital(text: str) -> str:
    try:
        return hospital_id(text)
    except BadValue as error:
        raise ValueError(str(error).removeprefix("hospital: ")) from error


def _broker(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname:
        raise ValueError("expected mqtt://HOST:PORT or mqtts://HOST:PORT")
    return url


def _loopback(host: str) -> str:
    if host not in LOOPBACK:
        raise ValueError(f"expected one of {', '.join(LOOPBACK)} until there are people and rights")
    return host


def _policy(name: str) -> str:
    if name not in POLICIES:
        raise ValueError(f"expected one of {', '.join(POLICIES)}")
    return name


class Section(BaseModel):
    """A table of the file; a key it does not know is a fault."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class HospitalSection(Section):
    """Whose store this is, and what pages call it."""

    id: Annotated[str, AfterValidator(_hospital)] = "main"
    name_zh: str = Field(default="本院", min_length=1)
    name_en: str = Field(default="This hospital", min_length=1)


class ClockSection(Section):
    """Story time, at rate 1 from `real_from` on; without the section the system's clock is the story."""

    start: Annotated[str, AfterValidator(_story_start)]
    rate: float = Field(gt=0, le=RATE_MAX, strict=False)
    since_monotonic_ns: int = Field(ge=0)
    real_from: Annotated[str, AfterValidator(_story_start)] | None = None


class StoreSection(Section):
    """Where the store is: a SQLAlchemy address."""

    url: str = Field(default="sqlite:///central.db", min_length=1)


class BrokerSection(Section):
    """The brokers that devices may speak through; central connects to all."""

    urls: list[Annotated[str, AfterValidator(_broker)]] = Field(min_length=1, max_length=BROKERS_MAX)
    keepalive_s: int = Field(default=30, ge=1, le=600)


class SyncSection(Section):
    """`unsigned = true` says that messages are meant to go without signatures."""

    unsigned: bool = False


class HttpSection(Section):
    """Where the API and the page are served; port 0 takes a free one."""

    host: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=PORT_MAX)


class PolicySection(Section):
    """Which reorder policy makes the proposals."""

    reorder: Annotated[str, AfterValidator(_policy)] = "3x"


class JobsSection(Section):
    """Periods of the jobs, in seconds of story time."""

    reconcile_s: int = Field(default=300, ge=1, le=PERIOD_S_MAX)
    replenish_s: int = Field(default=1800, ge=1, le=PERIOD_S_MAX)


class Config(Section):
    """Everything central is told."""

    path: Path
    broker: BrokerSection
    hospital: HospitalSection = HospitalSection()
    clock: ClockSection | None = None
    store: StoreSection = StoreSection()
    sync: SyncSection = SyncSection()
    http: HttpSection = HttpSection()
    policy: PolicySection = PolicySection()
    jobs: JobsSection = JobsSection()

    @property
    def hospital_id(self) -> HospitalId:
        """Return the hospital's id."""
        return HospitalId(self.hospital.id)

    @model_validator(mode="after")
    def _story_stands(self) -> Self:
        try:
            self.story()
        except BadValue as error:
            raise ValueError(str(error)) from error
        return self

    def story(self) -> StoryTime | None:
        """Return the story's clock, None for the system's."""
        if self.clock is None:
            return None
        clock = self.clock
        real_from = None if clock.real_from is None else from_iso(clock.real_from)
        return StoryTime(from_iso(clock.start), clock.rate, clock.since_monotonic_ns, real_from)


def read_config(path: Path) -> Config:
    """Read and check a configuration. Raises `BadConfig` with every fault by its key."""
    try:
        read = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise BadConfig(f"config: expected a readable file, got {path}: {error.strerror}", ()) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig(f"config: expected TOML in {path}, got a fault: {error}", ()) from error
    try:
        return Config(path=path.resolve(), **{name: value for name, value in read.items() if name != "path"})
    except ValidationError as error:
        faults = tuple(_fault(dict(one)) for one in error.errors(include_url=False))
        title = f"config: expected no fault in {path}, got {len(faults)}"
        raise BadConfig(title, faults) from error


def _fault(one: dict[str, Any]) -> str:
    section, *keys = (str(part) for part in one["loc"] or ("clock",))  # only the clock's values are checked together
    key = f"[{section}] {'.'.join(keys)}".rstrip()
    match one["type"]:
        case "missing":
            return f"{key}: expected a value, got none"
        case "extra_forbidden":
            return f"{key}: expected a known key, got this; check the spelling"
        case _:
            said = str(one["msg"]).removeprefix("Value error, ").replace("Input should be", "expected").strip()
            got = f"{one['input']!r:.{SHOWN}}"
            return f"{key}: {said}" if ", got " in said else f"{key}: {said}, got {got}"
