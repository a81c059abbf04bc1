"""The pages of one's own account: one-time codes with their picture, and the recovery codes, shown once.

It decides nothing; the codes do. The rule that must not be broken: a secret and recovery codes are shown to their
owner, once, and stand in no address.
"""

from typing import Annotated

import segno
from fastapi import FastAPI, Form, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from central.core.rights import Caller
from central.errors import BadInput, NotNow, NotSignedIn, NotThere
from central.store.queries_people import people
from central.web.entrance import SIGN_IN, fault_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit

CODES = "/account/codes"
CODE_MAX = 32
SECRET_MAX = 64
MODULE_PX, BORDER = 5, 4

Code = Annotated[str, Form(max_length=CODE_MAX)]
Word = Annotated[str, Form(max_length=WORD_MAX)]


def add_account(pages: FastAPI, renderer: Renderer, porter: Porter) -> None:
    """Add the pages."""
    _add_codes(pages, renderer, porter)
    _add_changes(pages, renderer, porter)


def _add_codes(pages: FastAPI, renderer: Renderer, porter: Porter) -> None:
    codes = porter.entrance.codes

    @pages.get(CODES)
    def shown(request: Request) -> Response:
        visit, caller = _visit(porter, request)
        answer = _page(renderer, porter, visit, caller)
        keep_language(request, visit, answer)
        return answer

    @pages.post(CODES)
    def set_up(
        request: Request, secret: Annotated[str, Form(max_length=SECRET_MAX)] = "", code: Code = "", word: Word = ""
    ) -> Response:
        visit, caller = _visit(porter, request)
        porter.check_form(request, visit, word)
        try:
            drawn = codes.set_up(caller.person, secret, code)
        except BadInput as error:
            return _page(renderer, porter, visit, caller, fault=fault_of(error), secret=secret, status=400)
        except NotNow:
            return RedirectResponse(CODES, 303)
        return _page(renderer, porter, visit, caller, drawn=drawn)


def _add_changes(pages: FastAPI, renderer: Renderer, porter: Porter) -> None:
    codes = porter.entrance.codes

    @pages.post(f"{CODES}/recovery")
    def renew(request: Request, code: Code = "", word: Word = "") -> Response:
        visit, caller = _visit(porter, request)
        porter.check_form(request, visit, word)
        try:
            drawn = codes.renew_recovery(caller.person, code)
        except BadInput:
            return _page(renderer, porter, visit, caller, fault="used", status=400)
        return _page(renderer, porter, visit, caller, drawn=drawn)

    @pages.post(f"{CODES}/remove")
    def remove(request: Request, code: Code = "", word: Word = "") -> Response:
        visit, caller = _visit(porter, request)
        porter.check_form(request, visit, word)
        try:
            codes.remove(caller.person, code)
        except BadInput:
            return _page(renderer, porter, visit, caller, fault="used", status=400)
        except NotNow:
            return _page(renderer, porter, visit, caller, fault="needed", status=409)
        return RedirectResponse(CODES, 303)


def _visit(porter: Porter, request: Request) -> tuple[Visit, Caller]:
    visit = porter.visit(request, without_codes=True)
    if visit.everyone:
        raise NotThere("account: expected a server where people sign in, here everyone is one person")
    if visit.caller is None:
        raise NotSignedIn(f"expected somebody signed in, got nobody; sign in first at {SIGN_IN}")
    return visit, visit.caller


def _page(
    renderer: Renderer, porter: Porter, visit: Visit, caller: Caller, *, fault: str = "", secret: str = "",
    drawn: list[str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    entrance = porter.entrance
    with entrance.store.read() as connection:
        (person,) = people(connection, entrance.hospital, person=caller.person)
        asked = entrance.codes.asked_of(connection, person.grants)
    new = "" if person.totp_secret else secret or entrance.codes.begin()
    address = entrance.codes.address(caller.person, new) if new else ""
    picture = segno.make(address, error="m").svg_inline(scale=MODULE_PX, border=BORDER, light="#fff") if new else ""
    return renderer.page(
        "codes.html.j2", visit, status, has_codes=bool(person.totp_secret), asked=asked, secret=new,
        picture=Markup(picture), drawn=drawn, fault=fault, left=entrance.codes.recovery_left(caller.person),
    )  # fmt: skip
