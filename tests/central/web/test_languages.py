"""Every sentence of the pages stands in both languages, and nothing else stands in the catalogue."""

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir

from central.web.languages import DEFAULT, Language, catalogue_of, words_of
from protocols.movements.table import MOVEMENTS

WEB = Path(str(files("central.web")))
HAN = re.compile(r"[\u3400-\u9fff]")
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
HALF_WIDTH_AFTER_HAN = re.compile(r"[\u3400-\u9fff][,:;!?]")


def used() -> set[tuple[str, ...]]:
    found = extract_from_dir(WEB, method_map=[("**.j2", "jinja2.ext:babel_extract"), ("**.py", "python")])
    return {(message,) if isinstance(message, str) else tuple(message) for _, _, message, _, _ in found}


def key(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def written(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


@pytest.fixture(scope="module")
def chinese() -> Catalog:
    return catalogue_of(Language.ZH)


def real(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


def test_every_sentence_of_the_templates_has_its_chinese(chinese: Catalog) -> None:
    assert used() - {key(message) for message in real(chinese)} == set()


def test_the_catalogue_holds_nothing_that_no_page_says(chinese: Catalog) -> None:
    assert {key(message) for message in real(chinese)} - used() == set()


def test_a_translation_is_chinese_and_keeps_the_numbers(chinese: Catalog) -> None:
    for message in real(chinese):
        wanted = set(PLACEHOLDER.findall(key(message)[-1]))
        for text in written(message):
            assert text, message.id
            assert HAN.search(text) or text == "%(right)s/%(all)s", message.id
            assert set(PLACEHOLDER.findall(text)) == wanted, message.id
            assert not message.fuzzy, message.id


def test_chinese_sentences_use_chinese_punctuation(chinese: Catalog) -> None:
    for message in real(chinese):
        assert not any(HALF_WIDTH_AFTER_HAN.search(text) for text in written(message)), message.id


def test_no_key_is_chinese() -> None:
    assert not [one for one in used() if any(HAN.search(text) for text in one)]


def test_every_movement_has_a_word() -> None:
    template = (WEB / "templates" / "words.html.j2").read_text("utf-8")
    said = set(re.findall(r'"(\w+)": _\(', template))
    assert set(MOVEMENTS) - said == set()


def test_english_counts_one_and_many() -> None:
    words = words_of(Language.EN).catalogue
    assert words.ngettext("ward offline", "wards offline", 1) == "ward offline"
    assert words.ngettext("ward offline", "wards offline", 2) == "wards offline"


def test_an_unknown_language_is_none_and_the_default_is_chinese() -> None:
    assert Language.of("fr") is None
    assert Language.of(None) is None
    assert DEFAULT is Language.ZH
