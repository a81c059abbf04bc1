"""A label's DataMatrix and its inlay name the same unit; what cannot stand on one is told before any printing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.labels import LABELS_MAX, label_of, labels_of
from edge_agent.links.printer import zpl_of
from protocols.codes.gs1 import FNC1, read_message
from protocols.codes.sgtin96 import SERIAL_BELOW, decode_sgtin96
from protocols.errors import BadValue

GTIN = "09506000134352"


def symbol_of(zpl: str) -> str:
    """Return what a scanner reads from the ^BX field: `_1` is FNC1, `__` an underscore."""
    field = zpl.split("^BXN", 1)[1].split("^FD", 1)[1].split("^FS", 1)[0]
    return field.replace("__", "\0").replace("_1", FNC1).replace("\0", "_")


@given(st.integers(1, SERIAL_BELOW - 1), st.from_regex(r"[!\"%-?A-Z_a-z]{1,20}", fullmatch=True))
def test_symbol_and_inlay_say_the_same_round_trip(serial: int, lot: str) -> None:
    label = label_of(GTIN, lot, "2027-03-31", serial, 7)
    read = read_message(symbol_of(zpl_of(label)))
    assert (read.gtin, read.lot, str(read.expiry), read.serial) == (GTIN, lot, "2027-03-31", str(serial))
    tag = decode_sgtin96(label.epc)
    assert (tag.gtin14, tag.serial) == (GTIN, serial)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"gtin": "09506000134353"}, "check digit"),
        ({"lot": "L^XZ"}, "lot: expected 1 to 20 characters"),
        ({"lot": ""}, "lot: expected"),
        ({"expiry": "31.3.2027"}, "expiry: expected a date"),
        ({"serial": 0}, "serial: expected a number"),
        ({"serial": SERIAL_BELOW}, "serial: expected a number"),
        ({"prefix_digits": 13}, "expected 6..12"),
        ({"text": "^XA"}, "text: expected"),
    ],
)
def test_what_no_label_can_hold_is_refused(wrong: dict[str, object], why: str) -> None:
    given = {"gtin": GTIN, "lot": "L1", "expiry": None, "serial": 1, "prefix_digits": 7, **wrong}
    with pytest.raises(BadValue, match=why):
        label_of(**given)  # type: ignore[arg-type]  # each case spoils one of them


def test_serials_of_a_job_follow_each_other_and_have_a_limit() -> None:
    first = label_of(GTIN, "L1", None, 7, 7)
    assert [each.serial for each in labels_of(first, 3)] == [7, 8, 9]
    assert first.printed == "(01)09506000134352(10)L1(21)7"
    for count in (0, LABELS_MAX + 1):
        with pytest.raises(BadValue, match="count: expected"):
            labels_of(first, count)
