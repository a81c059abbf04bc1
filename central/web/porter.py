"""Who visits a page: finds the session behind a request, and refuses a form that was not sent from our own page.

It knows no page. The rule that must not be broken: a form changes something only with the session's own word in it, and
only when the browser says it was sent from this host.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from central.core.rights import Caller, Right
from central.core.signin import SESSION_S
from central.errors import CodesNeeded, NotSignedIn
from central.services.entrance import SESSION_COOKIE, Entrance
from central.services.secrets_kept import form_word, same
from central.web.render import COOKIE_S, LANGUAGE_COOKIE, Visit, asked_of, language_of

WORD_MAX = 64


@dataclass(frozen=True, slots=True)
class Porter:
    """Stands at the door of the pages. `secure` tells that people reach them through TLS."""

    entrance: Entrance
    secure: bool

    def visit(self, request: Request, *, without_codes: bool = False) -> Visit:
        """Return the visit of a request, whoever makes it: who signed in, else whom everyone is.

        Raises `CodesNeeded` for who must set up codes first.
        """
        language, origin = language_of(request), str(request.base_url).rstrip("/")
        secret = request.cookies.get(SESSION_COOKIE, "")
        try:
            caller: Caller | None = self.entrance.by_session(secret, without_codes=without_codes)
        except CodesNeeded:
            raise
        except NotSignedIn:
            caller = None
        everyone = self.entrance.open_caller() if caller is None else None
        whose = everyone or caller
        word = form_word(secret if everyone is None else everyone.person)
        return Visit(language, whose, word, everyone is not None, origin, request.url.path, asked_of(request))

    def visit_of(self, request: Request, right: Right | None = None) -> tuple[Visit, Caller]:
        """Return the visit of somebody signed in who holds a right. Raises `NotSignedIn`, `NotAllowed`."""
        visit = self.visit(request)
        if visit.caller is None:
            raise NotSignedIn("expected somebody signed in, got nobody; sign in first")
        if right is not None:
            visit.caller.need(right)
        return visit, visit.caller

    def check_form(self, request: Request, visit: Visit, word: str) -> None:
        """Check that a form was sent from our page by who is signed in. Raises HTTP 403."""
        if not sent_from_here(request) or (visit.caller is not None and not same(word, visit.form_word)):
            raise HTTPException(403)

    def remember(self, answer: Response, secret: str) -> None:
        """Give the browser its session."""
        answer.set_cookie(
            SESSION_COOKIE, secret, max_age=int(SESSION_S), httponly=True, samesite="lax", secure=self.secure, path="/"
        )


def keep_language(request: Request, visit: Visit, answer: Response) -> None:
    """Let the browser remember the language."""
    if request.cookies.get(LANGUAGE_COOKIE) != visit.language:
        answer.set_cookie(LANGUAGE_COOKIE, visit.language, max_age=COOKIE_S, httponly=True, samesite="lax")


def sent_from_here(request: Request) -> bool:
    """Tell whether a form was sent from this host's own page: another site may not press the button."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
