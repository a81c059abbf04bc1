"""The pages of rows entered by hand: agreements, their prices, certificates, the platform's list, suppliers of items.

It decides nothing. The rule that must not be broken: a row that is refused stands in the form as it was typed, with
what is wrong beside its field.
"""

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import quote

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.core.forms import FORMS
from central.core.intake.kinds import KINDS
from central.core.intake.meanings import MEANINGS
from central.core.intake.reading import FIXED_MAX
from central.core.rights import Caller, Right
from central.services.desk import Desk
from central.services.records import EDITED, SHOWN_MAX, Records
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from central.web.typed import in_step

COLUMNS_MAX, NAME_MAX = 32, 64
Texts = Mapping[str, str]


class RowForm(BaseModel):
    """One row: of each column in turn its name and its text."""

    word: str = Field(default="", max_length=WORD_MAX)
    column: list[Annotated[str, Field(max_length=NAME_MAX)]] = Field(default=[], max_length=COLUMNS_MAX)
    text: list[Annotated[str, Field(max_length=FIXED_MAX)]] = Field(default=[], max_length=COLUMNS_MAX)

    @property
    def texts(self) -> dict[str, str]:
        """The texts by column. Raises `BadInput`."""
        in_step("row", self.column, self.text)
        return dict(zip(self.column, self.text, strict=True))


def add_records(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages of rows entered by hand."""
    records = Records(desk.purchasing.documents)

    def page(
        visit: Visit, caller: Caller, kind: str, asked: str, typed: Texts, faults: Texts, *, status: int = 200
    ) -> Response:
        rows = records.find(caller, kind, asked)
        form = FORMS[KINDS[kind].file]
        return renderer.page(
            "records.html.j2", visit, status, tab="records", kind=KINDS[kind], form=form, rows=rows, asked=asked,
            typed=typed, faults=faults, kinds=[KINDS[name] for name in EDITED if _may(caller, name)],
            meanings=MEANINGS, shown_max=SHOWN_MAX, text_max=FIXED_MAX,
        )  # fmt: skip

    @pages.get("/records/{kind}")
    def listed(
        request: Request,
        kind: str,
        q: Annotated[str, Query(max_length=NAME_MAX)] = "",
        row: Annotated[int, Query(ge=0, le=SHOWN_MAX)] = 0,
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        found = records.find(caller, kind, q) if row else []
        answer = page(visit, caller, kind, q, found[row - 1] if row <= len(found) and row else {}, {})
        keep_language(request, visit, answer)
        return answer

    @pages.post("/records/{kind}")
    def saved(request: Request, kind: str, form: Annotated[RowForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request, Right.MANAGE_MASTER)
        porter.check_form(request, visit, form.word)
        wrong = records.save(caller, kind, form.texts)
        if wrong:
            zh = visit.language.value == "zh"
            faults = {one.column: one.zh if zh else one.en for one in wrong}
            return page(visit, caller, kind, "", form.texts, faults, status=409)
        key = form.texts.get(FORMS[KINDS[kind].file].key[0], "")
        return RedirectResponse(f"/records/{kind}?q={quote(key)}", 303)


def _may(caller: Caller, name: str) -> bool:
    return all(caller.may(right) for right in KINDS[name].rights)
