"""What a delivery costs to bring: the freight terms of an agreement, and what sending orders together saves.

Pure. The rule that must not be broken: terms that cannot be read cost nothing here and are said to be unread, never
guessed.

Source: A6 (S0), batch orders under framework agreements, logistics cost down by 10 %.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from protocols.values.money import Money, yuan

NUMBER = r"([0-9]+(?:\.[0-9]{1,2})?)"
FEE = re.compile(
    rf"(?:每次|每单|单次)\s*{NUMBER}|{NUMBER}\s*(?:元|yuan)?\s*(?:/|每|a |per )\s*(?:次|单|delivery|order)"
)
FREE_FROM = re.compile(rf"(?:满|超过|free from|over)\s*{NUMBER}")
FREE = re.compile(r"包邮|免运费|含运费|包运费|freight included|free of charge")


@dataclass(frozen=True, slots=True)
class Freight:
    """A fee a delivery, none from a value on where that is said."""

    fee: Money
    free_from: Money | None = None

    def of(self, value: Money) -> Money:
        """Return what a delivery of goods of a value costs to bring."""
        return Money(0) if self.free_from is not None and value >= self.free_from else self.fee


@dataclass(frozen=True, slots=True)
class Saved:
    """What deliveries cost as they were sent, and what they would have cost one order at a time."""

    together: Money
    alone: Money

    @property
    def cut(self) -> Fraction | None:
        """The share saved; None where nothing would have been paid."""
        return Fraction(self.alone - self.together, self.alone) if self.alone else None


def freight_of(terms: str) -> Freight | None:
    """Read an agreement's freight terms, such as `每次 30 元，满 2000 元免运费`; None where they are not understood."""
    fee, threshold = FEE.search(terms), FREE_FROM.search(terms)
    if fee is not None:
        return Freight(_yuan(fee[1] or fee[2]), None if threshold is None else _yuan(threshold[1]))
    return Freight(Money(0)) if FREE.search(terms) else None


def _yuan(text: str) -> Money:
    return yuan(Decimal(text))


def saved(deliveries: Iterable[tuple[Freight, list[Money]]]) -> Saved:
    """Return what deliveries cost, each the values of the orders that came in it under its terms."""
    together = alone = 0
    for terms, values in deliveries:
        together += terms.of(Money(sum(values)))
        alone += sum(terms.of(value) for value in values)
    return Saved(Money(together), Money(alone))
