"""The pages of master data: lists by kind, one thing with its form and its history, and a form for something new.

It decides nothing. The rule that must not be broken: a form that does not fit comes back with what was typed and says
which field.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Form, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from central.core.master import FIELDS, NEW, MasterKind
from central.core.rights import Caller, Right
from central.errors import BadInput, NotNow
from central.services.desk import Desk
from central.services.master import LISTED_MAX
from central.web.entrance import fault_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from central.web.typed import day_of
from protocols.values.instant import business_day

TEXT_MAX = 200
CHOICES: Mapping[str, tuple[str, ...]] = {
    "class": ("low", "high", "implant"), "criticality": ("vital", "essential", "normal"), "chargeable": ("1", "0"),
    "in_use": ("1", "0"),
}  # fmt: skip
"""Fields a reader chooses; the others are typed."""

Word = Annotated[str, Form(max_length=WORD_MAX)]
Short = Annotated[str, Query(max_length=128)]


@dataclass(frozen=True, slots=True)
class _Pages:
    renderer: Renderer
    porter: Porter
    desk: Desk

    def one(
        self, visit: Visit, caller: Caller, kind: MasterKind, key: str, typed: Mapping[str, str], fault: str = ""
    ) -> Response:
        """Return the page of one thing; with `typed` as it came where it did not fit."""
        thing, history = self.desk.master.one(caller, kind, key)
        return self.renderer.page(
            "master_one.html.j2", visit, 400 if fault else 200, kind=kind.value, key=key, fields=thing.fields,
            typed=typed or thing.fields, columns=[column.name for column in FIELDS[kind]], choices=CHOICES,
            history=history, fault=fault, today=business_day(self.desk.now()), day=typed.get("effective", ""),
        )  # fmt: skip

    def new(self, visit: Visit, kind: MasterKind, typed: Mapping[str, str], fault: str = "") -> Response:
        """Return the form for something new."""
        return self.renderer.page(
            "master_new.html.j2", visit, 400 if fault else 200, kind=kind.value, typed=typed, choices=CHOICES,
            columns=[column.name for column in FIELDS[kind]], fault=fault,
        )  # fmt: skip


def add_master(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages."""
    drawn = _Pages(renderer, porter, desk)
    _add_list(pages, drawn)
    _add_new(pages, drawn)
    _add_one(pages, drawn)


def _add_list(pages: FastAPI, drawn: _Pages) -> None:
    @pages.get("/master")
    def listed(request: Request, kind: MasterKind = MasterKind.ITEM, q: Short = "", after: Short = "") -> Response:
        visit, caller = drawn.porter.visit_of(request, Right.SEE_STOCK)
        found = drawn.desk.master.listed(caller, kind, q, after)
        more = urlencode({"kind": kind.value, "q": q, "after": found[-1].key}) if len(found) == LISTED_MAX else ""
        answer = drawn.renderer.page(
            "master.html.j2", visit, kind=kind.value, kinds=[one.value for one in MasterKind], question=q, things=found,
            more=more, may_change=caller.may(Right.MANAGE_MASTER), is_new=kind in NEW,
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer


def _add_new(pages: FastAPI, drawn: _Pages) -> None:
    @pages.get("/master/{kind}/new")
    def empty(request: Request, kind: MasterKind) -> Response:
        visit, _ = drawn.porter.visit_of(request, Right.MANAGE_MASTER)
        answer = drawn.new(visit, kind, {"in_use": "1"})
        keep_language(request, visit, answer)
        return answer

    @pages.post("/master/{kind}/new")
    async def read(request: Request, kind: MasterKind) -> Response:
        return await run_in_threadpool(_made, drawn, request, kind, _typed(await request.form()))


def _made(drawn: _Pages, request: Request, kind: MasterKind, typed: dict[str, str]) -> Response:
    visit, caller = drawn.porter.visit_of(request, Right.MANAGE_MASTER)
    drawn.porter.check_form(request, visit, typed.get("word", ""))
    try:
        key = drawn.desk.master.add(caller, kind, typed.get("code", ""), typed)
    except (BadInput, NotNow) as error:
        return drawn.new(visit, kind, typed, "known" if isinstance(error, NotNow) else fault_of(error))
    return RedirectResponse(f"/master/{kind}/of/{quote(key)}", 303)


def _add_one(pages: FastAPI, drawn: _Pages) -> None:
    @pages.get("/master/{kind}/of/{key:path}")
    def one(request: Request, kind: MasterKind, key: str) -> Response:
        visit, caller = drawn.porter.visit_of(request, Right.SEE_STOCK)
        answer = drawn.one(visit, caller, kind, key, {})
        keep_language(request, visit, answer)
        return answer

    @pages.post("/master/{kind}/of/{key:path}")
    async def change(request: Request, kind: MasterKind, key: str) -> Response:
        typed = _typed(await request.form())
        return await run_in_threadpool(_changed, drawn, request, kind, key, typed)


def _changed(drawn: _Pages, request: Request, kind: MasterKind, key: str, typed: dict[str, str]) -> Response:
    visit, caller = drawn.porter.visit_of(request, Right.MANAGE_MASTER)
    drawn.porter.check_form(request, visit, typed.get("word", ""))
    try:
        drawn.desk.master.change(caller, kind, key, typed, _day(typed.get("effective", ""), drawn.desk))
    except BadInput as error:
        return drawn.one(visit, caller, kind, key, typed, fault_of(error))
    except NotNow:
        return drawn.one(visit, caller, kind, key, typed, "coming")
    return RedirectResponse(f"/master/{kind}/of/{quote(key)}", 303)


def _typed(form: FormData) -> dict[str, str]:
    return {name: value[:TEXT_MAX] for name, value in form.items() if isinstance(value, str)}


def _day(text: str, desk: Desk) -> date:
    return day_of("effective", text) or business_day(desk.now())
