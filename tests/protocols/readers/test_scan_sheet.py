"""The set-up sheet: each setting that a scanner may have lost shows by itself in what it makes of the test label."""

import pytest

from protocols.codes.label import Label, read_label
from protocols.readers.scan_sheet import FNC1, TEST_DATA, TEST_SYMBOL, ZEBRA, judge_scan

RIGHT = TEST_SYMBOL + TEST_DATA


def test_the_test_label_is_a_gs1_label() -> None:
    label = read_label(RIGHT)
    assert isinstance(label, Label)
    assert (label.lot, label.serial) == ("WARDSTOCK", "TEST")


def test_a_scanner_that_is_set_right_has_no_fault() -> None:
    assert judge_scan(RIGHT) == ()


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (TEST_DATA, ["AIM id off"]),
        (FNC1 + TEST_DATA, ["AIM id off"]),
        (RIGHT.replace(FNC1, ""), ["GS lost: nothing"]),
        (RIGHT.replace(FNC1, "|"), ["GS lost: |"]),
        (TEST_DATA.replace(FNC1, ""), ["AIM id off", "GS lost"]),
        (RIGHT + "\t", ["suffix"]),
        ("*" + RIGHT, ["prefix '*'"]),
        ("]d206901234567892", ["another label"]),
        ("", ["another label"]),
    ],
)
def test_each_lost_setting_is_named(text: str, faults: list[str]) -> None:
    told = judge_scan(text)
    assert len(told) == len(faults)
    assert all(each.startswith(fault) for each, fault in zip(told, faults, strict=True))


def test_another_label_is_told_as_it_was_read() -> None:
    assert judge_scan("hello") == ("another label: scan the test label of the set-up sheet, got 'hello'",)


def test_the_sheet_says_why_for_every_setting() -> None:
    assert all(row.setting and row.why and row.parameter and row.value for row in ZEBRA)
