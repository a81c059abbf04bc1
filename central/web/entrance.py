"""The pages of the entrance: sign in, sign out, the first account, and a password set by an invitation.

It decides nothing; the entrance does. The rule that must not be broken: after a sign-in the reader is only ever led to
an address of this server.
"""

from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from central.core.signin import PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN
from central.errors import BadInput, NotAllowed, NotNow, NotReady, NotSignedIn, TooMany
from central.services.accounts import staff_number
from central.services.entrance import SESSION_COOKIE, Entrance
from central.services.secrets_kept import same
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit

SIGN_IN, FIRST, INVITED = "/sign-in", "/first-account", "/invited/{secret}"
BY_ISSUER = "/sign-in/issuer"
STATE_COOKIE, STATE_S = "wardstock_issuer", 600
"""Binds what comes back from the issuer to the browser that was sent there."""
TEXT_MAX = 200
NEXT_MAX = 500

Text = Annotated[str, Form(max_length=TEXT_MAX)]
Text4 = Annotated[str, Query(max_length=4096)]


def add_entrance(pages: FastAPI, renderer: Renderer, porter: Porter) -> None:
    """Add the pages of the entrance."""
    _add_sign_in(pages, renderer, porter)
    _add_issuer(pages, porter)
    _add_sign_out(pages, porter)
    _add_first_account(pages, renderer, porter)
    _add_invited(pages, renderer, porter)


def _add_sign_in(pages: FastAPI, renderer: Renderer, porter: Porter) -> None:
    entrance = porter.entrance

    @pages.get(SIGN_IN)
    def sign_in(
        request: Request,
        next: Annotated[str, Query(max_length=NEXT_MAX)] = "/",
        failed: Annotated[str, Query(max_length=16)] = "",
    ) -> Response:
        visit = porter.visit(request)
        if visit.caller is not None and not visit.everyone:
            return RedirectResponse(_inside(next), 303)
        if entrance.is_new():
            return RedirectResponse(FIRST, 303)
        answer = renderer.page(
            "sign_in.html.j2", visit, next=_inside(next), failed=failed, staff="", by_issuer=_by_issuer(entrance)
        )
        keep_language(request, visit, answer)
        return answer

    @pages.post(SIGN_IN)
    def signed_in(
        request: Request,
        staff: Text = "",
        password: Text = "",
        code: Text = "",
        next: Annotated[str, Form(max_length=NEXT_MAX)] = "/",
    ) -> Response:
        visit = porter.visit(request)
        porter.check_form(request, Visit(visit.language), "")
        try:
            secret = entrance.sign_in(staff, password, code, address_of(request))
        except (NotSignedIn, TooMany, NotReady, NotAllowed) as error:
            failed, status = next_of(error)
            return renderer.page(
                "sign_in.html.j2", visit, status, next=_inside(next), failed=failed, staff=staff,
                by_issuer=_by_issuer(entrance),
            )  # fmt: skip
        answer = RedirectResponse(_inside(next), 303)
        keep_language(request, visit, answer)
        porter.remember(answer, secret)
        return answer


def _add_sign_out(pages: FastAPI, porter: Porter) -> None:
    @pages.post("/sign-out")
    def sign_out(request: Request, word: Annotated[str, Form(max_length=WORD_MAX)] = "") -> Response:
        porter.check_form(request, porter.visit(request, without_codes=True), word)
        porter.entrance.sign_out(request.cookies.get(SESSION_COOKIE, ""))
        answer = RedirectResponse(SIGN_IN, 303)
        answer.delete_cookie(SESSION_COOKIE, path="/")
        return answer


def _add_first_account(pages: FastAPI, renderer: Renderer, porter: Porter) -> None:
    entrance = porter.entrance

    @pages.get(FIRST)
    def first(request: Request) -> Response:
        if not entrance.is_new():
            return RedirectResponse(SIGN_IN, 303)
        return _first_page(renderer, porter.visit(request), 200)

    @pages.post(FIRST)
    def made(request: Request, setup: Text = "", staff: Text = "", name: Text = "", password: Text = "") -> Response:
        visit = porter.visit(request)
        porter.check_form(request, visit, "")
        try:
            person = staff_number(staff)
            entrance.make_first(setup, person, name, password, address_of(request))
        except (BadInput, TooMany) as error:
            return _first_page(renderer, visit, 400, fault_of(error), staff, name)
        except NotNow:
            return RedirectResponse(SIGN_IN, 303)
        return _enter(porter, request, person, password)


def _add_invited(pages: FastAPI, renderer: Renderer, porter: Porter) -> None:
    entrance = porter.entrance

    @pages.get(INVITED)
    def invited(request: Request, secret: str) -> Response:
        visit = porter.visit(request)
        answer = _invited_page(renderer, visit, 200, entrance.invited(secret))
        keep_language(request, visit, answer)
        return answer

    @pages.post(INVITED)
    def accepted(request: Request, secret: str, password: Text = "") -> Response:
        visit = porter.visit(request)
        porter.check_form(request, Visit(visit.language), "")
        try:
            person = entrance.accept(secret, password, address_of(request))
        except (BadInput, TooMany) as error:
            return _invited_page(renderer, visit, 400, entrance.invited(secret), fault_of(error))
        return _enter(porter, request, person, password)


FAILURES: tuple[tuple[type[Exception], str, int], ...] = (
    (TooMany, "many", 429),
    (NotReady, "silent", 503),
    (NotAllowed, "role", 403),
)


def next_of(error: Exception) -> tuple[str, int]:
    """Return the word and the status with which a sign-in that failed is answered."""
    return next(((word, status) for kind, word, status in FAILURES if isinstance(error, kind)), ("wrong", 401))


def _by_issuer(entrance: Entrance) -> bool:
    return entrance.sources is not None and entrance.sources.issuer is not None


def _add_issuer(pages: FastAPI, porter: Porter) -> None:
    entrance = porter.entrance

    @pages.get(BY_ISSUER)
    def away(request: Request, next: Annotated[str, Query(max_length=NEXT_MAX)] = "/") -> Response:
        if entrance.sources is None:
            return RedirectResponse(SIGN_IN, 303)
        try:
            sent = entrance.sources.send(_back(request), _inside(next))
        except (BadInput, NotReady):
            return RedirectResponse(f"{SIGN_IN}?failed=silent", 303)
        answer = RedirectResponse(sent.address, 303)
        answer.set_cookie(
            STATE_COOKIE, sent.state, STATE_S, httponly=True, samesite="lax", secure=porter.secure, path=BY_ISSUER
        )
        return answer

    @pages.get(f"{BY_ISSUER}/back")
    def back(request: Request, state: Text4 = "", code: Text4 = "") -> Response:
        if not state or not same(state, request.cookies.get(STATE_COOKIE, "")):
            return RedirectResponse(f"{SIGN_IN}?failed=wrong", 303)
        try:
            secret, wanted = entrance.sign_in_by_issuer(state, code, _back(request), address_of(request))
        except (BadInput, TooMany, NotReady, NotAllowed) as error:
            return RedirectResponse(f"{SIGN_IN}?failed={next_of(error)[0]}", 303)
        answer = RedirectResponse(_inside(wanted), 303)
        answer.delete_cookie(STATE_COOKIE, path=BY_ISSUER)
        porter.remember(answer, secret)
        return answer


def _back(request: Request) -> str:
    """Return the address the issuer sends the browser back to."""
    return f"{str(request.base_url).rstrip('/')}{BY_ISSUER}/back"


def _enter(porter: Porter, request: Request, person: str, password: str) -> Response:
    answer = RedirectResponse("/", 303)
    keep_language(request, porter.visit(request), answer)
    porter.remember(answer, porter.entrance.sign_in(person, password, "", address_of(request)))
    return answer


def _first_page(
    renderer: Renderer, visit: Visit, status: int, fault: str = "", staff: str = "", name: str = ""
) -> Response:
    lengths = (PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX)
    return renderer.page("first_account.html.j2", visit, status, fault=fault, staff=staff, name=name, lengths=lengths)


def _invited_page(renderer: Renderer, visit: Visit, status: int, person: str, fault: str = "") -> Response:
    lengths = (PASSWORD_LENGTH_MIN, PASSWORD_LENGTH_MAX)
    return renderer.page("invited.html.j2", visit, status, person=person, fault=fault, lengths=lengths)


def fault_of(error: Exception) -> str:
    """Return what a refusal is about: the words before its colon, from which a page makes a sentence."""
    return str(error).partition(":")[0]


def address_of(request: Request) -> str:
    """Return where a request came from, as far as the server's socket knows."""
    return "" if request.client is None else request.client.host


def _inside(address: str) -> str:
    """Return an address of this server: what was asked for, else the overview."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"
