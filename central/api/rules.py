"""`/rules`: the policy rules, what each says today, its versions, and the changes people make of them."""

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from central.api.door import Asks
from central.api.etags import Seen, tell_version
from central.api.one_hop import resource
from central.api.paging import Listed, Paged
from central.api.problems import Problem
from central.core.policy import PolicyRow
from central.core.refusals import TEXT_MAX, Refusal
from central.services.desk import Desk
from central.services.rules import (
    REASON_MAX,
    SCOPE_MAX,
    SOURCE_MAX,
    RuleBook,
    RuleState,
    RuleStep,
    Standing,
    Version,
    kind_of,
    roles_to_agree,
)
from central.store.paging import page_of
from central.store.queries_purchasing import DocumentStep
from central.store.queries_rules import RuleChange
from protocols.values.instant import to_iso

REFUSED: dict[int | str, dict[str, object]] = {
    403: {"model": Problem}, 404: {"model": Problem}, 409: {"model": Problem}, 412: {"model": Problem},
}  # fmt: skip
VALUE_MAX = 20
QUESTION_MAX = 64


class RowOut(BaseModel):
    """One version: its value as written, its first day, and the first day no longer in force (null: no end)."""

    scope: str
    value: str
    effective_from: date
    effective_to: date | None
    source: str


class RuleOut(BaseModel):
    """One rule for one scope (empty: everything): what holds today, what is to come, and whether a change waits.

    `kind` tells how a value is read, from `low` to `high`; `loosens` which way a control gives way: up, down, either,
    never. `area` tells whose business it is.
    """

    code: str
    scope: str
    name_zh: str
    name_en: str
    kind: str
    low: float
    high: float
    loosens: str
    area: str
    now: RowOut | None
    coming: list[RowOut]
    waits: bool


class Rules(Listed):
    """Rules, by code."""

    items: list[RuleOut]


class RuleStepOut(BaseModel):
    """One step of a change: who did what, when, and why not where it was refused."""

    step: str
    state: str
    at: str
    person: str
    refusal: str
    text: str


class RuleChangeOut(BaseModel):
    """One change of a rule, `proposed`, `set` or `refused`; `loosens` tells that it needs a second person.

    `may_agree` are the roles of whom one, who did not propose it, agrees to it or refuses it; empty when nothing waits.
    """

    change: str
    code: str
    scope: str
    value: str
    effective_from: date
    effective_to: date | None
    source: str
    reason: str
    loosens: bool
    state: str
    proposed_at: str
    proposed_by: str
    may_agree: list[str]
    steps: list[RuleStepOut]


class RuleTold(BaseModel):
    """One rule with every version it has, and every change, the newest first. Its version is its number of changes."""

    code: str
    name_zh: str
    name_en: str
    kind: str
    scopes: list[str]
    versions: list[RowOut]
    changes: list[RuleChangeOut]


class RuleIn(BaseModel):
    """A new version: a value in plain decimals, from a day (null: today) to a day no longer in force (null: no end).

    `source` names the document it is from, `reason` why it is set now.
    """

    value: str = Field(min_length=1, max_length=VALUE_MAX, examples=["1"])
    scope: str = Field(default="", max_length=SCOPE_MAX)
    effective_from: date | None = None
    effective_to: date | None = None
    source: str = Field(min_length=1, max_length=SOURCE_MAX)
    reason: str = Field(min_length=1, max_length=REASON_MAX)


class RuleDecisionIn(BaseModel):
    """Why not, by a code, where a change is refused; in words too where the code is `other`."""

    refusal: Refusal | Literal[""] = ""
    text: str = Field(default="", max_length=TEXT_MAX)


def rule_routes(desk: Desk) -> APIRouter:
    """Return the routes of this resource."""
    router = resource("rules")
    book = RuleBook(desk.master.documents, desk.master.changed)

    @router.get("/rules")
    def listed(caller: Asks, page: Paged, q: Annotated[str, Query(max_length=QUESTION_MAX)] = "") -> Rules:
        """List the rules and what each says today."""
        del caller  # whoever may come in may read by which rules the house decides
        found = page_of("rules", book.standing(q), lambda one: (one.kind.code, one.scope), page.asked)
        return Rules(items=[_rule(one) for one in found.items], next=page.next(found))

    @router.get("/rules/{code}", responses=REFUSED)
    def told(caller: Asks, response: Response, code: str) -> RuleTold:
        """Tell one rule with its versions and the changes it came by."""
        del caller
        found = book.told(code)
        tell_version(response, len(found.changes))
        steps = {number: [_step(one) for one in taken] for number, taken in found.steps.items()}
        kind = found.kind
        return RuleTold(
            code=code, name_zh=kind.zh, name_en=kind.en, kind=kind.kind, scopes=list(kind.scopes),
            versions=[_row(one) for one in found.rows],
            changes=[_change(one, steps[one.change]) for one in found.changes],
        )  # fmt: skip

    @router.post("/rules/{code}", responses=REFUSED, status_code=201)
    def set_rule(caller: Asks, seen: Seen, code: str, body: RuleIn) -> RuleChangeOut:
        """Set a rule from a day on; what loosens a control is `proposed` until a second person approves it."""
        days = body.effective_from, body.effective_to
        given = Version(code, body.scope, body.value, *days, body.source, body.reason)
        return _change(book.set(caller, given, seen), [])

    @router.post("/rules/changes/{change}/steps/{step}", responses=REFUSED)
    def decided(caller: Asks, change: str, step: Literal["approve", "refuse"], body: RuleDecisionIn) -> RuleChangeOut:
        """Approve or refuse a change that waits; nobody approves their own."""
        return _change(book.decide(caller, change, RuleStep(step), (body.refusal, body.text)), [])

    return router


def _step(one: DocumentStep) -> RuleStepOut:
    why = {name: str(one.detail.get(name, "")) for name in ("refusal", "text")}
    return RuleStepOut(step=one.step, state=one.state, at=to_iso(one.at), person=one.actor, **why)


def _row(one: PolicyRow) -> RowOut:
    return RowOut(
        scope=one.scope, value=one.value, effective_from=one.effective_from, effective_to=one.effective_to,
        source=one.source_doc,
    )  # fmt: skip


def _rule(one: Standing) -> RuleOut:
    kind = one.kind
    return RuleOut(
        code=kind.code, scope=one.scope, name_zh=kind.zh, name_en=kind.en, kind=kind.kind, low=float(kind.low),
        high=float(kind.high), loosens=kind.loosens, area=kind.area, now=None if one.now is None else _row(one.now),
        coming=[_row(row) for row in one.coming], waits=one.waits,
    )  # fmt: skip


def _change(one: RuleChange, steps: list[RuleStepOut]) -> RuleChangeOut:
    return RuleChangeOut(
        change=one.change, code=one.code, scope=one.scope, value=one.value, effective_from=one.effective_from,
        effective_to=one.effective_to, source=one.source_doc, reason=one.reason, loosens=one.loosens, state=one.state,
        proposed_at=to_iso(one.proposed_at), proposed_by=one.proposed_by, steps=steps,
        may_agree=list(roles_to_agree(kind_of(one.code))) if one.state == RuleState.PROPOSED else [],
    )  # fmt: skip
