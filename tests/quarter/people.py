"""What people ask for and put right in the simulated quarter: wishes, emergencies, amendments, returns, claims.

Every act goes through the real services, by somebody who holds its right. Nothing here reckons a figure.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Any

from central.core.amendments import Change
from central.core.requisitions import RequisitionState, RequisitionStep, Wanted, Wish
from central.core.returns import Back, Claimed, ReturnKind, ReturnStep, Why
from central.core.rights import Caller, Grant, Role
from central.errors import NotAllowed
from central.services.requisitions import Said
from central.services.returns import Credit
from central.store.queries_purchasing import receipts_of
from central.store.queries_requisitions import Requisition
from protocols.movements.bodies import write_body
from protocols.movements.counts import CountBody, CountLine
from protocols.movements.posting import PostingLine
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import business_day, plus, seconds_between
from protocols.values.money import Money, yuan
from tests.central.hospital import HOSPITAL, START
from tests.central.purchases import BUYER, HEAD, STORE
from tests.quarter.goods import Coming, Owed
from tests.quarter.stage import CUT_FROM, CUT_OFF, CUT_TO, FINANCE, Stage
from tests.quarter.town import DEAR, KIT, MAIN, NEAR, STAPLE, THINGS, WARDS, uses

NURSES = {
    ward: Caller(ActorId(f"N2{number:03}"), ward, (Grant(Role.NURSE, frozenset({PlaceId(ward)})),))
    for number, ward in enumerate(WARDS, 1)
}
ASKED_A_WEEK, ASKED_DAYS = 2, 4
"""Wishes of wards every Tuesday, each of so many days' use."""
CLAIM = yuan("1200")
COUNTED_ON = 2
"""The day of a month on which every ward counts: without it nobody observed its record, and nothing is automatic."""
PLENTY = 1_000_000
"""More than lies anywhere."""


def ask(stage: Stage, ward: str, item: str, qty: int, reason: str, *, emergency: bool = False) -> Requisition:
    """A nurse asks for goods; what is approved by itself is sent at once."""
    stage.now = plus(stage.now, 60)
    wanted = Wanted(ward, (Wish(item, qty),), reason, emergency)
    asked = stage.desk().requisitions.ask(NURSES[ward], wanted)
    if asked.state is RequisitionState.ORDERED:
        stage.send_these(asked.orders.values())
    return asked


def decide(stage: Stage, by: Caller, asked: Requisition, event: RequisitionStep, said: Said) -> Requisition:
    """Somebody decides about what was asked for; what is ordered is sent, in an emergency by `answered`."""
    stage.now = plus(stage.now, 60)
    found = stage.desk().requisitions.step(by, asked.requisition, event, said)
    if event is RequisitionStep.APPROVE:
        stage.send_these(found.orders.values())
    return found


def wishes_of_a_week(stage: Stage, day: date) -> None:
    """Some wards ask for more of what they use; a buyer, else the head, says yes to what does not pass by itself."""
    chance = Random(f"wishes of {day}")
    for ward in chance.sample(WARDS, ASKED_A_WEEK):
        item = chance.choice([one for one in THINGS if uses(ward, one) and one not in NEAR])
        asked = ask(stage, ward, item, max(1, round(ASKED_DAYS * THINGS[item].daily)), "a full week ahead")
        if asked.state is RequisitionState.ASKED:
            say_yes(stage, asked)


def say_yes(stage: Stage, asked: Requisition, quantities: Mapping[int, int] | None = None) -> None:
    """The buyer approves, or the head where that is the head's to say."""
    said = Said("agreed", quantities=quantities, cut="still-there")
    try:
        decide(stage, BUYER, asked, RequisitionStep.APPROVE, said)
    except NotAllowed:
        decide(stage, HEAD, asked, RequisitionStep.APPROVE, said)


def wishes_that_are_not_followed(stage: Stage) -> bool:
    """One is granted in part, one refused, one taken back."""
    say_yes(stage, ask(stage, WARDS[3], KIT, 40, "a planned list of operations"), {1: 10})
    refused = ask(stage, WARDS[6], DEAR, 30, "as a doctor is used to it")
    decide(stage, BUYER, refused, RequisitionStep.REFUSE, Said("the selected product is there"))
    mine = ask(stage, WARDS[0], KIT, 30, "asked for by mistake")
    decide(stage, NURSES[WARDS[0]], mine, RequisitionStep.WITHDRAW, Said())
    return True


def emergency(stage: Stage, day: date, ward: str, answer_h: int, days: int | None) -> bool:
    """More staplers than the central store has, at once: a buyer orders, the supplier answers, the head signs after.

    `answer_h` is what the supplier takes to answer, `days` what it takes to bring them; None: they never come.
    """
    left = sum(qty for _, _, qty in stage.pick(MAIN, STAPLE, PLENTY))
    asked = ask(stage, ward, STAPLE, left + 3, "a theatre stands still", emergency=True)
    placed = decide(stage, BUYER, asked, RequisitionStep.PLACE, Said())
    (order,) = placed.orders.values()
    one, line = stage.order(order)
    assert one.supplier, "an emergency of the story goes outside"
    promised = day + timedelta(days=1 if days is None else days)
    stage.now = plus(stage.now, 60)
    stage.tell_supplier(order)
    stage.now = plus(stage.now, answer_h * 3600 - 300)
    stage.hear_supplier(order, promised)
    if days is not None:
        stage.coming.append(Coming(promised, order, line.item, line.qty))
    stage.now = plus(stage.now, 3600)
    decide(stage, HEAD, asked, RequisitionStep.COMPLETE, Said(paper=f"EM-{day}"))
    return True


def amend(stage: Stage, day: date, by: Caller, factor: int) -> bool:
    """An order that is waited for is changed: more of it, a little cheaper; it is sent and confirmed anew."""
    mine = [one for one in stage.coming if stage.sent[one.order][0] in {"S01", "S02"} and one.day > day and one.qty > 1]
    if not mine:
        return False
    one, *_ = mine
    _, line = stage.order(one.order)
    more, price = line.qty * factor, Money(line.price - 50)
    stage.desk().amendments.amend(by, one.order, [Change(1, more, price)], None, "a ward opens again")
    stage.now = plus(stage.now, 60)
    stage.tell_supplier(one.order)
    promised = one.day + timedelta(days=1)
    stage.hear_supplier(one.order, promised)
    stage.coming.remove(one)
    stage.coming.append(Coming(promised, one.order, one.item, more))
    return True


def send_back(stage: Stage, several: list[Owed], qty: int, credit: str) -> bool:
    """Damaged goods go back: a storekeeper asks, the buyer approves, the goods leave, a credit note comes or none."""
    found = lying(stage, several, qty)
    if found is None:
        return False
    owed, row = found
    back = Claimed(ReturnKind.RETURN, Why.DAMAGED, (Back(row["receipt"], 1, qty),), Money(0), "crushed boxes")
    asked = stage.desk().returns.ask(STORE, back)
    stage.now = plus(stage.now, 60)
    stage.desk().returns.step(BUYER, asked.return_no, ReturnStep.APPROVE)
    stage.now = plus(stage.now, 60)
    stage.desk().returns.step(STORE, asked.return_no, ReturnStep.SHIP)
    stage.book([PostingLine(row["item"], qty, MAIN, f"supplier@{MAIN}", lot=row["lot"])])
    stage.now = plus(stage.now, 3600)
    if credit:
        note = Credit(credit, business_day(stage.now))
        stage.desk().returns.step(FINANCE, asked.return_no, ReturnStep.CREDIT, credit=note)
        return True
    stage.desk().returns.step(BUYER, asked.return_no, ReturnStep.CLOSE, said="it was never invoiced")
    owed.qty -= qty
    return True


def lying(stage: Stage, several: list[Owed], qty: int) -> tuple[Owed, Mapping[str, Any]] | None:
    """Return the last of some purchases of which so many pieces lie in the central store, with its receipt."""
    for one in reversed(several):
        if stage.sent[one.order][2] != MAIN or one.qty <= qty:
            continue
        with stage.store.read() as connection:
            (row,) = receipts_of(connection, HOSPITAL, one.order)
        if stage.held[MAIN, row["item"], row["lot"], "hospital"] >= qty:
            return one, row
    return None


def ask_in_vain(stage: Stage) -> bool:
    """A return that the buyer refuses."""
    found = lying(stage, stage.billed, 1)
    if found is None:
        return False
    back = Claimed(ReturnKind.RETURN, Why.OTHER, (Back(found[1]["receipt"], 1, 1),), Money(0), "wrong colour")
    asked = stage.desk().returns.ask(STORE, back)
    stage.now = plus(stage.now, 60)
    stage.desk().returns.step(BUYER, asked.return_no, ReturnStep.REFUSE, said="the colour is as ordered")
    return True


def claim(stage: Stage, day: date, supplier: str) -> bool:
    """A supplier that delivered late is asked for money; it gives half of it."""
    one = next(each for each in stage.billed if each.supplier == supplier and stage.sent[each.order][2] == MAIN)
    with stage.store.read() as connection:
        (row,) = receipts_of(connection, HOSPITAL, one.order)
    wanted = Claimed(ReturnKind.CLAIM, Why.SHORT, (Back(row["receipt"], 1, 1),), CLAIM, "delivered late")
    asked = stage.desk().returns.ask(BUYER, wanted)
    stage.now = plus(stage.now, 60)
    stage.desk().returns.step(HEAD, asked.return_no, ReturnStep.APPROVE)
    stage.now = plus(stage.now, 60)
    note = Credit(f"CN-{supplier}-{day}", day, Money(CLAIM // 2))
    stage.desk().returns.step(FINANCE, asked.return_no, ReturnStep.CREDIT, credit=note)
    return True


Act = Callable[[Stage, date], bool]
"""What people do once; False where the day does not allow it, and it is tried again on the next."""

CALENDAR: tuple[tuple[date, Act], ...] = (
    (date(2026, 1, 15), lambda stage, _: wishes_that_are_not_followed(stage)),
    (date(2026, 1, 16), lambda stage, day: amend(stage, day, BUYER, 2)),
    (date(2026, 1, 21), lambda stage, day: emergency(stage, day, WARDS[0], 1, 2)),
    (date(2026, 2, 2), lambda stage, day: amend(stage, day, HEAD, 8)),
    (date(2026, 2, 6), lambda stage, _: send_back(stage, stage.billed, 2, "CN-1")),
    (date(2026, 2, 7), lambda stage, _: send_back(stage, stage.owed, 3, "")),
    (date(2026, 2, 8), lambda stage, _: ask_in_vain(stage)),
    (date(2026, 2, 11), lambda stage, day: emergency(stage, day, WARDS[3], 5, None)),
    (date(2026, 2, 24), lambda stage, day: emergency(stage, day, WARDS[6], 2, 5)),
    (date(2026, 2, 26), lambda stage, day: claim(stage, day, "S02")),
    (date(2026, 3, 9), lambda stage, day: amend(stage, day, BUYER, 2)),
    (date(2026, 3, 20), lambda stage, _: send_back(stage, stage.billed, 1, "CN-2")),
    (date(2026, 3, 25), lambda stage, day: claim(stage, day, "S03")),
)
"""What people do once, by the first day for it."""


def count_wards(stage: Stage, day: date) -> None:
    """Every ward that is heard counts all that lies there, and finds it right."""
    for ward, nurse in NURSES.items():
        if ward == CUT_OFF and CUT_FROM <= day < CUT_TO:
            continue
        lying_there = Counter[tuple[str, str]]()
        for (place, item, lot, _), qty in stage.held.items():
            lying_there[item, lot] += qty if place == ward else 0
        lines = tuple(CountLine(item, qty, lot) for (item, lot), qty in sorted(lying_there.items()) if qty > 0)
        body = write_body(CountBody(f"{ward} {day}", "line", ward, lines=lines))
        stage.now = plus(stage.now, 1)
        stage.wards[ward].say("count_daily", body, seconds_between(START, stage.now), nurse.person)


def people_act(stage: Stage, day: date) -> None:
    """What people of the wards and the office do on a day."""
    if day.day == COUNTED_ON:
        stage.at(day, 14, 15)
        count_wards(stage, day)
    if day.weekday() == 1:
        stage.at(day, 14, 30)
        wishes_of_a_week(stage, day)
    for number, (since, act) in enumerate(CALENDAR):
        if since <= day and number not in stage.acted:
            stage.at(day, 14, 45)
            stage.acted |= {number} if act(stage, day) else set()
