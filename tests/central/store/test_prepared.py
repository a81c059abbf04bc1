"""Questions that are handed to the driver: what it refuses is told as everybody expects it."""

from pathlib import Path

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import DBAPIError, OperationalError

from central.store.engine import open_store, was_in_the_way
from central.store.migrate import migrate
from central.store.prepared import Prepared
from central.store.tables.master import PLACE


def test_what_the_driver_refuses_is_raised_as_the_stores_own_error(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'central.db'}")
    question = Prepared(select(PLACE.c.place).where(PLACE.c.hospital == bindparam("hospital")))
    with store.read() as connection, pytest.raises(OperationalError, match="no such table"):
        question.rows(connection, hospital="main")
    store.close()


def test_a_connection_that_broke_is_told_as_one_and_the_next_one_answers(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'central.db'}")
    migrate(store)
    question = Prepared(select(PLACE.c.place).where(PLACE.c.hospital == bindparam("hospital")))
    with store.read() as connection:
        connection.begin()
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.close()
        with pytest.raises(DBAPIError) as caught:
            question.rows(connection, hospital="main")
        assert was_in_the_way(caught.value)
        assert connection.invalidated
    with store.read() as connection:
        assert not question.rows(connection, hospital="main")
    store.close()
