"""Make a page: the templates of every language, the headers every page has, and the language a reader asked for.

It knows no page of its own. The rule that must not be broken: a page is drawn by a template that escapes, and nothing
on it is fetched from another host.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from importlib.resources import files
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from central.core.refusals import ALTERATIONS, SAID
from central.core.rights import Caller, Right
from central.web.formats import Formats
from central.web.languages import DEFAULT, TAGS, Language, words_of

LANGUAGE_COOKIE = "lang"
COOKIE_S = 365 * 86_400
PATH_DESCRIPTION = "/api/v1/openapi.json"
STATIC_DIGITS = 10
SENTENCES_MAX = 10_000
"""Sentences remembered in a language; the templates have some thousands."""

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
    to, for links to hand over; `path` the page that is read, and `asked` its question but for the language.
    """

    language: Language
    caller: Caller | None = None
    form_word: str = ""
    everyone: bool = False
    origin: str = ""
    path: str = ""
    asked: str = ""


class Renderer:
    """The templates of every language, made once a process."""

    def __init__(self, about: About) -> None:
        self._environments = {language: _environment(language, about) for language in Language}

    def page(self, template: str, visit: Visit, status: int = 200, **values: object) -> HTMLResponse:
        """Return a page for a visit, in its language."""
        found = self._environments[visit.language].get_template(template)
        told = found.render(visit=visit, me=visit.caller, **values)
        return HTMLResponse(told, status_code=status, headers=HEADERS)


@cache
def _environment(language: Language, about: About) -> Environment:
    """Return a language's templates; what is read and compiled of them serves every `Renderer` of a process."""
    words, formats = words_of(language), Formats(language)
    made = Environment(
        loader=PackageLoader("central.web"),
        autoescape=True,
        auto_reload=False,  # templates come with the program
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(words.catalogue, newstyle=True)  # type: ignore[attr-defined] # the extension's
    say = _sayer(words.catalogue)
    made.globals.update(
        _=say,
        gettext=say,
        f=formats,
        language=language,
        tag=TAGS[language],
        static_version=_static_version(),
        about=about,
        Right=Right,
        refusals=SAID,
        alterations=ALTERATIONS,
        api_description=PATH_DESCRIPTION,
    )
    return made


def _sayer(catalogue: NullTranslations) -> Callable[..., Markup]:
    """Return the function by which a template says a sentence; the engine's own looks each one up anew."""
    sentences: dict[str, Markup] = {}

    def say(sentence: str, /, **values: object) -> Markup:
        said = sentences.get(sentence)
        if said is None:
            if len(sentences) >= SENTENCES_MAX:
                sentences.clear()
            said = sentences[sentence] = Markup(catalogue.gettext(sentence))  # ours, not a reader's
        return said % values

    return say


def _static_version() -> str:
    """Return a word that changes when a static file does, so that no browser keeps an old one."""
    content = b"".join(
        one.read_bytes() for one in sorted(files("central.web").joinpath("static").iterdir(), key=lambda one: one.name)
    )
    return hashlib.sha256(content).hexdigest()[:STATIC_DIGITS]


def asked_of(request: Request) -> str:
    """Return the question of a page that is only read, to be asked again in another language; empty after a form."""
    if request.method != "GET":
        return ""
    return urlencode([(name, text) for name, text in request.query_params.multi_items() if name != "lang"])


def language_of(request: Request) -> Language:
    """Return the language asked for now, else the one asked for before, else Chinese."""
    asked = Language.of(request.query_params.get("lang"))
    return asked or Language.of(request.cookies.get(LANGUAGE_COOKIE)) or DEFAULT
