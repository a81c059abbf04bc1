"""Master data by hand: the same rules as an import, a history of who changed what, and changes that are to come."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.master import FIELDS, MasterKind
from central.core.rights import Caller, Grant, Role
from central.errors import NotAllowed
from central.services.imports import import_folder
from central.services.master import Master
from central.store.engine import Store
from central.store.queries_master import items, places
from protocols.values.ids import ActorId
from protocols.values.instant import plus
from tests.central.doors import open_desk
from tests.central.hospital import FILES, GAUZE, HOSPITAL, START, frozen_clock, hospital, write_files

KEEPER = Caller(ActorId("20001"), "K", (Grant(Role.STOREKEEPER),))
DAY_S = 86_400.0


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return hospital(tmp_path / "files", {})


@pytest.fixture
def client(tmp_path: Path, store: Store) -> Iterator[TestClient]:
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n[people]\neveryone_is = "page"\n', "utf-8")
    with TestClient(build_app(read_config(path), store, frozen_clock()), base_url="http://127.0.0.1") as one:
        one.cookies.set("lang", "en")
        yield one


def form_of(page: str) -> dict[str, str]:
    form = page.split('<form class="form two"')[1].split("</form>", maxsplit=1)[0]
    found = dict(re.findall(r'name="(\w+)" type="\w+" value="([^"]*)"', form))
    found |= dict(
        re.findall(
            r'name="(\w+)">\s*(?:<option value="[^"]*">[^<]*</option>\s*)*<option value="([^"]*)" selected', form
        )
    )
    found["word"] = re.findall(r'name="word" value="([^"]*)"', form)[0]
    return found


def test_an_item_is_changed_and_its_history_tells_who_changed_what(client: TestClient, store: Store) -> None:
    address = f"/master/item/of/{GAUZE}"
    asked = form_of(client.get(address).text)
    assert asked["pack"] == "10"
    page = client.post(address, data=asked | {"pack": "20", "spec": "10cm×10cm"}).text
    assert "<del>10</del>" in page
    assert "page" in page.split("What changed")[1]
    with store.read() as connection:
        assert items(connection, HOSPITAL)[GAUZE].pack == 20
    assert "Never changed" not in client.post(address, data=asked | {"pack": "20", "spec": "10cm×10cm"}).text


@pytest.mark.parametrize(
    ("change", "words"),
    [({"pack": "0"}, "Base units in the maker"), ({"gtin": "123"}, "GTIN"), ({"name_zh": ""}, "Chinese name"),
     ({"effective": "2020-01-01"}, "at most a year ahead")],
)  # fmt: skip
def test_a_field_that_does_not_fit_comes_back_with_what_was_typed(
    client: TestClient, change: dict[str, str], words: str
) -> None:
    address = f"/master/item/of/{GAUZE}"
    answer = client.post(address, data=form_of(client.get(address).text) | change | {"storage": "cold 2-8"})
    assert answer.status_code == 400
    assert words in answer.text.split('role="alert"')[1].split("</p>")[0]
    assert "cold 2-8" in answer.text


def test_a_change_from_a_day_on_waits_for_its_day(store: Store) -> None:
    master = open_desk(store, START).master
    thing, _ = master.one(KEEPER, MasterKind.SUPPLIER, "S01")
    coming = date(2026, 3, 5)
    made = master.change(KEEPER, MasterKind.SUPPLIER, "S01", {**thing.fields, "name_en": "New"}, coming)
    assert made is not None
    assert made.applied_at is None
    assert master.apply_due(plus(START, DAY_S)) == 0
    assert master.one(KEEPER, MasterKind.SUPPLIER, "S01")[0].fields["name_en"] != "New"
    assert master.apply_due(plus(START, 3 * DAY_S)) == 1
    after, history = master.one(KEEPER, MasterKind.SUPPLIER, "S01")
    assert after.fields["name_en"] == "New"
    assert [(one.person, one.effective_from) for one in history] == [("20001", coming)]
    assert history[0].applied_at is not None


def test_a_storeroom_and_a_position_are_added_and_a_known_code_is_not(client: TestClient, store: Store) -> None:
    page = client.get("/master/place/new").text
    asked = form_of(page) | {"code": "ward-09", "name_zh": "骨科", "name_en": "Orthopaedics", "parent": "main-store"}
    assert client.post("/master/place/new", data=asked).status_code == 200
    with store.read() as connection:
        assert "ward-09" in {one.place for one in places(connection, HOSPITAL)}
    assert "known already" in client.post("/master/place/new", data=asked).text
    asked = form_of(client.get("/master/position/new").text) | {
        "code": "ward-09/S3",
        "name_zh": "三层",
        "name_en": "Shelf 3",
    }
    assert "Shelf 3" in client.post("/master/position/new", data=asked).text
    assert client.post("/master/position/new", data=asked | {"code": "nowhere/S1"}).status_code == 400


def test_an_import_that_changes_an_item_stands_in_its_history(store: Store, tmp_path: Path) -> None:
    text = FILES["items.csv"].replace("8cm×8cm", "7.5cm×7.5cm")
    import_folder(store, HOSPITAL, write_files(tmp_path / "again", {"items.csv": text}), frozen_clock())
    import_folder(store, HOSPITAL, write_files(tmp_path / "again", {"items.csv": text}), frozen_clock())
    _, history = open_desk(store, START).master.one(KEEPER, MasterKind.ITEM, GAUZE)
    assert [(one.person, dict(one.change.before), dict(one.change.after)) for one in history] == [
        ("import", {"spec": "8cm×8cm"}, {"spec": "7.5cm×7.5cm"}),
    ]  # fmt: skip


def test_only_who_keeps_master_data_changes_it(store: Store) -> None:
    master: Master = open_desk(store, START).master
    head = Caller(ActorId("1"), "H", (Grant(Role.AUDITOR),))
    with pytest.raises(NotAllowed):
        master.change(head, MasterKind.ITEM, GAUZE, {}, date(2026, 3, 2))


@pytest.mark.parametrize("kind", MasterKind)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_kind_has_its_list_in_both_languages(client: TestClient, kind: MasterKind, lang: str) -> None:
    assert FIELDS[kind]
    assert client.get("/master", params={"kind": kind.value, "lang": lang}).status_code == 200
