"""Whatever the record of acts may hold is said in words, in both languages: the acts are read from the code itself."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import Environment, PackageLoader

from central.web.languages import Language, words_of

CENTRAL = Path(str(files("central")))
WRITES = re.compile(
    r"""(?:\bnote\(|\b_note\(|\.note\(|\bsaw\(|\bKIND = )[^"\n]*?(f?)"([a-z]+(?:-[a-z]+)*-?(?:\{\w+\})?)\""""
)
NAMED = re.compile(r"""\bact="([a-z-]+)\"""")
STEPS = {
    "alarm-{step}": ("acknowledge", "close"), "settle-{step}": ("propose", "close", "approve", "refuse"),
    "change-{kind}": ("item", "supplier", "place"), "add-{kind}": ("item", "supplier", "place"), "{kind}-{event}": (),
}  # fmt: skip
"""Acts of which a part is put in, with each that it may be; those of documents are named below."""
KINDS = {"price-change", "consignment"}
"""Documents of which each step is an act of its own: the name of the kind, a dash, the step."""


def acts() -> set[str]:
    """Return every act that some line of the code writes down; where a part is put in, with each that it may be."""
    found: set[str] = set()
    for path in (CENTRAL / "services").rglob("*.py"):
        text = path.read_text("utf-8")
        for _, name in WRITES.findall(text):
            part = re.search(r"\{\w+\}", name)
            found |= {name.replace(part[0], one) for one in STEPS[name]} if part else {name}
        found |= set(NAMED.findall(text))
    steps = {f"{kind}-{step}" for kind in found & KINDS for step in ("propose", "approve", "agree")}
    return {one for one in found | steps if "-" in one and one not in KINDS}


@pytest.mark.parametrize("language", list(Language))
def test_every_act_of_the_record_is_said_in_words(language: Language) -> None:
    made = Environment(loader=PackageLoader("central.web"), autoescape=True, extensions=["jinja2.ext.i18n"])
    made.install_gettext_translations(words_of(language).catalogue, newstyle=True)  # type: ignore[attr-defined]
    say = made.from_string('{% import "words.html.j2" as words with context %}{{ words.act(act)|trim }}')
    found = sorted(acts())
    assert len(found) > 30
    assert [one for one in found if "class=" in say.render(act=one, language=language)] == []
