"""Tables that leave and sheets that come in, on a real PostgreSQL: the same rows as on SQLite, read in blocks."""

import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from central.core.rights import EVERYWHERE, Right, Role
from central.services.batches import Batches, waiting
from central.services.desk import Desk
from central.services.exports.form import Form, chunks_of, table_of
from central.services.exports.lists import EXPORTS
from central.services.intake import Intake
from central.services.notices import Notices
from central.services.orders import approve
from central.services.policy import seed_policy
from central.services.records import Records
from central.services.reports import make_due, reports
from central.services.statements import signer_at
from central.store.engine import Store
from protocols.values.money import yuan
from tests.central.core.test_notices import STARTS
from tests.central.hospital import GAUZE, HOSPITAL, KIT, START, fresh_store
from tests.central.purchases import BUYER, HEAD, STORE, person, propose
from tests.central.services.messy import messy_items
from tests.central.web.test_record_pages import LICENCE
from tests.system.postgresql import migrated_cluster
from tests.system.test_purchasing_on_postgresql import worked

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]

FILTERS: dict[str, dict[str, str]] = {
    "trace": {"q": KIT},
    "figure-rows": {"id": "line-match.2"},
    "figure-ledger": {"id": "turnover-days.1", "place": "main-store", "item": GAUZE},
    "lot": {"item": GAUZE, "lot": "G1"},
}


EVENT = re.compile(rb"[0-9a-f]{32}")
"""An entry's id, which central draws."""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Store]:
    with migrated_cluster() as store:
        seed_policy(store, HOSPITAL)
        yield store


def brought_in(store: Store, folder: Path) -> Desk:
    """Let the hospital bring in a messy sheet, enter a certificate, order and send, report and tell."""
    at = worked(store, folder)
    numbers = count()
    intake = Intake(at.purchasing.documents, lambda: f"file-{next(numbers):04d}-and-more-letters")
    file = intake.upload(STORE, "items", "目录.xlsx", messy_items())
    assert len(intake.apply(STORE, file, without_faulty=True).good) == 2
    assert Records(at.purchasing.documents).save(STORE, "certificates", LICENCE) == ()
    approve(store, HOSPITAL, propose(at, KIT, "S02", yuan("268"), 10), HEAD.person, START)
    with store.read() as connection:
        found = [one.order_no for batch in waiting(connection, HOSPITAL, EVERYWHERE, START) for one in batch.orders]
    Batches(at.purchasing.documents).send(BUYER, found, "YPO-1")
    make_due(store, HOSPITAL, START, signer_at(folder / "statement.key"))
    notices = Notices(store, HOSPITAL, at.now, STARTS, {"purchaser": ["json://127.0.0.1:1"]}, lambda *_: True)
    assert (notices.make(START), notices.send_waiting()) == (1, 1)
    return at


@pytest.fixture(scope="module")
def both(postgresql: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Desk]:
    folder = tmp_path_factory.mktemp("tables")
    return brought_in(postgresql, folder / "one"), brought_in(fresh_store(), folder / "other")


@pytest.mark.parametrize("name", EXPORTS)
def test_a_table_is_the_same_on_both_databases(both: tuple[Desk, Desk], name: str) -> None:
    reader = person("50001", Role.AUDITOR) if EXPORTS[name].right is Right.SEE_AUDIT else HEAD
    here, there = (
        b"".join(chunks_of(table_of(EXPORTS[name], Form.CSV, one, reader, FILTERS.get(name, {}), True))) for one in both
    )
    assert sorted(EVENT.sub(b"", here).splitlines()) == sorted(EVENT.sub(b"", there).splitlines())


def test_what_was_reported_is_listed(both: tuple[Desk, Desk]) -> None:
    with both[0].store.read() as connection:
        assert [one.period for one in reports(connection, HOSPITAL)] == ["2026-02"]
