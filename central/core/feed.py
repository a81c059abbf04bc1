"""What goes down to the edges, as rows: items, lots, recalls, storerooms, staff, policy and heads. Pure.

One function a kind; each says only what an edge uses. Names of people and of patients never go down, prices neither.
The rule that must not be broken: the same facts give the same rows, so that a version is made only when one changed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import msgspec

from central.core.notes import Note, Pick
from central.core.rights import Grant, Role
from protocols.policy import PERMIT_KEY, SignedText
from protocols.sync.feed import FeedRow, row_text

HEADS_DAYS = 30
"""Days of heads that are told: an edge away for longer lacks the older ones, as it lacks older feeds."""
AWAY, ELSEWHERE = "inactive", "elsewhere"
"""The role of somebody whose account is switched off, or whose roles are for other storerooms: it may record nothing
that asks for a role, while of whom nothing is told everything is believed."""

EDGE_ROLES: Mapping[Role, tuple[str, ...]] = MappingProxyType(
    {
        Role.WARD_KEEPER: ("keeper",),
        Role.HEAD_NURSE: ("nurse", "keeper"),
        Role.NURSE: ("nurse",),
        Role.STOREKEEPER: ("storekeeper",),
        Role.PURCHASER: ("buyer",),
        Role.SPD_OPERATOR: ("storekeeper",),
    }
)
"""What a role of the hospital is called at an edge; the others may record nothing there."""


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """What an edge is told of an item."""

    item: str
    name_zh: str
    name_en: str
    gtin: str
    pack: int
    storage: str
    criticality: str
    chargeable: bool


@dataclass(frozen=True, slots=True)
class Staff:
    """A person by staff number: the roles held, and whether the account is in use."""

    person: str
    grants: tuple[Grant, ...]
    active: bool


def item_rows(items: Iterable[CatalogueItem]) -> list[FeedRow]:
    """Return the catalogue."""
    return [_row("item", one.item, _item(one)) for one in items]


def _item(one: CatalogueItem) -> dict[str, object]:
    body: dict[str, object] = {"name_zh": one.name_zh, "name_en": one.name_en, "pack": one.pack}
    body |= {"criticality": one.criticality, "chargeable": one.chargeable}
    if one.storage:
        body["storage"] = one.storage
    if one.gtin:
        body["products"] = [{"code": one.gtin, "factor": 1}]
    return body


def lot_rows(expiries: Mapping[tuple[str, str], date]) -> list[FeedRow]:
    """Return the lots whose expiry is known."""
    return [_row("lot", f"{item} {lot}", {"expiry": day.isoformat()}) for (item, lot), day in expiries.items()]


def recall_rows(recalls: Iterable[tuple[str, str, str]]) -> list[FeedRow]:
    """Return the recalls in force, each (item, lot, why)."""
    return [_row("recall", f"{item} {lot}", {"item": item, "lot": lot, "why": why}) for item, lot, why in recalls]


def place_rows(places: Iterable[str]) -> list[FeedRow]:
    """Return what the cards of storerooms say: letters and digits of the storeroom's name."""
    return [_row("place", re.sub("[^A-Z0-9]", "", place.upper()), {"place": place}) for place in places]


def staff_rows(people: Iterable[Staff], place: str = "") -> list[FeedRow]:
    """Return who may record what: in any storeroom, or with `place` in that one, whose row hides the other."""
    rows = []
    for one in people:
        here = [grant for grant in one.grants if place and place in grant.places]
        wide = [grant for grant in one.grants if not grant.places]
        if here or not place:
            rows.append(_row("staff", one.person, {"roles": _roles([*here, *wide], one.active)}))
    return rows


def _roles(held: Sequence[Grant], active: bool) -> list[str]:
    if not active or not held:
        return [AWAY if not active else ELSEWHERE]
    return sorted({word for grant in held for word in EDGE_ROLES.get(grant.role, (str(grant.role),))})


def note_rows(notes: Iterable[Note]) -> list[FeedRow]:
    """Return the delivery notes a storeroom waits for; one that was received is gone, and so its row is taken back.

    What was sent for an approved order needs no approval where it comes in.
    """
    return [
        _row(
            "document",
            one.number,
            {
                "sort": "delivery",
                "order": one.order,
                "approved": bool(one.order),
                "lines": msgspec.to_builtins(one.lines),
                "bindings": msgspec.to_builtins(one.bindings),
            },
        )
        for one in notes
    ]


def pick_rows(picks: Iterable[Pick]) -> list[FeedRow]:
    """Return what a storeroom is to send for orders; an order that was sent whole is gone."""
    return [
        _row(
            "document",
            one.number,
            {"sort": "pick", "order": one.order, "to": one.to, "lines": msgspec.to_builtins(one.lines)},
        )
        for one in picks
    ]


def duty_row(daily_at_min: int) -> FeedRow:
    """Return when the daily check is due, in minutes of the hospital's day."""
    return _row("policy", "duties", {"daily_at": f"{daily_at_min // 60:02}:{daily_at_min % 60:02}"})


def policy_row(said: SignedText) -> FeedRow:
    """Return a storeroom's policy as it was signed."""
    return _row("policy", PERMIT_KEY, {"text": said.text, "key": said.key, "signature": said.signature})


def head_row(day: date, said: SignedText) -> FeedRow:
    """Return the heads of a day as they were signed."""
    return _row("head", day.isoformat(), {"text": said.text, "key": said.key, "signature": said.signature})


def _row(kind: str, key: str, body: Mapping[str, object]) -> FeedRow:
    return FeedRow(kind, key, row_text(body))
