"""Work on the catalogue: draft an item, give its evidence, approve, activate, retire; decide a review.

The rules are in core. The rules that must not be broken: an item's state changes only by a step with its record; who
drafted it or gave evidence does not approve it (the database refuses it too); a review's decision names its reason.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, func, select

from central.core.agreements import quarter_days, quarter_of, year_before
from central.core.catalogue import (
    FILE_BYTES_MAX,
    TEXT_MAX,
    CodeFault,
    ItemState,
    ItemStep,
    Mode,
    Reviewed,
    Tier,
    Trim,
    candidates,
    code_faults,
    item_after,
    trims,
    usage_of,
)
from central.core.reorder.abc import classes
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.documents import Documents, check_text
from central.services.policy import rules_at
from central.store import queries_catalogue as kept
from central.store.merge import add_new, merge
from central.store.queries_find import keep_sounds
from central.store.queries_master import terms
from central.store.queries_purchasing import history
from central.store.queries_volumes import purchases
from central.store.queries_volumes import used as used_in
from central.store.tables.catalogue import ABC_CLASS, CATALOGUE_BASELINE, CATALOGUE_ITEM, CATALOGUE_REVIEW, EVIDENCE
from central.store.tables.master import ITEM
from protocols.errors import BadValue
from protocols.values.ids import HospitalId, item_id
from protocols.values.instant import Instant, business_day
from protocols.values.money import Money, times

GIVERS = frozenset({ItemStep.DRAFT.value, ItemStep.EVIDENCE.value})
KEEP, RETIRE = "keep", "retire"
DECISIONS = frozenset({KEEP, RETIRE})
NAME_MAX = 120
PACK_MAX = 1_000_000


@dataclass(frozen=True, slots=True)
class Drafted:
    """A new item as somebody drafts it: names, specification, units, pack in base units, class, codes and tier."""

    item: str
    name_zh: str
    name_en: str
    spec: str
    unit_zh: str
    unit_en: str
    pack: int
    class_: str
    criticality: str
    registration: str = ""
    udi_di: str = ""
    insurance: str = ""
    platform: str = ""
    tier: str = ""
    mode: str = Mode.USUAL.value

    def __post_init__(self) -> None:
        try:
            item_id(self.item)
        except BadValue as error:
            raise BadInput(f"item: {error}") from error
        for name in ("name_zh", "name_en", "unit_zh", "unit_en"):
            check_text(name, getattr(self, name), NAME_MAX)
        for name in ("spec", "registration", "udi_di", "insurance", "platform"):
            check_text(name, getattr(self, name), NAME_MAX, empty=True)
        if not 1 <= self.pack <= PACK_MAX:
            raise BadInput(f"pack: expected 1 to {PACK_MAX} base units, got {self.pack}")
        self._one_of("class", self.class_, ("low", "high", "implant"))
        self._one_of("criticality", self.criticality, ("vital", "essential", "normal"))
        self._one_of("tier", self.tier, ("", *Tier))
        self._one_of("mode", self.mode, tuple(Mode))

    def _one_of(self, name: str, said: str, admitted: tuple[str, ...]) -> None:
        if said not in admitted:
            raise BadInput(
                f"{name}: expected one of {', '.join(one or 'nothing' for one in admitted)}, got {said!r:.40}"
            )


@dataclass(frozen=True, slots=True)
class Shown:
    """One catalogue line with its class by value and what looks wrong with its codes."""

    line: kept.Line
    abc: str
    faults: tuple[CodeFault, ...]


def catalogue_now(connection: Connection, hospital: HospitalId) -> list[Shown]:
    """Return the whole catalogue as it stands, by item."""
    classed = kept.classes_now(connection, hospital)
    return [
        Shown(one, str(classed[one.item][1]) if one.item in classed else "", tuple(code_faults(one.codes)))
        for one in kept.lines(connection, hospital)
    ]


def trims_now(connection: Connection, hospital: HospitalId, year: int) -> dict[str, Trim]:
    """Return how far each class was trimmed against the year's baseline."""
    active = {one.item: one.class_ for one in kept.lines(connection, hospital) if one.state is ItemState.ACTIVE}
    return trims(kept.baseline(connection, hospital, year), active)


def freeze_baseline(connection: Connection, hospital: HospitalId, now: Instant) -> int:
    """Freeze the year's baseline once: the items active when it is asked for; returns how many (A3: 1 January)."""
    year = business_day(now).year
    if kept.baseline(connection, hospital, year):
        return 0
    active = [one for one in kept.lines(connection, hospital) if one.state is ItemState.ACTIVE]
    rows = [{"hospital": hospital, "year": year, "item": one.item, "class": one.class_} for one in active]
    if rows:
        connection.execute(CATALOGUE_BASELINE.insert(), rows)
    return len(rows)


def review_quarter(connection: Connection, hospital: HospitalId, now: Instant) -> int:
    """List the items to decide about for the quarter an instant falls in, once; returns how many (A1, A2)."""
    today = business_day(now)
    quarter = quarter_of(today)
    if kept.reviews(connection, hospital, quarter):
        return 0
    first, _ = quarter_days(quarter)
    below = rules_at(connection, hospital, now).number("catalogue.usage_below")
    listed = candidates(_reviewed(connection, hospital, first), below)
    spent = _spent(connection, hospital, first)
    rows = [
        {
            "hospital": hospital, "quarter": quarter, "item": one.item, "months_used": one.usage.used,
            "months": one.usage.all, "spent": spent.get(one.item, 0), "instead": json.dumps(list(one.instead)),
            "decision": "", "reason": "", "person": "", "made_at": now, "decided_at": None,
        }
        for one in listed
    ]  # fmt: skip
    return add_new(connection, CATALOGUE_REVIEW, rows)


def classify_month(connection: Connection, hospital: HospitalId, now: Instant) -> int:
    """Class the active items by the value of a year's use, once a month, not flapping at a border (D7)."""
    today = business_day(now)
    before = kept.classes_now(connection, hospital)
    month = today.replace(day=1)
    if any(since == month for since, _, _ in before.values()):
        return 0
    used = used_in(connection, hospital, *year_before(today))
    prices = {item: offers[0].price for item, offers in terms(connection, hospital).items()}
    active = [one for one in kept.lines(connection, hospital) if one.state is ItemState.ACTIVE]
    value = {one.item: times(prices.get(one.item, Money(0)), max(0, used[one.item])) for one in active}
    vital = frozenset(one.item for one in active if one.criticality == "vital")
    found = classes(value, {item: class_ for item, (_, class_, _) in before.items()}, vital)
    key = {"hospital": hospital, "month": month}
    rows = [key | {"item": item, "class": str(class_), "value": value[item]} for item, class_ in found.items()]
    if rows:
        connection.execute(ABC_CLASS.insert(), rows)
    return len(rows)


def _reviewed(connection: Connection, hospital: HospitalId, until: date) -> list[Reviewed]:
    """Return every active item with its twelve months of use before a quarter's first day."""
    used = kept.months_of_use(connection, hospital, until)
    held, instead = kept.wards_holding(connection, hospital), kept.substitutes(connection, hospital)
    active = {one.item: one for one in kept.lines(connection, hospital) if one.state is ItemState.ACTIVE}
    return [
        Reviewed(
            item,
            usage_of(used.get(item, {}), held.get(item, set())),
            tuple(other for other in instead.get(item, []) if other in active),
            one.exempt or one.class_ == "implant",
        )
        for item, one in active.items()
    ]


def _spent(connection: Connection, hospital: HospitalId, until: date) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in purchases(connection, hospital, *year_before(until)):
        found[one.item] = found.get(one.item, 0) + one.amount
    return found


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The catalogue of one hospital."""

    documents: Documents

    def draft(self, caller: Caller, new: Drafted) -> None:
        """Draft a new item, or one that was retired. Raises `NotAllowed`, `BadInput`, `NotNow`."""
        caller.need(Right.MANAGE_MASTER)
        hospital = self.documents.hospital
        with self.documents.store.write() as connection:
            document = kept.document_of(new.item)
            steps = history(connection, hospital, document)
            known = connection.scalar(
                select(func.count()).select_from(ITEM).where(ITEM.c.hospital == hospital, ITEM.c.item == new.item)
            )
            if steps:
                item_after(ItemState(steps[-1].state), ItemStep.DRAFT)
            elif known:
                raise NotNow(f"item: expected a new code, {new.item} is in the catalogue and active")
            merge(connection, ITEM, [_item_row(hospital, new)])
            keep_sounds(connection, hospital, {new.item: new.name_zh})
            merge(connection, CATALOGUE_ITEM, [_codes_row(hospital, new)])
            self.documents.write(connection, caller, document, "item", ItemStep.DRAFT, ItemState.DRAFT, {})

    def give_evidence(
        self, caller: Caller, item: str, title: str, number: str, file: str = "", content: bytes = b""
    ) -> None:
        """Give evidence for a drafted item: what it is, the number of the minutes, and a file of at most 5 MiB (A4)."""
        caller.need(Right.MANAGE_MASTER)
        check_text("title", title, TEXT_MAX)
        check_text("number", number, NAME_MAX)
        check_text("file", file, NAME_MAX, empty=True)
        if len(content) > FILE_BYTES_MAX:
            raise BadInput(f"file: expected at most {FILE_BYTES_MAX} bytes, got {len(content)}")
        with self.documents.store.write() as connection:
            after = item_after(self._state(connection, item), ItemStep.EVIDENCE)
            given = kept.evidence(connection, self.documents.hospital, item)
            digest = hashlib.sha256(content).hexdigest() if content else ""
            row = {"hospital": self.documents.hospital, "item": item, "seq": len(given), "title": title.strip()}
            row |= {"number": number.strip(), "file": file if content else "", "sha256": digest, "content": content}
            whole = row | {"person": caller.person, "at": self.documents.clock.now()}
            connection.execute(EVIDENCE.insert().values(**whole))
            told = {"title": title.strip(), "number": number.strip(), "sha256": digest}
            self._write(connection, caller, item, ItemStep.EVIDENCE, after, told)

    def step(self, caller: Caller, item: str, event: ItemStep, reason: str = "") -> ItemState:
        """Return, approve, activate or retire an item. Raises `NotAllowed`, `NotThere`, `NotNow`, `BadInput`.

        Approving needs the head and another person than who drafted it or gave its evidence; retiring a reason.
        """
        caller.need(Right.MANAGE_MASTER if event is ItemStep.ACTIVATE else Right.APPROVE_HIGH)
        if event in {ItemStep.DRAFT, ItemStep.EVIDENCE}:
            raise BadInput(f"step: expected return, approve, activate or retire, got {event}")
        check_text("reason", reason, TEXT_MAX, empty=event not in {ItemStep.RETIRE, ItemStep.RETURN})
        with self.documents.store.write() as connection:
            after = item_after(self._state(connection, item), event)
            steps = history(connection, self.documents.hospital, kept.document_of(item))
            if event is ItemStep.APPROVE and any(one.step in GIVERS and one.actor == caller.person for one in steps):
                raise NotAllowed("item: expected somebody who neither drafted it nor gave its evidence")
            detail = {"reason": reason.strip()} if reason.strip() else {}
            self._write(connection, caller, item, event, after, detail)
        return after

    def decide(self, caller: Caller, quarter: str, item: str, decision: str, reason: str) -> None:
        """Decide about an item of a review: keep it, or retire it, with a reason (A1). Raises as `step` does."""
        caller.need(Right.APPROVE_HIGH)
        check_text("reason", reason, TEXT_MAX)
        if decision not in DECISIONS:
            raise BadInput(f"decision: expected one of {', '.join(sorted(DECISIONS))}, got {decision!r:.20}")
        hospital, column = self.documents.hospital, CATALOGUE_REVIEW.c
        with self.documents.store.write() as connection:
            found = [one for one in kept.reviews(connection, hospital, quarter) if one.item == item]
            if not found:
                raise NotThere(f"review: expected an item of {quarter!r:.10}, got {item!r:.40}")
            if found[0].decision:
                raise NotNow(f"review: {item} in {quarter} was decided before; the next quarter asks again")
            told = {"decision": decision, "reason": reason.strip()}
            connection.execute(
                CATALOGUE_REVIEW.update()
                .where(column.hospital == hospital, column.quarter == quarter, column.item == item)
                .values(**told, person=caller.person, decided_at=self.documents.clock.now())
            )
            self.documents.note(connection, caller, "review-decide", f"{quarter}/{item}", told)
            if decision == RETIRE:
                after = item_after(self._state(connection, item), ItemStep.RETIRE)
                self._write(
                    connection, caller, item, ItemStep.RETIRE, after, {"reason": f"{quarter}: {reason.strip()}"}
                )

    def freeze(self, caller: Caller) -> int:
        """Freeze this year's baseline, where January did not: in the year a hospital begins. Raises `NotNow`."""
        caller.need(Right.APPROVE_HIGH)
        now = self.documents.clock.now()
        with self.documents.store.write() as connection:
            frozen = freeze_baseline(connection, self.documents.hospital, now)
            if not frozen:
                raise NotNow(f"baseline: expected a year without one and a catalogue, {business_day(now).year} has one")
            self.documents.note(connection, caller, "freeze-baseline", str(business_day(now).year), {"items": frozen})
        return frozen

    def _state(self, connection: Connection, item: str) -> ItemState:
        known = connection.scalar(
            select(func.count())
            .select_from(ITEM)
            .where(ITEM.c.hospital == self.documents.hospital, ITEM.c.item == item)
        )
        if not known:
            raise NotThere(f"item: expected one of the catalogue, got {item!r:.40}")
        steps = history(connection, self.documents.hospital, kept.document_of(item))
        return ItemState(steps[-1].state) if steps else ItemState.ACTIVE

    def _write(
        self, connection: Connection, caller: Caller, item: str, event: ItemStep, after: ItemState,
        detail: Mapping[str, object],
    ) -> None:  # fmt: skip
        self.documents.write(connection, caller, kept.document_of(item), "item", event, after, detail)


def _item_row(hospital: HospitalId, new: Drafted) -> dict[str, object]:
    return {
        "hospital": hospital, "item": new.item, "name_zh": new.name_zh.strip(), "name_en": new.name_en.strip(),
        "spec": new.spec.strip(), "gtin": "", "unit_zh": new.unit_zh.strip(), "unit_en": new.unit_en.strip(),
        "pack": new.pack, "class": new.class_, "criticality": new.criticality, "chargeable": new.class_ != "low",
        "storage": "",
    }  # fmt: skip


def _codes_row(hospital: HospitalId, new: Drafted) -> dict[str, object]:
    return {
        "hospital": hospital, "item": new.item, "tier": new.tier, "registration": new.registration.strip(),
        "udi_di": new.udi_di.strip(), "insurance": new.insurance.strip(), "platform": new.platform.strip(),
        "middle_unit": "", "middle": 1, "purchase_unit": "", "purchase": new.pack, "mode": new.mode, "exempt": False,
    }  # fmt: skip
