"""What was typed into a field of a form, read as a value: a day, an amount in yuan, a quantity.

It knows no form and no page. The rule that must not be broken: a text that is no such value is a `BadInput` that begins
with the name of what was asked for, from which its page makes a sentence.
"""

from collections.abc import Collection
from datetime import date

from central.errors import BadInput
from protocols.errors import BadValue
from protocols.values.money import Money, yuan
from protocols.values.quantity import LINE_QTY_MAX


def day_of(name: str, text: str) -> date | None:
    """Read a day, None where nothing was typed. Raises `BadInput`."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise BadInput(f"{name}: expected a day such as 2026-03-02, got {text!r:.20}") from error


def yuan_of(name: str, text: str) -> Money:
    """Read an amount in yuan, 0 or more. Raises `BadInput`."""
    try:
        amount = yuan(text.strip())
    except BadValue as error:
        raise BadInput(f"{name}: {error}") from error
    if amount < 0:
        raise BadInput(f"{name}: expected 0 or more, got {text!r:.20}")
    return amount


def whole_of(name: str, text: str) -> int:
    """Read a quantity of base units, 0 where nothing was typed. Raises `BadInput`."""
    cleaned = text.strip() or "0"
    is_whole = cleaned.isascii() and cleaned.isdigit() and len(cleaned) <= len(str(LINE_QTY_MAX))
    if not is_whole or int(cleaned) > LINE_QTY_MAX:
        raise BadInput(f"{name}: expected a whole number up to {LINE_QTY_MAX}, got {text!r:.20}")
    return int(cleaned)


def in_step(name: str, *columns: Collection[object]) -> None:
    """See that each row of a form was sent whole: columns of one length. Raises `BadInput`, so that no row is lost."""
    counts = [len(one) for one in columns]
    if len(set(counts)) > 1:
        raise BadInput(f"{name}: expected each row whole, got columns of {', '.join(map(str, counts))} values")
