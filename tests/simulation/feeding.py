"""The way down in the simulation: what changes at central, and what must stand at every edge in the end.

A change is made as people make it, in the tables; the real keeper looks at them, the real hints wake the edges. Pages
are small here, so that a version has several. The rule that must not be broken: what an edge should hold is read from
central's database, never from what a program believes.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from central.services.feed.answers import scopes_of
from central.services.feed.hints import hinter
from central.services.feed.keeper import FeedKeeper, Seals, Times
from central.services.policy import seed_policy
from central.store.feeds import newest_checksums
from central.store.merge import merge
from central.store.tables.master import ITEM
from protocols.sync.codec import Signing
from protocols.sync.feed import FeedRow, checksum_of
from protocols.values.ids import HOSPITAL_DEFAULT, DeviceId, ItemId, PlaceId

if TYPE_CHECKING:
    from tests.simulation.hub import Hub
    from tests.simulation.world import World

ITEMS = 12
PAGE_BYTES = 1_500
"""Three or four pages a version: enough that a change comes in between, few enough for the law of messages."""


@contextmanager
def small_pages() -> Iterator[None]:
    """Let a page carry little, so that a version has several."""
    with pytest.MonkeyPatch.context() as patch:
        for where in ("protocols.sync.feed", "central.services.feed.answers"):
            patch.setattr(f"{where}.PAGE_BYTES_MAX", PAGE_BYTES)
        yield


def change(hub: "Hub", size: float, signing: Signing) -> None:
    """Somebody changes some items of the catalogue; the worker looks, and lets the edges know."""
    chance = random.Random(size)
    rows = [_item(ItemId(f"F{number:03}"), chance) for number in range(ITEMS) if chance.random() < 0.5]
    store = hub.store
    assert store is not None
    with suppress(SQLAlchemyError):
        seed_policy(store, HOSPITAL_DEFAULT)
        with store.write() as connection:
            if rows:
                merge(connection, ITEM, rows)
        keeper = FeedKeeper(store, HOSPITAL_DEFAULT, Times(hub.clock.now, hub.clock.link_s), Seals())
        keeper.speak_by(hinter(hub.say_hint, HOSPITAL_DEFAULT, signing))
        keeper.round()


def _item(item: ItemId, chance: random.Random) -> dict[str, object]:
    """An item whose row hardly packs."""
    row = {"hospital": HOSPITAL_DEFAULT, "item": item, "name_zh": chance.randbytes(200).hex(), "name_en": item}
    row |= {"spec": "", "gtin": "", "unit_zh": "个", "unit_en": "piece", "class": "low", "criticality": "normal"}
    return row | {"pack": chance.randrange(1, 9), "chargeable": False, "storage": ""}


def feeds_agree(world: "World", connection: Connection) -> Iterator[str]:
    """I11: every edge holds the newest version of each of its scopes, whole."""
    newest = newest_checksums(connection, HOSPITAL_DEFAULT)
    for name, ward in world.wards.items():
        assert ward.ledger is not None
        query = ward.ledger.connection.query
        held = {
            scope: (version, checksum)
            for scope, version, checksum in query("SELECT scope, version, checksum FROM feed")
        }
        for word, scope in scopes_of(DeviceId(name), PlaceId(name)).items():
            rows = query("SELECT kind, key, body FROM master WHERE scope = ?", (word,))
            found = checksum_of(FeedRow(*row) for row in rows)
            if scope not in newest:
                continue
            version, checksum = newest[scope]
            if (held.get(word), found) != ((version, checksum.hex()), checksum):
                yield f"I11 {name}: {word}: edge holds {held.get(word, (-1, ''))[0]}, central has {version}"
