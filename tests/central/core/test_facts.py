"""What an entry says is believed within limits: a time that is a date, a quantity that a hospital can hold."""

import pytest

from central.core.facts import read_fact
from protocols.entry import ClockQuality, Entry, encode_body
from protocols.errors import BadValue
from protocols.values.hlc import Hlc
from protocols.values.ids import actor_id, boot_id, make_event_id
from protocols.values.instant import INSTANT_MAX, Instant
from protocols.values.quantity import LINE_QTY_MAX

TAG = "300000000000000000000001"
YEAR_9999 = 253_402_300_799_000_000


def entry(kind: str, body: dict[str, object], wall: int = 1_000_000) -> Entry:
    event = make_event_id(1, bytes(10))
    return Entry(
        event, Hlc(0), Instant(wall), 0, boot_id(bytes(16)), ClockQuality.FREE, kind, 1, encode_body(body), actor_id("")
    )


def issue(qty: int = 1, **more: object) -> dict[str, object]:
    return {"lines": [{"item": "HC-KIT", "qty": qty, "source": "ward-01", "target": "issued@ward-01"}], **more}


@pytest.mark.parametrize("moment", [2**61, YEAR_9999, -(2**61), -1])
def test_a_time_that_is_no_date_in_every_zone_is_not_posted(moment: int) -> None:
    with pytest.raises(BadValue, match="1970 to 9998"):
        read_fact(entry("issue", issue(occurred_at=moment)))
    with pytest.raises(BadValue, match="1970 to 9998"):
        read_fact(entry("observe", {"epc": TAG, "p": 0.01, "model": "window-1", "since": moment}))
    with pytest.raises(BadValue, match="1970 to 9998"):
        read_fact(entry("visit", {"phase": "begin"}, wall=moment))
    with pytest.raises(BadValue, match="1970 to 9998"):
        read_fact(entry("issue", issue(occurred_at=1), wall=moment))


def test_the_latest_believable_time_and_the_largest_quantity_are_posted() -> None:
    fact = read_fact(entry("issue", issue(LINE_QTY_MAX, occurred_at=INSTANT_MAX)))
    assert (fact.at, fact.lines[0].qty) == (INSTANT_MAX, LINE_QTY_MAX)


def test_more_of_an_item_than_a_hospital_holds_is_not_posted() -> None:
    with pytest.raises(BadValue, match="1000000000 base units"):
        read_fact(entry("issue", issue(LINE_QTY_MAX + 1)))
