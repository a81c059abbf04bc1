"""One label printed as two symbols, scanned one after the other: joined before anything is decided. Pure.

The first symbol alone is decided upon like any other, for it may be all there is; only if it is refused for something
that its other half may tell does it wait for that, and the person is told to look, not no. The rule that must not be
broken: what was acted upon is never joined to a later scan, so nothing is taken twice.
"""

from msgspec.structs import replace

from edge_agent.core.recognise import Meaning
from edge_agent.core.work.scene import Decision
from edge_agent.core.work.words import Said, Word
from protocols.codes.label import Label
from protocols.codes.merge import Half, join
from protocols.readers.scanner import Beep

LACKING = frozenset({Word.NO_SERIAL, Word.UNKNOWN_ITEM, Word.NOT_OF_SET})
"""Refusals of a label that says too little; what is refused for its date or its hold stays refused."""
HALF_S = 10.0
"""Seconds a person has to turn the pack and scan the other symbol."""


def join_scan(waiting: Half | None, meaning: Meaning, now_s: float) -> tuple[Meaning, Half | None]:
    """Return what one scan means together with the half before it, and the half that it may still be itself.

    `now_s` are seconds of any clock.
    """
    if not isinstance(meaning, Label):
        return meaning, None
    joined = join(waiting, meaning, now_s, HALF_S)
    if joined.waiting is None:
        return joined.labels[-1], None
    return joined.waiting.label, joined.waiting


def settle_half(half: Half | None, decision: Decision) -> tuple[Decision, Half | None]:
    """Return the decision on a half as it is told, and the half if it goes on waiting."""
    if half is None or decision.visit is None or not _lacks(half, decision):
        return decision, None
    return replace(
        decision, beep=Beep.LOOK, word=Word.OTHER_HALF, about={"why": Said(decision.word, decision.about)}
    ), half


def _lacks(half: Half, decision: Decision) -> bool:
    """Tell whether the other half may say what this refusal misses; a product that nobody knows stays unknown."""
    return decision.word in LACKING and (decision.word is not Word.UNKNOWN_ITEM or half.label.product is None)
