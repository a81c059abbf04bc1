"""A transaction that fails is taken in again: with the same messages when another was in the way, else with care."""

from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from central.services.ingest import TRIES_MAX
from central.services.verify import verify
from protocols.sync.codec import seal
from protocols.sync.frames import Ack, Welcome
from protocols.sync.topics import Topics
from protocols.values.ids import DeviceId, incarnation
from tests.central.services.parties import OPEN, WARD, Central, Device, a_central, issue, opening

OTHER = DeviceId("ward-02")


class Deadlock(Exception):
    """What a driver raises when two writers waited for each other."""

    sqlstate = "40P01"


def two_wards(central: Central) -> tuple[Device, Device]:
    central.enrol(OTHER)
    both = Device(central, WARD), Device(central, OTHER, incarnation(b"j" * 16))
    assert all(isinstance(each.greet(), Welcome) for each in both)
    return both


def say_together(central: Central, *said: tuple[Device, int]) -> list[bytes]:
    """Frames of one entry that wait together."""
    heard: list[bytes] = []
    for device, seq in said:
        data = seal(device.envelope, device.frame(seq, seq + 1), OPEN)
        topic = Topics(central.hospital, 0, device.device).up
        central.ingest.arrive(topic, data, lambda _topic, reply: heard.append(reply))
    while central.ingest.step(0):
        pass
    return heard


def fail(central: Central, times: int) -> list[int]:
    """Make the payment of balances fail so often; the list counts how often it did."""
    failed: list[int] = []

    @event.listens_for(central.store.engine, "before_cursor_execute")
    def _fail(*details: Any) -> None:  # noqa: ANN401 # SQLAlchemy's hook
        if "INSERT INTO balance" in details[2] and len(failed) < times:
            failed.append(1)
            raise OperationalError(details[2], None, Deadlock("deadlock detected"))

    return failed


def test_a_batch_that_met_a_deadlock_is_taken_in_again_and_answered_once() -> None:
    central = a_central()
    one, other = two_wards(central)
    one.write(opening(1))
    other.write(opening(2, "ward-02"))
    failed = fail(central, TRIES_MAX - 1)
    assert len(say_together(central, (one, 0), (other, 0))) == 2
    assert len(failed) == TRIES_MAX - 1
    assert central.balance()["ward-02", "A1"] == 10
    assert verify(central.store).ok


def test_a_deadlock_without_end_is_told_and_nothing_is_committed() -> None:
    central = a_central()
    one, _ = two_wards(central)
    one.write(opening(1))
    fail(central, TRIES_MAX)
    with pytest.raises(OperationalError):
        say_together(central, (one, 0))
    assert central.raws() == []
    assert isinstance(one.say(one.frame(0, 1))[0], Ack)


def test_balances_of_many_frames_are_paid_once() -> None:
    central = a_central()
    one, _ = two_wards(central)
    one.write(opening(1), issue(2), issue(3))
    paid: list[int] = []

    @event.listens_for(central.store.engine, "before_cursor_execute")
    def _count(*details: Any) -> None:  # noqa: ANN401 # SQLAlchemy's hook
        if "INSERT INTO balance" in details[2]:
            paid.append(len(details[3]))

    assert len(say_together(central, (one, 0), (one, 1), (one, 2))) == 3
    assert paid == [3]
    assert central.balance()["ward-01", "A1"] == 8


def test_a_balance_the_database_refuses_sets_aside_the_entry_that_wants_it_and_no_other() -> None:
    central = a_central()
    one, other = two_wards(central)
    one.write(opening(1), opening(3, qty=7))
    other.write(opening(2, "ward-02"))
    with central.store.write() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER t BEFORE UPDATE ON balance WHEN NEW.qty = 17 "
                "BEGIN SELECT RAISE(ABORT, 'seventeen'); END"
            )
        )
    assert len(say_together(central, (one, 0))) == 1
    assert len(say_together(central, (other, 0), (one, 1))) == 2
    assert list(central.quarantine()) == [1]
    assert "seventeen" in central.quarantine()[1]
    assert (central.balance()["ward-01", "A1"], central.balance()["ward-02", "A1"]) == (10, 10)
    assert verify(central.store).ok


def test_a_message_the_store_refuses_whole_holds_no_other_up() -> None:
    central = a_central()
    one, other = two_wards(central)
    one.write(opening(1))
    other.write(opening(2, "ward-02"))
    with central.store.write() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER t BEFORE INSERT ON ledger WHEN NEW.device = 'ward-01' "
                "BEGIN SELECT RAISE(ABORT, 'not here'); END"
            )
        )
    assert len(say_together(central, (one, 0), (other, 0))) == 1
    assert central.ingest.counts.faults == 1
    assert central.balance()["ward-02", "A1"] == 10
