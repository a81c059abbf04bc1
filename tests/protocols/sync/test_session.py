"""The edge's end alone: it greets by its timer, believes only what proves itself, and begins again where it must."""

import math
from collections.abc import Sequence
from dataclasses import replace

import msgspec
import pytest
from zstandard import get_frame_parameters

from protocols.entry import GENESIS, ChainedEntry, ClockQuality, Digest, Entry, chain, content_hash, encode_entry
from protocols.errors import BadValue, WeBroke
from protocols.sync.codec import Envelope, Signing, pack_entries, seal, unpack_entries, unseal
from protocols.sync.dictionary import DICTIONARY_NOW
from protocols.sync.facts import pack_fact, sum_of
from protocols.sync.frames import (
    FRAME_ENTRIES_MAX,
    NOTHING,
    ROWS_A_PAGE,
    WINDOW_FRAMES,
    Ack,
    Branch,
    Damaged,
    Facts,
    Fork,
    Frame,
    Gap,
    Head,
    Hello,
    Message,
    Nack,
    NewInc,
    Pull,
    Refused,
    Welcome,
    Why,
)
from protocols.sync.gaps import gaps, unpack_rows
from protocols.sync.machine import (
    TRANSITIONS,
    Action,
    Behind,
    Happening,
    Leg,
    MoveOn,
    Speaker,
    Spoilt,
    State,
    Timing,
    Transmit,
    Trimmed,
    step,
)
from protocols.sync.session import RESENDS_BEFORE_HELLO, TRIES_ALONE_MAX, EdgeSession
from protocols.sync.settle import settle
from protocols.values.hlc import hlc
from protocols.values.ids import DeviceId, Incarnation, actor_id, boot_id, device_id, incarnation, make_event_id
from protocols.values.instant import Instant

DEVICE = device_id("ward-01")
OTHER = device_id("ward-02")
CHAIN = incarnation(b"i" * 16)
NONCE = b"n" * 16
TOKEN = b"t" * 16
OPEN = Signing(unsigned=True)
TIMING = Timing(hello_s=1, resend_s=2, backoff_max_s=1, spread_s=0.5)


def entries(count: int, body: bytes = b"{}") -> list[ChainedEntry]:
    said = [
        Entry(
            make_event_id(n, bytes(10)),
            hlc(n),
            Instant(n),
            n,
            boot_id(bytes(16)),
            ClockQuality.FREE,
            "visit",
            1,
            body,
            actor_id(""),
        )
        for n in range(count)
    ]
    return chain(DEVICE, CHAIN, from_seq=0, prev_hash=GENESIS, entries=said)


class ListLedger:
    """A ledger in a list, for the edge's end alone; the store has its own tests."""

    def __init__(self, chained: Sequence[ChainedEntry]) -> None:
        self.chained = list(chained)
        self.acked: list[int] = []
        self.safe: dict[Incarnation, int] = {}
        self.stands_for: dict[int, Trimmed | Spoilt] = {}
        self.left_out: int | None = None
        self.spoilt: set[int] = set()
        self.kept_from = 0
        self.adopted: tuple[Incarnation, Head | None] | None = None
        self.facts: list[bytes] = []
        self.facts_held = (0, b"")

    def entries_raw(self, from_seq: int, limit: int, max_bytes: int, incarnation: Incarnation) -> list[bytes]:
        assert incarnation == CHAIN
        if from_seq < self.kept_from:
            return []
        until = min([from_seq + limit, *(seq for seq in self.spoilt if seq >= from_seq)])
        raws = [encode_entry(c.entry) for c in self.chained[from_seq:until]]
        while len(raws) > 1 and sum(map(len, raws)) > max_bytes:
            raws.pop()
        return raws

    def hash_at(self, seq: int, incarnation: Incarnation = CHAIN) -> Digest | None:
        assert incarnation == CHAIN
        kept = max(0, self.kept_from - 1) <= seq < len(self.chained)
        return self.chained[seq].hash if kept else None

    def set_acked(self, seq: int, incarnation: Incarnation) -> None:
        assert incarnation == CHAIN
        self.acked.append(seq)

    def places(self, most: int) -> list[Head]:
        return [Head(CHAIN, each.seq, each.hash) for each in reversed(self.chained[-most:])]

    def missing(self, seq: int, incarnation: Incarnation) -> Trimmed | Spoilt | None:
        return self.stands_for.get(seq)

    def set_safe(self, seq: int, incarnation: Incarnation) -> None:
        self.safe[incarnation] = seq

    def adopt(self, incarnation: Incarnation, behind: Head | None, without: int | None = None) -> tuple[Leg, ...]:
        self.adopted = (incarnation, behind)
        self.left_out = without
        assert behind is not None
        parent = Leg(CHAIN, behind.seq, Digest(behind.hash), behind.seq)
        return (
            parent,
            Leg(
                incarnation, NOTHING, Digest(behind.hash), base=Digest(behind.hash), parent=CHAIN, parent_seq=behind.seq
            ),
        )

    def post_facts(self, upto: int, facts_sum: bytes, entries: Sequence[tuple[DeviceId, bytes]]) -> None:
        self.facts += [raw for _, raw in entries]
        self.facts_held = (upto, facts_sum)


class Edge:
    """A session with its ledger, and what it said."""

    def __init__(self, count: int, acked: int = NOTHING, chance: float = 0.0, body: bytes = b"{}") -> None:
        self.ledger = ListLedger(entries(count, body))
        last = self.ledger.hash_at(count - 1) or GENESIS
        self.session = EdgeSession(
            Speaker(DEVICE, NONCE, "0.1.0"),
            (Leg(CHAIN, count - 1, last, acked),),
            signing=OPEN,
            timing=TIMING,
            chance=lambda: chance,
        )
        self.other: list[Action] = []

    def said(self, actions: list[Action], now: float) -> list[Message]:
        left = settle(self.session, actions, self.ledger, now)
        self.other += [action for action in left if not isinstance(action, Transmit)]
        return [unseal(action.data, OPEN)[1] for action in left if isinstance(action, Transmit)]

    def tick(self, now: float) -> list[Message]:
        return self.said(self.session.tick(now), now)

    def hear(self, message: Message, now: float, envelope: Envelope | None = None) -> list[Message]:
        envelope = envelope or Envelope(DEVICE, CHAIN, NONCE, TOKEN, 1)
        return self.said(self.session.receive(seal(envelope, message, OPEN), now), now)

    def head(self, seq: int) -> Head:
        return Head(CHAIN, seq, self.ledger.hash_at(seq) or GENESIS)

    def greet(self, now: float = 0.0) -> None:
        self.said(self.session.connected(now), now)
        (hello,) = self.tick(now)
        assert isinstance(hello, Hello)

    def live(self, theirs: int = NOTHING, now: float = 0.0) -> list[Frame]:
        self.greet(now)
        return [m for m in self.hear(welcome(1, self.head(theirs)), now) if isinstance(m, Frame)]

    def ack(self, seq: int, now: float) -> list[Message]:
        return self.hear(Ack(seq, self.head(seq).hash, NOTHING, ()), now)


def welcome(number: int, *heads: Head, facts: int = 0, facts_from: int = 0) -> Welcome:
    return Welcome(number, heads, facts, facts_from, 0)


def nack(why: Why, from_seq: int = 0, need: int = 0, ms: int = 0) -> Nack:
    return Nack(why, from_seq, need, ms, "")


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


def test_after_the_welcome_everything_goes_up_in_order_within_the_window() -> None:
    edge = Edge(FRAME_ENTRIES_MAX * 6)
    frames = edge.live()
    assert [f.from_seq for f in frames] == [0, 500, 1000, 1500]
    assert len(frames) == WINDOW_FRAMES
    assert frames[1].prev_hash == edge.head(499).hash
    assert frames[0].last_half == edge.head(499).hash[:16]
    (fifth,) = edge.ack(499, 0.1)
    assert isinstance(fifth, Frame)
    assert fifth.from_seq == 2000
    assert edge.ledger.acked == [499]


def test_a_frame_of_large_bodies_stays_within_one_message() -> None:
    edge = Edge(30, body=b" " * 60_000)
    frames = edge.live()
    assert frames[0].n == 4
    assert frames[0].n + frames[0].from_seq == frames[1].from_seq


def test_what_is_appended_later_goes_up_at_once() -> None:
    edge = Edge(0)
    assert edge.live() == []
    edge.ledger.chained = entries(1)
    (frame,) = edge.said(edge.session.appended(0, edge.ledger.chained[0].hash, 5.0), 5.0)
    assert isinstance(frame, Frame)
    assert (frame.from_seq, frame.n, frame.prev_hash) == (0, 1, GENESIS)


def test_without_an_acknowledgement_the_window_is_sent_again_and_then_greeted_anew() -> None:
    edge = Edge(3)
    edge.live()
    now = 0.0
    for _ in range(RESENDS_BEFORE_HELLO):
        assert edge.tick(now + 1.9) == []
        now += 2.0
        assert [type(m) for m in edge.tick(now)] == [Frame]
    now += 2.0
    assert edge.tick(now) == []
    assert edge.session.state is State.GREETING
    assert [type(m) for m in edge.tick(now + 1.0)] == [Hello]


@pytest.mark.parametrize(
    "change",
    [{"boot_nonce": b"x" * 16}, {"token": b"x" * 16}, {"token": b""}, {"generation": 2}, {"incarnation": b"x" * 16}],
)
def test_no_mark_moves_on_a_message_that_does_not_echo_the_session(change: dict[str, bytes]) -> None:
    edge = Edge(3)
    edge.live()
    echo = Envelope(DEVICE, CHAIN, NONCE, TOKEN, 1)
    edge.hear(Ack(2, edge.head(2).hash, NOTHING, ()), 0.1, replace(echo, **change))  # type: ignore[arg-type] # one field each
    assert edge.session.acked == NOTHING
    assert sum(edge.session.dropped.values()) == 1


def test_no_mark_moves_on_an_unsigned_message_where_signatures_are_asked_for() -> None:
    edge = Edge(3)
    edge.live()
    asking = Signing(sign=lambda data: b"s", verify=lambda *_: True)
    edge.session._signing = asking  # the same session, had it been told so
    edge.hear(Ack(2, edge.head(2).hash, NOTHING, ()), 0.1)
    assert (edge.session.acked, edge.session.dropped) == (NOTHING, {"bytes or signature": 1})


def test_an_acknowledgement_of_another_hash_moves_no_mark_and_asks_for_a_new_greeting() -> None:
    edge = Edge(3)
    edge.live()
    edge.hear(Ack(2, b"x" * 32, NOTHING, ()), 0.1)
    assert edge.ledger.acked == []
    assert edge.session.state is State.GREETING


def test_an_acknowledgement_beyond_the_own_head_is_nothing() -> None:
    edge = Edge(3)
    edge.live()
    edge.hear(Ack(7, b"x" * 32, NOTHING, ()), 0.1)
    assert edge.session.state is State.LIVE
    assert edge.session.dropped == {"nothing new": 1}


def test_an_old_acknowledgement_never_lowers_the_mark() -> None:
    edge = Edge(1200)
    edge.live()
    edge.ack(999, 0.1)
    edge.ack(499, 0.2)
    assert edge.session.acked == 999
    assert edge.ledger.acked == [999]


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
    edge.session.state = State.LIVE
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


def test_one_hole_is_answered_by_one_rewind_though_every_frame_behind_it_complains() -> None:
    edge = Edge(2000)
    edge.live()
    again = edge.hear(nack(Why.GAP, 500), 0.5)
    assert [m.from_seq for m in again if isinstance(m, Frame)] == [0, 500, 1000, 1500]
    assert edge.hear(nack(Why.GAP, 1000), 0.6) == []
    assert edge.hear(nack(Why.GAP, 1500), 0.7) == []


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


def test_frames_are_packed_as_central_said_it_reads() -> None:
    edge = Edge(3)
    edge.greet()
    (plain,) = edge.hear(replace_dictionary(welcome(1, edge.head(-1)), 0), 0.1)
    edge.said(edge.session._greet(700.0), 700.0)
    (packed,) = edge.hear(replace_dictionary(welcome(2, edge.head(-1)), DICTIONARY_NOW + 1), 700.1)
    assert isinstance(plain, Frame)
    assert isinstance(packed, Frame)
    assert [get_frame_parameters(frame.entries).dict_id for frame in (plain, packed)] == [0, 32_769]
    assert unpack_entries(plain.entries) == unpack_entries(packed.entries)


def replace_dictionary(said: Welcome, version: int) -> Welcome:
    return msgspec.structs.replace(said, dictionary=version)


def test_a_lost_session_sends_no_greeting_before_its_timer() -> None:
    edge = Edge(3)
    edge.live()
    assert edge.hear(nack(Why.SESSION), 0.5) == []
    assert edge.session.state is State.GREETING
    assert edge.tick(1.4) == []
    assert [type(m) for m in edge.tick(1.5)] == [Hello]


def test_a_frame_that_cannot_be_read_is_halved_down_to_one_entry_and_the_ledger_goes_on_without_it() -> None:
    edge = Edge(4)
    (frame,) = edge.live()
    spoilt = Spoilt(Digest(edge.head(0).hash), b"left", "refused")
    edge.ledger.stands_for[0] = spoilt
    sizes, said = [frame.n], list[Message]()
    for _ in range(40):
        said = edge.hear(nack(Why.CHAIN, 0), 1.0)
        if not isinstance(said[0], Frame):
            break
        sizes.append(said[0].n)
    assert sizes.count(1) == 1 + TRIES_ALONE_MAX
    assert said == [Damaged(1, 0, None, spoilt.hash, b"left", "refused")]
    assert edge.session.state is State.FORKING


def test_a_spoilt_entry_waits_for_those_before_it_and_the_ledger_goes_on_behind_them() -> None:
    edge = Edge(4)
    edge.ledger.spoilt.add(2)
    edge.ledger.stands_for[2] = Spoilt(Digest(edge.head(2).hash), b"left", "changed")
    (frame,) = edge.live()
    assert (frame.from_seq, frame.n) == (0, 2)
    (said,) = edge.ack(1, 0.1)
    assert said == Damaged(1, 2, edge.head(1), edge.head(2).hash, b"left", "changed")
    born = incarnation(b"j" * 16)
    assert edge.hear(NewInc(1, born, edge.head(0)), 0.2) == []
    adopted = edge.ledger.adopted
    assert adopted is None
    edge.hear(NewInc(1, born, edge.head(1)), 0.3)
    assert edge.ledger.adopted == (born, edge.head(1))
    assert edge.ledger.left_out == 2


def test_trimmed_entries_that_central_lost_are_told_as_a_gap_and_the_rest_goes_on_behind_it() -> None:
    edge = Edge(6, acked=5)
    edge.session._way.legs[0] = replace(edge.session._way.legs[0], kept_from=4)
    edge.ledger.kept_from = 4
    rows = (("ward-01", "", "A1", "", "hospital", "", 7), ("opening@ward-01", "", "A1", "", "hospital", "", -7))
    edge.ledger.stands_for[2] = Trimmed(3, Digest(edge.head(3).hash), rows)
    edge.greet()
    said = edge.hear(welcome(1, Head(CHAIN, 1, b"x" * 32)), 0.1)
    gap, frame = said
    assert isinstance(gap, Gap)
    assert (gap.first_seq, gap.last_seq, gap.hash, gap.page, gap.pages) == (2, 3, edge.head(3).hash, 0, 1)
    assert unpack_rows(gap.rows) == sorted(rows)
    assert isinstance(frame, Frame)
    assert (frame.from_seq, frame.n, frame.prev_hash) == (4, 2, edge.head(3).hash)
    edge.ack(3, 0.2)
    edge.ack(5, 0.3)
    assert edge.ledger.acked == [1, 3, 5]


def test_a_large_book_is_told_in_pages_that_together_speak_for_every_key() -> None:
    rows = [(f"p{number:05}", "", "A1", "", "hospital", "", 1) for number in range(ROWS_A_PAGE * 2 + 1)]
    pages = list(gaps(3, Trimmed(9, edge_hash(), rows)))
    assert [(page.page, page.pages) for page in pages] == [(0, 3), (1, 3), (2, 3)]
    assert [row for page in pages for row in unpack_rows(page.rows)] == rows
    assert [page.after for page in pages] == [(), pages[0].upto, pages[1].upto]
    assert pages[-1].upto == ()


def edge_hash() -> Digest:
    return Digest(Edge(1).head(0).hash)


def test_what_is_safe_elsewhere_is_kept_from_every_answer_and_may_fall() -> None:
    edge = Edge(10)
    edge.greet()
    edge.hear(Welcome(1, (edge.head(4),), 0, 0, 0, safe=(3,)), 0.1)
    assert edge.ledger.safe == {CHAIN: 3}
    edge.hear(Ack(9, edge.head(9).hash, 7, ()), 0.2)
    assert edge.ledger.safe == {CHAIN: 7}
    edge.said(edge.session._greet(700.0), 700.0)
    edge.hear(Welcome(2, (edge.head(9),), 0, 0, 0, safe=(-1,)), 700.1)
    assert edge.ledger.safe == {CHAIN: -1}


def test_a_busy_central_is_left_alone_for_as_long_as_it_asks() -> None:
    edge = Edge(3)
    edge.live()
    assert edge.hear(nack(Why.BUSY, ms=700), 1.0) == []
    assert edge.tick(1.6) == []
    assert edge.session.due() == 1.7
    assert [type(m) for m in edge.tick(1.7)] == [Frame]


def test_a_busy_central_gets_one_frame_at_a_time_until_it_takes_one() -> None:
    edge = Edge(2_000)
    edge.live()
    edge.hear(nack(Why.BUSY, ms=700), 1.0)
    (alone,) = edge.tick(1.7)
    assert isinstance(alone, Frame)
    assert [type(m) for m in edge.ack(alone.n - 1, 1.8)] == [Frame] * 3


def test_a_frame_that_is_too_large_is_split_and_none_is_that_long_again() -> None:
    edge = Edge(40)
    (whole,) = edge.live()
    half = [m for m in edge.hear(nack(Why.TOO_LARGE, 0), 1.0) if isinstance(m, Frame)]
    assert [m.n for m in (whole, *half)] == [40, 20, 20]
    (last,) = [m for m in edge.hear(nack(Why.TOO_LARGE, 0), 1.1) if isinstance(m, Frame)][:1]
    assert last.n == 10
    assert [m.n for m in edge.ack(9, 1.2) if isinstance(m, Frame)] == []  # the window is full of tens


def test_an_entry_too_large_even_alone_is_left_behind_raw_and_the_queue_goes_on() -> None:
    edge = Edge(2)
    edge.live()
    edge.ledger.stands_for[0] = Spoilt(Digest(edge.head(0).hash), b"large", "too large")
    said: list[Message] = []
    for _ in range(40):
        said = edge.hear(nack(Why.TOO_LARGE, 0), 1.0)
        if not isinstance(said[0], Frame):
            break
    assert said == [Damaged(1, 0, None, Digest(edge.head(0).hash), b"large", "too large")]


def test_a_central_put_back_to_an_older_version_is_sent_frames_without_the_words_it_does_not_know() -> None:
    edge = Edge(3)
    edge.greet()
    (packed,) = edge.hear(replace_dictionary(welcome(1, edge.head(-1)), DICTIONARY_NOW), 0.1)
    (plain,) = edge.hear(nack(Why.SCHEMA), 0.2)
    assert isinstance(packed, Frame)
    assert isinstance(plain, Frame)
    assert [get_frame_parameters(frame.entries).dict_id for frame in (packed, plain)] == [32_769, 0]
    assert edge.session.state is State.LIVE


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


def test_a_ledger_that_gives_nothing_below_its_head_is_our_own_fault() -> None:
    edge = Edge(3)
    edge.greet()
    edge.ledger.chained = []
    with pytest.raises(WeBroke, match="the ledger gave none"):
        edge.hear(welcome(1, Head(CHAIN, NOTHING)), 0.1)


def test_a_time_out_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(BadValue, match="resend_s"):
        Timing(resend_s=0)
