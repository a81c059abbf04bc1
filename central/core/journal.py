"""What finance books of a month: balanced double-entry lines, and what is owed for goods not invoiced yet (暂估). Pure.

Every value line goes from one class of place to another: stock, the supplier, the patient, waste. Each class is a role,
each role an account whose code the hospital sets. Goods that come are owed as accrued until their invoice matches; then
the accrual is taken back at the order's price and the invoice is payable at its own, the rest being a price variance.
The rules that must not be broken: each entry's debits equal its credits; amounts are rounded to the fen once, so that
the rounded entries of a pair of accounts sum to the rounded sum.

Sources: 政府会计制度——行政事业单位会计科目和报表 (codes of the default accounts); 暂估, H1 three-way match.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from central.core.month import Sum
from central.core.valuation import CONSIGNED, REVALUED, Origin, Part, holds_stock
from central.errors import BadInput
from protocols.values.ids import HOSPITAL_OWNED
from protocols.values.instant import Instant
from protocols.values.money import Money, rounded_fen

CODE_MAX, NAME_MAX = 32, 60


class Role(StrEnum):
    """What an account is for."""

    STOCK = "stock"
    CONSUMED = "consumed"
    ACCRUED = "accrued"
    CONSIGNED = "consigned"
    PAYABLE = "payable"
    BANK = "bank"
    OPENING = "opening"
    COUNT = "count"
    SCRAP = "scrap"
    PACK = "pack"
    SUSPENSE = "suspense"
    REVALUED = "revalued"
    VARIANCE = "variance"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the hospital's finance."""

    code: str
    name: str

    def __post_init__(self) -> None:
        if not (1 <= len(self.code) <= CODE_MAX and self.code.isprintable()):
            raise BadInput(f"account code: expected 1 to {CODE_MAX} characters, got {self.code!r:.40}")
        if not (1 <= len(self.name) <= NAME_MAX and self.name.isprintable()):
            raise BadInput(f"account name: expected 1 to {NAME_MAX} characters, got {self.name!r:.80}")


ACCOUNTS: Mapping[Role, Account] = MappingProxyType(
    {
        Role.STOCK: Account("1302", "库存物品"),
        Role.CONSUMED: Account("5001.02", "业务活动费用—卫生材料费"),
        Role.ACCRUED: Account("2302.02", "应付账款—暂估"),
        Role.CONSIGNED: Account("2302.03", "应付账款—寄售待结"),
        Role.PAYABLE: Account("2302.01", "应付账款—供应商"),
        Role.BANK: Account("1002", "银行存款"),
        Role.OPENING: Account("3001", "累计盈余—期初"),
        Role.COUNT: Account("1902.01", "待处理财产损溢—盘点"),
        Role.SCRAP: Account("1902.02", "待处理财产损溢—报废"),
        Role.PACK: Account("1302.90", "库存物品—定数包转换"),
        Role.SUSPENSE: Account("1902.90", "待处理财产损溢—待查"),
        Role.REVALUED: Account("5901.01", "其他费用—调价"),
        Role.VARIANCE: Account("5901.02", "其他费用—采购价差"),
    }
)
"""Where finance books to until the hospital says otherwise; a start, the hospital's own codes replace them."""

_ROLE_OF: Mapping[str, Role] = MappingProxyType(
    {
        "supplier": Role.ACCRUED,
        "owner": Role.CONSIGNED,
        "opening": Role.OPENING,
        "patient": Role.CONSUMED,
        "scrap": Role.SCRAP,
        "recycler": Role.SCRAP,
        "unknown": Role.COUNT,
        "kit": Role.PACK,
        "suspense": Role.SUSPENSE,
        REVALUED: Role.REVALUED,
    }
)
OWED = frozenset({Role.ACCRUED, Role.CONSIGNED})
"""Roles that are kept by supplier."""


def role_of(place: str) -> Role:
    """Return the role of a place of value lines."""
    return Role.STOCK if holds_stock(place) else _ROLE_OF[place.partition("@")[0]]


class Sort(StrEnum):
    """What happened to an invoice."""

    MATCHED = "matched"
    WITHDRAWN = "withdrawn"
    PAID = "paid"
    CREDITED = "credited"
    """A credit note: an invoice of less than nothing."""


SIGNS: Mapping[Sort, int] = MappingProxyType({Sort.MATCHED: 1, Sort.CREDITED: 1, Sort.WITHDRAWN: -1, Sort.PAID: 0})
"""Whether what happened takes its parts off the accruals, puts them back, or neither."""


@dataclass(frozen=True, slots=True)
class InvoicedPart:
    """One line of an invoice as an accrual sees it: the document it invoices, at the price that was accrued."""

    origin: Origin
    qty: int
    price: Money

    @property
    def value(self) -> Money:
        """What was accrued for it."""
        return Money(self.qty * self.price)


@dataclass(frozen=True, slots=True)
class Invoiced:
    """Something that happened to an invoice, at an instant: what it asks for, and what it takes back of accruals."""

    document: str
    supplier: str
    sort: Sort
    at: Instant
    amount: Money
    parts: tuple[InvoicedPart, ...]


@dataclass(frozen=True, slots=True)
class Leg:
    """One line of an entry; `place` is the storeroom, `category` the items' class, each empty where it has none."""

    role: Role
    debit: Money
    credit: Money
    place: str = ""
    category: str = ""
    supplier: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One balanced entry: what it tells of (a movement's roles, or an invoice), and its lines."""

    what: str
    document: str
    legs: tuple[Leg, ...]

    def __post_init__(self) -> None:
        debit, credit = sum(one.debit for one in self.legs), sum(one.credit for one in self.legs)
        if debit != credit:
            raise BadInput(
                f"entry {self.what} {self.document}: expected debits to equal credits, got {debit}, {credit}"
            )


@dataclass(frozen=True, slots=True)
class _Group:
    debit: Role
    credit: Role
    place: str
    category: str
    supplier: str


def group_of(part: Part, category: str) -> _Group | None:
    """Return the accounts a value line is booked between, None where stock stays stock or nothing has value."""
    if part.owner != HOSPITAL_OWNED or not part.value:
        return None
    debit, credit = role_of(part.target), role_of(part.source)
    if debit is credit:
        return None
    room = part.target if holds_stock(part.target) else part.source if holds_stock(part.source) else part.target
    supplier = part.origin[1] if OWED & {debit, credit} else ""
    return _Group(debit, credit, room.rpartition("@")[2], category, supplier)


def entries_of(parts: Iterable[Part], category: Callable[[str], str], invoices: Iterable[Invoiced]) -> list[Entry]:
    """Return a month's entries: one for each pair of accounts, storeroom, category and supplier; one for each step of
    an invoice."""
    sums: defaultdict[_Group, int] = defaultdict(int)
    for part in parts:
        group = group_of(part, category(part.item))
        if group is not None:
            sums[group] += part.value
    found = [_entry(group, Money(sums[group])) for group in sorted(sums, key=_order) if sums[group]]
    return found + [_of_invoice(one) for one in invoices]


def _order(group: _Group) -> tuple[str, ...]:
    return (group.debit, group.credit, group.place, group.category, group.supplier)


def _entry(group: _Group, value: Money) -> Entry:
    def leg(role: Role, debit: int, credit: int) -> Leg:
        return Leg(
            role, Money(debit), Money(credit), group.place, group.category, group.supplier if role in OWED else ""
        )

    up, down = max(value, 0), max(-value, 0)
    legs = (leg(group.debit, up, down), leg(group.credit, down, up))
    return Entry(f"{group.credit}>{group.debit}", "", legs)


def _of_invoice(one: Invoiced) -> Entry:
    if one.sort is Sort.PAID:
        owed, paid = (Role.PAYABLE, one.amount), (Role.BANK, Money(-one.amount))
        return Entry(f"invoice-{one.sort}", one.document, _legs([owed, paid], one.supplier))
    sign = -1 if one.sort is Sort.WITHDRAWN else 1
    accrued = sum(part.value for part in one.parts if part.origin[0] != CONSIGNED)
    consigned = sum(part.value for part in one.parts if part.origin[0] == CONSIGNED)
    rest = one.amount - accrued - consigned
    amounts = [
        (Role.ACCRUED, sign * accrued),
        (Role.CONSIGNED, sign * consigned),
        (Role.VARIANCE, sign * rest),
        (Role.PAYABLE, -sign * one.amount),
    ]
    return Entry(f"invoice-{one.sort}", one.document, _legs(amounts, one.supplier))


def _legs(amounts: Sequence[tuple[Role, int]], supplier: str) -> tuple[Leg, ...]:
    """Return the lines of an entry; an amount above 0 is a debit."""
    return tuple(
        Leg(role, Money(max(amount, 0)), Money(max(-amount, 0)), supplier=supplier)
        for role, amount in amounts
        if amount
    )


@dataclass(frozen=True, slots=True)
class Booked:
    """One line as finance imports it: yuan, rounded to the fen."""

    number: int
    what: str
    document: str
    role: Role
    place: str
    category: str
    supplier: str
    debit: Decimal
    credit: Decimal


def booked(entries: Iterable[Entry]) -> list[Booked]:
    """Return the lines of entries in yuan, each entry balanced, those of a pair of accounts summing to the fen."""
    told: defaultdict[tuple[Role, ...], list[int]] = defaultdict(lambda: [0] * 16)
    found: list[Booked] = []
    for number, entry in enumerate(entries, start=1):
        roles = tuple(one.role for one in entry.legs)
        before = told[roles][: len(roles)]
        amounts: list[Decimal] = []
        for place, one in enumerate(entry.legs[:-1]):
            after = before[place] + one.debit - one.credit
            amounts.append(rounded_fen(Money(after)) - rounded_fen(Money(before[place])))
            told[roles][place] = after
        amounts.append(-sum(amounts, Decimal(0)))
        found += [_booked(number, entry, leg, amount) for leg, amount in zip(entry.legs, amounts, strict=True)]
    return found


def _booked(number: int, entry: Entry, leg: Leg, amount: Decimal) -> Booked:
    debit = leg.debit > 0 or (not leg.credit and amount > 0)
    return Booked(
        number, entry.what, entry.document, leg.role, leg.place, leg.category, leg.supplier,
        amount if debit else Decimal("0.00"), Decimal("0.00") if debit else -amount,
    )  # fmt: skip


@dataclass(slots=True)
class Accrual:
    """What is owed for goods of one purchase and not invoiced yet; below 0 a credit is owed to the hospital."""

    opening: Sum = field(default_factory=Sum)
    received: Sum = field(default_factory=Sum)
    returned: Sum = field(default_factory=Sum)
    invoiced: Sum = field(default_factory=Sum)

    @property
    def closing(self) -> Sum:
        """Opening + received - returned - invoiced."""
        return self.opening + self.received - self.returned - self.invoiced


def accruals(
    opening: Mapping[Origin, Sum], parts: Iterable[Part], invoices: Iterable[Invoiced]
) -> dict[Origin, Accrual]:
    """Return the accruals of a month by purchase, with its supplier; those that stay at nothing are left out."""
    found = {origin: Accrual(opening=one) for origin, one in opening.items()}
    for part in parts:
        came = owed_by(part)
        if came:
            one = found.setdefault(part.origin, Accrual())
            if came > 0:
                one.received += Sum(part.qty, part.value)
            else:
                one.returned += Sum(part.qty, part.value)
    for each in invoices:
        sign = SIGNS[each.sort]
        for line in each.parts:
            one = found.setdefault(line.origin, Accrual())
            one.invoiced += Sum(sign * line.qty, Money(sign * line.value))
    told = {origin: one for origin, one in found.items() if not _is_nothing(one)}
    return dict(sorted(told.items(), key=lambda one: (one[0][1], one[0][0])))


def owed_by(part: Part) -> int:
    """Return 1 for a value line by which something is owed to a supplier, -1 for one that takes it back, else 0."""
    if part.owner != HOSPITAL_OWNED:
        return 0
    return (role_of(part.source) in OWED) - (role_of(part.target) in OWED)


def _is_nothing(one: Accrual) -> bool:
    return one == Accrual()
