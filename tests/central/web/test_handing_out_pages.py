"""From the hospital's own store to a ward without a device: handed out on the order's page, received by one scan."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from central.bootstrap.application import build_app
from central.config import read_config
from central.core.notes import number_of
from central.core.rights import Grant, Role
from central.services.imports import import_folder
from central.services.verify import verify
from central.store import queries_charges as kept
from central.store.engine import Store
from central.store.tables.work import ORDER_LINE, PURCHASE_ORDER
from protocols.codes.label import TicketSort, make_ticket
from protocols.values.ids import ActorId, PlaceId
from protocols.values.instant import plus
from tests.central.doors import Watch, desk
from tests.central.hospital import FILES, GAUZE, HOSPITAL, START, fresh_store, frozen_clock, write_files
from tests.central.web.test_order_pages import PASSWORD, Somebody

ORDER = "IR-20260302-ABCDEF12"
TICKET = make_ticket(TicketSort.DOCUMENT, number_of(ORDER))
PLACES = FILES["places.csv"].replace("普外科,General surgery,main-store,ward-02", "普外科,General surgery,main-store,")
STOCK = "place,item,lot,qty\nmain-store,HC-GAUZE,G1,30\nmain-store,HC-GAUZE,G0,20\n"
LOTS = FILES["lots.csv"] + "HC-GAUZE,G0,2025-06-01,2026-12-01\n"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = fresh_store()
    files = {**FILES, "places.csv": PLACES, "stock.csv": STOCK, "lots.csv": LOTS}
    import_folder(made, HOSPITAL, write_files(tmp_path / "files", files), frozen_clock())
    head = {"hospital": HOSPITAL, "order_no": ORDER, "supplier": "", "source": "main-store", "place": "ward-02"}
    line = {"hospital": HOSPITAL, "order_no": ORDER, "line_no": 1, "item": GAUZE, "qty": 40, "price": 0}
    with made.write() as connection:
        connection.execute(
            PURCHASE_ORDER.insert().values(**head, status="approved", created_at=START, approved_by="10001")
        )
        connection.execute(
            ORDER_LINE.insert().values(**line, proposal="p", reason='{"policy": "import"}', requisition="")
        )
    return made


@pytest.fixture
def client(store: Store, tmp_path: Path) -> Iterator[TestClient]:
    door = desk(store, Watch(frozen_clock().real_now()))
    door.entrance.make_first("set-up-code!", ActorId("99999"), "Keeper", PASSWORD, "")
    for number, grant in {
        "20001": Grant(Role.STOREKEEPER),
        "30001": Grant(Role.WARD_KEEPER, frozenset({PlaceId("ward-02")})),
    }.items():
        secret = door.accounts.add(ActorId("99999"), ActorId(number), number, [grant])
        door.entrance.accept(secret, PASSWORD, "")
    path = tmp_path / "central.toml"
    path.write_text('[broker]\nurls = ["mqtt://127.0.0.1:1"]\n', "utf-8")
    app = build_app(read_config(path), store, frozen_clock(plus(START, 3600)))
    with TestClient(app, base_url="http://127.0.0.1", follow_redirects=False) as one:
        yield one


def lying(store: Store, place: str) -> dict[str, int]:
    with store.read() as connection:
        found = kept.lying(connection, HOSPITAL, item=GAUZE, place=place)
    return {one.lot: one.qty for one in found if one.place == place}


def hand_out(client: TestClient, qty: int, seen: int) -> int:
    return Somebody(client, "20001").post(f"/orders/{ORDER}/handed-out/new", item=GAUZE, qty=qty, seen=seen)


def receive(client: TestClient, code: str) -> str:
    keeper = Somebody(client, "30001")
    page = keeper.get("/hand/ward-02?doing=receive&lang=en")
    once = re.search(r'name="once" value="([^"]+)"', page)
    assert once is not None
    form = {"doing": "receive", "code": code, "once": once[1], "word": keeper._word}
    answer = client.post("/hand/ward-02?lang=en", data=form, headers={"sec-fetch-site": "same-origin"})
    return str(answer.headers.get("location", "") or answer.text)


def test_a_ward_without_a_device_receives_what_the_store_hands_out_by_one_scan(
    client: TestClient, store: Store
) -> None:
    keeper = Somebody(client, "20001")
    assert ORDER in keeper.get("/orders?waits=hand-out&lang=en")
    assert "Hand out to wards what they are owed" in keeper.get("/?lang=en")
    page = keeper.get(f"/orders/{ORDER}?lang=en")
    assert "Hand out to the ward" in page
    assert page.index("G0") < page.index("G1")
    assert "On its way here" not in Somebody(client, "30001").get("/hand/ward-02?doing=receive&lang=en")
    assert hand_out(client, 40, seen=40) == 303
    assert (lying(store, "main-store"), lying(store, "ward-02")) == ({"G1": 10}, {})
    assert ORDER not in Somebody(client, "20001").get("/orders?waits=hand-out&lang=en")
    assert "Hand out to wards what they are owed" not in client.get("/?lang=en").text
    assert "handed goods out for a ward" in client.get(f"/orders/{ORDER}?lang=en").text
    page = Somebody(client, "30001").get("/hand/ward-02?doing=receive&lang=en")
    assert "On its way here" in page
    assert TICKET in page
    assert "said=note" in receive(client, TICKET)
    assert lying(store, "ward-02") == {"G0": 20, "G1": 20}
    assert "received already, or it was not handed out yet" in receive(client, TICKET)
    assert "On its way here" not in client.get("/hand/ward-02?doing=receive&lang=en").text
    order = client.get(f"/orders/{ORDER}?lang=en").text
    assert "Hand out to the ward" not in order
    assert [fault for fault in verify(store).faults if ORDER not in fault] == []  # its proposal is not made here


def test_goods_are_handed_out_once_however_often_the_form_is_sent_and_never_more_than_is_there(
    client: TestClient, store: Store
) -> None:
    assert hand_out(client, 41, seen=40) == 409
    assert hand_out(client, 15, seen=40) == 303
    assert hand_out(client, 15, seen=40) == 409
    assert lying(store, "main-store") == {"G0": 5, "G1": 30}
    assert "25 owed" in client.get(f"/orders/{ORDER}?lang=en").text
    assert "said=note" in receive(client, TICKET)
    assert hand_out(client, 25, seen=25) == 303
    second = make_ticket(TicketSort.DOCUMENT, f"{number_of(ORDER)}2")
    assert "said=note" in receive(client, second)
    assert sum(lying(store, "ward-02").values()) == 40


def test_who_does_not_work_in_the_store_hands_nothing_out(client: TestClient) -> None:
    keeper = Somebody(client, "30001")
    assert "Hand out to the ward" not in keeper.get(f"/orders/{ORDER}?lang=en")
    assert keeper.post(f"/orders/{ORDER}/handed-out/new", item=GAUZE, qty=1, seen=40) == 403
