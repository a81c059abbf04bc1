"""Codes that are not read here are refused by name; what only looks like them is read as before."""

import pytest

from protocols.codes.label import Label, UnreadableLabel, read_label


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("=W000001234567800", "ISBT 128"),
        ("]C0=<0123400", "ISBT 128"),
        ("&,1ABC", "ISBT 128"),
        ("[)>\x1e06\x1d9N110375286414\x1d1T12345\x1e\x04", "PPN"),
        ("9N110375286414", "PPN"),
        ("[)>\x1e06\x1d25PABC\x1e\x04", "15434"),
        ("81234567890123456789", "traceability"),
        ("（01）06901234567892", "full-width"),
        ("ＭＡ.156.M0.100761.21234561", "full-width"),
        ("ma.156.m0.100761.21234561", "lower case"),
        ("+a123bjc5d6e71g", "lower case"),
    ],
)
def test_a_code_that_is_not_read_here_is_refused_by_its_name(text: str, named: str) -> None:
    with pytest.raises(UnreadableLabel, match=named):
        read_label(text)


@pytest.mark.parametrize("symbology", ["", "]d1"])
def test_gs1_in_an_envelope_of_format_05_is_read(symbology: str) -> None:
    label = read_label(symbology + "[)>\x1e05\x1d0106901234567892" + "10ABC\x1d21S7\x1e\x04")
    assert isinstance(label, Label)
    assert (label.product, label.lot, label.serial) == ("06901234567892", "ABC", "S7")


def test_a_gs1_number_that_begins_with_eight_is_no_drug_code() -> None:
    label = read_label("]C10106901234567892" + "10" + "81234567890123456789")
    assert isinstance(label, Label)
    assert label.lot == "81234567890123456789"
