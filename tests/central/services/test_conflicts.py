"""Conflicts found among the facts of several edges, through the real ingest: what is posted, flagged, and left alone.

Each row of the table of conflicts has its test; the last tests give two centrals the same facts in other orders.
"""

import random
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from central.core.conflicts import Sort
from central.core.permits import Phase, Step
from central.services.conflicts import Settled, settle_conflicts
from central.services.counts_taken import take_in_counts
from central.services.verify import verify
from central.store import queries_conflicts as kept
from central.store import queries_settling as tasks_kept
from central.store.losses import open_loss
from central.store.merge import merge
from central.store.queries_permits import add_step
from central.store.tables.conflicts import COUNT_VERSION
from central.store.tables.ledger import BALANCE, EVENT, LEDGER
from central.store.tables.master import ITEM
from central.store.tables.settling import COUNTED_LINE
from protocols.entry import Entry
from protocols.permits import Audit, Permit
from protocols.sync.reception import Lost
from protocols.values.ids import ActorId, DeviceId, Incarnation, incarnation
from protocols.values.instant import plus
from tests.central.services.parties import START, WARD, Central, Device, a_central, entry, issue, line, opening

UNIT = "E2000001"
OTHER, THIRD = DeviceId("ward-02"), DeviceId("ward-03")


class Edge(Device):
    """A device that writes and sends one entry after the other."""

    def __init__(self, central: Central, device: DeviceId, nonce: bytes = b"n" * 16) -> None:
        central.enrol(device)
        super().__init__(central, device, incarnation(device.encode().ljust(16, b"-")), nonce)
        self.greet()

    def record(self, *entries: Entry) -> None:
        before = len(self.chained)
        self.write(*entries)
        self.say(self.frame(before, len(self.chained)))


def moved(number: int, kind: str, source: str, target: str, unit: str = UNIT, actor: str = "N1") -> Entry:
    return entry(kind, {"lines": [line("A1", source, target, unit)]}, number, actor=actor)


def opened(number: int, ward: str, unit: str = UNIT) -> Entry:
    return moved(number, "opening", f"opening@{ward}", ward, unit)


def issued(number: int, ward: str, unit: str = UNIT) -> Entry:
    return moved(number, "issue", ward, f"issued@{ward}", unit)


def look(central: Central, rooms: Sequence[str] | None = None) -> Settled:
    return settle_conflicts(central.store, central.hospital, central.clock, rooms)


def standing(central: Central, status: str = kept.OPEN) -> list[kept.Standing]:
    with central.store.read() as connection:
        return kept.standing(connection, central.hospital, status=status)


def sorts(central: Central, status: str = kept.OPEN) -> list[tuple[Sort, str, str]]:
    return sorted((one.sort, one.place, one.other) for one in standing(central, status))


def held(central: Central) -> dict[str, int]:
    """place -> quantity of the piece."""
    query = select(BALANCE.c.place, BALANCE.c.qty).where(BALANCE.c.unit == UNIT, BALANCE.c.qty != 0)
    with central.store.read() as connection:
        return {row.place: row.qty for row in connection.execute(query)}


def ledger_of_edges(central: Central) -> list[tuple[object, ...]]:
    with central.store.read() as connection:
        return [tuple(row) for row in connection.execute(LEDGER.select().where(LEDGER.c.device != "central"))]


def test_one_serial_issued_at_two_edges_goes_to_suspense_where_it_never_came_and_both_facts_stay() -> None:
    central = a_central()
    a, b = Edge(central, WARD), Edge(central, OTHER)
    b.record(issued(5, OTHER))
    a.record(opened(1, WARD), issued(9, WARD))
    facts = ledger_of_edges(central)
    assert look(central) == Settled(1, 2, 0)
    assert held(central) == {f"opening@{WARD}": -1, f"issued@{WARD}": 1, OTHER: -1, f"suspense@{OTHER}": 1}
    assert sorts(central) == [(Sort.DOUBLE_ISSUE, OTHER, WARD), (Sort.NEGATIVE, OTHER, "")]
    assert ledger_of_edges(central) == facts
    assert look(central) == Settled(0, 0, 0)
    assert verify(central.store).ok


def test_use_of_what_another_storeroom_received_comes_over_through_transit_until_the_sender_confirms() -> None:
    central = a_central()
    a, b = Edge(central, WARD), Edge(central, OTHER)
    a.record(opened(1, WARD))
    b.record(issued(5, OTHER))
    assert look(central, [OTHER]) == Settled(1, 1, 0)
    assert held(central) == {f"opening@{WARD}": -1, f"issued@{OTHER}": 1}
    (waits,) = standing(central)
    assert (waits.sort, waits.place, waits.other, waits.due_at) == (
        Sort.IMPLIED_TRANSFER, WARD, OTHER, plus(START, 5 + 86_400),
    )  # fmt: skip
    a.record(moved(4, "transfer_out", WARD, f"transit@{OTHER}"))
    assert look(central, [WARD]) == Settled(1, 0, 1)
    assert standing(central) == []
    assert held(central) == {f"opening@{WARD}": -1, f"issued@{OTHER}": 1}
    assert verify(central.store).ok


def test_a_book_below_zero_is_allowed_flagged_and_to_be_counted_within_a_day() -> None:
    central = a_central()
    Edge(central, WARD).record(opening(1, qty=2), issue(2, qty=5))
    look(central, [WARD])
    (flag,) = standing(central)
    assert (flag.sort, flag.place, flag.item, flag.due_at) == (
        Sort.NEGATIVE, WARD, "A1", plus(central.clock.now(), 86_400),
    )  # fmt: skip
    with central.store.read() as connection:
        (task,) = tasks_kept.tasks(connection, central.hospital, status="open", place=WARD)
    assert (task.kind, task.item, task.reason["sort"]) == ("count", "A1", "negative")
    assert central.balance()[WARD, "A1"] == -3


def test_a_line_that_is_above_zero_again_is_no_conflict_and_one_that_falls_again_is() -> None:
    central = a_central()
    edge = Edge(central, WARD)
    edge.record(issue(2, qty=5))
    look(central)
    edge.record(opening(3, qty=9))
    assert look(central) == Settled(0, 0, 1)
    edge.record(issue(4, qty=9))
    assert look(central) == Settled(0, 1, 0)
    assert sorts(central) == [(Sort.NEGATIVE, WARD, "")]


def test_an_unknown_item_is_kept_as_it_came_and_resolved_at_central_later() -> None:
    central = a_central()
    with central.store.write() as connection:
        merge(connection, ITEM, [an_item("A9", "06999990000011")])
    Edge(central, WARD).record(
        opening(1, item="X7"), entry("unknown_label", {"text": "?!", "doing": "taking"}, 2, actor="N1")
    )
    look(central)
    found = {one.item or str(one.detail["text"]) for one in standing(central)}
    assert found == {"X7", "?!"}
    assert central.balance()[WARD, "X7"] == 10


def an_item(item: str, gtin: str) -> dict[str, object]:
    row: dict[str, object] = {"hospital": "main", "item": item, "name_zh": "x", "name_en": "x", "gtin": gtin}
    row |= {"unit_zh": "x", "unit_en": "x", "class": "low", "criticality": "normal", "pack": 1}
    return row | {"chargeable": False, "storage": "", "spec": ""}


def counted(number: int, cut: Entry, qty: int) -> Entry:
    body = {
        "sheet": "s1",
        "phase": "lines",
        "cut": cut.event_id.hex(),
        "lines": [{"item": "A1", "lot": "L1", "qty": qty}],
    }
    return entry("count_daily", body, number, actor="N1")


def read_counts(central: Central) -> None:
    with central.store.write() as connection:
        take_in_counts(connection, central.hospital)


def test_a_line_moved_by_another_device_while_it_was_counted_is_to_be_counted_again() -> None:
    central = a_central()
    a, b = Edge(central, WARD), Edge(central, OTHER)
    cut = opening(1, qty=10)
    a.record(cut, counted(600, cut, 10))
    b.record(entry("transfer_in", {"lines": [line("A1", f"transit@{WARD}", WARD, qty=3)]}, 300))
    read_counts(central)
    look(central)
    assert (Sort.RECOUNT, WARD, "") in sorts(central)


def test_an_entry_from_before_a_count_that_comes_late_makes_a_new_version_and_the_old_one_stays() -> None:
    central = a_central()
    a, b = Edge(central, WARD), Edge(central, OTHER)
    cut = opening(100, qty=10)
    a.record(cut, counted(600, cut, 10))
    read_counts(central)
    central.clock.at = 900.0
    b.record(entry("transfer_in", {"lines": [line("A1", f"transit@{WARD}", WARD, qty=3)]}, 50))
    look(central)
    look(central)
    with central.store.read() as connection:
        assert [row.book for row in connection.execute(select(COUNTED_LINE))] == [10]
        assert [(row.version, row.book) for row in connection.execute(select(COUNT_VERSION))] == [(1, 13)]
    assert sorts(central).count((Sort.LATE_ENTRY, WARD, "")) == 1


def test_draws_before_an_edge_knew_of_its_suspension_are_valid_and_those_after_are_shown() -> None:
    central = a_central()
    edge = Edge(central, WARD)
    step = Step(2, Audit.FAILED, Phase.CONFIRMED, Permit.SUSPENDED, START, ActorId("N9"), "twice")
    with central.store.write() as connection:
        add_step(connection, central.hospital, WARD, step)
    for number, policy in ((10, "2"), (20, "3")):
        body = {"lines": [line("A1", f"transit@{WARD}", WARD)], "policy": policy}
        edge.record(entry("transfer_in", body, number, actor="N1"))
    look(central)
    assert sorts(central) == [(Sort.AGAINST_POLICY, WARD, "")]
    assert sorts(central, kept.CLOSED) == [(Sort.BEFORE_IT_KNEW, WARD, "")]
    assert look(central) == Settled(0, 0, 0)


def test_what_a_rolled_back_edge_forgot_and_a_person_entered_again_is_asked_for() -> None:
    central = a_central()
    edge = Edge(central, WARD)
    edge.record(opened(1, WARD), issued(2, WARD))
    again = Device(central, WARD, Incarnation(b"r" * 16), b"o" * 16)
    again.greet()
    again.write(issued(700, WARD))
    again.say(again.frame(0, 1))
    with central.store.write() as connection:
        open_loss(connection, central.hospital, WARD, Lost("device", edge.chain_id, 1, 1), START)
    look(central)
    (flag,) = [one for one in standing(central) if one.sort is Sort.ENTERED_AGAIN]
    assert (flag.place, flag.unit, flag.detail["actor"]) == (WARD, UNIT, "N1")


def test_what_a_person_closed_stays_closed() -> None:
    central = a_central()
    Edge(central, OTHER).record(issued(5, OTHER))
    look(central)
    (flag,) = standing(central)
    with central.store.write() as connection:
        kept.close(connection, central.hospital, [flag.id], START, by="N9", remark="counted")
    assert look(central) == Settled(0, 0, 0)
    assert standing(central) == []


def drawn(chance: random.Random) -> dict[DeviceId, list[Entry]]:
    """Some wards' entries about a few pieces, as no careful person would write them."""
    facts: dict[DeviceId, list[Entry]] = {}
    numbers = iter(chance.sample(range(1, 5_000), 200))
    for ward in (WARD, OTHER, THIRD):
        other = chance.choice((WARD, OTHER, THIRD))
        ways = [
            ("opening", f"opening@{ward}", ward), ("issue", ward, f"issued@{ward}"), ("issue", ward, f"issued@{ward}"),
            ("use", f"issued@{ward}", f"patient@{ward}"), ("transfer_in", f"transit@{ward}", ward),
            ("return_to_store", f"issued@{ward}", ward),
            *([("transfer_out", ward, f"transit@{other}")] if other != ward else []),
        ]  # fmt: skip
        units = [f"E200000{n}" for n in range(3)]
        facts[ward] = [
            moved(next(numbers), *chance.choice(ways), unit=chance.choice(units)) for _ in range(chance.randint(2, 9))
        ]
    return facts


def played(facts: dict[DeviceId, list[Entry]], chance: random.Random) -> tuple[Central, object]:
    """A central that took these facts in some order of devices, and looked now and then."""
    central = a_central()
    edges = {ward: Edge(central, ward) for ward in facts}
    left = {ward: list(entries) for ward, entries in facts.items()}
    while any(left.values()):
        ward = chance.choice([ward for ward, entries in left.items() if entries])
        some = chance.randint(1, len(left[ward]))
        edges[ward].record(*left[ward][:some])
        del left[ward][:some]
        if chance.random() < 0.5:
            look(central, chance.choice([None, [ward]]))
    look(central)
    with central.store.read() as connection:
        book = {tuple(row) for row in connection.execute(select(BALANCE)) if row.qty}
    return central, (book, {(one.id, one.sort, one.place, one.other, one.provisional) for one in standing(central)})


@pytest.mark.parametrize("seed", range(12))
def test_two_centrals_that_take_the_same_facts_in_other_orders_end_the_same(seed: int) -> None:
    facts = drawn(random.Random(f"facts {seed}"))
    one, at_one = played(facts, random.Random(f"one {seed}"))
    other, at_other = played(facts, random.Random(f"other {seed}"))
    assert at_one == at_other
    assert verify(one.store).ok
    with other.store.read() as connection:
        posted = connection.scalars(select(EVENT.c.kind).where(EVENT.c.device == "central")).all()
    assert set(posted) <= {"suspense"}
    assert look(one) == Settled(0, 0, 0)
