"""Bodies as bytes: what a later version adds is no fault."""

from protocols.movements.bodies import read_body
from protocols.movements.reports import VisitBody


def test_keys_of_a_later_version_are_skipped() -> None:
    assert read_body(b'{"phase":"begin","hat":"red"}', VisitBody) == VisitBody("begin")
