"""The catalogue as rules: the life of an item, the quarterly review, trim against a frozen baseline, codes and packs.

A new item goes from draft over its evidence and approval into use; an item that was imported on the first day is in
use. The rules that must not be broken: an item that is not active is not ordered; who drafted an item or gave its
evidence does not approve it; an item leaves the catalogue only by a decision of a review, or the head's.

Sources: A1-A4 (S0) review by quarter, use below 10 % with a substitute, trim 15-20 %, ethics committee's evidence; A13
(S0) on request; registration numbers: 医疗器械注册与备案管理办法, article 114; insurance code: 20 or 27 characters.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from central.errors import BadInput, NotNow
from protocols.codes.gtin import gtin14
from protocols.errors import BadValue

TEXT_MAX = 500
FILE_BYTES_MAX = 5 * 1024 * 1024
"""A scanned page of minutes."""
MONTHS = 12
"""Months of use that a review looks at."""


class ItemState(StrEnum):
    """Where an item stands in the catalogue."""

    DRAFT = "draft"
    EVIDENCE = "evidence"
    APPROVED = "approved"
    ACTIVE = "active"
    RETIRED = "retired"


class ItemStep(StrEnum):
    """What may happen to it."""

    DRAFT = "draft"
    EVIDENCE = "evidence"
    RETURN = "return"
    APPROVE = "approve"
    ACTIVATE = "activate"
    RETIRE = "retire"


_S, _E = ItemState, ItemStep
ITEM_STEPS: Mapping[tuple[ItemState, ItemStep], ItemState] = MappingProxyType(
    {
        (_S.DRAFT, _E.EVIDENCE): _S.EVIDENCE,
        (_S.DRAFT, _E.RETIRE): _S.RETIRED,
        (_S.EVIDENCE, _E.EVIDENCE): _S.EVIDENCE,
        (_S.EVIDENCE, _E.RETURN): _S.DRAFT,
        (_S.EVIDENCE, _E.APPROVE): _S.APPROVED,
        (_S.APPROVED, _E.ACTIVATE): _S.ACTIVE,
        (_S.APPROVED, _E.RETIRE): _S.RETIRED,
        (_S.ACTIVE, _E.RETIRE): _S.RETIRED,
        (_S.RETIRED, _E.DRAFT): _S.DRAFT,
    }
)
"""What is admitted. Evidence may be added to; a retired item comes back as a draft, with evidence of its own."""


def item_after(state: ItemState, event: ItemStep) -> ItemState:
    """Return an item's state after an event. Raises `NotNow` naming both when the table does not admit it."""
    after = ITEM_STEPS.get((state, event))
    if after is None:
        can = ", ".join(step for before, step in ITEM_STEPS if before == state)
        raise NotNow(f"item: cannot {event} one that is {state}; it can {can}")
    return after


class Tier(StrEnum):
    """Which list an item is on; empty: not sorted yet."""

    BASIC = "basic"
    SPECIALIST = "specialist"
    HIGH_VALUE = "high-value"


class Mode(StrEnum):
    """How an item is replenished; `usual` is by the hospital's policy."""

    USUAL = "usual"
    ON_REQUEST = "on-request"


@dataclass(frozen=True, slots=True)
class Usage:
    """An item's use in twelve months: wards times months with use, and all in which it was in a ward's catalogue."""

    used: int
    all: int

    def __post_init__(self) -> None:
        if not 0 <= self.used <= self.all:
            raise BadInput(f"usage: expected 0 <= months with use <= months, got {self.used} of {self.all}")

    @property
    def rate(self) -> Fraction | None:
        """Months with use / months (usage-rate.1); None for an item in no ward's catalogue."""
        return Fraction(self.used, self.all) if self.all else None


def usage_of(months_used: Mapping[str, AbstractSet[int]], in_catalogue: AbstractSet[str]) -> Usage:
    """Return an item's usage: months 0..11 in which each ward used it; `in_catalogue` are wards that hold it besides.

    A ward that uses or holds it has it in its catalogue from the first month in which anybody used it, so that a new
    item is not blamed for the months before it came.
    """
    wards = {*in_catalogue, *(ward for ward, months in months_used.items() if months)}
    first = min((min(months) for months in months_used.values() if months), default=0)
    return Usage(sum(len(months) for months in months_used.values()), len(wards) * (MONTHS - first))


@dataclass(frozen=True, slots=True)
class Reviewed:
    """An item as a review sees it; `instead` are the active items that may stand for it."""

    item: str
    usage: Usage
    instead: tuple[str, ...]
    exempt: bool = False


def candidates(seen: Iterable[Reviewed], below: Fraction) -> list[Reviewed]:
    """Return the items to decide about: used in less than a share of their months and with a substitute (A2).

    Exempt items, and items in no ward's catalogue that nobody could have used, are never listed.
    """
    listed = [
        one for one in seen if one.usage.rate is not None and one.usage.rate < below and one.instead and not one.exempt
    ]
    return sorted(listed, key=lambda one: (one.usage.rate, one.item))


@dataclass(frozen=True, slots=True)
class Trim:
    """How far a class was trimmed: items in the frozen baseline, and of them those active now."""

    baseline: int
    active: int

    @property
    def share(self) -> Fraction | None:
        """1 - active / baseline (A3); None without a baseline."""
        return 1 - Fraction(self.active, self.baseline) if self.baseline else None


def trims(baseline: Mapping[str, str], active: Mapping[str, str]) -> dict[str, Trim]:
    """Return the trim of each class: items by class on 1 January, and active now, new ones counted too."""
    classes = sorted({*baseline.values(), *active.values()})
    return {
        name: Trim(sum(one == name for one in baseline.values()), sum(one == name for one in active.values()))
        for name in classes
    }


REGISTRATION = re.compile(
    r"[国京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新]械注[准进许](19|20)\d{2}[123]\d{6}"
    r"|[国\u4e00-\u9fff]{1,3}械备(19|20)\d{6,8}号?"
)
"""A registration number with year, class, category and serial; or a filing of class I."""
INSURANCE = re.compile(r"C[0-9A-Z]{19}|C[0-9A-Z]{26}")
MA_CODE = re.compile(r"MA\.\d{3}\.[0-9A-Z.\-]{3,}")


class CodeFault(StrEnum):
    """What looks wrong with an item's codes and packs; it warns and stops nothing."""

    REGISTRATION_LACKING = "registration-lacking"
    REGISTRATION_FORM = "registration-form"
    UDI_FORM = "udi-form"
    UDI_OTHER = "udi-other"
    INSURANCE_FORM = "insurance-form"
    PLATFORM_LACKING = "platform-lacking"
    PACKS = "packs"


@dataclass(frozen=True, slots=True)
class Codes:
    """An item's codes as text, and its packs: base units in the maker's, the middle and the purchase pack."""

    registration: str
    udi_di: str
    gtin: str
    insurance: str
    platform: str
    pack: int
    middle: int
    purchase: int


def code_faults(codes: Codes) -> list[CodeFault]:
    """Return what looks wrong with an item's codes and packs."""
    checks = [
        (CodeFault.REGISTRATION_LACKING, not codes.registration),
        (CodeFault.REGISTRATION_FORM, bool(codes.registration) and not REGISTRATION.fullmatch(codes.registration)),
        (CodeFault.UDI_FORM, bool(codes.udi_di) and not _is_udi(codes.udi_di)),
        (CodeFault.UDI_OTHER, bool(codes.gtin) and _is_gtin(codes.udi_di) and gtin14(codes.udi_di) != codes.gtin),
        (CodeFault.INSURANCE_FORM, bool(codes.insurance) and not INSURANCE.fullmatch(codes.insurance)),
        (CodeFault.PLATFORM_LACKING, not codes.platform),
        (CodeFault.PACKS, bool(codes.purchase % codes.middle or codes.purchase % codes.pack)),
    ]
    return [fault for fault, wrong in checks if wrong]


def _is_udi(text: str) -> bool:
    return _is_gtin(text) or bool(MA_CODE.fullmatch(text))


def _is_gtin(text: str) -> bool:
    try:
        gtin14(text)
    except BadValue:
        return False
    return True


def in_packs(qty: int, codes: Codes) -> Sequence[int]:
    """Return a quantity of base units as purchase packs, middle packs and base units left over, exactly."""
    purchase, rest = divmod(qty, codes.purchase)
    middle, left = divmod(rest, codes.middle)
    return purchase, middle, left
