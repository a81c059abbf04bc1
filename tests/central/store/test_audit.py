"""The record of acts where its beginning is let go: the rest still proves itself, and nothing young or broken goes."""

from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from central.errors import BadInput, NotNow
from central.services.acts_kept import let_old_acts_go
from central.store.audit import KEPT_DAYS_MIN, LET_GO, acts, broken_at, let_go, note
from central.store.engine import Store
from central.store.tables.people import AUDIT, AUDIT_CHECKPOINT
from central.store.tables.work import POLICY_RULE
from protocols.values.instant import Instant, plus
from tests.central.hospital import HOSPITAL, START, hospital

DAYS, DAY_S = 300, 86_400
NOW = plus(START, DAYS * DAY_S)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An act a day for three hundred days."""
    made = hospital(tmp_path)
    with made.write() as connection:
        for day in range(DAYS):
            note(connection, HOSPITAL, plus(START, day * DAY_S), person="10001", act="approve", subject=str(day))
    return made


def go(store: Store, now: Instant = NOW, kept_days: int = KEPT_DAYS_MIN) -> int:
    with store.write() as connection:
        return let_go(connection, HOSPITAL, now, kept_days)


def stands(store: Store) -> int | None:
    with store.read() as connection:
        return broken_at(connection, HOSPITAL)


def test_what_is_old_enough_goes_and_the_rest_proves_itself(store: Store) -> None:
    assert go(store) == DAYS - KEPT_DAYS_MIN
    assert stands(store) is None
    with store.read() as connection:
        kept = acts(connection, HOSPITAL)
        assert (kept[0].act, kept[0].detail["last"], kept[-1].seq) == (LET_GO, 119, 120)
        assert kept[-1].at == plus(NOW, -KEPT_DAYS_MIN * DAY_S)
    assert go(store) == 0
    assert go(store, plus(NOW, 30 * DAY_S)) == 30
    assert stands(store) is None


def test_an_act_that_tells_of_an_earlier_going_may_go_too(store: Store) -> None:
    go(store)
    assert go(store, plus(NOW, 400 * DAY_S)) == KEPT_DAYS_MIN + 1
    with store.read() as connection:
        (left,) = acts(connection, HOSPITAL)
    assert left.act == LET_GO
    assert stands(store) is None


def test_nothing_younger_goes_whatever_is_asked(store: Store) -> None:
    with pytest.raises(BadInput, match="180 days or more, got 179"):
        go(store, kept_days=179)
    assert go(store, plus(START, 100 * DAY_S)) == 0


def test_what_is_not_whole_does_not_go(store: Store) -> None:
    with store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.execute(AUDIT.update().where(AUDIT.c.seq == 40).values(person="10099"))
    with pytest.raises(NotNow, match="row 40"):
        go(store)


def test_the_database_lets_nothing_go_before_a_checkpoint(store: Store) -> None:
    go(store)
    with pytest.raises(DBAPIError, match="nothing is removed"), store.write() as connection:
        connection.execute(AUDIT.delete().where(AUDIT.c.seq == 120))


@pytest.mark.parametrize(("seq", "digest"), [(200, None), (50, b"\x00" * 32), (9_999, None)])
def test_a_checkpoint_that_is_young_or_names_another_row_is_refused(
    store: Store, seq: int, digest: bytes | None
) -> None:
    with store.write() as connection:
        row = connection.execute(AUDIT.select().where(AUDIT.c.seq == seq)).first()
    named = digest or (b"\x01" * 32 if row is None else row.hash)
    with pytest.raises(DBAPIError, match="kept for 180 days"), store.write() as connection:
        connection.execute(AUDIT_CHECKPOINT.insert().values(hospital=HOSPITAL, seq=seq, hash=named, at=NOW))


def test_a_going_of_which_no_act_tells_is_found(store: Store) -> None:
    with store.write() as connection:
        row = connection.execute(AUDIT.select().where(AUDIT.c.seq == 50)).one()
        connection.execute(AUDIT_CHECKPOINT.insert().values(hospital=HOSPITAL, seq=50, hash=row.hash, at=NOW))
        connection.execute(AUDIT.delete().where(AUDIT.c.seq <= 50))
    assert stands(store) == 50


def test_a_row_behind_the_checkpoint_that_is_changed_is_found(store: Store) -> None:
    go(store)
    with store.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        connection.execute(AUDIT.update().where(AUDIT.c.seq == 120).values(prev_hash=b"\x00" * 32))
    assert stands(store) == 120


def test_the_days_are_the_policys(store: Store) -> None:
    assert let_old_acts_go(store, HOSPITAL, NOW) == "0 acts let go"
    with store.write() as connection:
        connection.execute(POLICY_RULE.update().where(POLICY_RULE.c.code == "audit.kept_days").values(value="200"))
    assert let_old_acts_go(store, HOSPITAL, NOW) == "100 acts let go"
    assert stands(store) is None
