"""What a policy rule is: its kind and bounds, who may set it, which way loosens a control, and its name in words.

The table of them is `central/store/policy_kinds.csv`; values stand in rows of the store. The rules that must not be
broken: a code without a row there cannot be set by anybody, and whatever loosens a control needs a second person.

Sources: each rule's own, in `policy_rules.csv`; A9 (S3) "no step skipped without a rule", E3 and I1 (two people).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from central.core.rights import Right, Role
from central.errors import BadInput

WRITTEN = re.compile(r"\d{1,9}(\.\d{1,6})?")
"""How a value is written: plain decimals, no sign, no exponent."""


class Kind(StrEnum):
    """How a value is read."""

    SWITCH = "switch"
    MODE = "mode"
    SHARE = "share"
    FACTOR = "factor"
    COUNT = "count"
    YUAN = "yuan"
    DAYS = "days"
    HOURS = "hours"
    MINUTES = "minutes"
    SECONDS = "seconds"


WHOLE = frozenset(Kind) - {Kind.SHARE, Kind.FACTOR}
"""Kinds whose values are whole numbers."""


class Loosens(StrEnum):
    """Which change of a value loosens a control."""

    UP = "up"
    DOWN = "down"
    EITHER = "either"
    NEVER = "never"


class Area(StrEnum):
    """Whose business a rule is."""

    BUYING = "buying"
    WARDS = "wards"
    MONEY = "money"
    ACCESS = "access"


SETS: Mapping[Area, Right] = MappingProxyType(
    {
        Area.BUYING: Right.PURCHASE,
        Area.WARDS: Right.JUDGE_WARDS,
        Area.MONEY: Right.PAY,
        Area.ACCESS: Right.MANAGE_PEOPLE,
    }
)
"""Who sets a rule of an area."""

CONFIRMS: Mapping[Area, Right] = MappingProxyType(
    {
        Area.BUYING: Right.APPROVE_HIGH,
        Area.WARDS: Right.JUDGE_WARDS,
        Area.MONEY: Right.APPROVE_HIGH,
        Area.ACCESS: Right.MANAGE_PEOPLE,
    }
)
"""Who, being another person, agrees to what loosens a control."""

ITEM, ROLE = "*item", "*role"
"""Stand in `scopes` for every item of the catalogue, and for every role."""


@dataclass(frozen=True, slots=True)
class RuleKind:
    """One rule: how its value is read, from `low` to `high`, both admitted; `scopes` are what it may hold for."""

    code: str
    kind: Kind
    low: Fraction
    high: Fraction
    loosens: Loosens
    area: Area
    zh: str
    en: str
    scopes: tuple[str, ...] = ("",)

    def check_scope(self, scope: str) -> None:
        """Raise `BadInput` for something the rule cannot hold for; whether an item is known is not seen here."""
        roles = tuple(Role) if ROLE in self.scopes else ()
        if scope in (*self.scopes, *roles) or (ITEM in self.scopes and scope):
            return
        words = {"": "nothing", ITEM: "an item's code", ROLE: "a role"}
        wanted = ", ".join(words.get(one, one) for one in self.scopes)
        raise BadInput(f"scope: expected one of {wanted} for {self.code}, got {scope!r:.40}")

    def read(self, text: str) -> Fraction:
        """Return a value as a person wrote it. Raises `BadInput` saying what was expected."""
        said = text.strip()
        wanted = f"{'a whole number' if self.kind in WHOLE else 'a number'} from {_plain(self.low)} to "
        wanted += _plain(self.high)
        if not WRITTEN.fullmatch(said):
            raise BadInput(f"value: expected {wanted} for {self.code}, got {said!r:.40}")
        value = Fraction(said)
        if not self.low <= value <= self.high or (self.kind in WHOLE and value.denominator != 1):
            raise BadInput(f"value: expected {wanted} for {self.code}, got {said}")
        return value

    def is_loosened(self, before: Fraction | None, after: Fraction | None) -> bool:
        """Tell whether a control is looser with a value than with the one before; None is no rule at all."""
        if self.loosens is Loosens.NEVER or before == after:
            return False
        if self.loosens is Loosens.EITHER or before is None or after is None:
            return True
        return after > before if self.loosens is Loosens.UP else after < before


def _plain(value: Fraction) -> str:
    return f"{float(value):g}" if value.denominator != 1 else str(int(value))
