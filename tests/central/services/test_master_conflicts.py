"""Master data that changed meanwhile, through the real ingest: the entry keeps what it saw, money goes to variance."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from central.core.conflicts import Sort
from central.core.journal import Role
from central.core.master import MasterKind
from central.core.month import Month
from central.core.purchasing import InvoicedLine, InvoiceState, OrderStep
from central.core.rights import Caller, Grant
from central.core.rights import Role as Holds
from central.services.conflicts import Settled, settle_conflicts
from central.services.documents import Documents
from central.services.feed.keeper import FeedKeeper, Seals, Times
from central.services.finance import journal_of
from central.services.master import Master
from central.services.orders import approve
from central.services.purchasing import Inspected
from central.store import queries_conflicts as kept
from central.store import queries_settling as tasks_kept
from central.store.feeds import TIMES_KEPT_S, VERSIONS_KEPT, version_at
from central.store.merge import merge
from central.store.tables.agreements import AGREEMENT, AGREEMENT_PRICE
from central.store.tables.feed import FEED_VERSION
from central.store.tables.master import ITEM
from protocols.entry import Entry
from protocols.values.ids import ActorId
from protocols.values.instant import from_iso, plus
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import GAUZE, HOSPITAL, frozen_clock, hospital
from tests.central.purchases import BUYER, HEAD, STORE, person, propose
from tests.central.services.parties import WARD, Central, Device, a_central, entry, line

KEEPER = Caller(ActorId("N9"), "K", (Grant(Holds.STOREKEEPER),))
SWAB = Money(8_500)


class Hospital:
    """A central with one item, its feed and its master data; time goes on by itself."""

    def __init__(self) -> None:
        self.central: Central = a_central()
        clock, store = self.central.clock, self.central.store
        self.feed = FeedKeeper(store, self.central.hospital, Times(clock.now, clock.link_s), Seals())
        self.master = Master(Documents(store, self.central.hospital, clock))
        with store.write() as connection:
            merge(connection, ITEM, [self.item()])
        self.feed.look()
        self.device = Device(self.central)
        self.device.greet()

    def item(self, **more: object) -> dict[str, object]:
        row: dict[str, object] = {"hospital": "main", "item": "A1", "name_zh": "x", "name_en": "x", "gtin": ""}
        row |= {"unit_zh": "x", "unit_en": "x", "class": "low", "criticality": "normal", "pack": 10}
        return row | {"chargeable": False, "storage": "", "spec": ""} | more

    def change(self, **fields: str) -> None:
        thing, _ = self.master.one(KEEPER, MasterKind.ITEM, "A1")
        today = date.fromisoformat("2026-03-02")
        assert self.master.change(KEEPER, MasterKind.ITEM, "A1", {**thing.fields, **fields}, today)

    def version(self) -> int:
        with self.central.store.read() as connection:
            found = version_at(connection, self.central.hospital, "global", None)
        assert found is not None
        return found.version

    def take(self, number: int, version: int | None) -> None:
        body: dict[str, Any] = {"lines": [line("A1", WARD, f"issued@{WARD}", qty=10)]}
        self._record(entry("issue", body | ({} if version is None else {"master": version}), number, actor="N1"))

    def _record(self, one: Entry) -> None:
        before = len(self.device.chained)
        self.device.write(one)
        self.device.say(self.device.frame(before, before + 1))

    def look(self) -> Settled:
        return settle_conflicts(self.central.store, self.central.hospital, self.central.clock)

    def standing(self, sort: Sort, status: str = "") -> list[kept.Standing]:
        with self.central.store.read() as connection:
            return kept.standing(connection, self.central.hospital, sorts=[sort], status=status)


@pytest.fixture
def changed() -> Hospital:
    """The pack was ten until minute one, and is twelve since; the feed tells of it from minute two on."""
    made = Hospital()
    made.central.clock.at = 60.0
    made.change(pack="12")
    made.central.clock.at = 120.0
    made.feed.look()
    return made


def test_an_entry_by_the_pack_from_before_keeps_its_quantity_and_its_line_is_to_be_counted(changed: Hospital) -> None:
    assert changed.version() == 1
    changed.take(30, 0)  # before the change
    changed.take(90, 0)
    changed.take(150, 1)
    changed.take(160, None)  # an older device says nothing
    changed.look()
    (flag,) = changed.standing(Sort.MASTER_CHANGED, kept.OPEN)
    assert (flag.place, flag.item, flag.detail["pack_before"], flag.detail["pack_after"]) == (WARD, "A1", "10", "12")
    assert flag.detail["acts"] == 1
    with changed.central.store.read() as connection:
        tasks = tasks_kept.tasks(connection, changed.central.hospital, status="open", place=WARD)
    assert "master_changed" in {task.reason["sort"] for task in tasks}
    assert changed.central.balance()[WARD, "A1"] == -40
    assert changed.look() == Settled(0, 0, 0)


def test_a_later_act_by_the_old_data_is_told_by_the_same_conflict(changed: Hospital) -> None:
    changed.take(90, 0)
    changed.look()
    changed.take(100, 0)
    changed.look()
    (flag,) = changed.standing(Sort.MASTER_CHANGED)
    assert flag.detail["acts"] == 2


def test_another_name_of_an_item_is_no_conflict() -> None:
    made = Hospital()
    made.change(name_en="y")
    made.take(90, 0)
    made.look()
    assert made.standing(Sort.MASTER_CHANGED) == []


def test_when_an_old_version_was_made_is_still_known_and_its_rows_are_let_go(changed: Hospital) -> None:
    for number in range(VERSIONS_KEPT + 3):
        changed.central.clock.at += 10
        changed.change(name_en=f"n{number}")
        changed.feed.look()
    with changed.central.store.read() as connection:
        assert version_at(connection, changed.central.hospital, "global", 0) is None
        rows = connection.execute(FEED_VERSION.select().where(FEED_VERSION.c.scope == "global")).all()
    assert [row.version for row in rows if row.packed] == list(
        range(changed.version() - VERSIONS_KEPT + 1, changed.version() + 1)
    )
    assert len(rows) == changed.version() + 1
    changed.take(90, 0)
    changed.look()
    assert len(changed.standing(Sort.MASTER_CHANGED)) == 1
    changed.central.clock.at += TIMES_KEPT_S + 100
    with changed.central.store.write() as connection:
        merge(connection, ITEM, [changed.item(name_en="last")])
    changed.feed.look()
    with changed.central.store.read() as connection:
        rows = connection.execute(FEED_VERSION.select().where(FEED_VERSION.c.scope == "global")).all()
    assert len(rows) == VERSIONS_KEPT


def test_goods_ordered_before_a_new_price_keep_their_cost_and_the_difference_is_the_price_variance(
    tmp_path: Path,
) -> None:
    store = hospital(tmp_path, {})
    march, now = Month(2026, 3), from_iso("2026-03-05T09:00:00+08:00")
    at = desk(store, Watch(now))
    number = propose(at, GAUZE, "S01", SWAB, 600, at=now, id="a" * 16)
    order = str(approve(store, HOSPITAL, number, HEAD.person, now).order_no)
    at.purchasing.step(BUYER, order, OrderStep.SEND, {})
    agreement = {"hospital": HOSPITAL, "agreement": "FW-1", "kind": "framework", "name_zh": "x", "name_en": "x"}
    agreement |= {"supplier": "S01", "group_id": "", "parties": "", "freight": ""}
    price = {"hospital": HOSPITAL, "agreement": "FW-1", "item": GAUZE, "valid_to": None, "price": 8_000}
    with store.write() as connection:
        days = {"first": date(2026, 3, 6), "last": date(2026, 12, 31)}
        merge(connection, AGREEMENT, [agreement | days])
        merge(connection, AGREEMENT_PRICE, [price | {"valid_from": date(2026, 3, 6)}])
    later = Watch(plus(now, 3 * 86_400))
    desk(store, later).purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", date(2028, 1, 1), 600, 0)])
    settle_conflicts(store, HOSPITAL, frozen_clock(later.now))
    with store.read() as connection:
        (flag,) = kept.standing(connection, HOSPITAL, sorts=[Sort.PRICE_CHANGED], status="")
    assert (flag.status, flag.place, flag.detail["order"]) == (kept.CLOSED, "main-store", f"{order}/1")
    assert flag.detail["variance"] == 300_000
    assert "price variance" in flag.remark
    assert settle_conflicts(store, HOSPITAL, frozen_clock(later.now)).moved == 0

    asked = [InvoicedLine(order, 1, 600, Money(8_000))]
    finance = person("30001", Holds.FINANCE)
    entered = desk(store, later).invoices.enter_invoice(finance, "S01", "INV-1", date(2026, 3, 8), asked)
    assert entered.state is InvoiceState.MATCHED
    with store.read() as connection:
        journal = journal_of(connection, HOSPITAL, march, plus(later.now, 60))
    variance = [leg.credit for each in journal.entries for leg in each.legs if leg.role is Role.VARIANCE]
    assert variance == [flag.detail["variance"]]
