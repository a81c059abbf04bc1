"""The page of daily signed statements: what was stated of each storeroom, whether it is as it was signed, its file.

Whoever holds a statement's file may have it checked here too. The rule that must not be broken: a statement is handed
out exactly as it was signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, File, Form, Query, Request, UploadFile
from starlette.responses import Response

from central.core.rights import Caller, Right
from central.core.statement import BYTES_MAX, is_whole, read_sealed
from central.errors import BadInput, NotThere
from central.services.desk import Desk
from central.services.statements import checker_at, lacking, last_day, statements
from central.services.stock import storerooms
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import HEADERS, Renderer, Visit
from protocols.values.ids import PlaceId
from protocols.values.instant import Instant, from_iso

FIRST_DAY = date(2000, 1, 1)
"""No day before it is asked for."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One statement as the page shows it: what it says, whether it names our key, and is as that one signed it."""

    place: str
    said: Mapping[str, Any]
    ours: bool
    whole: bool

    @property
    def begun(self) -> Instant | None:
        """When the time it is of began; None of a form that did not say."""
        return self._instant("from")

    @property
    def until(self) -> Instant | None:
        """When that ended."""
        return self._instant("until")

    @property
    def made(self) -> Instant | None:
        """When it was made."""
        return self._instant("at")

    def _instant(self, name: str) -> Instant | None:
        text = self.said.get(name)
        return None if text is None else from_iso(str(text))


def add_statements(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk, public: Path) -> None:
    """Add the pages; `public` is the public half of the statements' key."""
    _add_page(pages, renderer, porter, desk, public)
    _add_files(pages, porter, desk, public)


def _add_page(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk, public: Path) -> None:
    def drawn(visit: Visit, caller: Caller, day: date, uploaded: Checked | str | None = None) -> Response:
        found = statements(desk.store, desk.hospital, day)
        none = lacking(desk.store, desk.hospital, day, desk.now())
        scope = caller.scope(Right.SEE_STOCK)
        shown = [_checked(place, text, public) for place, text in sorted(found.items()) if PlaceId(place) in scope]
        return renderer.page(
            "statements.html.j2", visit, day=day, before=day - timedelta(days=1), shown=shown, uploaded=uploaded,
            unstated=[(place, why) for place, why in sorted(none.items()) if PlaceId(place) in scope],
            rooms={room.place: room for room in storerooms(desk, caller)},
        )  # fmt: skip

    @pages.get("/statements")
    def listed(request: Request, day: Annotated[date | None, Query(ge=FIRST_DAY)] = None) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        answer = drawn(visit, caller, day or last_day(desk.now()))
        keep_language(request, visit, answer)
        return answer

    @pages.post("/statements")
    def check(
        request: Request, file: Annotated[UploadFile, File()], word: Annotated[str, Form(max_length=WORD_MAX)] = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SEE_STOCK)
        porter.check_form(request, visit, word)
        try:
            told: Checked | str = _checked("", file.file.read(BYTES_MAX + 1).decode(), public)
        except (BadInput, UnicodeDecodeError):
            told = "unread"
        return drawn(visit, caller, last_day(desk.now()), told)


def _add_files(pages: FastAPI, porter: Porter, desk: Desk, public: Path) -> None:
    @pages.get("/statements/{day}/{place}.json")
    def handed_out(request: Request, day: date, place: str) -> Response:
        _, caller = porter.visit_of(request, Right.SEE_STOCK)
        caller.need(Right.SEE_STOCK, PlaceId(place))
        found = statements(desk.store, desk.hospital, day).get(place)
        if found is None:
            raise NotThere(f"statement: expected a storeroom that was stated on {day}, got {place!r:.40}")
        named = {"Content-Disposition": f'attachment; filename="statement-{day}-{place}.json"'}
        return Response(found, media_type="application/json", headers=HEADERS | named)

    @pages.get("/statements/key.pub")
    def key(request: Request) -> Response:
        porter.visit_of(request, Right.SEE_STOCK)
        if not public.is_file():
            raise NotThere("statement: expected the public half of the key beside it; it is made at the first start")
        named = {"Content-Disposition": 'attachment; filename="statement.pub"'}
        return Response(public.read_bytes(), media_type="application/x-pem-file", headers=HEADERS | named)


def _checked(place: str, text: str, public: Path) -> Checked:
    said, named, signature = read_sealed(text)
    check, key_id = checker_at(public)
    ours = named == key_id
    return Checked(place or str(said.get("place", "")), said, ours, ours and is_whole(said, signature, check))
