"""The open proposals of a page: of a storeroom before they are bounded."""

from pathlib import Path

import pytest

from central.core.rights import Caller, Grant, Role
from central.services.imports import import_folder
from central.services.overview_now import PROPOSALS_SHOWN_MAX, proposals_now
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.tables.work import PROPOSAL
from protocols.values.ids import ActorId, PlaceId
from tests.central.hospital import FILES, GAUZE, HOSPITAL, START, frozen_clock, hospital, use_file, write_files

OTHERS = PROPOSALS_SHOWN_MAX + 50


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """More proposals than a page shows for the central store, as urgent as the one of ward-02, which is named last."""
    made = hospital(tmp_path / "files", {})
    of_the_store = use_file({GAUZE: 300}).replace("ward-01,", "main-store,")
    import_folder(made, HOSPITAL, write_files(tmp_path / "more", {**FILES, "use.csv": of_the_store}), frozen_clock())
    replenish(made, HOSPITAL, START, policy="3x", run="replenish:1")
    with made.write() as connection:
        (row,) = connection.execute(PROPOSAL.select()).all()
        like = row._mapping
        copies = [{**like, "proposal": f"p{number:04}", "item": f"X{number:04}"} for number in range(OTHERS)]
        elsewhere = {**like, "proposal": "p9999", "place": "ward-02"}
        connection.execute(PROPOSAL.insert(), [*copies, elsewhere])
    return made


def test_a_storerooms_line_is_shown_however_many_others_are_as_urgent(store: Store) -> None:
    buyer = Caller(ActorId("10023"), "10023", (Grant(Role.PURCHASER),))
    with store.read() as connection:
        first, of_all = proposals_now(connection, HOSPITAL, buyer)
        of_ward, of_them = proposals_now(connection, HOSPITAL, buyer, "ward-02")
    assert (len(first), of_all) == (PROPOSALS_SHOWN_MAX, OTHERS + 2)
    assert "p9999" not in {one.id for one in first}
    assert ([one.id for one in of_ward], of_them) == (["p9999"], 1)


def test_who_sees_one_ward_is_told_of_its_lines_alone(store: Store) -> None:
    keeper = Caller(ActorId("10024"), "10024", (Grant(Role.PURCHASER, frozenset({PlaceId("ward-02")})),))
    with store.read() as connection:
        shown, of_all = proposals_now(connection, HOSPITAL, keeper)
    assert ([one.id for one in shown], of_all) == (["p9999"], 1)
