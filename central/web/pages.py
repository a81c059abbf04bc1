"""The pages of `central`: one overview, one button, and plain words where something went wrong.

A small application of its own, mounted beside the API, so that its errors are pages and the API's stay JSON. It holds
no rule about stock: what it shows and what a button does come in as callables. The rule that must not be broken: every
page works with scripts off, and nothing on it is fetched from another host.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from importlib.resources import files
from typing import Annotated
from urllib.parse import urlencode, urlsplit

from fastapi import FastAPI, Form, Query, Request
from fastapi.exceptions import RequestValidationError
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.staticfiles import StaticFiles

from central.errors import BadInput, CentralError, NotNow, NotReady, NotThere
from central.services.orders import Approved
from central.services.overview import Overview
from central.web.formats import Formats
from central.web.languages import DEFAULT, TAGS, Language, words_of
from central.web.views import Said, view_of

LANGUAGE_COOKIE = "lang"
COOKIE_S = 365 * 86_400
REFRESH_S = 30
"""How often the page reads itself again."""
REFRESH_S_MIN = 2
PATH_API = "/api/"
PATH_DESCRIPTION = "/api/v1/openapi.json"
STATIC_DIGITS = 10
VERSION_MAX = 64

STATUS_OF: dict[type[CentralError], int] = {BadInput: 400, NotThere: 404, NotNow: 409, NotReady: 503}
"""The one table from an error's type to a page's status; whatever is not here is ours, 500."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class About:
    """What the foot of a page says of the program.

    `told_time` tells that its clock is a story's, from the configuration, and not the system's.
    """

    version: str
    told_time: bool


@dataclass(frozen=True, slots=True)
class PageSources:
    """What the pages need of the rest.

    `overview` reads the hospital now. `approve` takes a proposal's id and the version the buyer saw,
    and returns the order and whether this made it; it raises `NotThere` for an id that never was and `NotNow` for one
    that may not be approved, any more or as it was seen.
    """

    overview: Callable[[], Overview]
    approve: Callable[[str, str], Approved]
    refresh_s: int
    about: About

    def __post_init__(self) -> None:
        if self.refresh_s < REFRESH_S_MIN:
            raise BadInput(f"page refresh: expected at least {REFRESH_S_MIN} s, got {self.refresh_s}")


class Renderer:
    """The templates of every language, made once."""

    def __init__(self, about: About) -> None:
        self._environments = {language: _environment(language, about) for language in Language}

    def page(self, template: str, language: Language, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page in one language."""
        found = self._environments[language].get_template(template)
        return HTMLResponse(found.render(**values), status_code=status, headers=HEADERS)


def _environment(language: Language, about: About) -> Environment:
    words, formats = words_of(language), Formats(language)
    made = Environment(
        loader=PackageLoader("central.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined] # the extension's
    made.globals.update(
        f=formats,
        language=language,
        tag=TAGS[language],
        static_version=_static_version(),
        about=about,
        api_description=PATH_DESCRIPTION,
    )
    return made


def _static_version() -> str:
    """Return a word that changes when a static file does, so that no browser keeps an old one."""
    content = b"".join(
        one.read_bytes() for one in sorted(files("central.web").joinpath("static").iterdir(), key=lambda one: one.name)
    )
    return hashlib.sha256(content).hexdigest()[:STATIC_DIGITS]


def language_of(request: Request) -> Language:
    """Return the language asked for now, else the one asked for before, else Chinese."""
    asked = Language.of(request.query_params.get("lang"))
    return asked or Language.of(request.cookies.get(LANGUAGE_COOKIE)) or DEFAULT


def build_pages(sources: PageSources) -> FastAPI:
    """Return the application of the pages, to be mounted at `/` after everything else."""
    renderer = Renderer(sources.about)
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages.mount("/static", StaticFiles(packages=[("central.web", "static")]), name="static")
    _add_overview(pages, renderer, sources)
    _add_approval(pages, sources)
    _add_error_pages(pages, renderer)
    return pages


def _add_overview(pages: FastAPI, renderer: Renderer, sources: PageSources) -> None:
    @pages.get("/")
    def overview(
        request: Request, said: Annotated[str, Query()] = "", order: Annotated[str, Query(max_length=64)] = ""
    ) -> Response:
        language = language_of(request)
        view = view_of(sources.overview(), Said(said) if said in set(Said) else None, order)
        answer = renderer.page("overview.html.j2", language, view=view, refresh_s=sources.refresh_s)
        if request.cookies.get(LANGUAGE_COOKIE) != language:
            answer.set_cookie(LANGUAGE_COOKIE, language, max_age=COOKIE_S, httponly=True, samesite="lax")
        return answer


def _add_approval(pages: FastAPI, sources: PageSources) -> None:
    @pages.post("/proposals/{proposal}/approve")
    def approve(
        request: Request, proposal: str, version: Annotated[str, Form(max_length=VERSION_MAX)] = ""
    ) -> Response:
        if not _from_here(request):
            raise HTTPException(403)
        language = language_of(request)
        try:
            done = sources.approve(proposal, version)
            said = {"said": (Said.APPROVED if done.fresh else Said.ALREADY).value, "order": done.order_no}
        except NotNow:
            said = {"said": Said.STALE.value}
        return RedirectResponse(f"/?{urlencode({'lang': language.value, **said})}", status_code=303)


def _from_here(request: Request) -> bool:
    """Tell whether a form was sent from this host's own page: another site may not press the button."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _problem(status: int) -> Response:
    """Return a problem document (RFC 9457) for an address under the API that the API does not know."""
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": "expected an address and method of the API; its OpenAPI document lists them",
    }
    return JSONResponse(problem, status, media_type="application/problem+json")


def _add_error_pages(pages: FastAPI, renderer: Renderer) -> None:
    def answer(request: Request, status: int) -> Response:
        if request.url.path.startswith(PATH_API):
            return _problem(status)
        return renderer.page("error.html.j2", language_of(request), status, code=status)

    def refused(request: Request, error: Exception) -> Response:
        status = next((code for kind, code in STATUS_OF.items() if isinstance(error, kind)), 500)
        return answer(request, status)

    def http(request: Request, error: Exception) -> Response:
        return answer(request, error.status_code if isinstance(error, HTTPException) else 500)

    def malformed(request: Request, _error: Exception) -> Response:
        return answer(request, 400)

    def broken(request: Request, _error: Exception) -> Response:
        return answer(request, 500)

    pages.add_exception_handler(CentralError, refused)
    pages.add_exception_handler(HTTPException, http)
    pages.add_exception_handler(RequestValidationError, malformed)
    pages.add_exception_handler(Exception, broken)
