"""central.toml as checked values. Paths in it are relative to it.

Every fault is told at once, by its key, with what was expected and what came. The rule that must not be broken: a value
that is wrong or a key that is unknown stops the start; nothing is guessed.
"""

import tomllib
from collections.abc import Callable, Container, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from central.config.his import HisSection
from central.config.notices import NoticesSection
from central.config.people import LdapSection, OidcSection
from central.config.section import Section
from central.core.reorder import POLICIES
from central.errors import BadConfig
from protocols.errors import BadValue
from protocols.sync.enrolment import ticket_host
from protocols.values.ids import HospitalId, actor_id, hospital_id
from protocols.values.instant import RATE_MAX, StoryTime, from_iso

PORT_MAX = 65_535
PERIOD_S_MAX = 7 * 86_400
BROKERS_MAX = 8
LOOPBACK = ("127.0.0.1", "localhost", "::1")
"""Where `serve` may listen when everyone is one person, and always answers to."""
NAMES_MAX = 16
REQUESTS_MAX = 1_000_000

SHOWN_MAX = 80
"""Characters of a wrong value that a message repeats."""

STORE_URL = "sqlite:///central.db"
_NAMED = "a lower-case name such as 'main'"
_INSTANT = "a time with its zone such as '2026-03-02T16:00:00+08:00'"


def _instant(text: str) -> str:
    return _admitted(text, from_iso)


def _hospital(text: str) -> str:
    return _admitted(text, hospital_id)


def _admitted(text: str, parse: Callable[[str], object]) -> str:
    try:
        parse(text)
    except BadValue as error:
        raise ValueError(str(error)) from error
    return text


def _broker(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path not in {"", "/"} or parts.port == 0:
        raise ValueError(url)
    return url


def _host(name: str) -> str:
    try:
        ticket_host(name)
    except BadValue as error:
        raise ValueError(str(error)) from error
    return name


def _actor(text: str) -> str:
    return _admitted(text, actor_id)


def _policy(name: str) -> str:
    return _one_of(name, POLICIES)


def _one_of(text: str, admitted: Container[str]) -> str:
    if text not in admitted:
        raise ValueError(text)
    return text


class HospitalSection(Section):
    """Whose store this is, and what pages call it."""

    id: Annotated[str, AfterValidator(_hospital)] = Field(default="main", description=_NAMED)
    name_zh: str = Field(default="本院", min_length=1, description="a name such as '示例医院'")
    name_en: str = Field(default="This hospital", min_length=1, description="a name such as 'Sample Hospital'")


class ClockSection(Section):
    """Story time, at rate 1 from `real_from` on; without the section the system's clock is the story."""

    start: Annotated[str, AfterValidator(_instant)] = Field(description=_INSTANT)
    rate: float = Field(
        gt=0, le=RATE_MAX, strict=False, allow_inf_nan=False, description=f"a number above 0, up to {RATE_MAX:g}"
    )
    since_monotonic_ns: int = Field(ge=0, lt=2**63, description="a whole number, 0 or more, such as 123456789000")
    real_from: Annotated[str, AfterValidator(_instant)] | None = Field(default=None, description=_INSTANT)


class StoreSection(Section):
    """Where the store is: a SQLAlchemy address."""

    url: str = Field(default=STORE_URL, min_length=1, description=f"an address such as '{STORE_URL}'")


class BrokerSection(Section):
    """The brokers that devices may speak through; central connects to all."""

    urls: list[Annotated[str, AfterValidator(_broker)]] = Field(
        min_length=1,
        max_length=BROKERS_MAX,
        description=f'a list of 1..{BROKERS_MAX} such as ["mqtt://127.0.0.1:1883"]',
    )
    keepalive_s: int = Field(default=30, ge=1, le=600, description="a whole number from 1 to 600")


class SyncSection(Section):
    """`unsigned = true` says that messages are meant to go without signatures, as in a demonstration."""

    unsigned: bool = Field(default=False, description="true or false")


class HttpSection(Section):
    """Where the API and the page are served; port 0 takes a free one."""

    host: str = Field(default="127.0.0.1", min_length=1, description="an address to listen at such as '127.0.0.1'")
    names: list[str] = Field(
        default=[],
        max_length=NAMES_MAX,
        description=f'a list of at most {NAMES_MAX} host names people call it by, such as ["wardstock.hospital.lan"]',
    )
    secure: bool = Field(default=False, description="true where a TLS front end stands before it, else false")
    port: int = Field(default=0, ge=0, le=PORT_MAX, description=f"a whole number from 0 (a free one) to {PORT_MAX}")
    requests_a_minute: int = Field(
        default=3000, ge=0, le=REQUESTS_MAX, description=f"a whole number from 0 (no limit) to {REQUESTS_MAX}"
    )


class KeysSection(Section):
    """The folder of central's own keys; never in the store and never in its backup."""

    folder: str = Field(default="keys", min_length=1, description="a folder such as 'keys'")


class EnrolmentSection(Section):
    """Where devices ask for their certificates, over HTTPS of its own; without a port nobody is enrolled."""

    host: str = Field(default="127.0.0.1", min_length=1, description="an address to listen at such as '0.0.0.0'")
    port: int | None = Field(default=None, ge=1, le=PORT_MAX, description=f"a whole number from 1 to {PORT_MAX}")
    names: list[Annotated[str, AfterValidator(_host)]] = Field(
        default=[],
        max_length=NAMES_MAX,
        description=f'a list of at most {NAMES_MAX} host names or addresses, such as ["wardstock.hospital.lan"]',
    )
    brokers: list[Annotated[str, AfterValidator(_broker)]] = Field(
        default=[],
        max_length=BROKERS_MAX,
        description=f'a list of at most {BROKERS_MAX} such as ["mqtts://broker.hospital.lan:8883"]',
    )


class PeopleSection(Section):
    """Who may come in. `everyone_is` lets whoever comes act as one person, on this machine only, as in a demo."""

    everyone_is: Annotated[str, AfterValidator(_actor)] = Field(default="", description="a staff number, or nothing")


class StatementsSection(Section):
    """The key that signs the daily statements: a file of its own, made at the first start, with its public half."""

    key: str = Field(default="statement.key", min_length=1, description="a file such as 'statement.key'")


class PolicySection(Section):
    """Which reorder policy makes the proposals."""

    reorder: Annotated[str, AfterValidator(_policy)] = Field(default="3x", description=f"one of {', '.join(POLICIES)}")


_PERIOD = f"a whole number from 1 to {PERIOD_S_MAX}"


class JobsSection(Section):
    """Periods of the jobs, in seconds of story time."""

    reconcile_s: int = Field(default=300, ge=1, le=PERIOD_S_MAX, description=_PERIOD)
    replenish_s: int = Field(default=1800, ge=1, le=PERIOD_S_MAX, description=_PERIOD)


class Config(Section):
    """Everything central is told."""

    path: Path
    broker: BrokerSection
    hospital: HospitalSection = HospitalSection()
    clock: ClockSection | None = None
    store: StoreSection = StoreSection()
    sync: SyncSection = SyncSection()
    http: HttpSection = HttpSection()
    keys: KeysSection = KeysSection()
    enrolment: EnrolmentSection = EnrolmentSection()
    people: PeopleSection = PeopleSection()
    statements: StatementsSection = StatementsSection()
    policy: PolicySection = PolicySection()
    his: HisSection = HisSection()
    ldap: LdapSection = LdapSection()
    oidc: OidcSection = OidcSection()
    jobs: JobsSection = JobsSection()
    notices: NoticesSection = NoticesSection()

    @property
    def hospital_id(self) -> HospitalId:
        """Return the hospital's id."""
        return HospitalId(self.hospital.id)

    @property
    def statement_key(self) -> Path:
        """Return where the statements' key is."""
        return self.path.parent / self.statements.key

    @property
    def patient_key(self) -> Path | None:
        """Return where the key that hides patients is, None where none is configured."""
        return self.path.parent / self.his.patient_key if self.his.patient_key else None

    @property
    def key_folder(self) -> Path:
        """Return the folder of central's own keys."""
        return self.path.parent / self.keys.folder

    @property
    def enrolment_hosts(self) -> list[str]:
        """Return the names under which devices find the end point of enrolment, the one on tickets first."""
        return self.enrolment.names or [self.enrolment.host]

    @property
    def brokers_told(self) -> tuple[str, ...]:
        """Return the brokers that devices are given."""
        return tuple(self.enrolment.brokers or self.broker.urls)

    @model_validator(mode="after")
    def _brokers_are_closed(self) -> Self:
        """Anybody may listen at a plain broker, so one elsewhere is for the unsigned only."""
        if self.sync.unsigned:
            return self
        for url in self.broker.urls:
            parts = urlsplit(url)
            if parts.scheme == "mqtt" and parts.hostname not in LOOPBACK:
                raise ValueError(
                    "broker.urls: expected mqtts:// for a broker on another machine where messages are signed, "
                    f"got {url!r:.80}"
                )
        return self

    @model_validator(mode="after")
    def _everyone_is_here(self) -> Self:
        if self.people.everyone_is and self.http.host not in LOOPBACK:
            raise ValueError(
                f"people.everyone_is: expected http.host to be one of {', '.join(LOOPBACK)} with it, "
                f"got {self.http.host!r:.40}; let people sign in instead"
            )
        return self

    @model_validator(mode="after")
    def _story_stands(self) -> Self:
        try:
            self.story()
        except BadValue as error:
            raise ValueError(f"clock: {error}") from error
        return self

    def story(self) -> StoryTime | None:
        """Return the story's clock, None for the system's."""
        if self.clock is None:
            return None
        clock = self.clock
        real_from = None if clock.real_from is None else from_iso(clock.real_from)
        return StoryTime(from_iso(clock.start), clock.rate, clock.since_monotonic_ns, real_from)


SECTIONS: Mapping[str, type[Section]] = MappingProxyType(
    {
        "broker": BrokerSection,
        "hospital": HospitalSection,
        "clock": ClockSection,
        "store": StoreSection,
        "sync": SyncSection,
        "http": HttpSection,
        "keys": KeysSection,
        "enrolment": EnrolmentSection,
        "people": PeopleSection,
        "statements": StatementsSection,
        "policy": PolicySection,
        "his": HisSection,
        "ldap": LdapSection,
        "oidc": OidcSection,
        "jobs": JobsSection,
        "notices": NoticesSection,
    }
)
"""Every table of the file by its name."""

SECRET = frozenset({("notices", "urls")})
"""Keys whose value no message says."""


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
        told = (fault for one in error.errors(include_url=False) for fault in _faults(read, one))
        faults = tuple(dict.fromkeys(told))
        title = f"config: expected no fault in {path}, got {len(faults)}"
        raise BadConfig(title, faults) from error


def _faults(read: dict[str, Any], one: ErrorDetails) -> Iterator[str]:
    """Word one fault by its key: what was expected, with an example, and what came."""
    if not one["loc"]:  # values that are only wrong together; the message begins with their key
        yield str(one["msg"]).removeprefix("Value error, ")
        return
    section, *keys = (str(part) for part in one["loc"])
    known = SECTIONS.get(section)
    if known is None:
        yield f"{section}: this section is unknown; look at its spelling"
    elif not keys and section in read:
        yield f"{section}: expected a table written [{section}], got {read[section]!r:.{SHOWN_MAX}}"
    elif not keys:
        lacking = [name for name, field in known.model_fields.items() if field.is_required()]
        yield from (_missing(section, name, known) for name in lacking)
    elif keys[0] not in known.model_fields:
        yield f"{section}.{keys[0]}: this key is unknown; look at its spelling"
    elif one["type"] == "missing":
        yield _missing(section, keys[0], known)
    else:
        expected, came = known.model_fields[keys[0]].description, repr(read[section][keys[0]])
        shown = (
            "a value that is not repeated here: it holds secrets" if (section, keys[0]) in SECRET else came[:SHOWN_MAX]
        )
        yield f"{section}.{keys[0]}: expected {expected}, got {shown}"


def _missing(section: str, key: str, known: type[Section]) -> str:
    return f"{section}.{key}: it is missing; expected {known.model_fields[key].description}"
