"""The page of proposals: a storeroom's lines are chosen before the page is bounded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.services.imports import import_folder
from central.services.overview_now import PROPOSALS_SHOWN_MAX
from central.services.replenish import replenish
from central.store.engine import Store
from central.store.tables.work import PROPOSAL
from protocols.values.instant import plus
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


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(
        build_app(read_config(path), store, frozen_clock(plus(START, 60))), base_url="http://127.0.0.1"
    ) as one:
        yield one


def test_a_storerooms_line_is_shown_however_many_others_are_as_urgent(client: TestClient) -> None:
    of_all = client.get("/proposals?lang=en").text
    assert of_all.count('name="id"') == PROPOSALS_SHOWN_MAX
    assert f"Shown: {PROPOSALS_SHOWN_MAX} of {OTHERS + 2}." in of_all
    assert "p9999" not in of_all
    of_ward = client.get("/proposals?place=ward-02&lang=en").text
    assert of_ward.count('name="id"') == 1
    assert 'value="p9999"' in of_ward
    assert "Shown:" not in of_ward


def test_without_scripts_all_are_chosen_by_a_button_and_what_was_typed_stays(client: TestClient) -> None:
    page = client.get("/proposals?place=ward-02&lang=en").text
    form = {name: page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("word", "id", "version")}
    for act, checked in (("all", True), ("none", False), ("keep", False)):
        told = client.post("/proposals?place=ward-02", data={**form, "qty": "350", "act": act}).text
        assert 'name="qty" value="350"' in told
        assert (f'value="{form["id"]}" id="c-{form["id"]}" checked' in told) is checked
    assert client.get("/api/v1/orders").json()["items"] == [], "Enter in a quantity approves nothing"
