"""The pages ask nothing of a browser that the stated floor lacks: each feature stands in a list with its source."""

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import pytest

WEB = Path(str(files("central.web")))
ROOT = Path(__file__).parents[3]
LIST = ROOT / "tests" / "vectors" / "browsers" / "features.tsv"
FLOOR = 86
"""As docs/browsers.md states it."""

SYNTAX = {
    "?.": r"\?\.", "...": r"\.\.\.", "async": r"\basync\b", "for of": r"\bfor \(const \w+ of\b", "=>": r"=>", "`": r"`",
    "catch without a name": r"\bcatch \{",
}  # fmt: skip
NEWER = r"\|\|=|&&=|\?\?=|\bstatic \{|#\w+ in\b|^await\b|/[a-z]*[dv][a-z]*\.(?:test|exec)|\busing \w+ ="
"""Logical assignment (85), static blocks (94), `#x in` (91), await of a module (89), new flags, `using`: never."""
DECLARED = re.compile(r"\b(?:const|let|function|async function) (\w+)|\((\w+)(?:, (\w+))?\) (?:=>|\{)")
OWN = {"FORMATS", "LOOK_MS"}


@dataclass(frozen=True)
class Feature:
    kind: str
    name: str
    chromium: int
    without: str
    source: str


def listed() -> list[Feature]:
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [Feature(row["kind"], row["name"], int(row["chromium"]), row["without"], row["source"]) for row in rows]


def sheet() -> str:
    return re.sub(r"/\*.*?\*/", "", (WEB / "static" / "page.css").read_text("utf-8"), flags=re.DOTALL)


def in_sheet() -> set[tuple[str, str]]:
    text = sheet()
    heads, rules = re.sub(r"\{[^{}]*\}", "{}", text), " ".join(re.findall(r"\{([^{}]*)\}", text))
    rules = re.sub(r'"[^"]*"', '""', rules)
    found = {("property", name) for name in re.findall(r"(?:^|[;\s])(-?[a-z][a-z-]*)\s*:", rules)}
    found |= {("selector", name) for name in re.findall(r"::?[a-z][a-z-]*", heads)} - {("selector", ":")}
    found |= {("function", name) for name in re.findall(r"([a-z-]+)\(", rules)}
    found |= {("at-rule", name) for name in re.findall(r"@[a-z-]+", heads)}
    for query in re.findall(r"@media ([^{]*)", heads):
        found |= {("media", name) for name in re.findall(r"[a-z-]{3,}(?=:)|^[a-z]+", query)}
    found |= {("unit", name) for name in re.findall(r"(?<![\w#-])-?[\d.]+(%|[a-z]+)", rules)}
    if re.search(r"#[0-9a-f]{8}\b|#[0-9a-f]{4}\b", rules):
        found.add(("colour", "#rrggbbaa"))
    return {one for one in found if one != ("selector", ":760px")}


def in_templates() -> set[tuple[str, str]]:
    found: set[tuple[str, str]] = set()
    for path in (WEB / "templates").glob("*.j2"):
        text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.DOTALL)
        for name, inside in re.findall(r"<([a-zA-Z][\w-]*)((?:\s+[^<>]*?)?)/?>", text):
            found.add(("element", name))
            quiet = re.sub(r'"[^"]*"', '""', inside)
            names = re.findall(r"([a-zA-Z_:][\w:.-]*)(?=\s*=|\s|$)", quiet)
            found |= {("attribute", one) for one in names if not one.startswith(("aria-", "data-")) and one != "role"}
    return found


def scripts() -> Iterable[str]:
    for path in (WEB / "static").glob("*.js"):
        yield re.sub(r"//[^\n]*", "", path.read_text("utf-8"))


def in_scripts() -> set[tuple[str, str]]:
    found = {("syntax", "module")}
    for text in scripts():
        found |= {("syntax", name) for name, pattern in SYNTAX.items() if re.search(pattern, text)}
        bare = re.sub(r"`[^`]*`", "``", re.sub(r'"[^"\n]*"', '""', text))
        bare = re.sub(r"\.dataset\.\w+", ".dataset", bare)  # our own names
        own = {name for one in DECLARED.findall(bare) for name in one if name} | OWN
        members = set(re.findall(r"(?<!\.\.)\.([A-Za-z_]\w*)", bare))
        called = set(re.findall(r"(?<![.\w])([A-Za-z_]\w*)(?=\(|\.)", bare)) | set(re.findall(r"new (\w+)", bare))
        names = (members | called | (set(re.findall(r"in (\w+) &&", bare)))) - own
        found |= {("script", name) for name in names}
    return found


def used() -> set[tuple[str, str]]:
    return in_sheet() | in_templates() | in_scripts()


def test_every_feature_that_is_used_is_listed_and_no_other() -> None:
    known = {(one.kind, one.name) for one in listed()}
    assert (sorted(used() - known), sorted(known - used())) == ([], [])


@pytest.mark.parametrize("one", listed(), ids=lambda one: f"{one.kind} {one.name}")
def test_a_feature_is_as_old_as_the_floor_or_says_what_is_missed_without_it(one: Feature) -> None:
    assert one.chromium <= FLOOR or one.without
    assert re.fullmatch(r"(css|html|svg|api|javascript)/[\w/.-]+\.json(#[\w-]+)?", one.source)


def test_no_newer_syntax_is_used() -> None:
    assert [found for text in scripts() for found in re.findall(NEWER, text, re.MULTILINE)] == []


def test_the_stated_floor_is_the_one_that_is_held() -> None:
    assert f"**Chromium {FLOOR} or newer**" in (ROOT / "docs" / "browsers.md").read_text("utf-8")
    assert max(one.chromium for one in listed() if not one.without) == FLOOR


def test_no_script_or_style_stands_in_a_page() -> None:
    for path in (WEB / "templates").glob("*.j2"):
        text = path.read_text("utf-8")
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", text), path.name
