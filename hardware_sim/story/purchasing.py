"""What a purchasing office has under way when somebody looks around: each act a request at central's API by its person.

All of it is simulated: persons, suppliers, goods and prices are invented. It decides nothing and is not part of the
story that is judged; it concerns the central store and a clinic, never the wards of the story. The rule that must not
be broken: nothing is written but by the requests that people's pages and programs send.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Protocol

DAY, NUMBER = "day:", "number:"
"""What begins a value that stands for a day from the story's first, and a piece of an address that an answer named."""
FORM = "FORM"
"""The verb of a form on a page of that address, where the API has no such act: a scan at a ward without a device."""
PLATED = "P-0302-204"
"""The patient in whom a supplier's plate is used."""


@dataclass(frozen=True, slots=True)
class Act:
    """One request: whose, its verb and address, what it says, and under what name its answer's number is kept."""

    staff: str
    verb: str
    address: str
    told: Mapping[str, Any]
    keep: str = ""


class Desk(Protocol):
    """One person's way to the API."""

    def ask(self, verb: str, address: str, told: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a request; returns the answer. Raises where central refuses it or does not answer."""

    def send(self, page: str, action: str, told: Mapping[str, object]) -> str:
        """Fill in the form of a page and send it; returns the page that answers. Raises as `ask` does."""


@dataclass(frozen=True, slots=True)
class People:
    """Staff numbers of those who act."""

    buyer: str
    store: str
    finance: str
    nurse: str
    theatre_nurse: str


def acts(who: People, *, clinic: str, theatre: str) -> Sequence[Act]:
    """Return what everybody does, in its order."""
    buyer, store, finance, nurse = who.buyer, who.store, who.finance, who.nurse
    crushed = {"line_no": 1, "lot": "SS2602", "expiry": f"{DAY}900", "accepted": 11, "refused": 1, "why": "外包装破损"}
    plates = {"line_no": 2, "lot": "LP2601", "expiry": f"{DAY}1500", "accepted": 4}
    billed = [{"order_no": "EX-2602-11", "line_no": 1, "qty": 12, "price": 880_000}]
    laid_in = {"item": "HC3013", "supplier": "S05", "first": f"{DAY}-30", "price": 36_000_000, "level": 4}
    masks = [{"item": "HC3010", "qty": 10}]
    sheet, bone_plate = f"hand/{theatre}", "(01)06999990700134(10)LP2601"
    return (
        Act(buyer, "PUT", "consignment/terms", laid_in),
        Act(store, "POST", "orders/EX-2602-11/receipts", {"delivery_note": "DN-S05-0302", "lines": [crushed, plates]}),
        Act(
            finance, "POST", "invoices",
            {"supplier": "S05", "invoice": "EX-26020188", "dated": f"{DAY}0", "lines": billed},
        ),
        Act(buyer, "POST", "orders/EX-2602-12/steps/announce", {"delivery_note": "DN-S03-0291"}),
        Act(buyer, "POST", "cases", {"kind": "ticket", "supplier": "S03", "said": "两盒三通阀缺保护帽"}),
        Act(
            nurse, "POST", "requisitions",
            {"place": clinic, "lines": [{"item": "HC3014", "qty": 20}], "reason": "周末换药门诊"},
        ),
        Act(
            nurse, "POST", "requisitions",
            {"place": clinic, "lines": masks, "reason": "抢救后面罩用完", "emergency": True}, "emergency",
        ),
        Act(buyer, "POST", f"requisitions/{NUMBER}emergency/steps/place", {}),
        Act(
            who.theatre_nurse, "POST", "requisitions",
            {"place": theatre, "lines": [{"item": "HC3013", "qty": 2}], "reason": "明日骨折内固定手术备货"}, "plates",
        ),
        Act(buyer, "POST", f"requisitions/{NUMBER}plates/steps/approve", {}, "plates"),
        Act(
            store, "POST", f"orders/{NUMBER}order-of-plates/handed-out",
            {"lines": [{"item": "HC3013", "qty": 2}], "owed": 2},
        ),
        Act(who.theatre_nurse, FORM, sheet, {"doing": "receive", "code": bone_plate, "qty": 2}),
        Act(who.theatre_nurse, FORM, sheet, {"doing": "use", "code": bone_plate, "qty": 1, "patient": PLATED}),
        Act(store, "POST", "recalls", {"item": "HC3005", "lot": "EX3005A", "why": "厂家召回：针座渗漏"}),
    )  # fmt: skip


def play(listed: Sequence[Act], desks: Mapping[str, Desk], today: date) -> None:
    """Do everything once, in order; what a desk raises ends it."""
    numbers: dict[str, str] = {}
    for one in listed:
        address = one.address
        for name, number in numbers.items():
            address = address.replace(f"{NUMBER}{name}", number)
        if one.verb == FORM:
            desks[one.staff].send(f"/{address}", f"/{address}", one.told)
            continue
        answer = desks[one.staff].ask(one.verb, address, _dated(one.told, today))
        if one.keep:
            numbers |= {one.keep: str(answer["requisition"]), f"order-of-{one.keep}": answer["lines"][0]["order_no"]}


def _dated(told: Any, today: date) -> Any:  # noqa: ANN401 # what JSON may say
    """Return what is said with its days."""
    if isinstance(told, Mapping):
        return {name: _dated(value, today) for name, value in told.items()}
    if isinstance(told, list):
        return [_dated(value, today) for value in told]
    if isinstance(told, str) and told.startswith(DAY):
        return (today + timedelta(int(told.removeprefix(DAY)))).isoformat()
    return told
