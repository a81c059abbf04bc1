"""What a scanner makes of the test label shows its fault, in the words of the set-up sheet."""

import pytest

from edge_agent.agent.scan_trial import how_to_scan, judge
from protocols.readers.scan_sheet import TEST_DATA, TEST_SYMBOL

RIGHT = TEST_SYMBOL + TEST_DATA


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (RIGHT, ()),
        (TEST_DATA, ("AIM id off",)),
        (RIGHT.replace("\x1d", ""), ("GS lost",)),
        (RIGHT.swapcase(), ("keyboard mode with Caps Lock",)),
        (RIGHT.replace("1", "１"), ("keyboard mode with an input method (IME)",)),
        ("中" + RIGHT, ("keyboard mode with an input method (IME)", "prefix")),
        ("hello", ("another label",)),
    ],
)
def test_each_fault_is_named(text: str, faults: tuple[str, ...]) -> None:
    told = judge(text)
    assert len(told) == len(faults)
    assert all(said.startswith(fault) for said, fault in zip(told, faults, strict=True))


def test_a_person_is_told_which_label_and_where_it_is_printed() -> None:
    first, second = how_to_scan()
    assert "docs/scanner-setup.md" in first
    assert "<GS>21TEST" in second
