"""A proposal's reason in words: its data, the item's unit and the source's name, said in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from central.core.explain import Words, in_chinese, in_english
from central.store.queries_master import Item, items, places, suppliers
from protocols.values.ids import HospitalId


@dataclass(frozen=True, slots=True)
class Names:
    """What people call items, and the sources they may come from, as (Chinese, English)."""

    catalogue: Mapping[str, Item]
    sources: Mapping[str, tuple[str, str]]

    def said(self, item: str, source: str, reason: Mapping[str, Any]) -> tuple[str, str]:
        """Return the reason's sentence in Chinese and in English."""
        known = self.catalogue.get(item)
        units = ("件", "units") if known is None else (known.unit_zh, known.unit_en)
        names = self.sources.get(source, (source, source))
        passed = [str(one["source"]) for one in reason.get("rejected", ())]
        zh, en = ({one: self.sources.get(one, (one, one))[at] for one in passed} for at in (0, 1))
        return in_chinese(reason, Words(units[0], names[0], zh)), in_english(reason, Words(units[1], names[1], en))


def names_now(connection: Connection, hospital: HospitalId) -> Names:
    """Return the names of a hospital."""
    rooms = {place.place: (place.name_zh, place.name_en) for place in places(connection, hospital)}
    return Names(items(connection, hospital), {**rooms, **suppliers(connection, hospital)})
