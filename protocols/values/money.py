"""Money: whole units of 1e-4 yuan, so that a unit price of 0.0325 yuan is exact and no float touches it."""

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import NewType

from protocols.errors import BadValue

Money = NewType("Money", int)

UNITS_A_YUAN = 10_000
MONEY_MAX = 2**53 - 1


def yuan(text: str | Decimal | int) -> Money:
    """Parse yuan with at most four decimals. Raises `BadValue`."""
    try:
        value = Decimal(text) * UNITS_A_YUAN
    except (InvalidOperation, TypeError, ValueError) as error:
        raise BadValue(f"money: expected yuan such as 12.50, got {text!r:.40}") from error
    if not value.is_finite() or value != value.to_integral_value() or abs(value) > MONEY_MAX:
        raise BadValue(f"money: expected yuan with at most four decimals, got {text!r:.40}")
    return Money(int(value))


def times(price: Money, count: int) -> Money:
    """Return the price of so many pieces, exactly."""
    return Money(price * count)


def rounded_fen(amount: Money) -> Decimal:
    """Return an amount in yuan rounded half up to the fen: the one rounding, done once, at the end."""
    return (Decimal(amount) / UNITS_A_YUAN).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
