"""What we ask of an LLRP reader, as values: its configuration and the one ROSpec that inventories a storeroom.

It says nothing about when to ask; that is `session.py`. A round is one AISpec by the named antennas that ends after
`inventory_ms`; the reader starts one every `round_ms` by itself and reports at its end, so that an ended round always
comes after its reads.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from protocols.errors import BadValue
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import number_of
from protocols.readers.llrp.radio import Abilities, antenna_settings
from protocols.readers.radio import Radio
from protocols.readers.reads import ANTENNA_MAX
from protocols.values.instant import Instant

Request: TypeAlias = tuple[str, Params]

ROUND_MS_MAX = 3_600_000
KEEPALIVE_MS_MAX = 3_600_000
REQUEST_TIMEOUT_S_MAX = 600
PORTS_MAX = 64

EVENTS_WANTED = ("ROSpec_Event", "Reader_Exception_Event", "AISpec_Event", "Antenna_Event")


@dataclass(frozen=True, slots=True)
class LlrpConfig:
    """How one reader is used: periods in milliseconds of the reader's clock, time-outs in seconds of link time.

    `inventory_ms` 0 means nine tenths of a round. `reader_starts` false is for readers without a periodic trigger: then
    each round starts when the last has ended. `version_max` 1 is LLRP 1.0.1, 2 is 1.1. `inputs` are the GPI ports that
    tell of their changes. `story_at(now)` tells the instant of link time: a reader without UTC is used only with it.
    """

    antennas: tuple[int, ...]
    round_ms: int = 2_000
    inventory_ms: int = 0
    keepalive_ms: int = 30_000
    request_timeout_s: float = 10.0
    rospec_id: int = 1
    reader_starts: bool = True
    version_max: int = 2
    radio: Radio = field(default_factory=Radio)
    inputs: tuple[int, ...] = ()
    access_timeout_s: float = 10.0
    story_at: Callable[[Instant], Instant] | None = None

    def __post_init__(self) -> None:
        if not self.antennas or not all(1 <= antenna <= ANTENNA_MAX for antenna in self.antennas):
            raise BadValue(f"LLRP antennas: expected numbers of 1..{ANTENNA_MAX}, got {self.antennas}")
        if not 0 <= self.inventory_ms <= self.round_ms or not 10 <= self.round_ms <= ROUND_MS_MAX:
            raise BadValue(f"LLRP round: expected 10..{ROUND_MS_MAX} ms, got {self.inventory_ms} of {self.round_ms} ms")
        if not 100 <= self.keepalive_ms <= KEEPALIVE_MS_MAX or not 0 < self.request_timeout_s <= REQUEST_TIMEOUT_S_MAX:
            raise BadValue(
                f"LLRP link: expected a keepalive of 100..{KEEPALIVE_MS_MAX} ms and a time-out of at most "
                f"{REQUEST_TIMEOUT_S_MAX} s, got {self.keepalive_ms} ms and {self.request_timeout_s} s"
            )
        if self.version_max not in (1, 2) or not 0 < self.access_timeout_s <= REQUEST_TIMEOUT_S_MAX:
            raise BadValue(f"LLRP: expected version 1 or 2 and a time-out, got {self.version_max}")
        if not all(1 <= port <= PORTS_MAX for port in self.inputs):
            raise BadValue(f"LLRP inputs: expected ports of 1..{PORTS_MAX}, got {self.inputs}")
        if not 1 <= self.rospec_id <= 0xFFFF_FFFF:
            raise BadValue(f"LLRP ROSpec: expected an id above 0 (0 means all), got {self.rospec_id}")


def ask_capabilities() -> Request:
    """Ask for everything the reader can do (LLRP 1.1 chapter 9)."""
    return "GET_READER_CAPABILITIES", {"RequestedData": number_of("GetReaderCapabilitiesRequestedData", "All")}


def set_config(config: LlrpConfig, *, can_hold: bool) -> Request:
    """Set keepalives, the events we live by, and holding over a reconnect where the reader can (chapter 12)."""
    names = (*EVENTS_WANTED, "GPI_Event") if config.inputs else EVENTS_WANTED
    wanted = [number_of("NotificationEventType", name) for name in names]
    keepalive = {
        "KeepaliveTriggerType": number_of("KeepaliveTriggerType", "Periodic"),
        "PeriodicTriggerValue": config.keepalive_ms,
    }
    params: dict[str, Value] = {
        "ResetToFactoryDefault": False,
        "ReaderEventNotificationSpec": {
            "EventNotificationState": [{"EventType": number, "NotificationState": True} for number in wanted]
        },
        "KeepaliveSpec": keepalive,
        "EventsAndReports": can_hold,
    }
    if config.inputs:
        unknown = number_of("GPIPortState", "Unknown")
        params["GPIPortCurrentState"] = [
            {"GPIPortNum": port, "Config": True, "State": unknown} for port in config.inputs
        ]
    return "SET_READER_CONFIG", params


def ask_versions() -> Request:
    """Ask which versions the reader speaks (LLRP 1.1 section 9.1.1; a reader of 1.0.1 does not know the question)."""
    return "GET_SUPPORTED_VERSION", {}


def set_version(version: int) -> Request:
    """Speak this version from now on (section 9.1.3)."""
    return "SET_PROTOCOL_VERSION", {"ProtocolVersion": version}


def ask_ports(config: LlrpConfig) -> Request:
    """Ask which antennas are plugged in, and how the inputs stand where we want to know (chapter 12)."""
    part = "All" if config.inputs else "AntennaProperties"
    number = number_of("GetReaderConfigRequestedData", part)
    return "GET_READER_CONFIG", {"AntennaID": 0, "RequestedData": number, "GPIPortNum": 0, "GPOPortNum": 0}


def set_output(port: int, *, on: bool) -> Request:
    """Switch one output, e.g. a light (chapter 12). Raises `BadValue` for a port that cannot be."""
    if not 1 <= port <= PORTS_MAX:
        raise BadValue(f"LLRP output: expected a port of 1..{PORTS_MAX}, got {port}")
    return "SET_READER_CONFIG", {
        "ResetToFactoryDefault": False,
        "GPOWriteData": [{"GPOPortNumber": port, "GPOData": on}],
    }


def delete_all() -> Request:
    """Delete every ROSpec: 0 means all (chapter 10)."""
    return "DELETE_ROSPEC", {"ROSpecID": 0}


def list_rospecs() -> Request:
    """Ask which ROSpecs there are: for readers that refuse to delete all at once."""
    return "GET_ROSPECS", {}


def delete_rospec(rospec_id: int) -> Request:
    """Delete one ROSpec."""
    return "DELETE_ROSPEC", {"ROSpecID": rospec_id}


def add_rospec(config: LlrpConfig, able: Abilities | None = None) -> Request:
    """Add our ROSpec: a periodic start, one AISpec that ends after its duration, a report at its end (chapter 10)."""
    start: dict[str, Params | int] = {"ROSpecStartTriggerType": number_of("ROSpecStartTriggerType", "Null")}
    if config.reader_starts:
        start["ROSpecStartTriggerType"] = number_of("ROSpecStartTriggerType", "Periodic")
        start["PeriodicTriggerValue"] = {"Offset": 0, "Period": config.round_ms}
    stop = {"ROSpecStopTriggerType": number_of("ROSpecStopTriggerType", "Null"), "DurationTriggerValue": 0}
    rospec: Params = {
        "ROSpecID": config.rospec_id,
        "Priority": 0,
        "CurrentState": number_of("ROSpecState", "Disabled"),
        "ROBoundarySpec": {"ROSpecStartTrigger": start, "ROSpecStopTrigger": stop},
        "SpecParameter": [{"AISpec": _aispec(config, able or Abilities())}],
        "ROReportSpec": _report_spec(),
    }
    return "ADD_ROSPEC", {"ROSpec": rospec}


def _aispec(config: LlrpConfig, able: Abilities) -> Params:
    gen2 = number_of("AirProtocols", "EPCGlobalClass1Gen2")
    inventory: dict[str, Value] = {"InventoryParameterSpecID": 1, "ProtocolID": gen2}
    rows = antenna_settings(able, config.radio, config.antennas)
    if rows:
        inventory["AntennaConfiguration"] = rows
    return {
        "AntennaIDs": list(config.antennas),
        "AISpecStopTrigger": {
            "AISpecStopTriggerType": number_of("AISpecStopTriggerType", "Duration"),
            "DurationTrigger": config.inventory_ms or config.round_ms * 9 // 10,
        },
        "InventoryParameterSpec": [inventory],
    }


def _report_spec() -> Params:
    trigger = "Upon_N_Tags_Or_End_Of_AISpec_Or_End_Of_RFSurveySpec"
    return {
        "ROReportTrigger": number_of("ROReportTriggerType", trigger),
        "N": 0,
        "TagReportContentSelector": {
            "EnableROSpecID": False,
            "EnableSpecIndex": False,
            "EnableInventoryParameterSpecID": False,
            "EnableAntennaID": True,
            "EnableChannelIndex": False,
            "EnablePeakRSSI": True,
            "EnableFirstSeenTimestamp": True,
            "EnableLastSeenTimestamp": True,
            "EnableTagSeenCount": True,
            "EnableAccessSpecID": False,
        },
    }


def enable_rospec(config: LlrpConfig) -> Request:
    """Enable our ROSpec: from here its start trigger counts (chapter 10)."""
    return "ENABLE_ROSPEC", {"ROSpecID": config.rospec_id}


def start_rospec(config: LlrpConfig) -> Request:
    """Start our ROSpec by hand (chapter 10)."""
    return "START_ROSPEC", {"ROSpecID": config.rospec_id}
