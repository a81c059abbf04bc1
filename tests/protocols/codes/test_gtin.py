"""GTINs and the GS1 check digit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.codes.gtin import gtin14, gtin_check_digit, has_check_digit
from protocols.errors import BadValue


@pytest.mark.parametrize(
    ("payload", "check"),
    [("629104150021", "3"), ("9501234", "6"), ("950110153100", "0"), ("0950600013435", "2")],
)
def test_the_check_digit_is_that_of_the_general_specifications(payload: str, check: str) -> None:
    # 6291041500213 is the worked example of section 7.9; the others stand on public GS1 examples.
    assert gtin_check_digit(payload) == check


@pytest.mark.parametrize("text", ["06901234567892", "6901234567892"])
def test_every_length_of_one_gtin_is_the_same_product(text: str) -> None:
    assert gtin14(text) == "06901234567892"


@pytest.mark.parametrize(
    "text", ["", "6901234567893", "690123456789", "06901234567892 ", "٦٩٠١٢٣٤٥٦٧٨٩٢", "+6901234567892"]
)
def test_a_number_that_is_no_gtin_is_refused(text: str) -> None:
    with pytest.raises(BadValue):
        gtin14(text)


@given(st.text("0123456789", min_size=1, max_size=17), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(payload: str, at: int, by: int) -> None:
    number = payload + gtin_check_digit(payload)
    at %= len(number)
    wrong = number[:at] + str((int(number[at]) + by) % 10) + number[at + 1 :]
    assert has_check_digit(number)
    assert not has_check_digit(wrong)
