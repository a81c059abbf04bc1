"""The overview against a real store: what the ledger and the work tables hold is what a buyer sees."""

from datetime import date
from pathlib import Path

from central.core.discrepancies import Kind
from central.core.match import Match
from central.core.orders import Progress
from central.services.accounts import staff_number
from central.services.orders import approve
from central.services.overview import Name, Overview
from central.services.overview import Ward as WardSeen
from central.services.overview_now import overview_now
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.tables.master import ITEM
from protocols.values.instant import plus
from protocols.values.money import yuan
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, Ward, fresh_store, hospital, tags

NAME = Name("示例医院", "Sample hospital")
HOUR_S = 3600


def seen(store: Store, at_s: float) -> Overview:
    return overview_now(store, HOSPITAL, NAME, plus(START, at_s))


def ward(overview: Overview, code: str) -> WardSeen:
    return next(one for one in overview.wards if one.place.code == code)


def work(store: Store, at_s: float) -> None:
    reconcile(store, HOSPITAL, plus(START, at_s))
    replenish(store, HOSPITAL, plus(START, at_s), policy="3x", run=f"replenish:{at_s}")


def test_an_empty_store_is_an_overview_with_nothing_in_it() -> None:
    overview = seen(fresh_store(), 0)
    assert (overview.wards, overview.discrepancies, overview.proposals, overview.orders) == ((), (), (), ())
    assert overview.hospital == NAME


def test_wards_are_level_two_and_say_when_they_were_heard(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    units = tags(3)
    heard_of = Ward(store)
    heard_of.open(KIT, "K1", units)
    for unit in units:
        heard_of.observe(unit, 0.99, 0)
    work(store, 10)
    overview = seen(store, 600)
    assert [one.place.code for one in overview.wards] == ["ward-01", "ward-02"]
    heard, never = overview.wards
    assert (heard.last_contact, heard.offline, heard.pending, heard.match) == (START, False, 0, Match(1, 1, 3, 0))
    assert heard.place.name == Name("重症医学科", "Intensive care")
    assert (never.last_contact, never.offline) == (None, False), "not connected yet is not offline"
    assert ward(seen(store, 2 * HOUR_S), "ward-01").offline


def test_a_missing_unit_comes_with_lot_serial_position_and_evidence(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    device, units = Ward(store), tags(2)
    device.open(KIT, "K1", units)
    device.observe(units[0], 0.02, 900, since_s=300)
    work(store, 901)
    overview = seen(store, 1000)
    (one,) = overview.discrepancies
    assert overview.discrepancies_all == ward(overview, "ward-01").discrepancies == 1
    assert (one.kind, one.place.code, one.item.code, one.lot) == (Kind.MISSING, "ward-01", KIT, "K1")
    assert (one.expiry, one.unit, one.serial) == (date(2027, 6, 1), units[0], units[0][-4:])
    assert (one.since, one.found_at, one.p) == (plus(START, 300), plus(START, 900), 0.02)
    assert one.book is not None
    assert (one.book.kind, one.book.place.code, one.book.position) == ("opening", "ward-01", "S1")


def test_an_issued_unit_that_stays_is_unexpected_and_its_last_movement_is_said(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    device, (unit,) = Ward(store), tags(1)
    device.open(KIT, "K1", [unit])
    device.issue(KIT, "K1", unit, 100)
    device.observe(unit, 0.99, 2000, since_s=700)
    work(store, 2001)
    (one,) = seen(store, 2100).discrepancies
    assert one.kind is Kind.UNEXPECTED
    assert one.book is not None
    assert one.book.kind == "issue"


def test_a_proposal_carries_its_numbers_its_price_and_who_could_not_give_it(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    Ward(store).open(KIT, "K1", tags(6))
    work(store, 10)
    overview = seen(store, 20)
    (one,) = overview.proposals
    assert overview.proposals_all == ward(overview, "ward-01").proposals == 1
    assert (one.item.code, one.item.vital, one.item.unit) == (KIT, True, Name("包", "kit"))
    assert (one.source.zh, one.internal, one.qty) == ("示例·澄江医疗", False, 10)
    assert (one.unit_price, one.price) == (yuan("268.00"), yuan("2680.00"))
    assert (one.why.position, one.why.trigger, one.why.order_up_to, one.why.bound_by) == (6, 7.0, 14, "pack")
    (passed,) = one.why.passed_over
    assert (passed.name, passed.available) == (Name("一级库", "Central store"), 0)


def test_an_approved_proposal_leaves_the_list_and_is_an_order(tmp_path: Path) -> None:
    store = hospital(tmp_path, daily={KIT: 1, GAUZE: 20})
    device = Ward(store)
    device.open(KIT, "K1", tags(6))
    device.receive(GAUZE, "G1", 30, 5)
    work(store, 10)
    vital, ordinary = seen(store, 20).proposals
    assert (vital.item.vital, ordinary.item.vital, ordinary.internal, ordinary.price) == (True, False, True, None)
    number = approve(store, HOSPITAL, vital.id, staff_number("page"), plus(START, 30)).order_no
    approve(store, HOSPITAL, ordinary.id, staff_number("page"), plus(START, 40))
    after = seen(store, 50)
    assert after.proposals == ()
    internal, bought = after.orders
    assert (bought.number, bought.price, bought.progress) == (number, yuan("2680.00"), Progress.APPROVED)
    assert (bought.approved_by, bought.internal, bought.lines[0].qty) == ("page", False, 10)
    assert (internal.internal, internal.price, internal.source.en) == (True, None, "Central store")


def test_what_no_catalogue_knows_is_called_by_its_code(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    device, (unit,) = Ward(store), tags(1)
    device.open("HC-STRANGE", "", [unit])
    device.observe(unit, 0.02, 900, since_s=300)
    work(store, 901)
    (one,) = seen(store, 1000).discrepancies
    assert one.item.name == Name("HC-STRANGE", "HC-STRANGE")
    with store.read() as connection:
        assert connection.execute(ITEM.select().where(ITEM.c.item == "HC-STRANGE")).all() == []
