"""docs/api.md says of paging, keys, versions and refusals what the program does."""

import re
from http import HTTPStatus
from pathlib import Path

from central.api.description import OF_BODIES, PREFIX
from central.api.problems import STATUS_OF
from central.services.changes import Subject
from central.services.once import KEPT_S
from central.store.paging import LIMIT_DEFAULT, LIMIT_MAX

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")


def test_the_numbers_on_the_page_are_the_program_s() -> None:
    assert f"({LIMIT_DEFAULT} if left out, at most {LIMIT_MAX})" in PAGE
    assert f"within {KEPT_S / 3600:g} hours" in PAGE
    assert f"`{PREFIX}/openapi.json`" in PAGE


def test_the_page_says_what_every_refusal_means() -> None:
    told = {int(status) for row in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for status in row.split(",")}
    at_the_door = {*OF_BODIES, HTTPStatus.MISDIRECTED_REQUEST}
    assert told == {*(status.value for status in STATUS_OF.values()), *at_the_door} - {503}


def test_the_page_names_every_sort_of_event() -> None:
    assert all(f"`{subject}`" in PAGE for subject in Subject)
