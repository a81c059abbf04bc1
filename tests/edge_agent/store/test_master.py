"""A CSV file is used as a whole or refused with its faults, line by line."""

from datetime import date
from pathlib import Path

import pytest

from edge_agent.errors import BadConfig
from edge_agent.store.master import item_rows, read_opening

HEADER = "item,gtin,lot,expiry,serial,epc,position,owner\n"
GOOD = "C001,9506000134352,L1,2027-01-31,42,30340242201D8D4000000001,S3,\n"


def write(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "opening.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_row_becomes_a_piece(tmp_path: Path) -> None:
    (piece,) = read_opening(write(tmp_path, HEADER + GOOD, "utf-8-sig"), {"C001"})
    assert (piece.gtin, piece.expiry, piece.owner) == ("09506000134352", date(2027, 1, 31), "hospital")


def test_an_item_is_taken_with_its_names_and_its_pack(tmp_path: Path) -> None:
    path = write(tmp_path, "item,name_zh,name_en,pack\nC001,注射器,Syringe,10\nC002,,Gauze,\nC003,,,\n")
    rows = {row.key: row.body for row in item_rows(path)}
    assert rows == {
        "C001": {"name_zh": "注射器", "name_en": "Syringe", "pack": 10},
        "C002": {"name_en": "Gauze"},
        "C003": {},
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (HEADER + GOOD.replace("4352", "4353"), "line 2: GTIN: expected check digit 2"),
        (HEADER + GOOD.replace("2027-01-31", "soon"), "line 2: expiry"),
        (HEADER + GOOD.replace(",42,", ",,"), "line 2: serial"),
        (HEADER + GOOD + GOOD, "stands on two lines"),
        (HEADER + GOOD.replace("C001", "C009"), "item C009 is not in the list"),
        ("item,lot\nC001,L1\n", "gtin, expiry, serial, epc, position, owner is missing"),
        ("", "is missing"),
        (HEADER + '"C001', "expected a CSV file"),
        (HEADER + "C001\n", "line 2: GTIN"),
    ],
)
def test_a_wrong_file_is_refused_with_the_place(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(BadConfig, match=r".+") as caught:
        read_opening(write(tmp_path, text), {"C001"})
    assert why in str(caught.value)


def test_many_faults_are_told_together_but_not_without_end(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        read_opening(write(tmp_path, HEADER + "C001,1,L1,,,,,\n" * 30), None)
    assert len(str(caught.value).splitlines()) == 11
    assert "and 20 more" in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x89PNG\r\n"])
def test_bytes_that_are_no_text_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "items.csv"
    path.write_bytes(content)
    with pytest.raises(BadConfig):
        item_rows(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"nothing\.csv: expected a CSV file, No such file or directory"):
        item_rows(tmp_path / "nothing.csv")
