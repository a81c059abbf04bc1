"""What the soak calls right: the comparison of delivery log, tap and health, on rows made by hand."""

from tests.system.soak_verdict import Interval, Row, compare_outages, compare_tap, quarters, steady

S = 1_000_000


def sent(epc: str, *, first_seen: int | None, at: int = 0, proved: bool = True, device: str = "r1") -> Row:
    return {"device": device, "epc": epc, "antenna": 1, "first_seen": first_seen, "sent": at, "proved": proved}


def tapped(epc: str, first_seen: int, reader: str = "r1") -> Row:
    return {"reader": reader, "epc": epc, "antenna": 1, "first_seen": first_seen}


def test_a_proved_read_that_is_not_tapped_is_missing_and_an_unproved_one_is_not() -> None:
    log = [sent("A", first_seen=1), sent("B", first_seen=2, proved=False)]
    assert compare_tap(log, [tapped("A", 1)])["equal"]
    assert compare_tap(log, [tapped("A", 1), tapped("B", 2)])["equal"]
    assert compare_tap(log, [tapped("B", 2)])["proved_and_not_tapped"] == 1


def test_a_tapped_read_that_nobody_delivered_is_foreign() -> None:
    verdict = compare_tap([sent("A", first_seen=1)], [tapped("A", 1), tapped("A", 2)])
    assert verdict["tapped_and_not_delivered"] == 1
    assert not verdict["equal"]


def test_reads_of_a_module_meet_one_to_one_within_the_time_of_their_arrival() -> None:
    log = [sent("A", first_seen=None, at=10 * S, device="m1"), sent("A", first_seen=None, at=11 * S, device="m1")]
    both = [tapped("A", 10 * S + 5, "m1"), tapped("A", 11 * S + 5, "m1")]
    assert compare_tap(log, both)["equal"]
    assert compare_tap(log, both[:1])["proved_and_not_tapped"] == 1
    assert compare_tap(log, [*both, tapped("A", 11 * S + 9, "m1")])["tapped_and_not_delivered"] == 1
    assert not compare_tap(log, [tapped("A", 10 * S + 5, "m1"), tapped("A", 15 * S, "m1")])["equal"]


def test_a_cut_without_an_interval_is_told() -> None:
    log: list[Row] = [{"device": "r1", "fault": "drop", "since": 10 * S, "until": 10 * S}]
    told = [
        compare_outages(log, [each], 1, on_tcp=frozenset({"r1"}), readers=frozenset({"r1"}))
        for each in (Interval("r1", 10 * S + 5, 11 * S), Interval("r1", 2 * S, 3 * S), Interval("r2", 10 * S, 11 * S))
    ]
    assert [each["cuts_without_outage"] for each in told] == [0, 1, 1]
    assert [each["equal"] for each in told] == [True, False, False]


def test_a_recovery_that_no_interval_ends_with_is_told() -> None:
    verdict = compare_outages([], [Interval("r1", 1, 2)], 2, on_tcp=frozenset(), readers=frozenset({"r1"}))
    assert (verdict["intervals_ended"], verdict["recoveries_told"], verdict["equal"]) == (1, 2, False)


def test_memory_is_steady_within_a_twentieth() -> None:
    assert quarters([1, 1, 2, 2, 3, 3, 4, 4]) == [1, 2, 3, 4]
    assert steady([100, 1000, 1200, 1050])
    assert not steady([100, 1000, 1000, 1051])
