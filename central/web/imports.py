"""The pages of imports: upload a spreadsheet, say which head is which column, try it, apply it, take the answers.

It decides nothing. The rule that must not be broken: what is applied is what was shown as tried, and every fault is
said in the reader's language.
"""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Form, Request, UploadFile
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.clock import new_secret
from central.core.forms.cells import Column
from central.core.intake.called import VALUES
from central.core.intake.cells import shown
from central.core.intake.kinds import KINDS, USUAL, Kind
from central.core.intake.meanings import MEANINGS
from central.core.intake.reading import FIXED_MAX, Plan
from central.core.rights import Caller, Right
from central.errors import BadInput, BadSheet, NotNow
from central.links.workbooks import FILE_BYTES_MAX
from central.services.desk import Desk
from central.services.exports.form import MEDIA
from central.services.exports.form import Form as TableForm
from central.services.intake import NAME_MAX, Intake, Tried
from central.store import queries_intake as kept
from central.web.languages import Language
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import HEADERS, Renderer, Visit

SAMPLE_ROWS = 5
FAULTS_SHOWN_MAX = 200
COLUMNS_MAX, HEAD_MAX = 64, 1_000

Word = Annotated[str, Form(max_length=WORD_MAX)]
Text = Annotated[str, Form(max_length=NAME_MAX)]


class PlanForm(BaseModel):
    """Of each column in turn: its name, the head chosen for it, and one value for all rows."""

    word: str = Field(default="", max_length=WORD_MAX)
    name: str = Field(default="", max_length=NAME_MAX)
    column: list[Annotated[str, Field(max_length=NAME_MAX)]] = Field(default=[], max_length=COLUMNS_MAX)
    head: list[Annotated[str, Field(max_length=HEAD_MAX)]] = Field(default=[], max_length=COLUMNS_MAX)
    fixed: list[Annotated[str, Field(max_length=FIXED_MAX)]] = Field(default=[], max_length=COLUMNS_MAX)


def add_imports(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of imports."""
    intake = Intake(desk.purchasing.documents, new_secret)
    _add_list(pages, renderer, porter, desk, intake)
    _add_plan(pages, renderer, porter, intake)
    _add_trial(pages, renderer, porter, intake)


def _add_list(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk, intake: Intake) -> None:
    def page(visit: Visit, caller: Caller, *, fault: str = "", status: int = 200) -> Response:
        with desk.store.read() as connection:
            found = kept.uploads(connection, desk.hospital)
        mine = [one for one in found if all(caller.may(right) for right in KINDS[one.kind].rights)]
        kinds = [kind for kind in KINDS.values() if all(caller.may(right) for right in kind.rights)]
        return renderer.page(
            "imports.html.j2", visit, status, kinds=kinds, of={kind.name: kind for kind in KINDS.values()},
            uploads=mine, fault=fault, mb_max=FILE_BYTES_MAX >> 20, now=desk.now(),
        )  # fmt: skip

    @pages.get("/imports")
    def listed(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        answer = page(visit, caller)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/imports")
    def uploaded(request: Request, kind: Text = "", word: Word = "", file: UploadFile | None = None) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, word)
        content = b"" if file is None else file.file.read(FILE_BYTES_MAX + 1)
        name = (file.filename or "")[-NAME_MAX:] if file is not None else ""
        try:
            made = intake.upload(caller, kind, name, content)
        except BadSheet as error:
            return page(visit, caller, fault=error.zh if visit.language is Language.ZH else str(error), status=409)
        return RedirectResponse(f"/imports/{quote(made)}", 303)


def _add_plan(pages: FastAPI, renderer: Renderer, porter: Porter, intake: Intake) -> None:
    def page(visit: Visit, caller: Caller, file: str, *, fault: str = "", status: int = 200) -> Response:
        looked = intake.look(caller, file)
        heads = looked.heads
        sample = [] if heads is None else looked.rows[heads.last + 1 : heads.last + 1 + SAMPLE_ROWS]
        return renderer.page(
            "import_plan.html.j2", visit, status, looked=looked, kind=looked.kind, plan=looked.plan, shown=shown,
            sample=sample, columns=columns_of(looked.kind), fault=fault, fixed_max=FIXED_MAX, name_max=NAME_MAX,
            meanings=MEANINGS, own_word=own_word,
        )  # fmt: skip

    @pages.get("/imports/{file}")
    def planned(request: Request, file: str) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        answer = page(visit, caller, file)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/imports/{file}/heads")
    def placed(
        request: Request,
        file: str,
        sheet: Text = "",
        first: Annotated[int, Form(ge=0, le=1_000_000)] = 0,
        last: Annotated[int, Form(ge=0, le=1_000_000)] = 0,
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, word)
        try:
            intake.place_heads(caller, file, sheet, first, last)
        except BadInput:
            return page(visit, caller, file, fault="heads", status=409)
        return RedirectResponse(f"/imports/{quote(file)}", 303)

    @pages.post("/imports/{file}/plan")
    def chosen(request: Request, file: str, form: Annotated[PlanForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, form.word)
        try:
            looked = intake.look(caller, file)
            intake.plan(caller, file, plan_of(looked.kind, form), form.name)
        except BadInput as error:
            return page(visit, caller, file, fault=str(error).partition(":")[0], status=409)
        return RedirectResponse(f"/imports/{quote(file)}/trial", 303)


def _add_trial(pages: FastAPI, renderer: Renderer, porter: Porter, intake: Intake) -> None:
    def page(visit: Visit, caller: Caller, file: str, *, status: int = 200) -> Response:
        looked = intake.look(caller, file)
        tried = intake.try_out(caller, file)
        return renderer.page(
            "import_trial.html.j2", visit, status, looked=looked, kind=looked.kind, tried=tried,
            faults=tried.faults[:FAULTS_SHOWN_MAX], left=left_of(tried), titles=titles_of(looked.kind),
        )  # fmt: skip

    @pages.get("/imports/{file}/trial")
    def tried(request: Request, file: str) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        try:
            answer = page(visit, caller, file)
        except BadInput:
            return RedirectResponse(f"/imports/{quote(file)}", 303)
        keep_language(request, visit, answer)
        return answer

    @pages.get("/imports/{file}/answers.xlsx")
    def answers(request: Request, file: str) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        content = intake.answers(caller, file, zh=visit.language is Language.ZH)
        named = {"Content-Disposition": f'attachment; filename="answers-{file}.xlsx"'}
        return Response(content, media_type=MEDIA[TableForm.XLSX], headers=HEADERS | named)

    @pages.post("/imports/{file}/apply")
    def applied(
        request: Request, file: str, without: Annotated[str, Form(max_length=1)] = "", word: Word = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, word)
        try:
            intake.apply(caller, file, without_faulty=bool(without))
        except (BadInput, NotNow):
            return page(visit, caller, file, status=409)
        return RedirectResponse("/imports", 303)


def own_word(column: str, value: str) -> str:
    """Return what hospitals write for a value of a column, or the value where they have no word of their own."""
    return next((word for word, meant in VALUES.get(column, {}).items() if meant == value), value)


def columns_of(kind: Kind) -> list[tuple[Column, bool, str]]:
    """Return a kind's columns, whether each must be given, and what it usually holds."""
    usual: Mapping[str, str] = {name: text for form in kind.forms for name, text in USUAL.get(form.file, {}).items()}
    return [(column, needed, usual.get(column.name, "")) for column, needed in kind.columns()]


def plan_of(kind: Kind, form: PlanForm) -> Plan:
    """Return the plan that a form's fields say, column by column."""
    known = {column.name for column, _ in kind.columns()}
    rows = [row for row in zip(form.column, form.head, form.fixed, strict=False) if row[0] in known]
    heads = {name: head for name, head, _ in rows if head}
    return Plan(kind.name, heads, {name: text.strip() for name, _, text in rows if text.strip()})


def titles_of(kind: Kind) -> list[str]:
    """Return the files that a kind's rows may become."""
    return [form.file for form in kind.forms]


def left_of(tried: Tried) -> dict[str, int]:
    """Return how many rows were left out, by why."""
    found: dict[str, int] = {}
    for _, why in tried.left:
        found[why] = found.get(why, 0) + 1
    return found
