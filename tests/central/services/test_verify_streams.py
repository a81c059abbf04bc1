"""Proof of a larger store: it says how far it has come, and the database itself names what differs."""

import random

from sqlalchemy import text

from central.services.verify import TELL_EACH, verify
from central.store.fold import differing, unbalanced
from protocols.sync.frames import Welcome
from tests.central.services.parties import Device, a_central, any_entry, issue, opening


def test_whoever_waits_is_told_how_many_entries_were_read() -> None:
    central = a_central()
    device = Device(central)
    assert isinstance(device.greet(), Welcome)
    chance = random.Random(3)
    count = 2 * TELL_EACH + 100
    device.write(*(any_entry(chance, number) for number in range(count)))
    for start in range(0, count, 500):
        device.say(device.frame(start, min(count, start + 500)))
    told: list[int] = []
    assert verify(central.store, lambda _what, done: told.append(done)).faults == []
    assert told == [TELL_EACH, 2 * TELL_EACH, count]


def test_a_balance_that_is_not_the_sum_of_its_lines_is_given_with_both() -> None:
    central = a_central()
    device = Device(central)
    assert isinstance(device.greet(), Welcome)
    device.write(opening(1), issue(2, qty=3))
    device.say(device.frame(0, 2))
    with central.store.write() as connection:
        assert list(differing(connection)) == []
        connection.execute(text("UPDATE balance SET qty = qty + 5 WHERE place = 'ward-01'"))
        (held,) = differing(connection)
        assert (held.place, held.item, held.folded, held.stored) == ("ward-01", "A1", 7, 12)
        (kept,) = unbalanced(connection)
        assert (kept.item, kept.total) == ("A1", 5)
