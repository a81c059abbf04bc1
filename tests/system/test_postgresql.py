"""Central on a real PostgreSQL: the same hospital as on SQLite, and a store that refuses the same."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.exc import DBAPIError

from central.core.purchasing import InvoicedLine, InvoiceState, InvoiceStep, OrderStep
from central.services.device_keys import DeviceKeys
from central.services.imports import import_folder
from central.services.orders import approve
from central.services.policy import seed_policy
from central.services.purchasing import Inspected
from central.services.reconcile import reconcile
from central.services.replenish import replenish
from central.services.verify import verify
from central.store.audit import acts, broken_at, let_go, note
from central.store.engine import BadStoreUrl, Store, open_store
from central.store.migrate import migrate, pending
from central.store.queries_work import discrepancies, proposals
from central.store.tables.enrolment import DEVICE_KEY
from protocols.sync.enrolment import Renewing
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from protocols.values.money import Money
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, GAUZE, HOSPITAL, KIT, START, Ward, frozen_clock, tags, use_file, write_files
from tests.central.services.fleet import ADMIN, WARD, Fleet, request
from tests.central.services.parties import VirtualClock
from tests.central.services.test_enrolment import believes, sealed
from tests.central.services.test_purchasing import BUYER, CASHIER, STORE
from tests.system.postgresql import cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with cluster() as found:
        yield found


@pytest.fixture
def store(address: str, tmp_path: Path) -> Iterator[Store]:
    """A hospital in a fresh schema: six kits in ward-01, one of them gone; the central store short of gauze."""
    made = open_store(address)
    with made.engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    assert "run `wardstock-central migrate`" in pending(made)
    migrate(made)
    assert pending(made) == ""
    seed_policy(made, HOSPITAL)
    use = use_file({KIT: 1}) + use_file({GAUZE: 300}).replace("ward-01,", "main-store,").partition("\n")[2]
    import_folder(made, HOSPITAL, write_files(tmp_path / "files", {**FILES, "use.csv": use}), frozen_clock())
    ward = Ward(made)
    ward.open(KIT, "K1", tags(6))
    ward.observe(tags(1)[0], 0.02, 900, since_s=300)
    yield made
    made.close()


def test_a_hospital_lives_on_postgresql_as_on_sqlite(store: Store) -> None:
    now = plus(START, 1000)
    done = reconcile(store, HOSPITAL, now)
    assert (done.opened, done.failed) == (1, ())
    assert replenish(store, HOSPITAL, now, policy="3x", run="replenish:1").made == 2
    with store.read() as connection:
        assert [one.kind for one in discrepancies(connection, HOSPITAL, status="open")] == ["missing"]
        found = {one.place: one for one in proposals(connection, HOSPITAL, status="open")}
        assert broken_at(connection, HOSPITAL) is None
    order = approve(store, HOSPITAL, found["main-store"].id, ActorId("10001"), now).order_no
    at_desk = desk(store, Watch(plus(START, 3600)))
    at_desk.purchasing.step(BUYER, order, OrderStep.SEND, {})
    qty = found["main-store"].qty
    at_desk.purchasing.receive(STORE, order, "DN-1", [Inspected(1, "G2", None, accepted=qty, refused=0)])
    line = InvoicedLine(order, 1, qty, Money(8_500))
    entered = at_desk.invoices.enter_invoice(BUYER, "S01", "INV-1", date(2026, 3, 2), [line])
    assert at_desk.invoices.invoice_step(CASHIER, entered.document, InvoiceStep.PAY) is InvoiceState.PAID
    assert verify(store).faults == []
    with store.read() as connection:
        assert {one.act for one in acts(connection, HOSPITAL)} >= {"approve", "receive", "invoice-pay"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET actor = 'x'",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "DELETE FROM event",
        "UPDATE posting_line SET qty = 1",
        "DELETE FROM audit",
        "DELETE FROM balance",
        "TRUNCATE belief",
        "UPDATE discrepancy SET unit = 'x'",
        "DELETE FROM discrepancy",
    ],
)
def test_the_store_refuses_what_the_product_never_does(store: Store, statement: str) -> None:
    reconcile(store, HOSPITAL, plus(START, 1000))
    with store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO audit VALUES ('main', 0, 1, 'p', 'a', '', '{}', decode('00', 'hex'), decode('00', 'hex'))"
        )
    with pytest.raises(DBAPIError, match=r"never changed|nothing is removed"), store.write() as connection:
        connection.exec_driver_sql(statement)


def test_old_acts_go_behind_a_checkpoint_in_the_database_too(store: Store) -> None:
    with store.write() as connection:
        for day in range(200):
            note(connection, HOSPITAL, plus(START, day * 86_400), person="10001", act="approve")
        assert let_go(connection, HOSPITAL, plus(START, 200 * 86_400), 180) == 20
        assert broken_at(connection, HOSPITAL) is None
    with pytest.raises(DBAPIError, match="kept for 180 days"), store.write() as connection:
        connection.exec_driver_sql("INSERT INTO audit_checkpoint SELECT hospital, seq, hash, at FROM audit LIMIT 1")


def test_two_people_are_needed_in_the_database_too(store: Store) -> None:
    now = plus(START, 1000)
    replenish(store, HOSPITAL, now, policy="3x", run="replenish:1")
    with store.read() as connection:
        (one,) = [found for found in proposals(connection, HOSPITAL) if found.place == "main-store"]
    order = approve(store, HOSPITAL, one.id, ActorId("10001"), now).order_no
    row = f"'main', 'GR-1', 1, '{order}', 1, 'DN', '{GAUZE}', '', NULL, 1, 1, 0, '', 1, '10001', NULL"
    with pytest.raises(DBAPIError, match="two people are needed"), store.write() as connection:
        connection.exec_driver_sql(f"INSERT INTO receipt_line VALUES ({row})")


def test_a_device_is_enrolled_heard_and_shut_out(store: Store, tmp_path: Path) -> None:
    fleet, keys = Fleet(tmp_path, START, store), DeviceKeys(HOSPITAL, VirtualClock())
    own = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    key_id = fleet.let_in(own).key_id
    assert believes(fleet, keys, sealed(own, key_id))
    fleet.now = plus(START, 60)
    assert fleet.devices.renew(Renewing(WARD, request(own))).key_id == key_id
    fleet.devices.revoke(ADMIN, WARD, "lost")
    assert len(fleet.devices.revoked()) == 2
    assert not believes(fleet, DeviceKeys(HOSPITAL, VirtualClock()), sealed(own, key_id))
    with pytest.raises(DBAPIError, match="nothing is removed"), store.write() as connection:
        connection.execute(DEVICE_KEY.delete())


def test_an_address_where_nobody_answers_is_told_in_one_line() -> None:
    with pytest.raises(BadStoreUrl, match="expected a database that answers at postgresql"):
        open_store("postgresql://nobody:secret@127.0.0.1:1/none")
    with pytest.raises(BadStoreUrl) as caught:
        open_store("postgresql://nobody:secret@127.0.0.1:1/none")
    assert "secret" not in str(caught.value)
