"""What the calendar of the simulated quarter brings, each once: counts, a falling price, a failing supplier, a recall.

Nothing here reckons a figure.
"""

from datetime import date, timedelta
from random import Random

from central.core.purchasing import OrderStep
from central.core.suppliers import CaseKind, CaseStep
from central.services.price_changes import ChangeStep, PriceChanges
from protocols.movements.bodies import write_body
from protocols.movements.posting import PostingLine
from protocols.movements.reports import LotName, StandingBody
from protocols.values.instant import plus, seconds_between
from protocols.values.money import yuan
from tests.central.hospital import START
from tests.central.purchases import BUYER, HEAD, STORE
from tests.quarter.goods import taken_back
from tests.quarter.stage import (
    BLOCKED_ON,
    CUT_OFF,
    CUT_TO,
    FAILING,
    FINANCE,
    RECALLED,
    RECALLED_ON,
    Stage,
)
from tests.quarter.town import (
    GAUZE,
    MAIN,
    STAPLE,
    STENT,
    THINGS,
    WARDS,
    files,
    uses,
)


def happen(stage: Stage, day: date) -> None:
    """What the calendar brings."""
    stage.at(day, 14)
    if day == CUT_TO:
        for said in stage.buffered:
            stage.now = plus(stage.now, 1)
            stage.wards[CUT_OFF].tell(said, stage.now)
        stage.buffered = []
    if (day + timedelta(days=1)).day == 1:
        count(stage)
    if day == date(2026, 1, 14):
        givetaken_back(stage)
        lay_in(stage)
    if day == date(2026, 2, 10):
        cases(stage)
    if day == BLOCKED_ON:
        block(stage)
    if day == date(2026, 3, 1):
        cheaper(stage)
    if day == RECALLED_ON:
        recall(stage)
    if day == date(2026, 3, 20):
        item = next(one for one in THINGS if one != STENT and stage.pick(MAIN, one, 7))
        (lot, owner, qty), *_ = stage.pick(MAIN, item, 7)
        stage.central("scrap", [PostingLine(item, qty, MAIN, f"scrap@{MAIN}", lot=lot, owner=owner)])


def count(stage: Stage) -> None:
    """Three wards count and correct a line each: two lack pieces, one has more."""
    for number, ward in enumerate(WARDS[:3]):
        item = next(one for one in THINGS if uses(ward, one))
        for lot, owner, _ in stage.pick(ward, item, 1):
            ends = (ward, f"unknown@{ward}") if number < 2 else (f"unknown@{ward}", ward)
            stage.ward(ward, "adjust", [PostingLine(item, 1, *ends, lot=lot, owner=owner)])


def givetaken_back(stage: Stage) -> None:
    """A use that was wrong is reversed, and something issued comes back."""
    ward = WARDS[0]
    lines = [PostingLine(GAUZE, 2, f"patient@{ward}", ward, lot="OPEN")]
    stage.ward(ward, "reversal", lines)
    ((lot, owner, qty),) = stage.pick(ward, GAUZE, 4)[:1]
    out = PostingLine(GAUZE, qty, ward, f"issued@{ward}", lot=lot, owner=owner)
    stage.ward(ward, "issue", [out])
    stage.ward(ward, "return_to_store", [taken_back(out)])


def lay_in(stage: Stage) -> None:
    """The wards that will need stents get their first ones."""
    for ward in (one for one in WARDS if uses(one, STENT)):
        ((lot, owner, qty),) = stage.pick(MAIN, STENT, 3)[:1]
        out = PostingLine(STENT, qty, MAIN, f"transit@{ward}", lot=lot, owner=owner)
        stage.central("transfer_out", [out])
        stage.ward(ward, "ward_receipt", [PostingLine(STENT, qty, out.target, ward, lot=lot, owner=owner)])


def cases(stage: Stage) -> None:
    """The failing supplier's disruption; two emergency requests, one answered late; a ticket."""
    at = stage.desk().suppliers
    at.open_case(BUYER, CaseKind.DISRUPTION, FAILING, STAPLE, "no delivery since week 6")
    quick = at.open_case(BUYER, CaseKind.EMERGENCY, "S01", STAPLE, "staplers today")
    late = at.open_case(BUYER, CaseKind.EMERGENCY, "S01", "Q-SUTURE", "sutures today")
    ticket = at.open_case(BUYER, CaseKind.TICKET, "S02", "", "two kits without needle")
    for case, event, after_h in (
        (quick, CaseStep.CONFIRM, 1),
        (late, CaseStep.CONFIRM, 2),
        (ticket, CaseStep.SOLVE, 6),
    ):
        stage.now = plus(stage.now, after_h * 3600)
        stage.desk().suppliers.move_case(BUYER, case, event)


def block(stage: Stage) -> None:
    """The head blocks the failing supplier, and what it still owes is given up."""
    case = stage.desk().suppliers.open_case(BUYER, CaseKind.INCIDENT, FAILING, "", "deliveries fail")
    stage.desk().suppliers.move_case(HEAD, case, CaseStep.BLOCK)
    gone = {order for order, (supplier, *_) in stage.sent.items() if supplier == FAILING}
    came = {one.order for one in (*stage.owed, *stage.billed)}
    for order in sorted(gone - came):
        stage.desk().purchasing.step(BUYER, order, OrderStep.CLOSE, {"reason": "supplier blocked"})
    stage.coming = [one for one in stage.coming if one.order not in gone]


def cheaper(stage: Stage) -> None:
    """The price of gauze falls: the terms for what is ordered, and by a price change for what lies there."""
    text = files(Random(0))["item_suppliers.csv"].replace(f"{GAUZE},S01,1,0.8500", f"{GAUZE},S01,1,0.8000")
    stage.again("terms", {"item_suppliers.csv": text})
    change = PriceChanges(stage.desk().purchasing.documents).propose(FINANCE, GAUZE, "OPEN", yuan("0.80"), "new price")
    stage.now = plus(stage.now, 60)
    PriceChanges(stage.desk().purchasing.documents).decide(HEAD, change, ChangeStep.APPROVE)


def recall(stage: Stage) -> None:
    """A lot is recalled: wards hold it and send it back, and it goes back to who delivered it."""
    lots = {
        lot
        for (place, item, lot, _), qty in stage.held.items()
        if item == RECALLED and lot != "OPEN" and qty > 0 and place in {MAIN, *WARDS}
    }
    lot = min(lots)
    stage.desk().recalls.recall(STORE, RECALLED, lot, "leaks")
    for ward in WARDS:
        qty = stage.held[ward, RECALLED, lot, "hospital"]
        if qty < 1:
            continue
        held = write_body(StandingBody(lots=(LotName(RECALLED, lot),), reason="recall"))
        stage.now = plus(stage.now, 1)
        stage.wards[ward].say("hold_recall", held, seconds_between(START, stage.now), "N1001")
        out = PostingLine(RECALLED, qty, ward, f"transit@{MAIN}", lot=lot)
        stage.ward(ward, "transfer_out", [out])
        stage.central("transfer_in", [PostingLine(RECALLED, qty, f"transit@{MAIN}", MAIN, lot=lot)])
    qty = stage.held[MAIN, RECALLED, lot, "hospital"]
    if qty > 0:
        stage.central("return_to_supplier", [PostingLine(RECALLED, qty, MAIN, f"supplier@{MAIN}", lot=lot)])
    stage.desk().recalls.lift(STORE, RECALLED, lot)
