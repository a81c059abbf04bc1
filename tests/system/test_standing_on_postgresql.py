"""On a real PostgreSQL, too, a store that another build made is told from one of this version, thing by thing."""

from collections.abc import Iterator

import pytest

from central.store.engine import Store
from central.store.migrate import pending, tables
from central.store.standing import differences
from tests.system.postgresql import migrated_cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]

EARLIER = {
    "DROP TABLE ward_task": "table ward_task is missing",
    "ALTER TABLE item DROP COLUMN storage": "column item.storage is missing",
    "ALTER TABLE item ALTER COLUMN pack TYPE bigint": "column item.pack is BIGINT required, not INTEGER required",
    "ALTER TABLE item ALTER COLUMN pack DROP NOT NULL": "column item.pack is INTEGER optional, not INTEGER required",
    "ALTER TABLE alarm DROP CONSTRAINT alarm_pkey": "column alarm.hospital is VARCHAR required, not VARCHAR required "
    "as part 1 of the key",
    "DROP TRIGGER audit_no_update ON audit": "rule audit_no_update is missing",
    "DROP FUNCTION policy_rule_alone() CASCADE": "rule policy_rule_alone is missing",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$": (
        "rule refuse_change is another"
    ),
}


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with migrated_cluster() as made:
        yield made


def test_a_fresh_store_with_a_months_partition_stands_as_wanted(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("SELECT ledger_month(202603)")
    assert pending(store) == ""


@pytest.mark.parametrize(("statement", "told"), EARLIER.items())
def test_what_an_earlier_build_had_otherwise_is_named(store: Store, statement: str, told: str) -> None:
    with store.read() as connection:
        connection.exec_driver_sql(statement)
        assert told in differences(connection, tables())
