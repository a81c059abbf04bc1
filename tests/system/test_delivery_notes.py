"""Goods from the hospital's store to a ward: an order, picked by its paper, received by a badge and one scan of it.

Two real agents on pseudo-terminals, a real broker; central's ingest and worker run here on a file.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from central.core.notes import number_of
from central.core.orders import Progress
from central.services.orders import orders_now
from central.services.verify import verify
from central.store.chains import enrol
from central.store.tables.ledger import BALANCE
from central.store.tables.work import ORDER_LINE, PURCHASE_ORDER
from protocols.codes.label import CommandName, TicketSort, make_command, make_ticket
from protocols.readers.scanner import Beep
from protocols.values.ids import DeviceId, PlaceId
from tests.system.brokers import BrokerProcess, broker
from tests.system.edge_ward import Ward, label
from tests.system.test_feed import BADGE, MAIN, Central, row
from tests.system.test_scan_reaches_central import LINK, eventually

pytestmark = pytest.mark.needs_linux

STORE, WARD, ITEM = "main-store", "ward-01", "C001"
ORDER = "IR-20260302-ABCDEF12"
NUMBER = number_of(ORDER)
PAPER = make_ticket(TicketSort.DOCUMENT, NUMBER)
LINK_OF_TESTS = f"{LINK}\nidle_hello_s = 600"


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[BrokerProcess]:
    with broker("mosquitto", tmp_path) as process:
        yield process


def an_edge(folder: Path, name: str, pipe: BrokerProcess) -> Ward:
    """An agent's folder; only the hospital's store has pieces to begin with."""
    folder.mkdir()
    made = Ward(folder, name)
    config = made.config.read_text().replace("mqtt://127.0.0.1:9", pipe.url).replace("unsigned = true", LINK_OF_TESTS)
    made.config.write_text(config if name == STORE else config.replace('[master]\nopening = "opening.csv"\n', ""))
    return made


@pytest.fixture
def rooms(tmp_path: Path, pipe: BrokerProcess) -> Iterator[tuple[Ward, Ward]]:
    with (
        closing(an_edge(tmp_path / "store", STORE, pipe)) as store,
        closing(an_edge(tmp_path / "ward", WARD, pipe)) as ward,
    ):
        yield store, ward


@pytest.fixture
def central(tmp_path: Path, pipe: BrokerProcess) -> Iterator[Central]:
    with closing(Central(tmp_path, pipe.url)) as made:
        with made.store.write() as connection:
            enrol(connection, MAIN, DeviceId(STORE), PlaceId(STORE))
            order_for_the_ward(connection, made)
        made.feed.changed()
        yield made


def order_for_the_ward(connection: Connection, central: Central) -> None:
    """A requisition of three pieces that somebody approved."""
    now = central.clock.now()
    order: dict[str, object] = {"hospital": MAIN, "order_no": ORDER, "supplier": "", "source": STORE, "place": WARD}
    order |= {"status": "approved", "created_at": now, "approved_by": "2001"}
    line = {"hospital": MAIN, "order_no": ORDER, "line_no": 1, "item": ITEM, "qty": 3, "price": 0, "proposal": "p"}
    connection.execute(PURCHASE_ORDER.insert().values(**order))
    connection.execute(ORDER_LINE.insert().values(**line, reason="{}"))


def card(name: str) -> str:
    return make_command(CommandName(name))


def held(central: Central, place: str) -> int:
    query = select(func.coalesce(func.sum(BALANCE.c.qty), 0)).where(BALANCE.c.place == place, BALANCE.c.item == ITEM)
    with central.store.read() as connection:
        return int(connection.scalar(query) or 0)


def at_edge(ward: Ward) -> list[tuple[str, str, int]]:
    """What the ward's own book has of the item: unit, shelf, quantity."""
    with closing(sqlite3.connect(ward.ledger)) as connection:
        return connection.execute(
            "SELECT unit, position, qty FROM balance WHERE place = ? AND item = ? AND qty > 0 ORDER BY unit",
            (WARD, ITEM),
        ).fetchall()


def test_i5_an_order_is_picked_by_its_paper_and_received_by_a_badge_and_one_scan_of_it(
    rooms: tuple[Ward, Ward], central: Central
) -> None:
    store, ward = rooms
    store.start_ready()
    ward.start_ready()
    eventually(lambda: row(store, "document", NUMBER).get("sort") == "pick")
    assert row(ward, "document", NUMBER) == {}
    assert ward.plug.scan(BADGE, PAPER) == [Beep.OK, Beep.LOOK]  # nothing is on its way yet: kept, nothing is booked

    assert store.plug.scan(BADGE, card("TRANSFER"), PAPER, label(1), label(2), label(3), card("DONE")) == [Beep.OK] * 7
    eventually(lambda: held(central, f"transit@{WARD}") == 3)
    eventually(lambda: len(row(ward, "document", NUMBER).get("lines", [])) == 3)
    eventually(lambda: row(store, "document", NUMBER) == {})  # all of it was picked

    assert ward.plug.scan(BADGE, PAPER) == [Beep.OK, Beep.OK]
    eventually(lambda: held(central, WARD) == 3)
    assert held(central, f"transit@{WARD}") == 0
    assert [qty for _, _, qty in at_edge(ward)] == [1, 1, 1]
    ((_, come),) = orders_now(central.store, MAIN, central.clock.now())
    assert come is Progress.RECEIVED
    eventually(lambda: row(ward, "document", NUMBER) == {})
    assert ward.plug.scan(PAPER) == [Beep.LOOK]  # once more: nothing is booked twice
    assert ward.plug.scan(label(1)) == [Beep.OK]  # its tag came with the note
    eventually(lambda: held(central, f"issued@{WARD}") == 1)
    assert [fault for fault in verify(central.store).faults if ORDER not in fault] == []  # no proposal made the order
