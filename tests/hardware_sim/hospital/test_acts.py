"""A drawn storeroom's days as ledger entries: each is one a real edge could have written, in a real chain."""

import random
from collections import Counter
from datetime import date

import pytest

from hardware_sim.hospital.acts import Act, Book, acts_of
from hardware_sim.hospital.memory_ledger import MemoryLedger
from hardware_sim.storeroom.rates import from_table
from hardware_sim.storeroom.stock import Where
from hardware_sim.storeroom.ward import START, Plan, Ward, draw_ward
from protocols.entry import chain, decode_entry, encode_body
from protocols.movements.bodies import read_body
from protocols.movements.posting import lines_of
from protocols.movements.table import MOVEMENTS
from protocols.movements.tags import BindBody
from protocols.sync.frames import NOTHING
from protocols.values.ids import DeviceId, PlaceId
from protocols.values.instant import from_iso, plus

BOOK = Book(PlaceId("ward-01"), date(2026, 3, 2), from_iso(START))
RATES = from_table({"returned": 0.3, "to_next_a_day": 3.0, "to_next_recorded": 1.0, "swapped": 0.1, "late_scan": 0.3})


@pytest.fixture(scope="module")
def ward() -> Ward:
    return draw_ward(Plan(seed=6, days=7, tags=80, rates=RATES))


@pytest.fixture(scope="module")
def acts(ward: Ward) -> list[Act]:
    return list(acts_of(ward, BOOK))


def test_every_act_is_one_that_the_table_of_movements_admits(acts: list[Act]) -> None:
    kinds = Counter(act.kind for act in acts)
    assert set(kinds) == {
        "bind_tag", "opening", "visit", "issue", "return_to_store", "transfer_out", "ward_receipt", "observe",
    }  # fmt: skip
    for act in acts:
        assert bool(lines_of(act.kind, encode_body(act.body))) == MOVEMENTS[act.kind].posts


def test_acts_come_in_order_and_the_opening_first(acts: list[Act]) -> None:
    assert [act.at_s for act in acts] == sorted(act.at_s for act in acts)
    first = [act.kind for act in acts if act.at_s == 0.0]
    assert set(first) == {"bind_tag", "opening"}


def test_a_piece_goes_from_where_it_is_and_its_tag_is_bound_before(acts: list[Act]) -> None:
    at: dict[str, str] = {}
    bound: set[str] = set()
    for act in acts:
        if act.kind == "bind_tag":
            bound |= {binding.names for binding in read_body(encode_body(act.body), BindBody).bindings}
        for line in lines_of(act.kind, encode_body(act.body)):
            assert line.unit in bound
            assert at.get(line.unit, line.source) == line.source
            at[line.unit] = line.target
    assert len(set(at.values())) >= 3


def test_the_opening_is_what_stands_there_at_first(ward: Ward, acts: list[Act]) -> None:
    opened = {line.unit for act in acts if act.kind == "opening" for line in lines_of(act.kind, encode_body(act.body))}
    assert opened == {piece.epc for piece in ward.stock.pieces if piece.home == piece.first == Where.HERE}


def test_who_scanned_is_somebody_who_was_there(ward: Ward, acts: list[Act]) -> None:
    actors = {visit.actor for visit in ward.life.visits}
    assert {act.actor for act in acts if act.kind == "issue"} <= actors


def test_a_memory_ledger_is_the_chain_of_the_protocol() -> None:
    ledger = MemoryLedger(DeviceId("ward-01"), random.Random(1))
    for number in range(5):
        wall = plus(BOOK.start, number)
        ledger.append("visit", {"phase": "begin"}, "N01", wall=wall, mono=number)
    raws = ledger.entries_raw(0, 10, 1 << 20)
    links = chain(
        ledger.device,
        ledger.incarnation,
        from_seq=0,
        prev_hash=ledger.hash_at(NOTHING) or b"",  # type: ignore[arg-type] # it is there
        entries=[decode_entry(raw) for raw in raws],
    )
    assert [ledger.hash_at(seq) for seq in range(5)] == [link.hash for link in links]
    assert (ledger.head_seq, ledger.head_hash) == (4, links[-1].hash)
    assert ledger.hash_at(5) is None


def test_entries_are_given_within_both_limits_but_at_least_one() -> None:
    ledger = MemoryLedger(DeviceId("ward-01"), random.Random(1))
    for number in range(4):
        ledger.append("visit", {"phase": "begin"}, "N01", wall=plus(BOOK.start, number), mono=number)
    size = len(ledger.entries_raw(0, 1, 1 << 20)[0])
    assert len(ledger.entries_raw(1, 2, 1 << 20)) == 2
    assert len(ledger.entries_raw(0, 4, 2 * size)) == 2
    assert len(ledger.entries_raw(0, 4, 1)) == 1
    assert ledger.entries_raw(4, 4, 1) == []
