"""docs/scanner-setup.md says of a scanner's settings and of the test label what the program knows."""

from pathlib import Path

from protocols.readers.scan_sheet import TEST_GTIN, TEST_LOT, TEST_SERIAL, ZEBRA

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "scanner-setup.md").read_text("utf-8")


def test_every_setting_of_the_sheet_is_on_the_page() -> None:
    for row in ZEBRA:
        assert f"| {row.setting} | {row.why} | {row.parameter} | {row.value} |" in PAGE


def test_the_page_shows_the_test_label() -> None:
    assert f"(01){TEST_GTIN}(10){TEST_LOT}(21){TEST_SERIAL}" in PAGE
