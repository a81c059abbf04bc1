"""The page of tokens: what programs of one's own come in with, made and revoked by the person they act for.

Nobody makes a token for another, so that who keeps the accounts does not act with other people's rights. The rule that
must not be broken: a token is shown once, to who made it, and only its hash is kept.
"""

from typing import Annotated

from fastapi import FastAPI, Form, Request
from starlette.responses import RedirectResponse, Response

from central.core.rights import Caller
from central.core.signin import TOKEN_DAYS_MAX
from central.errors import BadInput, NotNow, NotThere
from central.services.accounts import NAME_MAX, Accounts
from central.store.queries_people import tokens_of
from central.web.entrance import fault_of
from central.web.porter import WORD_MAX, Porter, keep_language
from central.web.render import Renderer, Visit

DAYS = 90
SCOPES = ("read", "write")

Word = Annotated[str, Form(max_length=WORD_MAX)]
Name = Annotated[str, Form(max_length=NAME_MAX)]


def add_tokens(pages: FastAPI, renderer: Renderer, porter: Porter, accounts: Accounts) -> None:
    """Add the page of tokens and its two forms."""

    @pages.get("/tokens")
    def listed(request: Request) -> Response:
        visit, caller = porter.visit_of(request)
        answer = _page(renderer, visit, caller, accounts)
        keep_language(request, visit, answer)
        return answer

    @pages.post("/tokens")
    def made(
        request: Request,
        name: Name = "",
        scope: Annotated[str, Form(max_length=16)] = "read",
        days: Annotated[int, Form(ge=0, le=TOKEN_DAYS_MAX)] = DAYS,
        word: Word = "",
    ) -> Response:
        visit, caller = porter.visit_of(request)
        porter.check_form(request, visit, word)
        try:
            if scope not in SCOPES:
                raise BadInput(f"scope: expected one of {', '.join(SCOPES)}, got {scope!r:.16}")
            secret = accounts.add_token(
                caller.person, caller.person, name.strip(), read_only=scope == "read", days=days
            )
        except (BadInput, NotNow, NotThere) as error:
            return _page(renderer, visit, caller, accounts, fault=fault_of(error), status=400)
        return _page(renderer, visit, caller, accounts, secret=secret, name=name.strip())

    @pages.post("/tokens/revoke")
    def revoked(request: Request, name: Name = "", word: Word = "") -> Response:
        visit, caller = porter.visit_of(request)
        porter.check_form(request, visit, word)
        accounts.revoke_tokens(caller.person, caller.person, name)
        return RedirectResponse("/tokens", 303)


def _page(
    renderer: Renderer,
    visit: Visit,
    caller: Caller,
    accounts: Accounts,
    *,
    secret: str = "",
    name: str = "",
    fault: str = "",
    status: int = 200,
) -> Response:
    with accounts.store.read() as connection:
        tokens = tokens_of(connection, accounts.hospital, caller.person)
    return renderer.page(
        "tokens.html.j2",
        visit,
        status,
        tokens=tokens,
        secret=secret,
        name=name,
        fault=fault,
        days=DAYS,
        days_max=TOKEN_DAYS_MAX,
        name_max=NAME_MAX,
        now=accounts.now(),
    )
