"""`/his/resolve`, `/his/consume`, `/his/unconsume`, `/charges`: the hospital information system's side of a use.

A program comes with a token of an account that holds the role `his`. The rule that must not be broken: a route holds no
rule; what stands is answered, whoever scanned first.
"""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.charging import ChargeState, DayLine
from central.errors import BadInput
from central.services.charges import Piece, differences, pieces
from central.services.desk import Desk
from central.services.his import CODE_MAX, NUMBER_MAX, PATIENT_MAX, REASON_MAX, Answer, Consume, Unconsume
from central.store.paging import page_of
from protocols.errors import BadValue
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, from_iso, to_iso
from protocols.values.quantity import LINE_QTY_MAX

PLACE_MAX = 64
REFUSED: dict[int | str, dict[str, object]] = {
    404: {"model": Problem},
    409: {"model": Problem},
    503: {"model": Problem},
}

Number = Annotated[str, Field(min_length=1, max_length=NUMBER_MAX, examples=["F-20260302-000117"])]


class CodeOut(BaseModel):
    """A charge item: so many base units of the item for one of it."""

    code: str
    ratio: int


class ResolvedOut(BaseModel):
    """What a label is; `place` is where the ledger has the piece, `used_at` when it was used, if it was."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    lot: str
    serial: str
    unit: str
    expiry: str
    place: str
    used_at: str | None
    used_by: str
    charged: bool
    codes: list[CodeOut]
    warnings: list[str]


class ConsumeIn(BaseModel):
    """A use to record: `charge` is the caller's own number, said again it changes nothing.

    `code` is the label as scanned, an EPC, a serial or an item code; `charge_code` the charge item, if that is known;
    `patient` a token that is kept only as a keyed hash. `qty` counts charge items where `charge_code` is given.
    """

    charge: Number
    code: str = Field(default="", max_length=CODE_MAX)
    charge_code: str = Field(default="", max_length=NUMBER_MAX)
    place: str = Field(min_length=1, max_length=PLACE_MAX, examples=["ward-01"])
    patient: str = Field(min_length=1, max_length=PATIENT_MAX)
    qty: int = Field(default=1, ge=1, le=LINE_QTY_MAX)
    at: str = Field(default="", max_length=40, examples=["2026-03-02T16:00:00+08:00"])


class UnconsumeIn(BaseModel):
    """What undoes a charge: `of` names it; `qty` 0 means all that is left of it.

    With `goods_back` the use is reversed too; without it only the money goes back.
    """

    charge: Number
    of: Number
    qty: int = Field(default=0, ge=0, le=LINE_QTY_MAX)
    goods_back: bool = True
    reason: str = Field(default="", max_length=REASON_MAX)


class AnswerOut(BaseModel):
    """What stands: `used` (written now), `already` (somebody had written it), `charged-only`, `undone`, `refunded`.

    `event` is the ledger's entry, `by` who wrote it, `side` `his` or `storeroom`.
    """

    outcome: str
    charge: str
    item: str
    lot: str
    unit: str
    qty: int
    place: str
    event: str
    by: str
    at: str | None
    side: str
    warnings: list[str] = Field(default=[], description="`expired`, `held` by a recall: of goods whose lot is known")


class LineOut(BaseModel):
    """One ward, day and item: base units used, charged less refunded, and used less charged."""

    place: str
    day: str
    item: str
    used: int
    charged: int
    difference: int


class Lines(Listed):
    """Use beside charges, those that differ most first."""

    items: list[LineOut]


class PieceOut(BaseModel):
    """One named piece and the one state it is in."""

    unit: str
    lot: str
    state: ChargeState
    place: str
    since: str
    charge: str


class Pieces(Listed):
    """The named pieces of a ward's day and item."""

    items: list[PieceOut]


def his_routes(desk: Desk) -> APIRouter:
    """Return the routes of these resources."""
    router = resource("his")
    _add_uses(router, desk)
    _add_charges(router, desk)
    return router


def _add_uses(router: APIRouter, desk: Desk) -> None:
    @router.get("/his/resolve", responses=REFUSED)
    def resolve(
        caller: Asks,
        code: Annotated[str, Query(min_length=1, max_length=CODE_MAX)],
        place: Annotated[str, Query(max_length=PLACE_MAX)] = "",
    ) -> ResolvedOut:
        """Tell what a label is, where its piece is, whether it was used, and what speaks against using it."""
        one = desk.his.resolve(caller, code, place)
        return ResolvedOut(
            item=one.item.item, name_zh=one.item.name_zh, name_en=one.item.name_en, spec=one.item.spec, lot=one.lot,
            serial=one.serial, unit=one.unit, expiry=one.expiry, place=one.place,
            used_at=None if one.used_at is None else to_iso(one.used_at), used_by=one.used_by, charged=one.charged,
            codes=[CodeOut(code=code.code, ratio=code.ratio) for code in one.codes], warnings=list(one.warnings),
        )  # fmt: skip

    @router.post("/his/consume", responses=REFUSED)
    def consume(caller: Asks, said: ConsumeIn) -> AnswerOut:
        """Use a piece or loose goods on a patient and charge them, once, whoever scanned first."""
        at = _instant(said.at) if said.at else None
        place = PlaceId(said.place)
        asked = Consume(said.charge, said.code, place, said.patient, said.qty, said.charge_code, at)
        return _answer(desk.his.consume(caller, asked))

    @router.post("/his/unconsume", responses=REFUSED)
    def unconsume(caller: Asks, said: UnconsumeIn) -> AnswerOut:
        """Undo a charge, all of it or a part, with or without the goods."""
        asked = Unconsume(said.charge, said.of, said.qty, said.goods_back, said.reason)
        return _answer(desk.his.unconsume(caller, asked))


def _add_charges(router: APIRouter, desk: Desk) -> None:
    @router.get("/charges", responses={404: {"model": Problem}})
    def listed(
        caller: Asks,
        page: Paged,
        first: Annotated[date, Query(examples=["2026-03-02"])],
        last: Annotated[date, Query(examples=["2026-03-02"])],
        place: Annotated[str, Query(max_length=PLACE_MAX)] = "",
        differing: bool = False,
    ) -> Lines:
        """List use beside charges by ward, day and item, of at most 31 days."""
        every = [one for one in differences(desk, caller, first, last, place) if one.difference or not differing]
        found = page_of("charges", every, _most_first, page.asked)
        return Lines(items=[_line(one) for one in found.items], next=page.next(found))

    @router.get("/charges/pieces", responses={404: {"model": Problem}})
    def named(
        caller: Asks,
        page: Paged,
        day: date,
        place: Annotated[str, Query(max_length=PLACE_MAX)],
        item: Annotated[str, Query(max_length=PLACE_MAX)],
    ) -> Pieces:
        """List the named pieces of a ward's day and item, each in exactly one state."""
        found = page_of(
            "charge-pieces", sorted(pieces(desk, caller, day, place, item), key=_piece_key), _piece_key, page.asked
        )
        return Pieces(
            next=page.next(found),
            items=[
                PieceOut(
                    unit=one.unit, lot=one.lot, state=one.state, place=one.place, since=to_iso(one.since),
                    charge=one.charge,
                )
                for one in found.items
            ],
        )  # fmt: skip


def _most_first(one: DayLine) -> tuple[int, str, str, str]:
    return -abs(one.difference), one.day.isoformat(), one.place, one.item


def _piece_key(one: Piece) -> tuple[str]:
    return (one.unit,)


def _line(one: DayLine) -> LineOut:
    return LineOut(
        place=one.place, day=one.day.isoformat(), item=one.item, used=one.used, charged=one.charged,
        difference=one.difference,
    )  # fmt: skip


def _answer(one: Answer) -> AnswerOut:
    charge = one.charge
    return AnswerOut(
        outcome=one.outcome.value, charge=charge.charge, item=charge.item, lot=charge.lot, unit=charge.unit,
        qty=charge.qty, place=charge.place, event=one.event, by=one.actor,
        at=None if one.at is None else to_iso(one.at), side=one.side, warnings=list(one.warnings),
    )  # fmt: skip


def _instant(text: str) -> Instant:
    try:
        return from_iso(text)
    except BadValue as error:
        raise BadInput(f"at: {error}") from error
