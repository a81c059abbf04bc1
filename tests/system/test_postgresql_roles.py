"""PostgreSQL guards the ledger a second time: the server's role owns nothing, and months are partitions."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from central.cli import start
from central.services.verify import verify
from central.store.audit import let_go, note
from central.store.engine import Store, open_store
from central.store.migrate import migrate, pending
from protocols.sync.frames import Ack, Welcome
from protocols.values.ids import HospitalId
from protocols.values.instant import Instant, plus
from tests.central.services.parties import Device, a_central, issue, opening
from tests.system.postgresql import cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]
APP = "wardstock_app"


@pytest.fixture(scope="module")
def owner_url() -> Iterator[str]:
    with cluster() as found:
        made = open_store(found)
        with made.engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {APP} LOGIN")
        migrate(made, APP)
        made.close()
        yield found


@pytest.fixture
def app_store(owner_url: str) -> Iterator[Store]:
    made = open_store(owner_url.replace("wardstock@", f"{APP}@"))
    assert pending(made) == ""
    yield made
    made.close()


def refused(store: Store, statement: str) -> str:
    with pytest.raises(DBAPIError) as caught, store.write() as connection:
        connection.exec_driver_sql(statement)
    return str(caught.value.orig)


def test_the_servers_role_takes_entries_in_and_each_month_has_its_partition(app_store: Store) -> None:
    central = a_central("main", app_store)
    device = Device(central)
    assert isinstance(device.greet(), Welcome)
    device.write(opening(1), *(issue(number) for number in range(2, 60)))
    assert isinstance(device.say(device.frame(0, 1))[0], Ack)
    central.clock.at += 31 * 86_400
    assert isinstance(device.say(device.frame(1, 59))[0], Ack)
    assert verify(app_store).faults == []
    with app_store.read() as connection:
        parts = connection.execute(text("SELECT tableoid::regclass::text, count(*) FROM ledger GROUP BY 1")).all()
    assert sorted(map(tuple, parts)) == [("ledger_202603", 1), ("ledger_202604", 58)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger SET actor = 'x'",
        "DELETE FROM ledger",
        "TRUNCATE ledger",
        "TRUNCATE ledger_default",
        "UPDATE event SET actor = 'x'",
        "DELETE FROM balance",
        "TRUNCATE balance",
        "UPDATE audit SET person = 'x'",
        "TRUNCATE audit",
        "UPDATE alembic_version SET version_num = '9999'",
    ],
)
def test_the_servers_role_may_not_change_what_stands(app_store: Store, statement: str) -> None:
    assert "permission denied" in refused(app_store, statement)


def test_the_servers_role_lets_acts_go_only_behind_a_checkpoint(app_store: Store) -> None:
    with app_store.write() as connection:
        for day in range(182):
            note(connection, HospitalId("main"), plus(Instant(0), day * 86_400), person="10001", act="approve")
    assert "nothing is removed" in refused(app_store, "DELETE FROM audit WHERE seq = 0")
    with app_store.write() as connection:
        assert let_go(connection, HospitalId("main"), plus(Instant(0), 181 * 86_400), 180) == 1
    assert "nothing is removed" in refused(app_store, "DELETE FROM audit WHERE seq = 1")


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER ledger_no_update ON ledger",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "DROP TABLE ledger",
        "CREATE TABLE mine (x int)",
    ],
)
def test_the_servers_role_may_not_lift_a_rule(app_store: Store, statement: str) -> None:
    assert any(word in refused(app_store, statement) for word in ("must be owner", "permission denied"))


def test_migrate_lets_a_role_in_by_its_options(owner_url: str, tmp_path: Path) -> None:
    config = tmp_path / "central.toml"
    config.write_text(
        f'[store]\nurl = "{owner_url.replace("wardstock@", f"{APP}@")}"\n'
        '[broker]\nurls = ["mqtt://127.0.0.1:9"]\n[sync]\nunsigned = true\n'
    )
    asked = ["migrate", "--config", str(config), "--owner-url", owner_url]
    assert start([*asked, "--app-role", APP]) == 0
    assert start([*asked, "--app-role", "nobody_here"]) == 2
    assert start([*asked, "--app-role", "bad; name"]) == 2


def test_a_store_of_a_newer_version_is_refused_with_what_to_do(owner_url: str) -> None:
    made = open_store(owner_url)
    with made.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "which a newer version made; update this program" in pending(made)
    with made.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    made.close()
