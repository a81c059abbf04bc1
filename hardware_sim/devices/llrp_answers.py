"""What a simulated LLRP reader says about itself: its capabilities, its settings, and how it refuses.

Plain values under the names of the LLRP tables; no state machine and no clock. The region is China's (920-925 MHz,
0.25 MHz channels), the levels and modes are those of a common four-antenna reader.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from hardware_sim.devices.llrp_ports import PORTS
from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import nested, number_at, number_of, rows_at

ROSPECS_MAX = 8
"""As many as common readers hold; a ninth is refused with M_OverflowParameter."""

ACCESSSPECS_MAX = 8
OPERATIONS_MAX = 8
"""AccessSpecs held, and operations in each."""

COUNTRY_CHINA = 156
FIRST_CHANNEL_KHZ, CHANNEL_KHZ, CHANNELS = 920_625, 250, 16
POWER_MIN_CDBM, POWER_STEP_CDBM, POWER_LEVELS = 1_000, 100, 21
"""Transmit power in hundredths of dBm: 10 to 30 dBm."""

FIRMWARE = "wardstock-sim"

CONFIG_PARTS = (
    "Identification",
    "AntennaProperties",
    "AntennaConfiguration",
    "ROReportSpec",
    "ReaderEventNotificationSpec",
    "AccessReportSpec",
    "LLRPConfigurationStateValue",
    "KeepaliveSpec",
    "GPIPortCurrentState",
    "GPOWriteData",
    "EventsAndReports",
)
"""What GET_READER_CONFIG may ask for alone, in the order of its RequestedData numbers from 1."""

REPORT_FLAGS = (
    "EnableROSpecID",
    "EnableSpecIndex",
    "EnableInventoryParameterSpecID",
    "EnableAntennaID",
    "EnableChannelIndex",
    "EnablePeakRSSI",
    "EnableFirstSeenTimestamp",
    "EnableLastSeenTimestamp",
    "EnableTagSeenCount",
    "EnableAccessSpecID",
)

Status = tuple[str, str]
"""A name of StatusCode, and a sentence for a person."""

SUCCESS: Status = ("M_Success", "")

Saying = tuple[str, Params]
"""What a reader says by itself: a message's name and its parameters."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One response: its status, what it carries beside it, and what is said after it."""

    status: Status = SUCCESS
    extra: Params = field(default_factory=dict)
    after: Sequence[Saying] = ()


def status_of(status: Status) -> Params:
    """Return the LLRPStatus parameter."""
    return {"StatusCode": number_of("StatusCode", status[0]), "ErrorDescription": status[1]}


def factory_report_spec() -> Params:
    """Return the report a ROSpec makes that does not say its own."""
    trigger = number_of("ROReportTriggerType", "Upon_N_Tags_Or_End_Of_ROSpec")
    return {"ROReportTrigger": trigger, "N": 0, "TagReportContentSelector": dict.fromkeys(REPORT_FLAGS, True)}


@dataclass(slots=True)
class Settings:
    """What SET_READER_CONFIG may change. Made anew, it is the factory default."""

    keepalive_ms: int = 0
    hold: bool = False
    events: dict[int, bool] = field(default_factory=dict)
    report_spec: Params = field(default_factory=factory_report_spec)
    kept: dict[str, Value] = field(default_factory=dict)

    def reset(self) -> None:
        """Be as from the factory again."""
        self.keepalive_ms, self.hold, self.report_spec = 0, False, factory_report_spec()
        self.events.clear()
        self.kept.clear()

    def change(self, params: Params) -> None:
        """Take the settings of one SET_READER_CONFIG; those it does not name stay."""
        for row in rows_at(params, "ReaderEventNotificationSpec", "EventNotificationState"):
            self.events[number_at(row, "EventType") or 0] = bool(number_at(row, "NotificationState"))
        if "KeepaliveSpec" in params:
            spec = nested(params, "KeepaliveSpec")
            self.keepalive_ms = (number_at(spec, "PeriodicTriggerValue") or 0) * bool(
                number_at(spec, "KeepaliveTriggerType")
            )
        self.hold = bool(params.get("EventsAndReports", self.hold))
        self.report_spec = nested(params, "ROReportSpec") or self.report_spec
        for key in ("AntennaConfiguration", "AccessReportSpec"):
            if key in params:
                self.kept[key] = params[key]


def capabilities(antennas: int, *, has_utc: bool = True) -> Params:
    """Return everything GET_READER_CAPABILITIES asks for (LLRP 1.1 chapter 9)."""
    gen2 = number_of("AirProtocols", "EPCGlobalClass1Gen2")
    general: Params = {
        "MaxNumberOfAntennaSupported": antennas,
        "CanSetAntennaProperties": False,
        "HasUTCClockCapability": has_utc,
        "DeviceManufacturerName": 0,
        "ModelName": 0,
        "ReaderFirmwareVersion": FIRMWARE,
        "ReceiveSensitivityTableEntry": [{"Index": 1, "ReceiveSensitivityValue": 0}],
        "GPIOCapabilities": {"NumGPIs": PORTS, "NumGPOs": PORTS},
        "PerAntennaAirProtocol": [{"AntennaID": each, "ProtocolID": [gen2]} for each in range(1, antennas + 1)],
    }
    llrp: Params = {
        "CanDoRFSurvey": False,
        "CanReportBufferFillWarning": False,
        "SupportsClientRequestOpSpec": False,
        "CanDoTagInventoryStateAwareSingulation": False,
        "SupportsEventAndReportHolding": True,
        "MaxNumPriorityLevelsSupported": 1,
        "ClientRequestOpSpecTimeout": 0,
        "MaxNumROSpecs": ROSPECS_MAX,
        "MaxNumSpecsPerROSpec": 16,
        "MaxNumInventoryParameterSpecsPerAISpec": 1,
        "MaxNumAccessSpecs": ACCESSSPECS_MAX,
        "MaxNumOpSpecsPerAccessSpec": OPERATIONS_MAX,
    }
    return {
        "GeneralDeviceCapabilities": general,
        "LLRPCapabilities": llrp,
        "RegulatoryCapabilities": _regulatory(),
        "C1G2LLRPCapabilities": {
            "CanSupportBlockErase": False,
            "CanSupportBlockWrite": False,
            "CanSupportBlockPermalock": False,
            "CanSupportTagRecommissioning": False,
            "CanSupportUMIMethod2": False,
            "CanSupportXPC": False,
            "MaxNumSelectFiltersPerQuery": 0,
        },
    }


def _regulatory() -> Params:
    mode: Params = {
        "ModeIdentifier": 1,
        "DRValue": number_of("C1G2DRValue", "DRV_64_3"),
        "EPCHAGTCConformance": False,
        "MValue": number_of("C1G2MValue", "MV_4"),
        "ForwardLinkModulation": number_of("C1G2ForwardLinkModulation", "PR_ASK"),
        "SpectralMaskIndicator": number_of("C1G2SpectralMaskIndicator", "DI"),
        "BDRValue": 62_500,
        "PIEValue": 1_500,
        "MinTariValue": 20_000,
        "MaxTariValue": 20_000,
        "StepTariValue": 0,
    }
    channels = [FIRST_CHANNEL_KHZ + CHANNEL_KHZ * each for each in range(CHANNELS)]
    bands: Params = {
        "TransmitPowerLevelTableEntry": [
            {"Index": each + 1, "TransmitPowerValue": POWER_MIN_CDBM + POWER_STEP_CDBM * each}
            for each in range(POWER_LEVELS)
        ],
        "FrequencyInformation": {"Hopping": True, "FrequencyHopTable": [{"HopTableID": 1, "Frequency": channels}]},
        "AirProtocolUHFRFModeTable": [{"C1G2UHFRFModeTable": {"C1G2UHFRFModeTableEntry": [mode]}}],
    }
    return {
        "CountryCode": COUNTRY_CHINA,
        "CommunicationsStandard": number_of("CommunicationsStandard", "Unspecified"),
        "UHFBandCapabilities": bands,
    }


def chosen_capabilities(antennas: int, requested: int, *, has_utc: bool = True) -> Params:
    """Return the part of the capabilities a request names; 0 is all."""
    every = capabilities(antennas, has_utc=has_utc)
    return every if requested == 0 else dict([list(every.items())[requested - 1]])


def config_of(settings: Settings, connected: Mapping[int, bool], reader_id: str) -> dict[str, Value]:
    """Return the whole answer to GET_READER_CONFIG (LLRP 1.1 chapter 12)."""
    events = [{"EventType": kind, "NotificationState": settings.events.get(kind, False)} for kind in range(9)]
    config: dict[str, Value] = {
        "Identification": {"IDType": number_of("IdentificationType", "MAC_Address"), "ReaderID": reader_id},
        "AntennaProperties": [
            {"AntennaConnected": there, "AntennaID": antenna, "AntennaGain": 0} for antenna, there in connected.items()
        ],
        "ReaderEventNotificationSpec": {"EventNotificationState": events},
        "ROReportSpec": settings.report_spec,
        "AccessReportSpec": 0,
        "LLRPConfigurationStateValue": 0,
        "KeepaliveSpec": {
            "KeepaliveTriggerType": int(settings.keepalive_ms > 0),
            "PeriodicTriggerValue": settings.keepalive_ms,
        },
        "EventsAndReports": settings.hold,
    }
    return config | settings.kept
