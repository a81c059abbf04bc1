"""Make a page: the templates of every language, the headers every page has, and the language a reader asked for.

It knows no page of its own. The rule that must not be broken: a page is drawn by a template that escapes, and nothing
on it is fetched from another host.
"""

import hashlib
from dataclasses import dataclass
from importlib.resources import files

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from central.core.rights import Caller, Right
from central.web.formats import Formats
from central.web.languages import DEFAULT, TAGS, Language, words_of

LANGUAGE_COOKIE = "lang"
COOKIE_S = 365 * 86_400
PATH_DESCRIPTION = "/api/v1/openapi.json"
STATIC_DIGITS = 10

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
class Visit:
    """One request for a page: in which language, by whom (None: nobody is signed in), and the word its forms carry.

    `everyone` tells that nobody signs in here: whoever comes is this caller. `origin` is the address the reader came
    to, for links to hand over.
    """

    language: Language
    caller: Caller | None = None
    form_word: str = ""
    everyone: bool = False
    origin: str = ""


class Renderer:
    """The templates of every language, made once."""

    def __init__(self, about: About) -> None:
        self._environments = {language: _environment(language, about) for language in Language}

    def page(self, template: str, visit: Visit, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page for a visit, in its language."""
        found = self._environments[visit.language].get_template(template)
        told = found.render(visit=visit, me=visit.caller, **values)
        return HTMLResponse(told, status_code=status, headers=HEADERS)


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
        Right=Right,
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
