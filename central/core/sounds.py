"""How a Chinese name sounds: its initials and its spelling in pinyin, by which people who cannot type it look for it.

It searches nothing. The rule that must not be broken: what is no Chinese stays as it is, in lower case, so that `7Fr`
in a name is found by `7fr`.

Source: GB/T 16159-2012 (the basic rules of Hanyu Pinyin orthography), without tones.
"""

import re
from dataclasses import dataclass

from pypinyin import Style, lazy_pinyin

NAME_MAX = 200
"""Characters of a name that are spelled."""

_WORDS = re.compile(r"[0-9a-z]+")


@dataclass(frozen=True, slots=True)
class Sounds:
    """A name's first letters, such as `ycxzxjmdgb`, and its whole spelling, such as `yicixing…`."""

    initials: str
    spelled: str


def sounds_of(name: str) -> Sounds:
    """Return how a name sounds; a character of several sounds is read as in the words the dictionary knows."""
    return Sounds(*("".join(_WORDS.findall(_spell(name[:NAME_MAX], style))) for style in _STYLES))


_STYLES = (Style.FIRST_LETTER, Style.NORMAL)


def _spell(name: str, style: Style) -> str:
    return "".join(lazy_pinyin(name, style=style)).lower()
