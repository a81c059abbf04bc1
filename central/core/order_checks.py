"""What is held against every line to a supplier when it is ordered, and what stands in its way.

Each check finds something or not; a policy row says whether a finding is let be, told, or stops the order. The rules
that must not be broken: a price over the winning price always stops it, by the smallest unit of money already, whatever
a policy says; what stops an order is lifted by a waiver with a reason and an end, given by another person than the one
who approves, and that price by none.

Sources: A4, A6, A7, A11 (S0, S4), B2, B4, B6 (S0, S4), C5, C6 (S2).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from fractions import Fraction

from central.core.agreements import FrameworkPrice, Platform, price_on
from central.errors import BadInput
from protocols.values.money import Money

REASON_MAX = 500
WAIVER_DAYS_MAX = 366
"""A waiver ends within the agreement year."""


class Finding(StrEnum):
    """What may be found of a line."""

    WINNING_PRICE = "winning-price"
    HIGH_PRICE = "high-price"
    OFF_PLATFORM = "off-platform"
    LIST_PRICE = "list-price"
    AGREEMENT_PRICE = "agreement-price"
    AGREEMENT_OVER = "agreement-over"
    CERTIFICATE = "certificate"
    SUPPLIER_BLOCKED = "supplier-blocked"
    GRADE_C = "grade-c"
    NOT_ACTIVE = "not-active"


class Mode(StrEnum):
    """What a finding does."""

    OFF = "off"
    WARN = "warn"
    BLOCK = "block"


MODES = (Mode.OFF, Mode.WARN, Mode.BLOCK)
"""As a policy row counts them: 0, 1, 2."""


class Excuse(StrEnum):
    """Why a line may be ordered all the same."""

    MEDICAL = "medical"
    NO_SUBSTITUTE = "no-substitute"
    EMERGENCY = "emergency"
    SHORTAGE = "shortage"
    RENEWAL = "renewal"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Asked:
    """One line as the checks see it, prices a base unit; None where nothing is known or it does not apply.

    `selected_price` is the lowest winning price in the group of a product that was not selected. `on_platform` is None
    where the hospital keeps no list of the platform. `agreement_price` is the price in force, `agreement_over` tells
    that there was one and its days are gone. `lapsed` names the certificates that are over.
    """

    item: str
    supplier: str
    price: Money
    winning_price: Money | None = None
    selected_price: Money | None = None
    on_platform: bool | None = None
    list_price: Money | None = None
    agreement_price: Money | None = None
    agreement_over: bool = False
    lapsed: tuple[str, ...] = ()
    supplier_blocked: bool = False
    grade: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """One finding with what it does, what is allowed and what came."""

    finding: Finding
    mode: Mode
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Waiver:
    """Why a finding of an item of a supplier is let pass from a day to a day, both included, and who said so."""

    id: str
    finding: Finding
    item: str
    supplier: str
    reason: Excuse
    remark: str
    first: date
    last: date
    person: str

    def __post_init__(self) -> None:
        if self.finding is Finding.WINNING_PRICE:
            raise BadInput("waiver: expected another finding; a price over the winning price is never let pass")
        if self.last < self.first or (self.last - self.first).days > WAIVER_DAYS_MAX:
            raise BadInput(f"waiver: expected an end within {WAIVER_DAYS_MAX} days of {self.first}, got {self.last}")
        if len(self.remark) > REASON_MAX or (self.reason is Excuse.OTHER and not self.remark.strip()):
            raise BadInput(f"remark: expected 1 to {REASON_MAX} characters where the reason is 'other'")

    def lifts(self, found: Found, asked: Asked, day: date) -> bool:
        """Tell whether it lets a finding of a line pass on a day."""
        same = (self.finding, self.item, self.supplier) == (found.finding, asked.item, asked.supplier)
        return same and self.first <= day <= self.last


def findings(asked: Asked, modes: Mapping[Finding, Mode], factor: Fraction) -> tuple[Found, ...]:
    """Return what is found of a line and not switched off; `factor` is the k of a high price (C5)."""
    said = [(finding, modes.get(finding, Mode.WARN), detail) for finding, detail in _said(asked, factor)]
    return tuple(
        Found(finding, Mode.BLOCK if finding is Finding.WINNING_PRICE else mode, detail)
        for finding, mode, detail in said
        if mode is not Mode.OFF or finding is Finding.WINNING_PRICE
    )


def _said(asked: Asked, factor: Fraction) -> list[tuple[Finding, Mapping[str, object]]]:
    said: list[tuple[Finding, Mapping[str, object]]] = []
    for finding, allowed in (
        (Finding.WINNING_PRICE, asked.winning_price),
        (Finding.LIST_PRICE, asked.list_price),
        (Finding.AGREEMENT_PRICE, asked.agreement_price),
    ):
        if allowed is not None and asked.price > allowed:
            said.append((finding, {"allowed": int(allowed), "price": int(asked.price)}))
    if asked.selected_price is not None and asked.price > asked.selected_price * factor:
        high = {"allowed": int(asked.selected_price), "price": int(asked.price), "factor": str(factor)}
        said.append((Finding.HIGH_PRICE, high))
    plain: list[tuple[Finding, bool, Mapping[str, object]]] = [
        (Finding.OFF_PLATFORM, asked.on_platform is False, {}),
        (Finding.AGREEMENT_OVER, asked.agreement_over, {}),
        (Finding.CERTIFICATE, bool(asked.lapsed), {"certificates": list(asked.lapsed)}),
        (Finding.SUPPLIER_BLOCKED, asked.supplier_blocked, {}),
        (Finding.GRADE_C, asked.grade == "C", {"grade": asked.grade}),
        (Finding.NOT_ACTIVE, not asked.active, {}),
    ]
    return said + [(finding, detail) for finding, wrong, detail in plain if wrong]


def lifted_by(found: Found, asked: Asked, waivers: Sequence[Waiver], day: date) -> Waiver | None:
    """Return the waiver that lets a finding pass on a day, the newest first; None when none does."""
    return next((one for one in reversed(waivers) if one.lifts(found, asked, day)), None)


Key = tuple[str, str]
"""Item and supplier."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One finding, and the waiver that lets it pass."""

    found: Found
    waiver: Waiver | None

    @property
    def stops(self) -> bool:
        """Tell whether the line may not be ordered."""
        return self.found.mode is Mode.BLOCK and self.waiver is None


@dataclass(frozen=True, slots=True)
class Known:
    """What the checks know of one hospital on one day.

    `winning` is by item that was selected, `selected` by item that was not: the lowest winning price of its group.
    `listed` is None where no list of the platform was imported. `lapsed` names certificates that are
    over, by item and supplier, each empty where it is of every one.
    """

    day: date
    modes: Mapping[Finding, Mode]
    factor: Fraction
    winning: Mapping[str, Money] = field(default_factory=dict)
    selected: Mapping[str, Money] = field(default_factory=dict)
    listed: Sequence[Platform] | None = None
    frameworks: Mapping[Key, Sequence[FrameworkPrice]] = field(default_factory=dict)
    waivers: Sequence[Waiver] = ()
    lapsed: Mapping[Key, Sequence[str]] = field(default_factory=dict)
    barred: frozenset[str] = frozenset()
    grades: Mapping[str, str] = field(default_factory=dict)
    inactive: frozenset[str] = frozenset()

    def of(self, item: str, supplier: str, price: Money) -> list[Judged]:
        """Return what is found of a line, and what lets it pass."""
        asked = self.asked(item, supplier, price)
        return [
            Judged(found, lifted_by(found, asked, self.waivers, self.day))
            for found in findings(asked, self.modes, self.factor)
        ]

    def asked(self, item: str, supplier: str, price: Money) -> Asked:
        """Return a line as the checks see it."""
        on_platform, list_price = self._platform(item, supplier)
        agreed, over = self._framework(item, supplier)
        return Asked(
            item, supplier, price,
            winning_price=self.winning.get(item),
            selected_price=self.selected.get(item),
            on_platform=on_platform,
            list_price=list_price,
            agreement_price=agreed,
            agreement_over=over,
            lapsed=self.lapsed_for(item, supplier),
            supplier_blocked=supplier in self.barred,
            grade=self.grades.get(supplier, ""),
            active=item not in self.inactive,
        )  # fmt: skip

    def _platform(self, item: str, supplier: str) -> tuple[bool | None, Money | None]:
        if self.listed is None:
            return None, None
        mine = [one for one in self.listed if one.item == item and one.supplier in {"", supplier}]
        price = price_on([one.listed for one in mine], self.day)
        return price is not None, price

    def lapsed_for(self, item: str, supplier: str) -> tuple[str, ...]:
        """Return the certificates that an item of a supplier would stand under and that are over."""
        keys = (("", supplier), (item, ""), (item, supplier))
        return tuple(number for key in keys for number in self.lapsed.get(key, ()))

    def _framework(self, item: str, supplier: str) -> tuple[Money | None, bool]:
        mine = self.frameworks.get((item, supplier), ())
        held = [one.dated for one in mine if one.agreement.holds(self.day)]
        price = price_on(held, self.day)
        return price, price is None and bool(mine) and all(one.is_over(self.day) for one in mine)
