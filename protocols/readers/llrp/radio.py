"""How a reader's radio is to be used, and which numbers of its capability tables say so.

Powers, modes and hop tables have numbers that differ from reader to reader (LLRP 1.1 section 9.2.4): nothing here is
guessed, every number comes from the reader's own tables. A reader that would transmit outside the region is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from protocols.readers.llrp.fields import Params, Value
from protocols.readers.llrp.messages import nested, number_at, rows_at
from protocols.readers.radio import REGIONS_KHZ, TARGETS, Radio

TARI_DEFAULT = 0
"""The mode's own Tari."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the session must know of a reader's capabilities."""

    has_utc: bool = True
    can_hold: bool = False
    can_target: bool = False
    antennas: int | None = None
    outputs: int = 0
    powers: tuple[tuple[int, float], ...] = ()
    modes: tuple[int, ...] = ()
    hop_tables: tuple[tuple[int, tuple[int, ...]], ...] = ()
    fixed_khz: tuple[int, ...] = ()


def read_abilities(params: Params) -> Abilities:
    """Return what a GET_READER_CAPABILITIES_RESPONSE says; what is absent is left at its default."""
    general, llrp = nested(params, "GeneralDeviceCapabilities"), nested(params, "LLRPCapabilities")
    bands = nested(params, "RegulatoryCapabilities", "UHFBandCapabilities")
    air = nested(bands, "FrequencyInformation")
    modes = [
        number_at(row, "ModeIdentifier") or 0
        for table in rows_at(bands, "AirProtocolUHFRFModeTable")
        for row in rows_at(table, "C1G2UHFRFModeTable", "C1G2UHFRFModeTableEntry")
    ]
    return Abilities(
        has_utc=number_at(general, "HasUTCClockCapability") != 0,
        can_hold=bool(number_at(llrp, "SupportsEventAndReportHolding")),
        can_target=bool(number_at(llrp, "CanDoTagInventoryStateAwareSingulation")),
        antennas=number_at(general, "MaxNumberOfAntennaSupported"),
        outputs=number_at(general, "GPIOCapabilities", "NumGPOs") or 0,
        powers=tuple(
            (number_at(row, "Index") or 0, (number_at(row, "TransmitPowerValue") or 0) / 100)
            for row in rows_at(bands, "TransmitPowerLevelTableEntry")
        ),
        modes=tuple(modes),
        hop_tables=tuple(
            (number_at(row, "HopTableID") or 0, _numbers(row.get("Frequency")))
            for row in rows_at(air, "FrequencyHopTable")
        ),
        fixed_khz=_numbers(nested(air, "FixedFrequencyTable").get("Frequency") or air.get("FixedFrequencyTable")),
    )


def _numbers(value: object) -> tuple[int, ...]:
    return tuple(each for each in value if isinstance(each, int)) if isinstance(value, list | tuple) else ()


def unfit(able: Abilities, radio: Radio, antennas: Sequence[int]) -> str:
    """Return why a reader cannot serve us, or ""; the sentence says what to correct."""
    if able.antennas is not None and max(antennas) > able.antennas:
        return f"the configuration names antenna {max(antennas)}, the reader has {able.antennas}: correct `antennas`"
    if radio.mode is not None and radio.mode not in able.modes:
        return f"the reader has no mode {radio.mode}, it has {', '.join(map(str, able.modes)) or 'none'}"
    if radio.target == "B" and not able.can_target:
        return "the reader cannot choose a target of the inventory: leave the target out"
    lowest = min((power for _, power in able.powers), default=0.0)
    for antenna, power in radio.powers_dbm:
        if not able.powers or power < lowest:
            return f"antenna {antenna}: the reader has no power of {power:g} dBm or less, its lowest is {lowest:g} dBm"
    if radio.region and (able.hop_tables or able.fixed_khz) and _channel(able, radio) is None:
        low, high = REGIONS_KHZ[radio.region]
        every = [each for _, table in able.hop_tables for each in table] + list(able.fixed_khz)
        said = f"{min(every) / 1000:g} to {max(every) / 1000:g}" if every else "unknown"
        return (
            f"the reader transmits at {said} MHz, region {radio.region} allows {low // 1000} to {high // 1000} MHz: "
            f"set the reader's own region"
        )
    return ""


def _channel(able: Abilities, radio: Radio) -> tuple[int, int] | None:
    """Return hop table and channel index inside the region; None where there is neither."""
    low, high = REGIONS_KHZ.get(radio.region, (0, 1 << 32))
    for number, table in able.hop_tables:
        if table and low <= min(table) and max(table) <= high:
            return number, 0
    for place, channel in enumerate(able.fixed_khz, start=1):
        if low <= channel <= high:
            return 0, place
    return None


def antenna_settings(able: Abilities, radio: Radio, antennas: Sequence[int]) -> list[Params]:
    """Return the AntennaConfigurations of an inventory; none where the reader's own settings stand."""
    command = _inventory_command(able, radio)
    powers = dict(radio.powers_dbm)
    rows: list[Params] = []
    for antenna in antennas:
        row: dict[str, Value] = {"AntennaID": antenna}
        if antenna in powers:
            table, channel = _channel(able, radio) or (0, 0)
            level = max((each for each in able.powers if each[1] <= powers[antenna]), key=lambda each: each[1])
            row["RFTransmitter"] = {"HopTableID": table, "ChannelIndex": channel, "TransmitPower": level[0]}
        if command:
            row["AirProtocolInventoryCommandSettings"] = [{"C1G2InventoryCommand": command}]
        if len(row) > 1:
            rows.append(row)
    return rows


def _inventory_command(able: Abilities, radio: Radio) -> Params:
    command: dict[str, Value] = {}
    if radio.mode is not None:
        command["C1G2RFControl"] = {"ModeIndex": radio.mode, "Tari": TARI_DEFAULT}
    if radio.session is not None or radio.population is not None or radio.target is not None:
        control: dict[str, Value] = {
            "Session": radio.session or 0,
            "TagPopulation": radio.population or 32,
            "TagTransitTime": 0,
        }
        if radio.target is not None and able.can_target:
            control["C1G2TagInventoryStateAwareSingulationAction"] = {"I": TARGETS[radio.target], "S": 0}
        command["C1G2SingulationControl"] = control
    aware = radio.target is not None and able.can_target
    return {"TagInventoryStateAware": aware, **command} if command else {}
