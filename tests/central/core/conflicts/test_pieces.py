"""One piece as several edges have it: who wins, what goes to suspense or transit, and that order leaves no trace."""

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from central.core.conflicts import DAY_S, Sort
from central.core.conflicts.pieces import SPENT, At, Carry, Judged, Piece, Said, judge, line_of, room_of
from protocols.movements.posting import place_sort
from protocols.values.instant import Instant, plus

PIECE = Piece("A1", "L1", "hospital", "E2000001")
START = Instant(1_772_438_400_000_000)


def said(minute: int, source: str, target: str, event: str = "", *, ours: bool = False) -> Said:
    name = event or f"{minute:04x}"
    return Said(Carry(At(source, ""), At(target, "")), plus(START, minute * 60), name, ours)


def opened(minute: int, ward: str) -> Said:
    return said(minute, f"opening@{ward}", ward)


def issued(minute: int, ward: str) -> Said:
    return said(minute, ward, f"issued@{ward}")


def used(minute: int, ward: str) -> Said:
    return said(minute, f"issued@{ward}", f"patient@{ward}")


def ends(judged: Judged) -> list[tuple[str, str]]:
    return [(carry.source.place, carry.target.place) for carry in judged.carries]


def sorts(judged: Judged) -> list[tuple[Sort, str, str]]:
    return [(flag.sort, flag.place, flag.other) for flag in judged.flags]


def after(facts: list[Said], judged: Judged) -> Counter[str]:
    book: Counter[str] = Counter()
    for carry in [*(one.carry for one in facts), *judged.carries]:
        book[carry.source.place] -= 1
        book[carry.target.place] += 1
    return Counter({place: qty for place, qty in book.items() if qty})


def test_a_piece_issued_where_it_lay_is_no_conflict() -> None:
    assert judge(PIECE, [opened(0, "a"), issued(1, "a"), used(2, "a")]) == Judged((), ())


def test_a_piece_taken_without_naming_its_shelf_lies_on_no_shelf_any_more() -> None:
    shelved = Said(Carry(At("opening@a", ""), At("a", "S1")), START, "0000")
    assert judge(PIECE, [shelved, issued(1, "a"), used(2, "a")]) == Judged((), ())
    judged = judge(PIECE, [shelved, issued(1, "a"), issued(2, "b")])
    assert ends(judged) == [("issued@b", "suspense@b")]
    assert sorts(judged) == [(Sort.DOUBLE_ISSUE, "b", "a")]


def test_of_a_serial_issued_at_two_edges_the_one_with_the_custody_chain_wins_though_it_was_later() -> None:
    facts = [opened(0, "a"), issued(5, "b"), used(6, "b"), issued(9, "a")]
    judged = judge(PIECE, facts)
    assert ends(judged) == [("patient@b", "suspense@b")]
    assert sorts(judged) == [(Sort.DOUBLE_ISSUE, "b", "a")]
    assert not judged.flags[0].provisional
    assert after(facts, judged) == {"opening@a": -1, "issued@a": 1, "b": -1, "suspense@b": 1}


def test_of_two_receipts_of_one_serial_the_earlier_wins_provisionally() -> None:
    facts = [opened(3, "a"), opened(1, "b"), issued(4, "a"), issued(5, "b")]
    judged = judge(PIECE, facts)
    assert ends(judged) == [("issued@a", "suspense@a")]
    assert sorts(judged) == [(Sort.DOUBLE_ISSUE, "a", "b")]
    assert judged.flags[0].provisional


def test_two_receipts_are_no_double_issue_before_both_gave_it_out() -> None:
    assert judge(PIECE, [opened(3, "a"), opened(1, "b"), issued(5, "b")]).carries == ()


def test_a_piece_used_elsewhere_than_received_came_over_through_transit_and_its_sender_confirms_in_a_day() -> None:
    facts = [opened(0, "a"), issued(5, "b")]
    judged = judge(PIECE, facts)
    assert sorted(ends(judged)) == [("a", "transit@b"), ("transit@b", "b")]
    (flag,) = judged.flags
    assert (flag.sort, flag.place, flag.other, flag.due_at) == (
        Sort.IMPLIED_TRANSFER, "a", "b", plus(facts[1].at, DAY_S),
    )  # fmt: skip
    assert after(facts, judged) == {"opening@a": -1, "issued@b": 1}


def test_an_edge_that_wrote_the_arrival_itself_lacks_only_the_senders_half() -> None:
    facts = [opened(0, "a"), said(5, "transit@b", "b"), issued(6, "b")]
    judged = judge(PIECE, facts)
    assert ends(judged) == [("a", "transit@b")]
    assert after(facts, judged) == {"opening@a": -1, "issued@b": 1}


def test_the_senders_late_entry_confirms_an_implied_transfer_and_takes_back_what_stood_for_it() -> None:
    facts = [opened(0, "a"), said(5, "transit@b", "b"), issued(6, "b")]
    ours = [Said(carry, plus(START, 7 * 60), "ff", ours=True) for carry in judge(PIECE, facts).carries]
    late = [*facts, said(4, "a", "transit@b"), *ours]
    judged = judge(PIECE, late)
    assert ends(judged) == [("transit@b", "a")]
    assert judged.flags == ()
    assert after(late, judged) == {"opening@a": -1, "issued@b": 1}


def test_goods_on_their_way_arrive_by_being_used() -> None:
    facts = [opened(0, "a"), said(1, "a", "transit@b"), issued(6, "b")]
    judged = judge(PIECE, facts)
    assert ends(judged) == [("transit@b", "b")]
    assert judged.flags == ()


def test_a_piece_nobody_ever_received_stays_below_zero_and_is_nobodys_double() -> None:
    assert judge(PIECE, [issued(5, "b")]) == Judged((), ())


def test_of_two_that_took_one_piece_from_a_third_the_earlier_gets_the_transfer() -> None:
    facts = [opened(0, "a"), issued(9, "b"), issued(7, "c")]
    judged = judge(PIECE, facts)
    assert sorts(judged) == [(Sort.IMPLIED_TRANSFER, "a", "c"), (Sort.DOUBLE_ISSUE, "b", "c")]
    assert after(facts, judged) == {"opening@a": -1, "issued@c": 1, "b": -1, "suspense@b": 1}


def test_lines_of_an_answer_are_single_pieces_between_two_places() -> None:
    judged = judge(PIECE, [opened(0, "a"), issued(5, "b"), issued(9, "a")])
    (line,) = [line_of(PIECE, carry) for carry in judged.carries]
    assert (line.item, line.qty, line.source, line.target, line.unit) == ("A1", 1, "issued@b", "suspense@b", "E2000001")


ROLES = ("", "issued@", "patient@", "transit@", "opening@", "supplier@", "scrap@")
PLACES = tuple(role + ward for role in ROLES for ward in ("a", "b", "c"))
MOVES = st.tuples(st.integers(0, 30), st.sampled_from(PLACES), st.sampled_from(PLACES)).filter(lambda m: m[1] != m[2])


@given(st.lists(MOVES, max_size=12), st.randoms(use_true_random=False))
def test_whatever_came_first_the_same_facts_come_to_the_same_book(
    moves: list[tuple[int, str, str]], chance: random.Random
) -> None:
    facts = [said(minute, source, target, f"{n:04x}") for n, (minute, source, target) in enumerate(moves)]
    at_once = judge(PIECE, facts)
    shuffled = list(facts)
    chance.shuffle(shuffled)
    heard: list[Said] = []
    for n, fact in enumerate(shuffled):  # central looks after some of them and answers what it knows then
        heard.append(fact)
        if chance.random() < 0.5:
            carries = judge(PIECE, heard).carries
            heard += [Said(carry, Instant(START - n), f"f{n:03x}", ours=True) for carry in carries]
    last = judge(PIECE, heard)
    assert last.flags == at_once.flags
    assert after(heard, last) == after(facts, at_once)
    settled = [*heard, *(Said(carry, START, "ffff", ours=True) for carry in last.carries)]
    assert judge(PIECE, settled).carries == ()


@given(st.lists(MOVES, max_size=12))
def test_an_answer_keeps_every_sum_and_leaves_a_serial_given_out_at_one_storeroom(
    moves: list[tuple[int, str, str]],
) -> None:
    facts = [said(minute, source, target, f"{n:04x}") for n, (minute, source, target) in enumerate(moves)]
    book = after(facts, judge(PIECE, facts))
    assert sum(book.values()) == 0
    assert len({room_of(place) for place, qty in book.items() if qty > 0 and place_sort(place) in SPENT}) <= 1


def test_of_a_serial_nobody_received_and_two_gave_out_the_earlier_keeps_it_provisionally() -> None:
    facts = [issued(5, "b"), issued(3, "a")]
    judged = judge(PIECE, facts)
    assert ends(judged) == [("issued@b", "suspense@b")]
    assert [(flag.place, flag.other, flag.provisional) for flag in judged.flags] == [("b", "a", True)]
