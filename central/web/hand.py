"""The pages for wards without a device: take, use, receive, give back and count on a phone or a PC with a scanner.

It decides nothing. The rules that must not be broken: it works by typing and by a scanner that types, with scripts off;
and it never says that something was written before it was.
"""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.core.hand import Doing, Refusal
from central.core.notes import Note
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotReady
from central.services.desk import Desk
from central.services.hand import Asked, Done
from central.services.hand_adjusting import Adjusting
from central.store.queries_master import expiries, items
from central.web.entrance import fault_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit
from central.web.typed import day_of
from protocols.codes.label import TicketSort, make_ticket

TEXT_MAX = 512
SHEET_LINES_SHOWN = 30
NOTES_SHOWN = 20
"""Deliveries on their way that the page lists; a ward gets a few a day, and any may be scanned."""
PIECES_MAX = 1_000
"""Pieces confirmed at once."""

Word = Annotated[str, Form(max_length=WORD_MAX)]
Short = Annotated[str, Query(max_length=32)]


class HandForm(BaseModel):
    """What the form of an act sends, as typed."""

    doing: Doing = Doing.TAKE
    code: str = Field(default="", max_length=TEXT_MAX)
    qty: str = Field(default="1", max_length=TEXT_MAX)
    lot: str = Field(default="", max_length=TEXT_MAX)
    expiry: str = Field(default="", max_length=TEXT_MAX)
    patient: str = Field(default="", max_length=TEXT_MAX)
    emergency: str = Field(default="", max_length=TEXT_MAX)
    once: str = Field(default="", max_length=TEXT_MAX)
    word: str = Field(default="", max_length=WORD_MAX)

    def asked(self) -> Asked:
        """Return the act that is asked for. Raises `BadInput`."""
        return Asked(
            self.doing, self.code, _whole(self.qty), self.once, self.lot, day_of("expiry", self.expiry), self.patient,
            bool(self.emergency),
        )  # fmt: skip


EMPTY = HandForm()


@dataclass(frozen=True, slots=True)
class _Told:
    """What a page says of the act before it: done, or refused by a rule or for a form that was not in order."""

    said: str = ""
    event: str = ""
    refusal: Refusal | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Sheet:
    """Draws the page of one ward."""

    renderer: Renderer
    porter: Porter
    desk: Desk

    def page(
        self, visit: Visit, caller: Caller, place: str, doing: Doing, told: _Told, typed: HandForm = EMPTY
    ) -> Response:
        """Return the page: the form of an act, what the last one came to, and the last acts or the open count sheet."""
        room, recent = self.desk.hands.room(caller, place), self.desk.hands.recent(caller, place)
        counting = doing is Doing.COUNT
        sheet = self.desk.hands.sheet(caller, place) if counting else None
        waiting = self._waiting(caller, place) if doing is Doing.RECEIVE else ()
        differs = Adjusting(self.desk.purchasing.documents).waiting(place) if counting else None
        with self.desk.store.read() as connection:
            names, days = items(connection, self.desk.hospital), expiries(connection, self.desk.hospital)
        refused = told.refusal is not None or told.fault != ""
        return self.renderer.page(
            "hand.html.j2", visit, 409 if refused else 200, room=room, doing=doing.value,
            doings=[one.value for one in Doing], refused="" if told.refusal is None else told.refusal.why.value,
            fault=told.fault, elsewhere="" if told.refusal is None else told.refusal.place, typed=typed, said=told.said,
            written=next((one for one in recent if one.event == told.event), None), recent=recent, sheet=sheet,
            differs=differs, waiting=waiting,
            lines=() if sheet is None else sheet.lines[:SHEET_LINES_SHOWN], catalogue=names, days=days,
            rooms={one.place: one for one in self.desk.hands.rooms(caller)}, once=self.porter.entrance.draw(),
        )  # fmt: skip

    def _waiting(self, caller: Caller, place: str) -> list[tuple[Note, str]]:
        """Return the deliveries on their way, each with the text its paper's code carries."""
        notes = self.desk.hands.waiting(caller, place)[:NOTES_SHOWN]
        return [(note, make_ticket(TicketSort.DOCUMENT, note.number)) for note in notes]


def add_hand(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages."""
    _add_wards(pages, renderer, porter, desk)
    _add_acts(pages, _Sheet(renderer, porter, desk))
    _add_endings(pages, porter, desk)


def _add_wards(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/hand")
    def wards(request: Request) -> Response:
        visit, caller = porter.visit_of(request, Right.MOVE_STOCK)
        rooms = desk.hands.rooms(caller)
        if len(rooms) == 1:
            return RedirectResponse(f"/hand/{rooms[0].place}", 303)
        answer = renderer.page("hands.html.j2", visit, rooms=rooms)
        keep_language(request, visit, answer)
        return answer


def _add_acts(pages: FastAPI, sheet: _Sheet) -> None:
    porter, hands = sheet.porter, sheet.desk.hands

    @pages.get("/hand/{place}")
    def ward(request: Request, place: str, doing: Doing = Doing.TAKE, said: Short = "", event: Short = "") -> Response:
        visit, caller = porter.visit_of(request, Right.MOVE_STOCK)
        answer = sheet.page(visit, caller, place, doing, _Told(said, event))
        keep_language(request, visit, answer)
        return answer

    @pages.post("/hand/{place}")
    def act(request: Request, place: str, form: Annotated[HandForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request, Right.MOVE_STOCK)
        porter.check_form(request, visit, form.word)
        hands.room(caller, place)
        try:
            done = hands.act(caller, place, form.asked())
        except (BadInput, NotReady) as error:
            told = _Told(fault=fault_of(error))
        except NotAllowed:
            told = _Told(fault="role")
        else:
            if isinstance(done, Done):
                return RedirectResponse(f"/hand/{place}?{_told(form.doing, done)}", 303)
            told = _Told(refusal=done)
        return sheet.page(visit, caller, place, form.doing, told, form)


def _add_endings(pages: FastAPI, porter: Porter, desk: Desk) -> None:
    @pages.post("/hand/{place}/undo")
    def undo(
        request: Request,
        place: str,
        event: Annotated[str, Form(max_length=32)] = "",
        doing: Annotated[Doing, Form()] = Doing.TAKE,
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.MOVE_STOCK)
        porter.check_form(request, visit, word)
        try:
            desk.hands.undo(caller, place, event)
            said = "undone"
        except NotNow:
            said = "over"
        return RedirectResponse(f"/hand/{place}?{urlencode({'doing': doing.value, 'said': said})}", 303)

    @pages.post("/hand/{place}/close")
    def close(request: Request, place: str, word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.MOVE_STOCK)
        porter.check_form(request, visit, word)
        try:
            desk.hands.end_count(caller, place)
        except NotNow:
            return RedirectResponse(f"/hand/{place}?doing=count", 303)
        if Adjusting(desk.purchasing.documents).waiting(place) is not None:
            return RedirectResponse(f"/hand/{place}?doing=count", 303)
        return RedirectResponse(f"/counts?{urlencode({'place': place})}", 303)

    @pages.post("/hand/{place}/adjust")
    def adjust(
        request: Request, place: str, sheet: Annotated[str, Form(max_length=128)] = "", word: Word = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SETTLE)
        porter.check_form(request, visit, word)
        desk.hands.room(caller, place)
        try:
            Adjusting(desk.purchasing.documents).agree(caller, place, sheet)
            said = "adjusted"
        except NotNow:
            said = "nothing"
        return RedirectResponse(f"/hand/{place}?doing=count&said={said}", 303)

    @pages.post("/hand/{place}/adjust-pieces")
    def adjust_pieces(
        request: Request,
        place: str,
        sheet: Annotated[str, Form(max_length=128)] = "",
        unit: Annotated[list[str], Form(max_length=PIECES_MAX)] = [],  # noqa: B006 # the framework copies it
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.SETTLE)
        porter.check_form(request, visit, word)
        desk.hands.room(caller, place)
        try:
            Adjusting(desk.purchasing.documents).agree_to_pieces(caller, place, sheet, unit)
            said = "adjusted"
        except NotNow:
            said = "nothing" if unit else "none"
        return RedirectResponse(f"/hand/{place}?doing=count&said={said}", 303)


def _told(doing: Doing, done: Done) -> str:
    said = "again" if not done.event else "note" if done.note else "counted" if doing is Doing.COUNT else "written"
    return urlencode({"doing": doing.value, "said": said, "event": done.event})


def _whole(text: str) -> int:
    cleaned = text.strip() or "1"
    if not cleaned.isascii() or not cleaned.isdigit() or len(cleaned) > 9:
        raise BadInput(f"qty: expected a whole number, got {text!r:.20}")
    return int(cleaned)
