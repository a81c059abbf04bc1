"""Outages are rows with a beginning and an end, the oldest are cut, and a restart leaves none open."""

from collections.abc import Callable

import pytest

from edge_agent.core.outages import BROKER, LINK, READER, Began, Ended, Key
from edge_agent.core.rates import Rates
from edge_agent.store import health as module
from edge_agent.store.health import bound_or, close_left_open, read_health, write_changes, write_rates
from edge_agent.store.ledger import Ledger
from protocols.readers.reads import RoundEnded, TagRead
from protocols.values.ids import epc
from protocols.values.instant import plus
from tests.edge_agent.conftest import START, Scribe

CUT, BROKEN = Key(READER, "r1", 0, LINK), Key(BROKER, BROKER, 0, LINK)
A, FOREIGN = epc("30340242201D8D4000000001"), epc("30340242201D8D4000000009")


def test_an_outage_is_open_until_its_own_part_works_again(ledger: Ledger) -> None:
    write_changes(ledger.connection, [Began(CUT, "refused", START), Began(BROKEN, "gone", START)])
    write_changes(ledger.connection, [Ended(CUT, plus(START, 5))])
    health = read_health(ledger.connection)
    assert [(each.part, each.reason, each.ended) for each in health.open] == [("broker", "gone", None)]
    assert [(each.name, each.ended, each.ended_by) for each in health.latest] == [("r1", plus(START, 5), "recovery")]
    assert health.outages == 2


def test_what_a_run_left_open_is_ended_by_the_next(ledger: Ledger, open_again: Callable[..., Ledger]) -> None:
    write_changes(ledger.connection, [Began(CUT, "refused", START)])
    ledger.close()
    again = open_again()
    close_left_open(again.connection, plus(START, 60))
    (outage,) = read_health(again.connection).latest
    assert (outage.ended, outage.ended_by) == (plus(START, 60), "restart")


def test_a_clock_that_was_set_back_ends_no_outage_before_it_began(ledger: Ledger) -> None:
    write_changes(ledger.connection, [Began(CUT, "refused", START), Ended(CUT, plus(START, -9))])
    assert read_health(ledger.connection).latest[0].ended == START


def test_the_oldest_outages_are_cut_and_one_that_lasts_is_kept(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUTAGES_MAX", 10)
    write_changes(ledger.connection, [Began(BROKEN, "gone", START)])
    for number in range(50):
        write_changes(ledger.connection, [Began(CUT, f"{number}", START), Ended(CUT, START)])
    health = read_health(ledger.connection)
    assert (health.outages, len(health.open), health.latest[0].reason) == (11, 1, "49")


def test_rates_are_written_of_tags_that_belong_here_and_replace_those_before(ledger: Ledger, scribe: Scribe) -> None:
    ledger.append([scribe.bind(A)])
    rates = Rates()
    for _ in range(2):
        for tag in (A, FOREIGN):
            rates.hear("r1", TagRead(tag, 1, -61, START, START))
        rates.hear("r1", RoundEnded(START, (1, 2)))
        rates.forget(bound_or(ledger.connection, ()))
        write_rates(ledger.connection, rates)
    one, two = read_health(ledger.connection).antennas
    assert (one.rounds, one.reads, one.tags, one.last_read) == (2, 4, 1, START)
    assert (two.antenna, two.rounds, two.reads, two.tags, two.last_read) == (2, 2, 0, 0, None)
    (weak,) = read_health(ledger.connection).weakest
    assert (weak.epc, weak.reader, weak.antenna, weak.rate, weak.rssi_dbm) == (A, "r1", 1, 1.0, -61.0)
    assert ledger.connection.query("SELECT epc, rounds, rssi_dbm FROM tag_rate") == [(A, 2, -61.0)]
