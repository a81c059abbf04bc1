"""Why somebody says no, or another quantity: a code from a short list, to be counted; in words only where it is much.

It is about proposals, price changes, rules and whatever else a person turns down, and about quantities that are ordered
or granted beside what was proposed or asked for. The rule that must not be broken: neither is done without a code, and
above the limit, or for another reason, it says in words what it is.

Source: A9 (S3), every step has its decision and its reason.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from central.errors import BadInput
from protocols.values.money import Money

TEXT_MAX = 500


class Refusal(StrEnum):
    """Why not."""

    NOT_NEEDED = "not-needed"
    ENOUGH = "enough-stock"
    TOO_MUCH = "too-much"
    TOO_DEAR = "too-dear"
    SUBSTITUTE = "substitute"
    BUDGET = "budget"
    EVIDENCE = "evidence-missing"
    MISTAKE = "mistake"
    OTHER = "other"


SAID: Mapping[Refusal, tuple[str, str]] = MappingProxyType(
    {
        Refusal.NOT_NEEDED: ("临床不再需要", "no longer needed"),
        Refusal.ENOUGH: ("库存足够", "enough in stock"),
        Refusal.TOO_MUCH: ("数量过多", "too much"),
        Refusal.TOO_DEAR: ("价格过高", "too dear"),
        Refusal.SUBSTITUTE: ("改用替代品", "another product instead"),
        Refusal.BUDGET: ("超出预算", "over the budget"),
        Refusal.EVIDENCE: ("依据不足", "evidence is missing"),
        Refusal.MISTAKE: ("填报错误", "entered by mistake"),
        Refusal.OTHER: ("其他", "another reason"),
    }
)
"""Every reason in Chinese and English, in the order in which it is offered."""


class Alteration(StrEnum):
    """Why another quantity."""

    MORE_USE = "more-use"
    LESS_USE = "less-use"
    STILL_THERE = "still-there"
    SHORT = "stock-short"
    PACKS = "packs-or-terms"
    EXPIRY = "would-expire"
    BUDGET = "budget"
    RECORD = "record-wrong"
    OTHER = "other"


ALTERATIONS: Mapping[Alteration, tuple[str, str]] = MappingProxyType(
    {
        Alteration.MORE_USE: ("近期用量将增加", "more will be used"),
        Alteration.LESS_USE: ("近期用量将减少", "less will be used"),
        Alteration.STILL_THERE: ("科室或库房尚有存量", "enough is still there"),
        Alteration.SHORT: ("库存不足，先供部分", "too little in stock, a part first"),
        Alteration.PACKS: ("凑整包装或供应商条件", "to suit packs or the supplier's terms"),
        Alteration.EXPIRY: ("避免过期", "more would expire"),
        Alteration.BUDGET: ("超出预算", "over the budget"),
        Alteration.RECORD: ("系统数据有误", "the record is wrong"),
        Alteration.OTHER: ("其他", "another reason"),
    }
)
"""Every reason for another quantity in Chinese and English, in the order in which it is offered."""


@dataclass(frozen=True, slots=True)
class Altered:
    """Why another quantity was ordered or granted: its code, and its words where there are any."""

    code: Alteration
    text: str

    @property
    def detail(self) -> dict[str, str]:
        """How it stands in a record."""
        return {"why": self.code.value, "text": self.text}


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal that was given: its code, and its words where there are any."""

    code: Refusal
    text: str

    @property
    def detail(self) -> dict[str, str]:
        """How it stands in a record."""
        return {"refusal": self.code.value, "text": self.text}


def refused(code: str, text: str, *, amount: Money | None = None, limit: Money | None = None) -> Refused:
    """Return a refusal as it was given; above the limit it needs words. Raises `BadInput` saying what is lacking."""
    if code not in set(Refusal):
        raise BadInput(f"refusal: expected one of {', '.join(Refusal)}, got {code!r:.40}")
    return Refused(Refusal(code), _words(text, other=code == Refusal.OTHER, amount=amount, limit=limit))


def altered(code: str, text: str, *, amount: Money | None = None, limit: Money | None = None) -> Altered:
    """Return why another quantity, as it was given; `amount` is what the difference is worth, above the limit it needs
    words. Raises `BadInput` saying what is lacking.
    """
    if code not in set(Alteration):
        raise BadInput(f"change: expected one of {', '.join(Alteration)} for another quantity, got {code!r:.40}")
    return Altered(Alteration(code), _words(text, other=code == Alteration.OTHER, amount=amount, limit=limit))


def _words(text: str, *, other: bool, amount: Money | None, limit: Money | None) -> str:
    said = text.strip()
    if len(said) > TEXT_MAX:
        raise BadInput(f"words: expected at most {TEXT_MAX} characters, got {len(said)}")
    dear = amount is not None and limit is not None and amount > limit
    if not said and (dear or other):
        why = "above the limit for a code alone" if dear else "for another reason than those listed"
        raise BadInput(f"words: expected why in a few words, {why}, got none")
    return said
