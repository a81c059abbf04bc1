from pathlib import Path

import pytest

from central.errors import BadFile, BadInput
from central.services.imports import import_folder
from central.services.verify import verify
from central.store.chains import place_of
from central.store.engine import Store
from central.store.queries_book import loose_in
from central.store.queries_master import items, places, terms
from protocols.values.ids import DeviceId
from tests.central.hospital import FILES, GAUZE, HOSPITAL, KIT, fresh_store, frozen_clock, hospital, write_files


def load(store: Store, folder: Path, **changed: str) -> int:
    files = {**FILES, **{f"{name}.csv": text for name, text in changed.items()}}
    return import_folder(store, HOSPITAL, write_files(folder, files), frozen_clock()).opened


def faults(store: Store, folder: Path, **changed: str) -> tuple[str, ...]:
    with pytest.raises(BadFile) as caught:
        load(store, folder, **changed)
    return caught.value.faults


def test_the_catalogue_stands_and_stock_enters_through_the_ledger(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    with store.read() as connection:
        assert items(connection, HOSPITAL)[KIT].name_en == "Central venous catheter kit"
        assert [place.place for place in places(connection, HOSPITAL)] == ["ward-01", "ward-02", "main-store"]
        assert [one.supplier for one in terms(connection, HOSPITAL)[KIT]] == ["S02", "S01"]
        assert loose_in(connection, HOSPITAL, "main-store") == {(GAUZE, "G1"): 500}
        assert place_of(connection, HOSPITAL, DeviceId("ward-02")) == "ward-02", "its device may greet"
    assert verify(store).ok


def test_importing_again_changes_nothing_and_a_corrected_name_is_taken_over(tmp_path: Path) -> None:
    store = fresh_store()
    assert load(store, tmp_path) == 1
    assert load(store, tmp_path, items=FILES["items.csv"].replace("Gauze swab", "Gauze")) == 0
    with store.read() as connection:
        assert items(connection, HOSPITAL)[GAUZE].name_en == "Gauze"
        assert loose_in(connection, HOSPITAL, "main-store") == {(GAUZE, "G1"): 500}


def test_every_fault_is_named_by_file_row_and_column_and_nothing_is_imported(tmp_path: Path) -> None:
    store = fresh_store()
    said = faults(
        store,
        tmp_path,
        items=FILES["items.csv"].replace("06999990101016", "06999990101017").replace(",high,", ",costly,"),
        lots=FILES["lots.csv"].replace("2028-06-01", "1/6/2028"),
    )
    assert said == (
        "items.csv row 2 gtin: expected a GTIN of 8, 12, 13 or 14 digits with a right check digit, or nothing, "
        "got '06999990101017'",
        "items.csv row 3 class: expected low, high or implant, got 'costly'",
        "lots.csv row 2 expiry: expected a day such as 2026-03-02, or nothing, got '1/6/2028'",
    )
    with store.read() as connection:
        assert items(connection, HOSPITAL) == {}


def test_a_row_that_names_what_no_file_has_is_a_fault(tmp_path: Path) -> None:
    said = faults(fresh_store(), tmp_path, stock="place,item,lot,qty\nmain-store,HC-NONE,G1,5\n")
    assert said == ("stock.csv row 2 item: expected one that items.csv names, got 'HC-NONE'",)


def test_what_an_earlier_import_brought_may_be_named(tmp_path: Path) -> None:
    store = hospital(tmp_path / "all")
    folder = write_files(tmp_path / "more", {"stock.csv": f"place,item,lot,qty\nmain-store,{KIT},K1,5\n"})
    assert import_folder(store, HOSPITAL, folder, frozen_clock()).opened == 1


def test_a_line_already_opened_is_not_opened_with_another_quantity(tmp_path: Path) -> None:
    store = hospital(tmp_path)
    (said,) = faults(store, tmp_path, stock=FILES["stock.csv"].replace("500", "600"))
    assert said.startswith("stock.csv row 2 qty: expected 500, with which this line was opened, got 600")


def test_a_key_that_stands_twice_and_a_head_that_lacks_a_column_are_faults(tmp_path: Path) -> None:
    twice = FILES["suppliers.csv"] + "S01,又一个,Another\n"
    assert faults(fresh_store(), tmp_path / "a", suppliers=twice) == (
        "suppliers.csv row 4: expected supplier once, got them in row 2 too",
    )
    (said,) = faults(fresh_store(), tmp_path / "b", suppliers="supplier,name_zh,naam\nS01,x,y\n")
    assert (
        said
        == "suppliers.csv row 1: expected the columns supplier,name_zh,name_en; it lacks name_en and does not know naam"
    )


def test_many_faults_are_counted_rather_than_listed(tmp_path: Path) -> None:
    many = FILES["suppliers.csv"] + "".join(f"S 1{n},名,name\n" for n in range(100))
    said = faults(fresh_store(), tmp_path, suppliers=many)
    assert len(said) == 41
    assert said[-1] == "and 60 more"


def test_bytes_that_are_no_text_and_folders_without_files_are_refused(tmp_path: Path) -> None:
    store = fresh_store()
    (tmp_path / "items.csv").write_bytes("物资".encode("gb18030"))
    with pytest.raises(BadFile, match="UTF-8"):
        import_folder(store, HOSPITAL, tmp_path, frozen_clock())
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="at least one of"):
        import_folder(store, HOSPITAL, tmp_path / "empty", frozen_clock())
    with pytest.raises(BadInput, match="expected a folder"):
        import_folder(store, HOSPITAL, tmp_path / "nowhere", frozen_clock())


def test_faults_of_different_sorts_in_different_files_are_told_together_and_blame_no_other_file(tmp_path: Path) -> None:
    store = fresh_store()
    said = faults(
        store,
        tmp_path,
        items=FILES["items.csv"].replace(",high,", ",costly,"),
        item_suppliers=FILES["item_suppliers.csv"].replace("S02", "S09"),
        lots=FILES["lots.csv"].replace("2028-06-01", "1/6/2028"),
        stock=FILES["stock.csv"].replace("main-store", "cellar"),
    )
    assert [fault.split(":")[0] for fault in said] == [
        "items.csv row 3 class",
        "item_suppliers.csv row 4 supplier",
        "lots.csv row 2 expiry",
        "stock.csv row 2 place",
    ]


def test_a_file_that_is_no_table_is_the_only_one_blamed(tmp_path: Path) -> None:
    (said,) = faults(fresh_store(), tmp_path, items="nothing\n")
    assert said.startswith("items.csv row 1: expected the columns")
