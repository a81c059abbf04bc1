"""The edge's end alone: what goes up, in what pieces, how often, and what an answer does to the marks."""

from dataclasses import replace

import msgspec
import pytest
from zstandard import get_frame_parameters

from protocols.entry import GENESIS, Digest
from protocols.errors import WeBroke
from protocols.sync.codec import Envelope, Signing, unpack_entries
from protocols.sync.dictionary import DICTIONARY_NOW
from protocols.sync.frames import (
    FRAME_ENTRIES_MAX,
    NOTHING,
    ROWS_A_PAGE,
    WINDOW_FRAMES,
    Ack,
    Damaged,
    Frame,
    Gap,
    Head,
    Hello,
    Message,
    NewInc,
    Welcome,
    Why,
)
from protocols.sync.gaps import gaps, unpack_rows
from protocols.sync.machine import (
    Spoilt,
    State,
    Trimmed,
)
from protocols.sync.sender import RESENDS_BEFORE_HELLO, TRIES_ALONE_MAX
from protocols.values.ids import incarnation
from tests.protocols.sync.edge_alone import CHAIN, DEVICE, NONCE, TOKEN, Edge, entries, nack, welcome


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
    edge.session._standing.signing = asking  # the same session, had it been told so
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


def test_one_hole_is_answered_by_one_rewind_though_every_frame_behind_it_complains() -> None:
    edge = Edge(2000)
    edge.live()
    again = edge.hear(nack(Why.GAP, 500), 0.5)
    assert [m.from_seq for m in again if isinstance(m, Frame)] == [0, 500, 1000, 1500]
    assert edge.hear(nack(Why.GAP, 1000), 0.6) == []
    assert edge.hear(nack(Why.GAP, 1500), 0.7) == []


def test_a_frame_that_came_before_its_turn_is_sent_again_when_its_turn_comes_not_by_the_timer() -> None:
    edge = Edge(2000)
    edge.live()
    edge.hear(nack(Why.GAP, 500), 0.5)  # the first frame overtaken: all four are sent again
    edge.hear(nack(Why.GAP, 1000), 0.6)
    edge.hear(nack(Why.GAP, 1500), 0.7)
    assert edge.ack(499, 0.8) == []  # the second is on its way, for all that is known
    again = edge.ack(999, 0.9)  # the third is not: central said so
    assert [m.from_seq for m in again if isinstance(m, Frame)] == [1000, 1500]


def test_a_refusal_that_an_acknowledgement_overtook_costs_one_frame_and_no_greeting() -> None:
    edge = Edge(1000)
    edge.live()
    edge.ack(499, 0.2)
    (again,) = edge.hear(nack(Why.GAP, 500), 0.3)  # of the frame that was sent before the acknowledgement came
    assert isinstance(again, Frame)
    assert (again.from_seq, edge.session.state) == (500, State.LIVE)
    edge.hear(nack(Why.GAP, 500), 0.6)  # of the one sent since: central lacks what it acknowledged
    assert edge.session.state is State.GREETING


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


def test_a_ledger_that_gives_nothing_below_its_head_is_our_own_fault() -> None:
    edge = Edge(3)
    edge.greet()
    edge.ledger.chained = []
    with pytest.raises(WeBroke, match="the ledger gave none"):
        edge.hear(welcome(1, Head(CHAIN, NOTHING)), 0.1)
