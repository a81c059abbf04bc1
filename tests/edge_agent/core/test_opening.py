"""An opening binds every tag, posts every piece once, and fits the limits of an entry."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.core.book import effect_of, unbalanced
from edge_agent.core.fold import Fold
from edge_agent.core.opening import LINES_A_DRAFT, Piece, opening_drafts, opening_id
from protocols.codes.gtin import Gtin14
from protocols.entry import encode_body
from protocols.values.ids import ItemId, LotNo, OwnerId, PlaceId, epc

WARD = PlaceId("ward-01")
LONG = "X" * 64


def piece(number: int, item: str = "C001", lot: str = "L1", owner: str = "hospital") -> Piece:
    return Piece(
        ItemId(item),
        Gtin14("09506000134352"),
        LotNo(lot),
        date(2027, 1, 31),
        str(number),
        epc(f"{number:0124X}" if item == LONG else f"{number:024X}"),
        "S3",
        OwnerId(owner),
    )


def fold_of(pieces: list[Piece]) -> Fold:
    fold = Fold()
    for number, draft in enumerate(opening_drafts(pieces, WARD)):
        fold.post(number.to_bytes(16, "big"), effect_of(draft.kind, encode_body(draft.body)))
    return fold


@given(st.lists(st.tuples(st.sampled_from(["A", "B"]), st.sampled_from(["", "L1", "L2"])), max_size=250))
def test_every_piece_is_bound_and_in_stock_once(kinds: list[tuple[str, str]]) -> None:
    pieces = [piece(number, item, lot) for number, (item, lot) in enumerate(kinds)]
    fold = fold_of(pieces)
    assert set(fold.bindings) == {each.epc for each in pieces} == set(fold.custody)
    assert sum(qty for key, qty in fold.balances.items() if key.place == WARD) == len(pieces)
    assert unbalanced(fold.balances.items()) == []


def test_the_longest_ids_fit_an_entry() -> None:
    pieces = [piece(number, LONG, LONG, LONG) for number in range(LINES_A_DRAFT + 1)]
    drafts = list(opening_drafts(pieces, WARD))
    assert [draft.kind for draft in drafts] == ["bind_tag", "opening"] * 2
    for draft in drafts:
        encode_body(draft.body)


def test_the_same_opening_said_again_is_the_same_events_and_a_changed_one_or_another_wards_is_not() -> None:
    pieces = [piece(number, lot=f"L{number % 3}") for number in range(9)]
    first = [opening_id(WARD, draft) for draft in opening_drafts(pieces, WARD)]
    again = [opening_id(WARD, draft) for draft in opening_drafts(pieces[::-1], WARD)]
    assert first == again
    assert len(set(first)) == 6
    fewer = [opening_id(WARD, draft) for draft in opening_drafts(pieces[:-1], WARD)]
    assert len(set(first) & set(fewer)) == 4
    other = PlaceId("ward-02")
    assert not set(first) & {opening_id(other, draft) for draft in opening_drafts(pieces, other)}
