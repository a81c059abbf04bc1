import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.core.forms import FORMS, Row, read_form, unknown_references
from tests.central.hospital import FILES, use_file
from tests.central.purchases import AGREEMENT_FILES, CATALOGUE_FILES, SUPPLIER_FILES

SAMPLES = {**FILES, **AGREEMENT_FILES, **SUPPLIER_FILES, **CATALOGUE_FILES, "use.csv": use_file({"HC-KIT": 1}, days=2)}
SAMPLES |= {
    "calendar.csv": "day,working,source_doc\n2027-02-05,0,the notice of 2026\n2027-02-07,1,\n",
    "charge_items.csv": "code,item,effective_from,effective_to,ratio\nC-1,HC-KIT,2026-01-01,,1\n",
    "supplier_scores.csv": ",".join(column.name for column in FORMS["supplier_scores.csv"].columns)
    + "\nS01,2025Q4,58,60,59,60,3,3,2,2\n",
}
MUTATIONS = 10_000


def one(file: str, text: str) -> Row:
    sheet = read_form(FORMS[file], text)
    assert sheet.faults == ()
    return sheet.rows[0][1]


def fault(file: str, old: str, new: str) -> str:
    (said,) = read_form(FORMS[file], SAMPLES[file].replace(old, new)).faults
    return said


@pytest.mark.parametrize("file", FORMS)
def test_every_form_reads_its_sample_and_names_its_rows_as_a_spreadsheet_does(file: str) -> None:
    sheet = read_form(FORMS[file], SAMPLES[file])
    assert sheet.faults == ()
    assert [number for number, _ in sheet.rows] == list(range(2, SAMPLES[file].count("\n") + 1))


def test_values_are_read_into_what_they_mean() -> None:
    item = one("items.csv", SAMPLES["items.csv"])
    assert (item["gtin"], item["pack"], item["chargeable"]) == ("06999990101016", 10, False)
    assert one("item_suppliers.csv", SAMPLES["item_suppliers.csv"])["price"] == 8_500
    assert one("lots.csv", SAMPLES["lots.csv"])["expiry"] == date(2028, 6, 1)


def test_columns_may_stand_in_any_order_behind_a_mark_of_utf_8_and_empty_rows_are_no_rows() -> None:
    row = one("suppliers.csv", "\ufeffname_en,supplier,name_zh\nYunting,S01,云汀\n,,\n\n")
    assert row == {"supplier": "S01", "name_zh": "云汀", "name_en": "Yunting"}


@pytest.mark.parametrize("price", ["1e2", "-1", "1_000", "١", "0.00001", "", "NaN", "¥3"])
def test_a_price_is_plain_yuan(price: str) -> None:
    assert "price_yuan: expected yuan a base unit" in fault("item_suppliers.csv", "0.85", price)


@pytest.mark.parametrize("day", ["2026-W09-1", "20260302", "2026-3-2", "2026-02-30", "02/03/2026"])
def test_a_day_has_one_form(day: str) -> None:
    assert f"made: expected a day such as 2026-03-02, or nothing, got {day!r}" in fault("lots.csv", "2025-09-01", day)


def test_yes_and_no_are_one_character() -> None:
    assert "chargeable: expected 0 or 1, got '01'" in fault("items.csv", "vital,1", "vital,01")


def test_stock_lies_in_storerooms_only() -> None:
    assert "place: expected a storeroom" in fault("stock.csv", "main-store", "issued@ward-01")


def test_a_name_of_another_file_that_nothing_has_is_a_fault_and_an_empty_one_is_none() -> None:
    sheet = read_form(FORMS["places.csv"], SAMPLES["places.csv"])
    known = {"places.csv": frozenset({"ward-01"})}
    assert [str(line).split(":")[0] for line in unknown_references(sheet, known)] == [
        "places.csv row 3 parent", "places.csv row 4 parent",
    ]  # fmt: skip


@pytest.mark.parametrize("file", FORMS)
@given(text=st.text(max_size=300))
def test_no_text_raises(file: str, text: str) -> None:
    sheet = read_form(FORMS[file], text)
    assert not (sheet.rows and sheet.faults)


def test_no_mutation_of_a_good_file_raises() -> None:
    chance = random.Random(20260302)
    for _ in range(MUTATIONS):
        file = chance.choice(list(FORMS))
        text = list(SAMPLES[file])
        for _ in range(chance.randint(1, 4)):
            text[chance.randrange(len(text))] = chance.choice(',"\n\r\0 .-0１٣9é物\U0001f9ea\udc80')
        sheet = read_form(FORMS[file], "".join(text))
        assert not any(f"row {number} " in fault for number, _ in sheet.rows for fault in sheet.faults)
