"""The pages of money by month: the months, a roll-forward 收发存 with what is behind it, finance, consignment, prices.

It decides nothing. The rules that must not be broken: what a row is opened to sums to it, and every look at prices is
noted; a button that would be refused is not shown.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import RedirectResponse, Response

from central.core.consignment import NOTE_STEPS, NoteStep
from central.core.journal import ACCOUNTS
from central.core.month import Key, Month, Row, Sum, grouped, month_named
from central.core.rights import Caller, Right
from central.errors import BadInput, NotAllowed, NotNow, NotThere
from central.services.consignment import Consignment, running_now
from central.services.desk import Desk
from central.services.finance import accruals_of, journal_csv, journal_json, journal_of, payables_now
from central.services.month_close import MonthClose
from central.services.price_changes import ChangeStep, PriceChanges
from central.services.stock_book import book_of, lines_behind, months_of, open_month
from central.store import queries_consignment as consigned
from central.store.paging import CURSOR_MAX, PageAsked
from central.store.queries_master import items, places, suppliers
from central.store.queries_month import categories
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import HEADERS, Renderer, Visit
from central.web.typed import day_of, whole_of, yuan_of
from protocols.errors import BadValue
from protocols.values.instant import day_start
from protocols.values.money import yuan

ROWS_SHOWN_MAX = 500
"""More than a person reads; the rows that hold most value come first, and the API and the tables give all."""
LINES_SHOWN_MAX = 300
SHOWN = 100
"""Documents of a page; the next ones stand behind a link."""
TEXT_MAX = 500
BY = ("place", "category", "item")

Name = Annotated[str, Query(max_length=64)]
Cursor = Annotated[str, Query(max_length=CURSOR_MAX)]
Text = Annotated[str, Form(max_length=TEXT_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


class TermForm(BaseModel):
    """What the form of goods on consignment sends, as typed."""

    word: str = Field(default="", max_length=WORD_MAX)
    item: str = Field(default="", max_length=TEXT_MAX)
    supplier: str = Field(default="", max_length=TEXT_MAX)
    first: str = Field(default="", max_length=TEXT_MAX)
    last: str = Field(default="", max_length=TEXT_MAX)
    price: str = Field(default="", max_length=TEXT_MAX)
    level: str = Field(default="", max_length=TEXT_MAX)

    def set_by(self, caller: Caller, consignment: Consignment) -> None:
        """Say it to the desk. Raises `BadInput`, `NotThere`, `NotAllowed`."""
        first = day_of("day", self.first)
        if first is None or not self.level.strip():
            raise BadInput("consignment: expected the first day and the level, got nothing")
        price, level = yuan_of("price", self.price), whole_of("consignment", self.level)
        consignment.set_term(
            caller, self.item.strip(), self.supplier.strip(), first, day_of("day", self.last), price, level
        )


def add_months(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the pages."""
    _add_list(pages, renderer, porter, desk)
    _add_stock(pages, renderer, porter, desk)
    _add_finance(pages, renderer, porter, desk)
    _add_consignment(pages, renderer, porter, desk)
    _add_price_changes(pages, renderer, porter, desk)


def _look(request: Request, porter: Porter, desk: Desk, subject: str) -> tuple[Visit, Caller]:
    visit, caller = porter.visit_of(request, Right.SEE_PRICES)
    desk.looks.saw(caller, "see-prices", subject)
    return visit, caller


def _add_list(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    def page(visit: Visit, caller: Caller, *, fault: str = "", status: int = 200) -> Response:
        with desk.store.read() as connection:
            found = months_of(connection, desk.hospital, desk.now())
            first = open_month(connection, desk.hospital, desk.now())
        may_close = caller.may(Right.PAY) and desk.now() >= day_start(first.next.first)
        return renderer.page(
            "months.html.j2", visit, status, months=found, first=first, may_close=may_close, fault=fault, tab="months",
            month=found[0][0],
        )  # fmt: skip

    @pages.get("/months")
    def listed(request: Request) -> Response:
        visit, caller = _look(request, porter, desk, "months")
        answer = page(visit, caller)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/months/{month}/close")
    def close(request: Request, month: str, word: Word = "") -> Response:
        visit, caller = porter.visit_of(request, Right.PAY)
        porter.check_form(request, visit, word)
        try:
            MonthClose(desk.purchasing.documents).close(caller, month_named(month))
        except NotNow as error:
            about = str(error).partition(" ")[0]
            return page(visit, caller, fault="worth" if about == "settlement" else "month", status=409)
        return RedirectResponse("/months", 303)


def _add_stock(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/months/{month}")
    def stock(request: Request, month: str, by: Name = "place", of: Name = "", place: Name = "") -> Response:
        visit, _ = _look(request, porter, desk, "stock-month")
        with desk.store.read() as connection:
            book = book_of(connection, desk.hospital, month_named(month), desk.now())
            kinds, names = categories(connection, desk.hospital), items(connection, desk.hospital)
            rooms = {room.place: room for room in places(connection, desk.hospital)}
        word = _word_of(by if by in BY else "place", kinds)
        own = {key: row for key, row in book.rows.items() if not key.consigned and place in {"", key.place}}
        chosen = {key: row for key, row in book.rows.items() if of and word(key) == of and place in {"", key.place}}
        total = Row()
        for row in own.values():
            total.add(row)
        groups = sorted(grouped(own, word).items(), key=lambda one: (-one[1].closing.value, one[0]))
        if not place:
            total = total.outward()
            groups = groups if by not in {"category", "item"} else [(code, row.outward()) for code, row in groups]
        heavy = sorted(chosen.items(), key=lambda one: (-one[1].closing.value, one[0].place, one[0].item))
        answer = renderer.page(
            "month.html.j2", visit, book=book, month=book.month, by=by, of=of, place=place, total=total,
            groups=groups[:ROWS_SHOWN_MAX], rows=heavy[:ROWS_SHOWN_MAX], catalogue=names, rooms=rooms, tab="stock",
            count=len(groups),
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer

    @pages.get("/months/{month}/lines")
    def lines(request: Request, month: str, place: Name, item: Name, lent: bool = False) -> Response:
        visit, _ = _look(request, porter, desk, "stock-month")
        with desk.store.read() as connection:
            book = book_of(connection, desk.hospital, month_named(month), desk.now())
            names, firms = items(connection, desk.hospital), suppliers(connection, desk.hospital)
            rooms = {room.place: room for room in places(connection, desk.hospital)}
        parts = lines_behind(book, place, item, consigned=lent)
        answer = renderer.page(
            "month_lines.html.j2", visit, book=book, month=book.month, row=book.rows[Key(place, item, lent)],
            place=place, item=item, parts=parts[:LINES_SHOWN_MAX], count=len(parts), catalogue=names, rooms=rooms,
            firms=firms, tab="stock",
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer


def _word_of(by: str, kinds: dict[str, str]) -> Callable[[Key], str]:
    words: dict[str, Callable[[Key], str]] = {
        "place": lambda key: key.place,
        "item": lambda key: key.item,
        "category": lambda key: kinds.get(key.item, ""),
    }
    return words[by]


def _add_finance(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    @pages.get("/months/{month}/finance")
    def finance(request: Request, month: str) -> Response:
        visit, _ = _look(request, porter, desk, "finance")
        named = month_named(month)
        with desk.store.read() as connection:
            accrued = accruals_of(connection, desk.hospital, named, desk.now())
            journal = journal_of(connection, desk.hospital, named, desk.now())
            payables = payables_now(connection, desk.hospital, desk.now())
            firms = suppliers(connection, desk.hospital)
            rooms = {room.place: room for room in places(connection, desk.hospital)}
        owing = {origin: one for origin, one in accrued.items() if one.closing != Sum()}
        answer = renderer.page(
            "month_finance.html.j2", visit, month=named, accrued=list(owing.items())[:ROWS_SHOWN_MAX], firms=firms,
            total=sum((one.closing for one in owing.values()), Sum()), payables=payables, journal=journal, rooms=rooms,
            lines=journal.lines[:ROWS_SHOWN_MAX], shipped=ACCOUNTS, tab="finance", count=len(owing),
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer

    @pages.get("/months/{month}/journal.{form}")
    def export(request: Request, month: str, form: str) -> Response:
        _look(request, porter, desk, "journal")
        named = month_named(month)
        with desk.store.read() as connection:
            told = journal_of(connection, desk.hospital, named, desk.now())
        if form not in {"csv", "json"}:
            raise NotThere(f"journal: expected csv or json, got {form!r:.20}")
        text = journal_csv(told) if form == "csv" else journal_json(told)
        media = "text/csv; charset=utf-8" if form == "csv" else "application/json"
        saved = {"Content-Disposition": f'attachment; filename="journal-{named}.{form}"'}
        return Response(text, media_type=media, headers={**HEADERS, **saved})


def _add_consignment(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    def page(visit: Visit, caller: Caller, cursor: str = "", *, fault: str = "", status: int = 200) -> Response:
        with desk.store.read() as connection:
            notes = consigned.notes_page(connection, desk.hospital, PageAsked(SHOWN, cursor))
            terms = consigned.terms_of(connection, desk.hospital)
            running = running_now(connection, desk.hospital, desk.now())
            names, firms = items(connection, desk.hospital), suppliers(connection, desk.hospital)
            month = open_month(connection, desk.hospital, desk.now())
        steps = {
            one.note: [
                step
                for before, step in NOTE_STEPS
                if before is one.state
                and caller.may(Right.INVOICE)
                and not (step is NoteStep.AGREE and one.made_by == caller.person)
            ]
            for one in notes.items
        }
        return renderer.page(
            "consignment.html.j2", visit, status, notes=notes, running=running, terms=terms, catalogue=names,
            firms=firms, steps=steps, fault=fault, tab="consignment", month=month, now=desk.now(),
            sets=caller.may(Right.PURCHASE),
        )  # fmt: skip

    @pages.get("/consignment")
    def listed(request: Request, cursor: Cursor = "") -> Response:
        visit, caller = _look(request, porter, desk, "consignment")
        answer = page(visit, caller, cursor)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/consignment/terms")
    def agreed(request: Request, form: Annotated[TermForm, Form()]) -> Response:
        visit, caller = porter.visit_of(request, Right.PURCHASE)
        porter.check_form(request, visit, form.word)
        try:
            form.set_by(caller, Consignment(desk.purchasing.documents))
        except (BadInput, NotThere) as error:
            return page(visit, caller, fault=_fault(error), status=409)
        return RedirectResponse("/consignment", 303)

    @pages.post("/consignment/{note}/{step}")
    def stepped(request: Request, note: str, step: str, word: Word = "", said: Text = "") -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        porter.check_form(request, visit, word)
        if step not in set(NoteStep):
            raise NotThere(f"settlement: expected one of {', '.join(NoteStep)}, got {step!r:.20}")
        try:
            Consignment(desk.purchasing.documents).step(caller, note, NoteStep(step), said)
        except (NotNow, NotAllowed, BadInput) as error:
            return page(visit, caller, fault=_fault(error), status=409)
        return RedirectResponse("/consignment", 303)


def _add_price_changes(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    def page(visit: Visit, caller: Caller, cursor: str = "", *, fault: str = "", status: int = 200) -> Response:
        changes = PriceChanges(desk.purchasing.documents).page(caller, PageAsked(SHOWN, cursor))
        with desk.store.read() as connection:
            names = items(connection, desk.hospital)
            month: Month = open_month(connection, desk.hospital, desk.now())
        return renderer.page(
            "price_changes.html.j2", visit, status, changes=changes, catalogue=names, fault=fault, tab="prices",
            month=month, proposes=caller.may(Right.INVOICE), decides=caller.may(Right.APPROVE_HIGH), now=desk.now(),
        )  # fmt: skip

    @pages.get("/price-changes")
    def listed(request: Request, cursor: Cursor = "") -> Response:
        visit, caller = _look(request, porter, desk, "price-changes")
        answer = page(visit, caller, cursor)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/price-changes")
    def proposed(  # each field of the form is one
        request: Request, word: Word = "", item: Text = "", lot: Text = "", price: Text = "", reason: Text = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.INVOICE)
        porter.check_form(request, visit, word)
        try:
            amount = yuan(price.strip())
            PriceChanges(desk.purchasing.documents).propose(caller, item.strip(), lot.strip(), amount, reason)
        except (BadInput, BadValue, NotThere) as error:
            return page(visit, caller, fault=_fault(error), status=409)
        return RedirectResponse("/price-changes", 303)

    @pages.post("/price-changes/{change}/{step}")
    def decided(
        request: Request, change: str, step: str, word: Word = "", refusal: Word = "", text: Text = ""
    ) -> Response:
        visit, caller = porter.visit_of(request, Right.APPROVE_HIGH)
        porter.check_form(request, visit, word)
        if step not in set(ChangeStep):
            raise NotThere(f"price change: expected one of {', '.join(ChangeStep)}, got {step!r:.20}")
        try:
            PriceChanges(desk.purchasing.documents).decide(caller, change, ChangeStep(step), (refusal, text))
        except (NotNow, NotAllowed, BadInput) as error:
            return page(visit, caller, fault=_fault(error), status=409)
        return RedirectResponse("/price-changes", 303)


def _fault(error: Exception) -> str:
    """Return what a refusal is about, from which a page makes a sentence."""
    return "two people" if isinstance(error, NotAllowed) else str(error).partition(":")[0]
