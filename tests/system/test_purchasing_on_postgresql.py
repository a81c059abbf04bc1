"""Purchasing on a real PostgreSQL: every view says what it says on SQLite, and the database refuses the same."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from central.core.catalogue import ItemStep
from central.core.suppliers import CaseKind, CaseStep
from central.errors import NotAllowed
from central.services.agreements import groups_now
from central.services.catalogue import Drafted, catalogue_now
from central.services.cycle import cycle_of
from central.services.desk import Desk
from central.services.imports import import_folder
from central.services.policy import seed_policy
from central.services.purchasing_day import purchasing_day
from central.services.replenish import replenish
from central.services.suppliers import firms_now, shortages_now, uncovered_now
from central.services.vbp_pack import data_of, pack_of
from central.store.engine import Store
from central.store.queries_catalogue import reviews
from protocols.values.instant import plus
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, GAUZE, HOSPITAL, START, Ward, fresh_store, frozen_clock, write_files
from tests.central.purchases import (
    AGREEMENT_FILES,
    BATCH,
    BUYER,
    CATALOGUE_FILES,
    GROUP,
    HEAD,
    ITEMS,
    SUPPLIER_FILES,
    TERMS,
)
from tests.system.postgresql import migrated_cluster

pytestmark = [pytest.mark.needs_postgresql, pytest.mark.slow]

NEW = Drafted("HC-NEW", "新型导管", "New catheter", "6Fr", "根", "piece", 1, "high", "normal")
LATER = plus(START, 40 * 86_400)


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Store]:
    with migrated_cluster() as store:
        seed_policy(store, HOSPITAL)
        yield store


def worked(store: Store, folder: Path) -> Desk:
    """Let a hospital buy for a while: imports, a ward, cases, an item, the jobs."""
    files = {**FILES, **AGREEMENT_FILES, **SUPPLIER_FILES, **CATALOGUE_FILES}
    files |= {"items.csv": FILES["items.csv"] + ITEMS, "item_suppliers.csv": FILES["item_suppliers.csv"] + TERMS}
    import_folder(store, HOSPITAL, write_files(folder, files), frozen_clock())
    at_desk = desk(store, Watch(START))
    ward = Ward(store)
    ward.receive("HC-PLAIN", "P1", 5, 10)
    line = {"item": "HC-PLAIN", "lot": "P1", "qty": 5, "source": "ward-01", "target": "issued@ward-01"}
    ward.say("issue", {"lines": [line]}, 20, actor="N1001")
    ward.say("need", {"item": GAUZE, "qty": 50, "card": "C-1"}, 30)
    at_desk.agreements.report(BUYER, BATCH, GROUP, 320, "", "")
    case = at_desk.suppliers.open_case(BUYER, CaseKind.INCIDENT, "S01", "", "false papers")
    at_desk.suppliers.move_case(HEAD, case, CaseStep.BLOCK)
    at_desk.catalogue.draft(BUYER, NEW)
    at_desk.catalogue.give_evidence(BUYER, "HC-NEW", "ethics committee", "EC-1", "m.pdf", b"%PDF")
    purchasing_day(store, HOSPITAL, START)
    return at_desk


VIEWS: dict[str, Callable[[Desk], object]] = {
    "jobs": lambda at: purchasing_day(at.store, HOSPITAL, LATER),
    "proposals": lambda at: replenish(at.store, HOSPITAL, plus(START, 3600), policy="engine-system", run="r:1"),
    "groups": lambda at: _read(at, groups_now),
    "firms": lambda at: _read(at, firms_now),
    "shortages": lambda at: _read(at, shortages_now),
    "uncovered": lambda at: _read(at, uncovered_now),
    "cycle": lambda at: _read(at, cycle_of),
    "catalogue": lambda at: _read(at, lambda connection, hospital, _now: catalogue_now(connection, hospital)),
    "review": lambda at: _read(at, lambda connection, hospital, _now: reviews(connection, hospital, "2026Q1")),
    "pack": lambda at: _read(
        at, lambda connection, hospital, now: data_of(pack_of(connection, hospital, "2026Q2", now))
    ),
}


def _read(at_desk: Desk, view: Callable[..., object]) -> object:
    with at_desk.store.read() as connection:
        return view(connection, HOSPITAL, LATER)


@pytest.fixture(scope="module")
def both(postgresql: Store, tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Desk]:
    folder = tmp_path_factory.mktemp("buying")
    return worked(postgresql, folder / "one"), worked(fresh_store(), folder / "other")


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_says_the_same_on_both_databases(both: tuple[Desk, Desk], view: str) -> None:
    here, there = (VIEWS[view](one) for one in both)
    assert here == there
    assert here


def test_the_database_itself_refuses_an_approval_by_who_drafted(both: tuple[Desk, Desk]) -> None:
    with pytest.raises(NotAllowed):
        both[0].catalogue.step(BUYER, "HC-NEW", ItemStep.APPROVE)
    with pytest.raises(DBAPIError, match="two people are needed"), both[0].store.write() as connection:
        connection.exec_driver_sql(
            "INSERT INTO document_step SELECT hospital, document, 9, kind, 'approve', 'approved', at, actor, detail "
            "FROM document_step WHERE document = 'item/HC-NEW' AND seq = 0"
        )
