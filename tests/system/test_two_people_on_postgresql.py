"""Two people, held to by PostgreSQL: one alone is refused, another is let through, by the same rows as on SQLite."""

from collections.abc import Iterator

import pytest
from sqlalchemy.exc import IntegrityError

from central.store.engine import Store
from tests.central.store.two_people import CASES, ONE, TWO
from tests.system.postgresql import migrated_cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Store]:
    with migrated_cluster() as store:
        yield store


@pytest.mark.parametrize("name", CASES)
def test_one_person_alone_is_refused_by_the_tables_and_two_are_not(postgresql: Store, name: str) -> None:
    with postgresql.engine.connect() as connection, connection.begin() as whole:
        CASES[name].before(connection)
        with pytest.raises(IntegrityError, match="two people are needed"), connection.begin_nested():
            CASES[name].step(connection, ONE)
        CASES[name].step(connection, TWO)
        whole.rollback()
