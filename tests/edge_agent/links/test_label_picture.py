"""D2: a drawn label says what the printed one says, and a scanner reads it as GS1."""

from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from edge_agent.core.labels import Label, label_of, labels_of
from edge_agent.errors import BadConfig
from edge_agent.links.label_picture import picture_of, write_pictures
from protocols.codes.label import Label as Scanned
from protocols.codes.label import read_label

GTIN = "09506000134352"


def label(lot: str = "L1/A", serial: int = 100, expiry: str | None = "2027-03-31") -> Label:
    return label_of(GTIN, lot, expiry, serial, 7)


def scanned(picture: Image.Image) -> Scanned:
    (found,) = zxingcpp.read_barcodes(picture.convert("L"))
    read = read_label(found.symbology_identifier + bytes(found.bytes).decode())
    assert isinstance(read, Scanned)
    return read


@pytest.mark.parametrize("lot", ["L1/A", "A", "x_y-(3)", "ABCDEFGHIJKLMNOPQRST"])
def test_d2_a_drawn_label_is_read_back_as_it_was_meant(lot: str) -> None:
    read = scanned(picture_of(label(lot)))
    assert (read.product, read.lot, read.serial, str(read.expiry)) == (GTIN, lot, "100", "2027-03-31")


def test_a_module_is_a_whole_number_of_dots_and_the_text_stands_beside_it() -> None:
    picture = picture_of(label())
    dots = picture.convert("L").load()
    assert dots is not None
    runs, row, last = [], 33, 0
    for column in range(30, 30 + 120):
        if dots[column, row] != dots[column - 1, row]:
            runs.append(column - last)
            last = column
    assert all(run % 6 == 0 for run in runs[1:])
    box = picture.convert("L").point(lambda value: 255 - value).getbbox()
    assert box is not None
    assert box[2] > 300


def test_labels_are_a_file_each_or_the_pages_of_one(tmp_path: Path) -> None:
    labels = labels_of(label(), 3)
    assert write_pictures(labels, tmp_path / "all.pdf") == [tmp_path / "all.pdf"]
    assert (tmp_path / "all.pdf").read_bytes().count(b"/Type /Page\n") == 3
    names = write_pictures(labels, tmp_path / "one.png")
    assert [name.name for name in names] == ["one-100.png", "one-101.png", "one-102.png"]
    assert [scanned(Image.open(name)).serial for name in names] == ["100", "101", "102"]


@pytest.mark.parametrize(("name", "why"), [("labels.txt", "ends in .png or .pdf"), ("no/such/x.png", "No such file")])
def test_another_ending_and_a_folder_that_is_not_there_are_told(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(BadConfig, match=why):
        write_pictures([label()], tmp_path / name)
