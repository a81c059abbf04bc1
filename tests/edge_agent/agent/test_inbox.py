"""The inbox is bounded, keeps order, lets what may be lost be lost, and lets nobody wait for ever."""

import threading

from edge_agent.agent.inbox import (
    QUEUE_MAX,
    READERS_BYTES_MAX,
    TURN_BYTES_MAX,
    TURN_MAX,
    BrokerSaid,
    Inbox,
    ReaderSaid,
    ScannerSaid,
)

WAIT_S = 10.0


def test_a_turn_takes_what_is_there_in_order_up_to_its_limit() -> None:
    inbox = Inbox()
    for number in range(TURN_MAX + 5):
        inbox.put(ScannerSaid("s1", bytes([number])))
    first, second = inbox.gather(0), inbox.gather(0)
    assert [each.data[0] for each in (*first, *second) if isinstance(each, ScannerSaid)] == list(range(TURN_MAX + 5))
    assert len(first) == TURN_MAX
    assert inbox.gather(0) == []


def test_a_flood_of_reads_ends_a_turn_early() -> None:
    inbox = Inbox()
    for _ in range(15):
        inbox.put(ReaderSaid("r1", bytes(TURN_BYTES_MAX // 4)))
    assert len(inbox.gather(0)) == 4


def test_a_scan_stands_before_all_that_readers_said() -> None:
    inbox = Inbox()
    while inbox.offer(ReaderSaid("r1", bytes(4096))):
        pass
    inbox.put(ScannerSaid("s1", b"late"))
    assert inbox.gather(0)[0] == ScannerSaid("s1", b"late")


def test_a_flooding_reader_waits_at_its_own_wire_and_nobody_else_does() -> None:
    inbox = Inbox()
    taken = 0
    while inbox.offer(ReaderSaid("r1", bytes(4096))):
        taken += 4096
    assert taken == READERS_BYTES_MAX
    assert inbox.offer(ScannerSaid("s1", b""))
    inbox.gather(0)
    assert inbox.offer(ReaderSaid("r1", b"more"))


def test_what_central_says_is_dropped_when_the_queue_is_full() -> None:
    inbox = Inbox()
    assert [inbox.offer(BrokerSaid(b"")) for _ in range(QUEUE_MAX + 1)].count(False) == 1


def test_a_full_queue_holds_a_link_until_there_is_room_or_the_end() -> None:
    inbox = Inbox()
    for _ in range(QUEUE_MAX):
        inbox.put(ScannerSaid("s1", b""))
    held = [threading.Thread(target=inbox.put, args=(ScannerSaid("s1", b"late"),)) for _ in range(2)]
    for thread in held:
        thread.start()
    inbox.gather(0)
    for thread in held:
        thread.join(WAIT_S)
    assert not any(thread.is_alive() for thread in held)
    stuck = Inbox()
    for _ in range(QUEUE_MAX):
        stuck.put(ScannerSaid("s1", b""))
    late = threading.Thread(target=stuck.put, args=(ScannerSaid("s1", b"late"),))
    late.start()
    stuck.stop("SIGTERM")
    stuck.stop("later")
    late.join(WAIT_S)
    assert not late.is_alive()
    assert stuck.why_stopped == "SIGTERM"
