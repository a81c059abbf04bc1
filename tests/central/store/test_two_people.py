"""Two people, held to by the store itself: one alone is refused, another is let through."""

import pytest
from sqlalchemy.exc import IntegrityError

from tests.central.hospital import fresh_store
from tests.central.store.two_people import CASES, ONE, TWO


@pytest.mark.parametrize("name", CASES)
def test_one_person_alone_is_refused_by_the_tables_and_two_are_not(name: str) -> None:
    store = fresh_store()
    with store.write() as connection:
        CASES[name].before(connection)
    with pytest.raises(IntegrityError, match="two people are needed"), store.write() as connection:
        CASES[name].step(connection, ONE)
    with store.write() as connection:
        CASES[name].step(connection, TWO)
