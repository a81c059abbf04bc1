"""The edge's end alone: it greets by its timer, believes only what proves itself, and begins again where it must."""

import math

import pytest

from protocols.entry import GENESIS, content_hash, encode_entry
from protocols.errors import BadValue, WeBroke
from protocols.sync.codec import pack_entries
from protocols.sync.facts import pack_fact, sum_of
from protocols.sync.frames import (
    NOTHING,
    Branch,
    Facts,
    Fork,
    Frame,
    Head,
    Hello,
    NewInc,
    Pull,
    Refused,
    Why,
)
from protocols.sync.machine import (
    TRANSITIONS,
    Behind,
    Happening,
    MoveOn,
    State,
    Timing,
    step,
)
from protocols.values.ids import incarnation
from tests.protocols.sync.edge_alone import CHAIN, OTHER, TIMING, Edge, entries, nack, welcome


def test_every_state_is_reached_and_left_and_an_absent_pair_names_itself() -> None:
    assert set(TRANSITIONS.values()) == set(State)
    assert {before for before, _ in TRANSITIONS} == set(State)
    assert {happening for _, happening in TRANSITIONS} == set(Happening)
    with pytest.raises(WeBroke, match="proven cannot happen when offline"):
        step(State.OFFLINE, Happening.PROVEN)


def test_nothing_is_due_before_there_is_a_broker() -> None:
    edge = Edge(3)
    assert edge.session.due() == math.inf
    assert edge.tick(1e9) == []


def test_a_greeting_waits_for_its_timer_and_is_said_once_a_timer() -> None:
    edge = Edge(3, chance=1.0)
    edge.said(edge.session.connected(10.0), 10.0)
    assert edge.tick(10.4) == []
    assert edge.session.due() == 10.5
    (hello,) = edge.tick(10.5)
    assert isinstance(hello, Hello)
    assert (hello.number, hello.chains) == (1, (Branch(CHAIN, 2, edge.head(2).hash, NOTHING),))
    assert edge.tick(11.0) == []
    assert edge.session.due() == 12.5  # a second, and the whole of the jitter
    assert len(edge.tick(12.5)) == 1


def test_a_welcome_below_the_mark_lowers_it_and_sends_again() -> None:
    edge = Edge(10, acked=9)
    (frame,) = edge.live(theirs=4)
    assert edge.ledger.acked == [4]
    assert (frame.from_seq, frame.n) == (5, 5)


def test_a_welcome_that_an_acknowledgement_overtook_does_not_lower_the_mark() -> None:
    edge = Edge(3)
    edge.live()
    edge.tick(TIMING.idle_hello_s)  # resends before it, among others
    edge.said(edge.session._greet(700.0), 700.0)
    edge.session._standing.state = State.LIVE
    edge.ack(2, 700.1)
    edge.hear(welcome(edge.session._greeter.number, Head(CHAIN, NOTHING)), 700.2)
    assert edge.session.acked == 2


def test_a_welcome_counts_once_and_only_for_the_last_greeting() -> None:
    edge = Edge(3)
    edge.greet()
    edge.tick(2.0)
    assert edge.hear(welcome(1, edge.head(-1)), 2.1) == []
    assert edge.session.state is State.GREETING
    assert len(edge.hear(welcome(2, edge.head(-1)), 2.2)) == 1
    assert edge.hear(welcome(2, edge.head(-1)), 2.3) == []


@pytest.mark.parametrize("theirs", [Head(CHAIN, 5, b"x" * 32), Head(CHAIN, 2, b"x" * 32), Head(CHAIN, 1, b"x" * 32)])
def test_a_ledger_that_disagrees_with_central_asks_where_both_agree_and_goes_on_behind_that(theirs: Head) -> None:
    edge = Edge(3)
    edge.greet()
    (fork,) = edge.hear(welcome(1, theirs), 0.1)
    assert fork == Fork(1, (edge.head(2), edge.head(1), edge.head(0)))
    assert edge.session.state is State.FORKING
    assert edge.said(edge.session.appended(2, edge.ledger.chained[2].hash, 0.2), 0.2) == []
    born = incarnation(b"j" * 16)
    assert edge.hear(NewInc(1, born, edge.head(0)), 0.3) == []
    assert edge.ledger.adopted == (born, edge.head(0))
    (hello,) = edge.tick(0.3)
    assert isinstance(hello, Hello)
    assert [(each.incarnation, each.seq, each.parent) for each in hello.chains] == [(CHAIN, 0, b""), (born, -1, CHAIN)]


@pytest.mark.parametrize(
    "wrong",
    [
        NewInc(7, b"j" * 16, Head(CHAIN, 0, b"x" * 32)),
        NewInc(1, b"j" * 16, Head(CHAIN, 0, b"x" * 32)),
        NewInc(1, b"j" * 16, Head(b"o" * 16, 0, b"x" * 32)),
    ],
)
def test_no_chain_begins_behind_a_place_that_was_not_offered(wrong: NewInc) -> None:
    edge = Edge(3)
    edge.greet()
    edge.hear(welcome(1, Head(CHAIN, 5, b"x" * 32)), 0.1)
    assert edge.hear(wrong, 0.2) == []
    assert edge.ledger.adopted is None


def test_a_fork_request_that_is_lost_is_said_again_with_the_next_greeting() -> None:
    edge = Edge(3)
    edge.greet()
    edge.hear(welcome(1, Head(CHAIN, 5, b"x" * 32)), 0.1)
    assert [type(m) for m in edge.tick(edge.session.due())] == [Hello]
    assert [type(m) for m in edge.hear(welcome(2, Head(CHAIN, 5, b"x" * 32)), 3.0)] == [Fork]


def test_facts_are_pulled_until_they_are_complete_and_asked_for_again_when_lost() -> None:
    edge = Edge(1)
    edge.greet()
    (pull,) = edge.hear(welcome(1, edge.head(0), facts=2), 0.1)
    assert pull == Pull(0)
    assert edge.session.rebuilding is True
    assert edge.tick(2.1) == [Pull(0)]
    first, second = (encode_entry(each.entry) for each in entries(2))
    sums = [sum_of(b"", [content_hash(OTHER, first)])]
    sums.append(sum_of(sums[0], [content_hash(OTHER, second)]))
    wrong = Facts(0, 1, 2, sums[1], 1, pack_entries([pack_fact(OTHER, first)]))
    assert edge.hear(wrong, 2.2) == []
    facts = Facts(0, 1, 2, sums[0], 1, pack_entries([pack_fact(OTHER, first)]))
    assert edge.hear(facts, 2.3) == [Pull(1)]
    assert edge.hear(facts, 2.4) == []
    assert edge.hear(Facts(1, 2, 2, sums[1], 1, pack_entries([pack_fact(OTHER, second)])), 2.5) == []
    assert edge.ledger.facts == [first, second]
    assert edge.ledger.facts_held == (2, sums[1])
    assert [edge.session.rebuilding] == [False]
    assert edge.other.count(Behind(True)) == edge.other.count(Behind(False)) == 1


def test_facts_that_central_has_forgotten_are_asked_for_once_and_then_held_by_nobody() -> None:
    edge = Edge(1, facts=(2, b"s" * 32))
    edge.greet()
    assert edge.hear(welcome(1, edge.head(0), facts=0, facts_from=0), 0.1) == [Pull(0)]
    assert edge.hear(Facts(0, 0, 0, b"", 0, b""), 0.2) == []
    assert edge.ledger.facts_held == (0, b"")
    assert edge.session.rebuilding is False
    assert edge.tick(5.0) == []


def test_a_ledger_that_no_longer_keeps_what_central_needs_says_so() -> None:
    edge = Edge(3)
    edge.greet()
    edge.ledger.chained = []
    edge.hear(welcome(1, Head(CHAIN, 1, b"x" * 32)), 0.1)
    assert "no longer keeps" in edge.session.reason


def test_a_refusal_is_shown_and_a_later_welcome_heals_it() -> None:
    edge = Edge(3)
    edge.greet()
    edge.hear(Refused(1, "not known here"), 0.1)
    assert (edge.session.state, edge.session.reason) == (State.REFUSED, "not known here")
    edge.tick(61.0)
    frames = edge.hear(welcome(2, edge.head(-1)), 61.1)
    assert len(frames) == 1
    assert (edge.session.state, edge.session.reason) == (State.LIVE, "")


def test_a_central_that_needs_what_it_acknowledged_is_greeted_by_the_next_timer_not_the_idle_one() -> None:
    edge = Edge(3)
    edge.live()
    edge.ack(1, 0.1)
    (again,) = edge.hear(nack(Why.GAP, 3, need=2), 0.2)  # a hole in what is on its way: nothing is lost
    assert isinstance(again, Frame)
    assert edge.hear(nack(Why.GAP, 2, need=1), 0.5) == []
    assert edge.session.state is State.GREETING
    (hello,) = edge.tick(1.5)
    assert isinstance(hello, Hello)


def test_a_lost_session_sends_no_greeting_before_its_timer() -> None:
    edge = Edge(3)
    edge.live()
    assert edge.hear(nack(Why.SESSION), 0.5) == []
    assert edge.session.state is State.GREETING
    assert edge.tick(1.4) == []
    assert [type(m) for m in edge.tick(1.5)] == [Hello]


def test_a_version_central_cannot_read_stops_and_says_so() -> None:
    edge = Edge(3)
    edge.live()
    edge.hear(nack(Why.SCHEMA), 1.0)
    assert "cannot read" in edge.session.reason


def test_without_a_welcome_the_next_broker_is_tried_each_minute() -> None:
    edge = Edge(3)
    edge.greet()
    now = 0.0
    for _ in range(200):
        now = edge.session.due()
        if now > 125:
            break
        edge.tick(now)
    assert edge.other.count(MoveOn()) == 2


def test_a_lost_broker_is_greeted_again_and_said_twice_changes_nothing() -> None:
    edge = Edge(3)
    edge.live()
    edge.said(edge.session.disconnected(), 1.0)
    assert edge.said(edge.session.disconnected(), 1.1) == []
    assert edge.session.due() == math.inf
    assert edge.live(theirs=-1, now=5.0) == [] or edge.session.state is State.GREETING
    assert len(edge.hear(welcome(2, edge.head(-1)), 6.0)) == 1


def test_noise_from_the_broker_is_counted_and_nothing_more() -> None:
    edge = Edge(3)
    edge.live()
    assert edge.session.receive(b"noise", 0.1) == []
    assert edge.hear(Hello(1, "", 1, 1, (Branch(CHAIN, -1, GENESIS, -1),), 0, 0, b"", {}, 0, 0), 0.1) == []
    assert edge.session.dropped == {"bytes or signature": 1, "not for an edge": 1}


def test_a_time_out_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(BadValue, match="resend_s"):
        Timing(resend_s=0)
