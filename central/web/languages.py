"""The languages of the pages: Chinese first, English beside it, and the catalogue that turns one into the other.

English sentences in the templates are the keys; Chinese stands in `translations/zh.po` and, by subject, in
`zh.SUBJECT.po` beside it, read once at start, so nothing is compiled and nothing generated is kept. The rule that must
not be broken: a reader gets one language, never a mix.
"""

import io
from dataclasses import dataclass
from enum import StrEnum
from gettext import NullTranslations
from importlib.resources import files
from typing import Self

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations


class Language(StrEnum):
    """What a reader may ask for, as `?lang=` says it."""

    ZH = "zh"
    EN = "en"

    @classmethod
    def of(cls, text: str | None) -> Self | None:
        """Return the language a text names, None when it names none we have."""
        return cls(text) if text in set(cls) else None


DEFAULT = Language.ZH

LOCALES = {Language.ZH: Locale("zh", "CN", script="Hans"), Language.EN: Locale("en", "GB")}
"""Whose numbers and dates are written; British English says 24 hours and day before month."""

TAGS = {Language.ZH: "zh-CN", Language.EN: "en"}
"""What `<html lang>` says."""


@dataclass(frozen=True, slots=True)
class Words:
    """One language's catalogue, in the form the template engine asks for."""

    language: Language
    catalogue: NullTranslations


def words_of(language: Language) -> Words:
    """Read a language's catalogue; English needs none, its words are the keys."""
    if language is Language.EN:
        return Words(language, NullTranslations())
    compiled = io.BytesIO()
    write_mo(compiled, catalogue_of(language))
    compiled.seek(0)
    return Words(language, Translations(compiled))


def catalogue_of(language: Language) -> Catalog:
    """Return the sentences of every file of a language. Raises `ValueError` for one that stands in two files."""
    whole = Catalog(locale=LOCALES[language])
    found = files("central.web").joinpath("translations").iterdir()
    for one in sorted((f for f in found if f.name.startswith(f"{language}.")), key=lambda one: one.name):
        for message in read_po(io.BytesIO(one.read_bytes()), locale=LOCALES[language]):
            if message.id and message.id in whole:
                raise ValueError(f"{one.name}: expected a sentence of no other file, got {message.id!r}")
            whole[message.id] = message
    return whole
