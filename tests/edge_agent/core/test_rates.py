"""Read rates follow the rounds, and nothing that comes by makes them grow without a limit."""

import pytest

from edge_agent.core import rates as module
from edge_agent.core.rates import Rates
from protocols.readers.reads import RoundEnded, TagRead
from protocols.values.ids import Epc, epc
from tests.edge_agent.conftest import START

A, B = epc("30340242201D8D4000000001"), epc("30340242201D8D4000000002")


def read(tag: Epc, antenna: int = 1, rssi: int | None = -60, count: int = 1) -> TagRead:
    return TagRead(tag, antenna, rssi, START, START, count)


def test_a_tag_counts_once_a_round_and_an_antenna_every_read() -> None:
    rates = Rates()
    for number in range(10):
        rates.hear("r1", read(A, count=3))
        rates.hear("r1", read(A, rssi=-50))
        if number % 2:
            rates.hear("r1", read(B, 2, None))
        rates.hear("r1", RoundEnded(START, (1, 2)))
    assert (rates.antennas["r1", 1].rounds, rates.antennas["r1", 1].reads) == (10, 40)
    assert (rates.tags["r1", 1, A].rounds, rates.tags["r1", 1, A].rssi_dbm) == (10, -50)
    assert (rates.tags["r1", 2, B].rounds, rates.tags["r1", 2, B].rssi_dbm) == (5, None)
    assert rates.antennas["r1", 1].last_read == START


def test_the_far_past_is_forgotten_and_the_rate_stays() -> None:
    rates = Rates()
    for number in range(3 * module.ROUNDS_KEPT):
        if number % 4 == 0:
            rates.hear("r1", read(A))
        rates.hear("r1", RoundEnded(START, (1,)))
    antenna, tag = rates.antennas["r1", 1], rates.tags["r1", 1, A]
    assert antenna.rounds <= module.ROUNDS_KEPT
    assert tag.rounds / antenna.rounds == pytest.approx(0.25, abs=0.01)


def test_foreign_tags_fill_no_memory_and_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TAG_RATES_MAX", 50)
    monkeypatch.setattr(module, "ROUND_READS_MAX", 40)
    rates = Rates()
    for number in range(1_000):
        rates.hear("r1", read(epc(f"{number:024X}"), 1 + number))
        if number % 100 == 99:
            rates.hear("r1", RoundEnded(START, (1,)))
    assert len(rates.tags) == 50
    assert len(rates.antennas) <= module.ANTENNA_RATES_MAX
    rates.forget({A}.__contains__)
    assert rates.tags == {}
