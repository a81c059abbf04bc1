"""The pages of policy rules: every rule as it holds today, one with its history, and the form that sets it from a day.

They decide nothing; the jobs' page beside them says what ran. The rule that must not be broken: a threshold is shown
with the days it holds and the text it is from, and a form that does not fit comes back as it was typed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from central.core.policy_kinds import CONFIRMS, ITEM, ROLE, SETS
from central.core.rights import Caller, Right, Role
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.desk import Desk
from central.services.policy import source_zh
from central.services.rules import REASON_MAX, RuleBook, RuleStep, Version, may_everywhere
from central.store.queries_jobs import last_runs
from central.web.entrance import fault_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from central.web.typed import day_of
from protocols.values.instant import business_day

TEXT_MAX, SEEN_MAX = 64, 9
EMPTY: Mapping[str, str] = dict.fromkeys(("value", "scope", "first", "end", "source", "why"), "")

Word = Annotated[str, Form(max_length=WORD_MAX)]
Text = Annotated[str, Form(max_length=REASON_MAX)]


@dataclass(frozen=True, slots=True)
class _Pages:
    renderer: Renderer
    porter: Porter
    desk: Desk

    @property
    def book(self) -> RuleBook:
        return RuleBook(self.desk.master.documents, self.desk.master.changed)

    def one(
        self, visit: Visit, caller: Caller, code: str, typed: Mapping[str, str] = EMPTY, *, fault: str = "",
        note: str = "", status: int = 200,
    ) -> Response:  # fmt: skip
        """Return the page of a rule; with `typed` as it came where it did not fit. Raises `NotThere`."""
        told = self.book.told(code)
        kind, roles = told.kind, [role.value for role in Role]
        scopes = [word for one in kind.scopes for word in (roles if one == ROLE else [one])]
        return self.renderer.page(
            "rule.html.j2", visit, status, told=told, typed=typed, fault=fault, note=note,
            today=business_day(self.desk.now()), sets=may_everywhere(caller, SETS[kind.area]), scopes=scopes,
            confirms=may_everywhere(caller, CONFIRMS[kind.area]), open_scope=ITEM in kind.scopes,
            source_zh=source_zh, low=f"{float(kind.low):g}", high=f"{float(kind.high):.12g}",
        )  # fmt: skip


def add_rules(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of jobs and of policy rules."""
    drawn = _Pages(renderer, porter, desk)
    _add_jobs(pages, drawn)
    _add_list(pages, drawn)
    _add_one(pages, drawn)
    _add_decisions(pages, drawn)


def _add_jobs(pages: FastAPI, drawn: _Pages) -> None:
    desk = drawn.desk

    @pages.get("/jobs")
    def jobs(request: Request) -> Response:
        visit, _ = drawn.porter.visit_of(request, Right.SEE_FLEET)
        with desk.store.read() as connection:
            runs = last_runs(connection, desk.hospital)
        answer = drawn.renderer.page("jobs.html.j2", visit, runs=runs, now=desk.now())
        keep_language(request, visit, answer)
        return answer


def _add_list(pages: FastAPI, drawn: _Pages) -> None:
    @pages.get("/rules")
    def rules(request: Request, q: Annotated[str, Query(max_length=TEXT_MAX)] = "", waits: bool = False) -> Response:
        visit, caller = drawn.porter.visit_of(request)
        answer = drawn.renderer.page(
            "rules.html.j2", visit, rules=[] if waits else drawn.book.standing(q), question=q.strip(), mine=waits,
            waiting=drawn.book.waiting(caller, mine=waits), source_zh=source_zh,
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer


def _add_one(pages: FastAPI, drawn: _Pages) -> None:
    @pages.get("/rules/of/{code}")
    def one(request: Request, code: str, said: Annotated[str, Query(max_length=16)] = "") -> Response:
        visit, caller = drawn.porter.visit_of(request)
        answer = drawn.one(visit, caller, code, note=said)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/rules/of/{code}")
    async def given(request: Request, code: str) -> Response:
        return await run_in_threadpool(_set, drawn, request, code, typed_of(await request.form(), REASON_MAX))


def _set(drawn: _Pages, request: Request, code: str, sent: Mapping[str, str]) -> Response:
    visit, caller = drawn.porter.visit_of(request)
    drawn.porter.check_form(request, visit, sent.get("word", ""))
    typed, seen = {**EMPTY, **sent}, sent.get("seen", "")
    try:
        days = day_of("from", typed["first"]), day_of("to", typed["end"])
        given = Version(code, typed["scope"], typed["value"], *days, typed["source"], typed["why"])
        made = drawn.book.set(caller, given, int(seen) if seen.isdecimal() and len(seen) <= SEEN_MAX else None)
    except (BadInput, NotNow) as error:
        status = 400 if isinstance(error, BadInput) else 409
        return drawn.one(visit, caller, code, typed, fault=fault_of(error), status=status)
    return RedirectResponse(f"/rules/of/{quote(code)}?said={made.state}", 303)


def _add_decisions(pages: FastAPI, drawn: _Pages) -> None:
    @pages.post("/rules/changes/{change}/{step}")
    def decided(
        request: Request, change: str, step: str, word: Word = "", refusal: Word = "", text: Text = ""
    ) -> Response:
        visit, caller = drawn.porter.visit_of(request)
        drawn.porter.check_form(request, visit, word)
        if step not in {RuleStep.APPROVE, RuleStep.REFUSE}:
            raise NotThere(f"rule: expected {RuleStep.APPROVE} or {RuleStep.REFUSE}, got {step!r:.20}")
        code = drawn.book.code_of(change)
        try:
            made = drawn.book.decide(caller, change, RuleStep(step), (refusal, text))
        except BadInput as error:
            return drawn.one(visit, caller, code, fault=fault_of(error), status=400)
        except NotNow:
            return drawn.one(visit, caller, code, fault="meanwhile", status=409)
        except NotAllowed:
            if not may_everywhere(caller, CONFIRMS[drawn.book.told(code).kind.area]):
                raise
            return drawn.one(visit, caller, code, fault="two people", status=403)
        return RedirectResponse(f"/rules/of/{quote(code)}?said={made.state}", 303)


def typed_of(form: FormData, length_max: int) -> dict[str, str]:
    """Return the words of a form, each cut at a length."""
    return {name: value[:length_max] for name, value in form.items() if isinstance(value, str)}
