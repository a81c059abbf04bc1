"""Who asks for a form, and how names, prices and days stand on one.

It makes no form. The rule that must not be broken: prices are said to who may see them, and the look is noted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from central.core.rights import Caller, Right
from central.links.paper import Column
from central.services.desk import Desk
from central.store.queries_master import Item, items, places, suppliers
from protocols.values.money import Money, rounded_fen


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for a form, of which document, in which language, under which hospital's name."""

    desk: Desk
    caller: Caller
    named: str
    zh: bool
    hospital: str

    def say(self, zh: str, en: str) -> str:
        """Return a word in the language asked for."""
        return zh if self.zh else en

    @property
    def priced(self) -> bool:
        """Whether prices stand on it; a look at them is noted."""
        if not self.caller.may(Right.SEE_PRICES):
            return False
        self.desk.looks.saw(self.caller, "see-prices", f"form {self.named}")
        return True


@dataclass(frozen=True, slots=True)
class Names:
    """What items, storerooms and suppliers are called, in the language asked for."""

    items: Mapping[str, Item]
    rooms: Mapping[str, str]

    def of(self, asked: Asked, item: str) -> tuple[str, str, str]:
        """Return an item's name, specification and base unit."""
        one = self.items.get(item)
        if one is None:
            return item, "", ""
        return asked.say(one.name_zh, one.name_en), one.spec, asked.say(one.unit_zh, one.unit_en)


def names_of(asked: Asked) -> Names:
    """Read what things are called."""
    with asked.desk.store.read() as connection:
        rooms = {one.place: asked.say(one.name_zh, one.name_en) for one in places(connection, asked.desk.hospital)}
        firms = suppliers(connection, asked.desk.hospital)
        return Names(
            items(connection, asked.desk.hospital), rooms | {code: asked.say(*both) for code, both in firms.items()}
        )


def item_columns(asked: Asked) -> tuple[Column, ...]:
    """Return the columns of an item on a line."""
    return (
        Column(asked.say("行", "No."), 9, number=True),
        Column(asked.say("物资编码", "Item"), 27),
        Column(asked.say("品名", "Name")),
        Column(asked.say("规格型号", "Specification"), 30),
        Column(asked.say("单位", "Unit"), 11),
    )


def money(amount: Money) -> str:
    """Return an amount in yuan, to the fen."""
    return f"{rounded_fen(amount):,.2f}"


def price(amount: Money) -> str:
    """Return a price a base unit with as many decimals as it has, two at least."""
    exact = Decimal(amount) / 10_000
    return f"{exact:,.2f}" if exact == round(exact, 2) else f"{exact:,.4f}"


def date_line(asked: Asked) -> str:
    """Return what stands in a box to sign in, for the day."""
    return asked.say("　　年　　月　　日", "date")


def lang(asked: Asked) -> str:
    """Return the language as the setting knows it."""
    return "zh" if asked.zh else "en"
