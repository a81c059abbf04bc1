"""docs/imports.md against the forms: every file and column is on the page with what it may hold, and no other."""

import re
from pathlib import Path

import pytest

from central.core.forms import FORMS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "imports.md").read_text("utf-8")


def sections() -> dict[str, list[tuple[str, str]]]:
    parts = PAGE.split("\n## ")[1:]
    return {part.partition("\n")[0]: re.findall(r"^\| `(\w+)` \| (.+) \|$", part, re.MULTILINE) for part in parts}


def test_the_page_names_every_file_and_no_other() -> None:
    assert list(sections()) == list(FORMS)


@pytest.mark.parametrize("file", FORMS)
def test_the_columns_of_a_file_stand_on_the_page_as_the_form_has_them(file: str) -> None:
    assert sections()[file] == [(column.name, column.meant) for column in FORMS[file].columns]
