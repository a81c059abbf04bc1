"""The rules in force: every threshold of the product, read from versioned rows, never from code.

A rule is `(code, scope, value)` in force from a day to a day, with the text it was taken from. Not here: where rows are
kept. The rule that must not be broken: a decision names the `version` of the rules it was made under, and the same rows
give the same version.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from types import MappingProxyType

from central.core.policy_kinds import RuleKind
from central.errors import BadInput, NotThere

VERSION_DIGITS = 12
"""Hex digits of a version: 48 bits tell the few hundred rule sets of one hospital apart."""


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One rule: `value` as written (a decimal number), in force on days `effective_from <= day < effective_to`."""

    code: str
    scope: str
    value: str
    effective_from: date
    effective_to: date | None
    source_doc: str
    seq: int = 0
    """Which of the rows from that day it is: the last one stands."""

    def __post_init__(self) -> None:
        if self.effective_to is not None and self.effective_to <= self.effective_from:
            raise BadInput(
                f"policy rule {self.code}: expected an end after {self.effective_from}, got {self.effective_to}"
            )
        try:
            Fraction(self.value)
        except (ValueError, ZeroDivisionError) as error:
            raise BadInput(f"policy rule {self.code}: expected a number, got {self.value!r:.40}") from error

    def in_force(self, day: date) -> bool:
        """Tell whether the rule holds on a day."""
        return self.effective_from <= day and (self.effective_to is None or day < self.effective_to)


@dataclass(frozen=True, slots=True)
class Rules:
    """The values in force on one day, by code and scope, and the version that names them."""

    values: Mapping[tuple[str, str], Fraction]
    version: str

    def number(self, code: str, scope: str = "") -> Fraction:
        """Return a value for a scope, else for every scope. Raises `NotThere` when no row says it."""
        found = self.values.get((code, scope), self.values.get((code, "")))
        if found is None:
            raise NotThere(f"policy rule {code!r} (scope {scope!r}): no row is in force; run migrate, or add the row")
        return found

    def whole(self, code: str, scope: str = "") -> int:
        """Return a value that must be a whole number. Raises `BadInput`."""
        value = self.number(code, scope)
        if value.denominator != 1:
            raise BadInput(f"policy rule {code!r}: expected a whole number, got {value}")
        return int(value)


def rules_on(day: date, rows: Iterable[PolicyRow]) -> Rules:
    """Return the rules in force on a day; of two rows for one code and scope the later start wins, then the later."""
    chosen = {(row.code, row.scope): row for row in sorted(rows, key=_rank) if row.in_force(day)}
    text = "\n".join(f"{code}\t{scope}\t{chosen[code, scope].value}" for code, scope in sorted(chosen))
    version = hashlib.sha256(text.encode()).hexdigest()[:VERSION_DIGITS]
    return Rules(MappingProxyType({key: Fraction(row.value) for key, row in chosen.items()}), version)


def _rank(row: PolicyRow) -> tuple[date, int]:
    return row.effective_from, row.seq


def turning_days(rows: Iterable[PolicyRow], new: PolicyRow) -> list[date]:
    """Return the days within a new row's time on which what holds may change: its first, and each row's ends."""
    ends = {day for row in rows for day in (row.effective_from, row.effective_to) if day is not None}
    return sorted({new.effective_from, *(day for day in ends if new.in_force(day))})


def value_on(day: date, rows: Iterable[PolicyRow], code: str, scope: str) -> Fraction | None:
    """Return what a rule says on a day for a scope, or for every scope; None when nothing does."""
    values = rules_on(day, rows).values
    return values.get((code, scope), values.get((code, "")))


def loosens(kind: RuleKind, rows: Sequence[PolicyRow], new: PolicyRow) -> bool:
    """Tell whether a control is looser on any day of a new row's time than it would be without the row."""
    after = [*rows, new]
    return any(
        kind.is_loosened(
            value_on(day, rows, kind.code, scope),
            value_on(day, after, kind.code, scope),
        )
        for day in turning_days(rows, new)
        for scope in {new.scope, *(row.scope for row in rows)}
    )
