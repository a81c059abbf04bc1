"""Where a sheet's heads are and what they say: titles above, several rows of heads, merged ones, told apart from data.

It guesses, and says what it guessed: a person sees and may change it. The rule that must not be broken: the same heads
have the same fingerprint, in whatever order the columns stand and whatever the title above says.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unicodedata import normalize

from central.core.intake.called import CALLED
from central.core.intake.cells import Raw, shown
from central.core.intake.kinds import Kind

LOOKED_AT_ROWS = 30
"""Rows from the top among which the heads are looked for."""
HEAD_ROWS_MAX = 4
KNOWN_MIN = 2
"""Head words that a row needs to be taken for a head."""

JOINED = " / "
ASIDE = re.compile(r"[(\[（【].*?[)\]）】]|[*＊:：\s]")
"""What stands beside a head word and is no part of it: remarks in brackets, stars of what must be filled in."""

Rows = Sequence[Sequence[Raw]]
Merged = Sequence[tuple[tuple[int, int], tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Heads:
    """Rows `first`..`last` (from 0) are heads; `names` says what each column is called, empty for one without."""

    first: int
    last: int
    names: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """The digest by which the same heads are known again."""
        said = "\n".join(sorted(plain(name) for name in self.names if name))
        return hashlib.sha256(said.encode()).hexdigest()[:32]

    @property
    def known(self) -> tuple[str, ...]:
        """The names a mapping may choose from."""
        return tuple(name for name in self.names if name)


def plain(text: str) -> str:
    """Return a head word without width, case, space and remarks."""
    return ASIDE.sub("", normalize("NFKC", text)).casefold()


_WORDS: frozenset[str] = frozenset(plain(word) for words in CALLED.values() for word in words)


def spread(rows: Rows, merged: Merged) -> list[list[Raw]]:
    """Return the rows with the value of a merged cell in each cell it covers."""
    told = [list(row) for row in rows]
    for (top, left), (bottom, right) in merged:
        value = told[top][left] if top < len(told) and left < len(told[top]) else None
        for row in told[top : bottom + 1]:
            row[left : right + 1] = [value] * len(row[left : right + 1])
    return told


def heads_of(rows: Rows) -> Heads | None:
    """Guess where the heads are, None where no row reads like one."""
    scores = [len({plain(shown(cell)) for cell in row} & _WORDS) for row in rows[:LOOKED_AT_ROWS]]
    best = max(scores, default=0)
    if best < KNOWN_MIN:
        return None
    last = max(at for at, score in enumerate(scores) if score == best and at < _first_of(scores, best) + HEAD_ROWS_MAX)
    first = last
    while first > 0 and last - first + 1 < HEAD_ROWS_MAX and _is_above(rows[first - 1], rows[first]):
        first -= 1
    return heads_at(rows, first, last)


def _first_of(scores: Sequence[int], best: int) -> int:
    return scores.index(best)


def _is_above(above: Sequence[Raw], below: Sequence[Raw]) -> bool:
    """Tell whether a row is a head over heads: most columns have a word in it, more than one, and some share one."""
    said, under = [shown(cell) for cell in above], [shown(cell) for cell in below]
    filled = [word for word in said if word]
    wanted = sum(bool(word) for word in under)
    return len(set(filled)) > 1 and len(filled) * 2 > wanted and len(set(filled)) < len(filled)


def heads_at(rows: Rows, first: int, last: int) -> Heads:
    """Return the heads of some rows, each column's words from top to bottom joined, the same word once."""
    width = max((len(row) for row in rows[first : last + 1]), default=0)
    names: list[str] = []
    for at in range(width):
        words = [shown(row[at]) if at < len(row) else "" for row in rows[first : last + 1]]
        name = JOINED.join(dict.fromkeys(word for word in words if word))
        names.append(_unlike(name, names))
    return Heads(first, last, tuple(names))


def _unlike(name: str, before: Sequence[str]) -> str:
    """Return a name that no column before it has."""
    if not name or name not in before:
        return name
    return next(other for number in range(2, len(before) + 3) if (other := f"{name} #{number}") not in before)


def suggested(kind: Kind, heads: Heads) -> Mapping[str, str]:
    """Return which head is likely which column: the likeliest word of each column, every head once."""
    left = {name: {plain(name), plain(name.split(JOINED)[-1])} for name in heads.known}
    found: dict[str, str] = {}
    ranked = sorted(
        (CALLED[column.name].index(word), column.name, head)
        for column, _ in kind.columns()
        for word in CALLED.get(column.name, ())
        for head, said in left.items()
        if plain(word) in said
    )
    for _, column_name, head in ranked:
        if column_name not in found and head not in found.values():
            found[column_name] = head
    return found
